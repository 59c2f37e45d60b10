import { useCallback } from 'react';
import type { RelayFlow, RelayOverview } from '../../../../contract/relay_reading.ts';
import { Link, navigate, useAddress } from '../../address/navigate.tsx';
import { pathOf } from '../../address/route.ts';
import { ComingRows } from '../../controls/coming.tsx';
import type { Site } from '../../desk/api.ts';
import { useReading } from '../../desk/reading.ts';
import { momentText } from '../../edge/reader.ts';
import { count, exactCount, milliseconds, percent, share } from '../../numbers/format.ts';
import { Empty, Failed } from '../../overview/states.tsx';
import { relay } from './api.ts';
import { type Filters, withFilters } from './filters.ts';
import { type Here, ReadingFrame } from './frame.tsx';
import { PeriodChoice, readPeriod } from './period_choice.tsx';
import { reasonText, StateGlyph } from './words.tsx';

/** Does every conversion arrive? What came in, what became of it per destination, and what stands in the way. */
export function RelayOverviewPage({ site }: { site: Site }) {
  const { search } = useAddress();
  const period = readPeriod(search);
  const path = pathOf({ page: 'relay', site: site.domain });
  return (
    <ReadingFrame site={site} title="Relay" what="the relay">
      {(organisation) => (
        <>
          <div className="re-controls">
            <PeriodChoice value={period} onChoose={(one) => navigate(withFilters(path, { period: one }))} />
          </div>
          <Overview organisation={organisation} period={period} />
        </>
      )}
    </ReadingFrame>
  );
}

/** Addresses of what a number counts: every figure leads to its conversions or requests. */
interface To {
  conversions(filters: Filters): string;
  requests(filters: Filters): string;
  destination(id: number): string;
}

function Overview({ organisation, period }: { organisation: Here; period: ReturnType<typeof readPeriod> }) {
  const { answer, problem, reload } = useReading(
    useCallback(() => relay.overview(organisation.id, period), [organisation.id, period]),
  );
  if (problem !== undefined)
    return (
      <section className="panel" aria-label="Relay">
        <Failed
          code={problem.code}
          message={problem.message}
          reference={problem.reference}
          onRetry={reload}
          what="The figures could not be read."
        />
      </section>
    );
  if (answer === undefined)
    return (
      <section className="panel" aria-label="Relay" aria-busy="true">
        <ComingRows what="the figures" rows={8} />
      </section>
    );
  const { site } = organisation;
  const to: To = {
    conversions: (filters) => withFilters(pathOf({ page: 'relay-inspector', site }), { period, ...filters }),
    requests: (filters) => withFilters(pathOf({ page: 'relay-requests', site }), { period, ...filters }),
    destination: (id) => pathOf({ page: 'relay-destination', site, destination: id }),
  };
  const { set_up, requests } = answer;
  if (answer.conversions === 0 && (requests?.all ?? 0) === 0) return <Nothing setUp={set_up} site={site} />;
  return (
    <>
      <Flow answer={answer} to={to} />
      <Destinations answer={answer} to={to} />
      <Requests answer={answer} to={to} />
      <p className="re-zone">
        Days of {answer.span.timezone}, from {momentText(answer.span.from)}. Times until accepted are within 5%.
      </p>
    </>
  );
}

/** What to do first, and where. */
function Nothing({ setUp, site }: { setUp: RelayOverview['set_up']; site: string }) {
  const sources = { page: 'relay-sources', label: 'Sources' } as const;
  const destinations = { page: 'relay-destinations', label: 'Destinations' } as const;
  const [title, words, next] =
    setUp.sources === 0
      ? [
          'No source yet.',
          'A source is an address that a shop, a tracker or your own server sends conversions to. Add one first, then send it a test conversion.',
          sources,
        ]
      : setUp.destinations === 0
        ? [
            'No destination yet.',
            'What comes in is kept and shown. Add a platform or a webhook that it goes to.',
            destinations,
          ]
        : setUp.routes === 0
          ? [
              'No route yet.',
              'Sources and destinations are there: a route says which conversions go from one to the other. It is added on the page of either.',
              sources,
            ]
          : [
              'Nothing came in in this period.',
              'Send a request to the address of a source: it is here a second later. Or look at more days.',
              sources,
            ];
  return (
    <section className="panel" aria-label="Relay">
      <Empty
        title={title}
        action={
          <Link className="btn sm" href={pathOf({ page: next.page, site })}>
            {next.label}
          </Link>
        }
      >
        {words}
      </Empty>
    </section>
  );
}

function Flow({ answer, to }: { answer: RelayOverview; to: To }) {
  const { all } = answer;
  const base = all.deliveries;
  return (
    <section className="panel re-flow" aria-labelledby="flow">
      <h2 id="flow" className="vh">
        What became of conversions
      </h2>
      <dl>
        <Figure
          name="Taken in"
          value={answer.conversions}
          href={to.conversions({})}
          below={[
            answer.doubles === 0
              ? 'each told once'
              : answer.doubles === 1
                ? 'one of them told again'
                : `told ${exactCount(answer.doubles)} times more`,
            ...(answer.routed_nowhere > 0 ? [`${exactCount(answer.routed_nowhere)} on no route`] : []),
          ].join(', ')}
        />
        <Figure name="Deliveries" value={base} below="one for each route" href={to.conversions({})} />
        <Figure
          name="Withheld"
          value={all.withheld}
          tone={all.withheld > 0 ? 'hold' : ''}
          href={to.conversions({ state: 'withheld' })}
          below={shareText(all.withheld, base)}
        />
        <Figure
          name="Sent"
          value={all.sent}
          href={to.conversions({ state: 'sent' })}
          below={shareText(all.sent, base)}
        />
        <Figure
          name="Accepted"
          value={all.accepted}
          href={to.conversions({ state: 'accepted' })}
          below={shareText(all.accepted, base)}
        />
        <Figure
          name="Dead letters"
          value={all.dead}
          tone={all.dead > 0 ? 'bad' : ''}
          href={to.conversions({ state: 'dead' })}
          below={shareText(all.dead, base)}
        />
        <Figure
          name="Not ended"
          value={all.open}
          href={to.conversions({ state: 'open' })}
          below={all.cancelled > 0 ? `${exactCount(all.cancelled)} cancelled` : 'held or waiting'}
        />
        <div className="re-k">
          <dt>Half accepted in</dt>
          <dd>
            <span className="re-v">{all.latency === null ? '–' : `≈ ${milliseconds(all.latency.p50_ms)}`}</span>
            <span className="q">
              {all.latency === null ? 'none accepted' : `95% in ≈ ${milliseconds(all.latency.p95_ms)}`}
            </span>
          </dd>
        </div>
      </dl>
    </section>
  );
}

function shareText(part: number, whole: number): string {
  const value = share(part, whole);
  return value === null ? 'of none' : `${percent(value)} of deliveries`;
}

function Figure({
  name,
  value,
  href,
  below,
  tone = '',
}: {
  name: string;
  value: number;
  href: string;
  below: string;
  tone?: string;
}) {
  return (
    <div className="re-k">
      <dt>{name}</dt>
      <dd>
        <Link className={`re-v ${tone}`} href={href} title={exactCount(value)}>
          {count(value)}
        </Link>
        <span className="q">{below}</span>
      </dd>
    </div>
  );
}

const needs: Readonly<Record<string, string>> = {
  paused: 'Paused: its queue is kept',
  reconnect: 'Waits for a connection',
  misconfigured: 'Waits for a setting',
  removed: 'Removed',
};

function Destinations({ answer, to }: { answer: RelayOverview; to: To }) {
  // What needs a person comes first, then what has most.
  const rows = [...answer.destinations].sort(
    (a, b) => troubleOf(b) - troubleOf(a) || b.deliveries - a.deliveries || a.name.localeCompare(b.name),
  );
  if (rows.length === 0)
    return (
      <section className="panel" aria-label="Destinations">
        <Empty title="No destination yet.">
          What comes in is kept and shown. Add a platform or a webhook that it goes to.
        </Empty>
      </section>
    );
  return (
    <section className="list re-table re-dests" aria-label="Destinations">
      <table>
        <thead>
          <tr>
            <th className="fill">Destination</th>
            <th className="num">Deliveries</th>
            <th className="num re-w">Withheld</th>
            <th className="num re-w">Sent</th>
            <th className="num">Accepted</th>
            <th className="num">Dead</th>
            <th className="num re-w">Waiting now</th>
            <th className="num re-w">Until accepted</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const destination = String(row.id);
            const { oldest_at, waiting, held } = row.queue;
            const number = (value: number, filters: Filters, tone = '', className = '') => (
              <td className={`num ${className}`}>
                {value === 0 ? (
                  <span className="q">0</span>
                ) : (
                  <Link className={`link ${tone}`} href={to.conversions({ destination, ...filters })}>
                    {exactCount(value)}
                  </Link>
                )}
              </td>
            );
            return (
              <tr key={row.id}>
                <td className="fill">
                  {row.state === 'removed' ? (
                    <span className="re-name">{row.name}</span>
                  ) : (
                    <Link className="re-name" href={to.destination(row.id)}>
                      {row.name}
                    </Link>
                  )}
                  <span className="q re-under">
                    {row.state === 'active' ? (
                      row.label !== row.name && row.label
                    ) : (
                      <span className="re-st bad">
                        <StateGlyph state="dead" />
                        {needs[row.state]}
                        {row.state_since !== null && ` since ${momentText(row.state_since)}`}
                        {row.state_reason !== null && `: ${reasonText(row.state_reason)}`}
                      </span>
                    )}
                  </span>
                  <Reasons flow={row} href={(filters) => to.conversions({ destination, ...filters })} />
                </td>
                {number(row.deliveries, {})}
                {number(row.withheld, { state: 'withheld' }, '', 're-w')}
                {number(row.sent, { state: 'sent' }, '', 're-w')}
                {number(row.accepted, { state: 'accepted' })}
                {number(row.dead, { state: 'dead' }, 'bad')}
                <td className="num re-w">
                  {waiting + held === 0 ? <span className="q">0</span> : exactCount(waiting + held)}
                  {(held > 0 || oldest_at !== null) && (
                    <span className="q re-under">
                      {[
                        ...(oldest_at === null ? [] : [`oldest ${momentText(oldest_at)}`]),
                        ...(held > 0 ? [`${exactCount(held)} held`] : []),
                      ].join(', ')}
                    </span>
                  )}
                </td>
                <td className="num re-w">
                  {row.latency === null ? (
                    '–'
                  ) : (
                    <>
                      ≈ {milliseconds(row.latency.p50_ms)}
                      <span className="q re-under">95% ≈ {milliseconds(row.latency.p95_ms)}</span>
                    </>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

const troubleOf = (row: RelayOverview['destinations'][number]) =>
  row.state === 'reconnect' || row.state === 'misconfigured' ? 2 : row.dead > 0 || row.state === 'paused' ? 1 : 0;

/** Why something did not go: the reasons that there were, each leading to its conversions. */
function Reasons({ flow, href }: { flow: RelayFlow; href: (filters: Filters) => string }) {
  const all = [
    ...flow.dead_reasons.map((one) => ({ ...one, state: 'dead' as const })),
    ...flow.withheld_reasons.map((one) => ({ ...one, state: 'withheld' as const })),
  ].slice(0, 6);
  if (all.length === 0) return null;
  return (
    <ul className="re-reasons">
      {all.map(({ state, reason, count: times }) => (
        <li key={`${state} ${reason}`}>
          <StateGlyph state={state} />
          <span>
            <Link className="link" href={href({ state, ...(reason === '' || reason === 'other' ? {} : { reason }) })}>
              {exactCount(times)} {state === 'dead' ? 'dead' : 'withheld'}
            </Link>
            : {reasonText(reason)}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Requests({ answer, to }: { answer: RelayOverview; to: To }) {
  const { requests } = answer;
  return (
    <section className="panel re-requests" aria-labelledby="requests">
      <h2 id="requests">Requests to sources</h2>
      {requests === null ? (
        <p className="q2">The intake log cannot be read now. Requests are taken all the same, and stand here later.</p>
      ) : (
        <>
          <p className="q2">
            <Link className="link" href={to.requests({})}>
              {exactCount(requests.all)} came
            </Link>
            :{' '}
            <Link className="link" href={to.requests({ outcome: 'taken' })}>
              {exactCount(requests.taken)} taken
            </Link>
            ,{' '}
            <Link className="link" href={to.requests({ outcome: 'unmapped' })}>
              {exactCount(requests.unmapped)} that did not map
            </Link>{' '}
            and are kept for seven days,{' '}
            <Link className="link" href={to.requests({ outcome: 'refused' })}>
              {exactCount(requests.refused)} refused
            </Link>
            .
          </p>
          {requests.reasons.length > 0 && (
            <ul className="re-reasons">
              {requests.reasons.map(({ status, reason, count: times }) => (
                <li key={`${status} ${reason}`}>
                  <code className="ref">{status}</code>
                  <span>
                    <Link
                      className="link"
                      href={to.requests({ status: String(status), ...(reason === '' ? {} : { reason }) })}
                    >
                      {exactCount(times)}
                    </Link>
                    : {reasonText(reason)}
                  </span>
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </section>
  );
}
