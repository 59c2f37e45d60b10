import { useCallback, useState } from 'react';
import { Link, useAddress } from '../../address/navigate.tsx';
import { pathOf } from '../../address/route.ts';
import { Choice } from '../../audit/filter_parts.tsx';
import { ComingRows } from '../../controls/coming.tsx';
import { Icon } from '../../controls/icons.tsx';
import type { Site } from '../../desk/api.ts';
import { useReading } from '../../desk/reading.ts';
import { may } from '../../desk/session.tsx';
import { momentText, readerInput, readerInstant, secondText } from '../../edge/reader.ts';
import { counted, exactCount } from '../../numbers/format.ts';
import { Empty, Failed } from '../../overview/states.tsx';
import { type DeadLetters, type ReplayChoice, relay } from './api.ts';
import { type Filters, filterQuery, readFilters, setFilters, withFilters } from './filters.ts';
import { type Here, ReadingFrame } from './frame.tsx';
import { ReplayDialog } from './replay.tsx';
import { reasonText, StateGlyph } from './words.tsx';
import '../relay.css';

const filterNames = ['destination', 'reason', 'from', 'to'] as const;

/** What did not get through, why, and what of it can still be sent? */
export function RelayDeadLettersPage({ site }: { site: Site }) {
  return (
    <ReadingFrame site={site} title="Dead letters" what="dead letters">
      {(organisation) => <DeadLetterList organisation={organisation} />}
    </ReadingFrame>
  );
}

function DeadLetterList({ organisation }: { organisation: Here }) {
  const { search } = useAddress();
  const filters = readFilters(search, filterNames);
  const query = filterQuery(filters);
  const path = pathOf({ page: 'relay-dead-letters', site: organisation.site });
  const { answer, problem, reload } = useReading(
    useCallback(() => relay.deadLetters(organisation.id, query), [organisation.id, query]),
  );
  const [replaying, setReplaying] = useState<{ title: string; choice: ReplayChoice }>();
  const narrow = (change: Filters) => setFilters(path, { ...filters, ...change });
  const mayReplay = may(organisation, 'relay.manage');
  const names = new Map(answer?.destinations.map(({ id, name }) => [id, name]));
  const able = answer === undefined ? 0 : answer.deliveries - answer.too_old;
  return (
    <>
      <div className="rl-top">
        <p className="rl-answer">{answer === undefined ? '…' : answerText(answer)}</p>
        {mayReplay && answer !== undefined && able > 0 && (
          <button
            type="button"
            className="btn main-act"
            onClick={() =>
              setReplaying({
                title: query === '' ? 'Replay every dead letter?' : 'Replay these dead letters?',
                choice: choiceOf(filters),
              })
            }
          >
            <Icon name="play" />
            {query === '' ? 'Replay all…' : 'Replay these…'}
          </button>
        )}
      </div>
      <search className="re-filters" aria-label="Filter dead letters">
        <Choice
          label="Destination"
          all="All destinations"
          options={(answer?.destinations ?? []).map(({ id, name }) => [String(id), name] as const)}
          value={filters.destination}
          onChoose={(destination) => narrow({ destination })}
        />
        <Choice
          label="Reason"
          all="Any reason"
          options={reasonsOf(answer, filters.reason)}
          value={filters.reason}
          onChoose={(reason) => narrow({ reason })}
        />
        {(['from', 'to'] as const).map((name) => (
          <label key={name} className="re-moment">
            {name === 'from' ? 'From' : 'to'}
            <input
              type="datetime-local"
              value={filters[name] === undefined ? '' : readerInput(Date.parse(filters[name]))}
              onChange={(event) => narrow({ [name]: readerInstant(event.target.value) })}
            />
          </label>
        ))}
        {query !== '' && (
          <button type="button" className="btn quiet sm" onClick={() => setFilters(path, {})}>
            Remove all filters
          </button>
        )}
      </search>
      <section className="panel re-log" aria-label="Dead letters" aria-busy={answer === undefined}>
        {problem !== undefined ? (
          <Failed
            code={problem.code}
            message={problem.message}
            reference={problem.reference}
            onRetry={reload}
            what="The dead letters could not be read."
          />
        ) : answer === undefined ? (
          <ComingRows what="the dead letters" rows={4} lines={2} />
        ) : answer.groups.length === 0 ? (
          query === '' ? (
            <Empty title="No dead letters.">Every delivery that has ended was accepted, withheld or cancelled.</Empty>
          ) : (
            <Empty
              title="No dead letter matches these filters."
              action={
                <button type="button" className="btn sm" onClick={() => setFilters(path, {})}>
                  Remove all filters
                </button>
              }
            />
          )
        ) : (
          <Groups
            {...{ organisation, answer, filters, mayReplay }}
            onReplay={(title, choice) => setReplaying({ title, choice })}
          />
        )}
      </section>
      {replaying !== undefined && (
        <ReplayDialog
          organisation={organisation}
          {...replaying}
          names={names}
          onClose={() => setReplaying(undefined)}
          onDone={reload}
        />
      )}
    </>
  );
}

function choiceOf({ destination, reason, from, to }: Filters): ReplayChoice {
  return {
    ...(destination === undefined ? {} : { destination: Number(destination) }),
    ...(reason === undefined ? {} : { reason }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}

function answerText({ deliveries, too_old }: DeadLetters): string {
  if (deliveries === 0) return 'Nothing is set aside.';
  const able = deliveries - too_old;
  const head = `${counted(deliveries, 'delivery was', 'deliveries were')} given up.`;
  if (able === 0) return `${head} None of them can be sent again.`;
  return `${head} ${exactCount(able)} can be sent again${too_old === 0 ? '' : `, ${exactCount(too_old)} cannot`}.`;
}

/** Every reason that stands in the list; one that is chosen stays, also where nothing has it any more. */
function reasonsOf(answer: DeadLetters | undefined, chosen: string | undefined): (readonly [string, string])[] {
  const all = new Set([
    ...(chosen === undefined ? [] : [chosen]),
    ...(answer?.groups ?? []).flatMap(({ reason }) => reason ?? []),
  ]);
  return [...all].map((reason) => [reason, reasonText(reason)] as const);
}

function Groups({
  organisation,
  answer,
  filters,
  mayReplay,
  onReplay,
}: {
  organisation: Here;
  answer: DeadLetters;
  filters: Filters;
  mayReplay: boolean;
  onReplay: (title: string, choice: ReplayChoice) => void;
}) {
  const byReason = [...Map.groupBy(answer.groups, ({ reason }) => reason)];
  const of = (id: number) => answer.destinations.find((one) => one.id === id);
  const inspector = pathOf({ page: 'relay-inspector', site: organisation.site });
  return (
    <>
      {byReason.map(([reason, groups]) => {
        const count = groups.reduce((sum, one) => sum + one.deliveries, 0);
        return (
          <section key={reason ?? ''} aria-label={reasonText(reason)}>
            <h2 className="re-group">
              <StateGlyph state="dead" />
              <span>{titleOf(reason)}</span>
              <span className="q">{exactCount(count)}</span>
            </h2>
            <ul className="rl-rows re-set-aside">
              {groups.map((one) => {
                const to = of(one.destination_id);
                const able = one.deliveries - one.too_old;
                const found = {
                  ...{ state: 'dead', destination: String(one.destination_id), ...(reason !== null && { reason }) },
                  ...(filters.from !== undefined && { from: filters.from }),
                  ...(filters.to !== undefined && { to: filters.to }),
                };
                return (
                  <li key={one.destination_id}>
                    <div className="rl-what">
                      <Link className="link" href={withFilters(inspector, found)}>
                        {exactCount(one.deliveries)} to {to?.name ?? 'a destination that was removed'}
                      </Link>
                      <span className="q">
                        {one.field !== null && `${one.field} · `}
                        <time dateTime={one.first_at} title={secondText(one.first_at)}>
                          {momentText(one.first_at)}
                        </time>
                        {momentText(one.first_at) !== momentText(one.last_at) && ` to ${momentText(one.last_at)}`}
                        {' · oldest happened '}
                        {momentText(one.oldest_occurred_at)}
                      </span>
                    </div>
                    <span className="q2">
                      {to === undefined
                        ? 'cannot be sent again'
                        : one.too_old === 0
                          ? 'each can be sent again'
                          : `${able === 0 ? 'all' : exactCount(one.too_old)} older than ${to.age_days_max === null ? 'it takes' : `${to.age_days_max} days`}, or their route was removed`}
                    </span>
                    {mayReplay && able > 0 && (
                      <div className="rl-acts">
                        <button
                          type="button"
                          className="btn sm"
                          aria-label={`Replay… those to ${to?.name}: ${reasonText(reason)}`}
                          onClick={() =>
                            onReplay(`Replay these to ${to?.name}?`, {
                              ...choiceOf({ ...filters, destination: String(one.destination_id) }),
                              ...(reason === null ? {} : { reason }),
                            })
                          }
                        >
                          Replay…
                        </button>
                      </div>
                    )}
                  </li>
                );
              })}
            </ul>
          </section>
        );
      })}
      {answer.left_off > 0 && (
        <footer className="q">
          {counted(answer.left_off, 'smaller group is', 'smaller groups are')} not listed: choose a destination.
        </footer>
      )}
    </>
  );
}

function titleOf(reason: string | null): string {
  const text = reasonText(reason);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
