import { useCallback, useState } from 'react';
import { intakeWays, relayPeriods } from '../../../../contract/relay_asked.ts';
import type { RequestsPage } from '../../../../contract/relay_reading.ts';
import { Link, useAddress } from '../../address/navigate.tsx';
import { pathOf } from '../../address/route.ts';
import { Choice } from '../../audit/filter_parts.tsx';
import { ComingRows } from '../../controls/coming.tsx';
import { Icon } from '../../controls/icons.tsx';
import { asDeskError, type DeskError, type Site } from '../../desk/api.ts';
import { useReading } from '../../desk/reading.ts';
import { momentText, secondText } from '../../edge/reader.ts';
import { bytes, exactCount, milliseconds } from '../../numbers/format.ts';
import { Empty, Failed } from '../../overview/states.tsx';
import { relay } from './api.ts';
import { Captured } from './captured.tsx';
import { type Filters, filterQuery, readFilters, requestFilters, setFilters } from './filters.ts';
import { type Here, ReadingFrame } from './frame.tsx';
import { Code } from './story.tsx';
import { eventText, periodWords, reasonText, StateGlyph, shortId } from './words.tsx';

type Line = RequestsPage['requests'][number];

/** What was sent to our sources, and what became of each request? */
export function RelayRequestsPage({ site }: { site: Site }) {
  return (
    <ReadingFrame site={site} title="Intake log" what="the intake log">
      {(organisation) => <Requests organisation={organisation} />}
    </ReadingFrame>
  );
}

const outcomes = [
  ['taken', 'Taken'],
  ['unmapped', 'Did not map'],
  ['refused', 'Refused'],
] as const;

function Requests({ organisation }: { organisation: Here }) {
  const { search } = useAddress();
  const filters = readFilters(search, requestFilters);
  const one = new URLSearchParams(search).get('request');
  const query = filterQuery(filters);
  const path = pathOf({ page: 'relay-requests', site: organisation.site });
  const { answer, problem, reload, set } = useReading(
    useCallback(() => relay.requests(organisation.id, query), [organisation.id, query]),
  );
  const [isMore, setMore] = useState(false);
  const [failure, setFailure] = useState<DeskError>();
  const narrow = (change: Filters) => setFilters(path, { ...filters, ...change });
  const older = async (page: RequestsPage) => {
    setMore(true);
    try {
      const more = await relay.requests(organisation.id, `${query}${query === '' ? '' : '&'}cursor=${page.next}`);
      set({ ...more, requests: [...page.requests, ...more.requests] });
    } catch (error) {
      setFailure(asDeskError(error));
    } finally {
      setMore(false);
    }
  };
  return (
    <>
      <p className="re-lead">
        Every request to a source, refused ones too: when, what was answered and why, and the shape of its body without
        a value of it. Files and events that reached a goal have lines as well; what a rate limit refused is one line a
        minute. Kept for 90 days, or as many as its source says.
      </p>
      <search className="re-filters" aria-label="Filter requests">
        <Choice
          label="Source"
          all="All sources"
          options={(answer?.sources ?? []).map(({ id, name }) => [String(id), name] as const)}
          value={filters.source}
          onChoose={(source) => narrow({ source })}
        />
        <Choice
          label="Came as"
          all="Any way in"
          options={intakeWays.map((way) => [way, wayWords[way]] as const)}
          value={filters.way}
          onChoose={(way) => narrow({ way })}
        />
        <Choice
          label="Outcome"
          all="Any outcome"
          options={outcomes}
          value={filters.outcome}
          onChoose={(outcome) => narrow({ outcome })}
        />
        <Choice
          label="Status and reason"
          all="Any reason"
          options={(answer?.reasons ?? []).map(
            (row) =>
              [
                `${row.status} ${row.reason}`,
                `${row.status} ${row.reason === '' ? '' : reasonText(row.reason)} (${exactCount(row.count)})`,
              ] as const,
          )}
          value={filters.status === undefined ? undefined : `${filters.status} ${filters.reason ?? ''}`}
          onChoose={(value) => {
            const [status = '', reason = ''] = value.split(' ');
            narrow({ status, reason });
          }}
        />
        <Choice
          label="Period"
          all="All days"
          options={relayPeriods.map((period) => [period, periodWords[period]] as const)}
          value={filters.period}
          onChoose={(period) => narrow({ period })}
        />
        {query !== '' && (
          <button type="button" className="btn quiet sm" onClick={() => setFilters(path, {})}>
            Remove all filters
          </button>
        )}
      </search>
      {one !== null && /^[0-9a-f-]{36}$/.test(one) && (
        <section className="panel re-opened" aria-label="One request">
          <h2>
            Request <code className="ref">{shortId(one)}</code>
          </h2>
          <Opened organisation={organisation} id={one} />
        </section>
      )}
      <section className="panel re-log" aria-label="Requests" aria-busy={answer === undefined}>
        {problem !== undefined ? (
          <Failed
            code={problem.code}
            message={problem.message}
            reference={problem.reference}
            onRetry={reload}
            what="The requests could not be read."
          />
        ) : answer === undefined ? (
          <ComingRows what="the requests" rows={12} />
        ) : answer.requests.length === 0 ? (
          query === '' ? (
            <Empty title="No request came yet.">
              Each request to a source leaves a line here, whatever it is answered.
            </Empty>
          ) : (
            <Empty
              title="No request matches these filters."
              action={
                <button type="button" className="btn sm" onClick={() => setFilters(path, {})}>
                  Remove all filters
                </button>
              }
            />
          )
        ) : (
          <Lines organisation={organisation} lines={answer.requests} />
        )}
        {failure !== undefined && (
          <p className="q2" role="alert">
            {failure.message}
          </p>
        )}
        {answer !== undefined && answer.next !== null && (
          <footer>
            <button type="button" className="btn sm" disabled={isMore} onClick={() => void older(answer)}>
              {isMore ? 'Reading…' : 'Show older'}
            </button>
          </footer>
        )}
      </section>
    </>
  );
}

function Lines({ organisation, lines }: { organisation: Here; lines: readonly Line[] }) {
  const [open, setOpen] = useState<string>();
  return (
    <ol className="re-lines">
      {lines.map((line) => {
        const isOpen = open === line.id;
        return (
          <li key={line.id}>
            <button
              type="button"
              className="re-req"
              aria-expanded={isOpen}
              onClick={() => setOpen(isOpen ? undefined : line.id)}
            >
              <time dateTime={line.at} title={secondText(line.at)}>
                {momentText(line.at)}
              </time>
              <span className="re-what">
                <StateGlyph state={glyphOf(line)} />
                <span>
                  {line.source_name ?? 'a source that was deleted'}: {whatOf(line)}
                </span>
              </span>
              <span className="re-w q">{shapeOf(line)}</span>
              <code className="ref">{line.status}</code>
              <Icon name={isOpen ? 'down' : 'right'} />
            </button>
            {isOpen && <Opened organisation={organisation} id={line.id} />}
          </li>
        );
      })}
    </ol>
  );
}

const wayWords = { request: 'Requests', upload: 'Files', goal: 'Goals' } as const;

function shapeOf({ way, requests, method, bytes: size, ms }: Line): string {
  if (way === 'goal') return 'an event of the site';
  if (way === 'upload') return `a file of ${bytes(size)}`;
  return requests > 1 || method === '' ? 'within a minute' : `${method} · ${bytes(size)} · ${milliseconds(ms)}`;
}

function isUnmapped({ status, conversions, problems }: Line): boolean {
  return (status === 202 || status === 422) && conversions === 0 && problems > 0;
}

function glyphOf(line: Line) {
  if (isUnmapped(line)) return 'waiting' as const;
  return line.status >= 400 ? ('dead' as const) : ('accepted' as const);
}

function whatOf(line: Line): string {
  const why =
    line.reason === null ? '' : `, ${reasonText(line.reason)}${line.field === null ? '' : ` (${line.field})`}`;
  if (line.reason === 'rate')
    return `${line.requests === 1 ? 'one request' : `${exactCount(line.requests)} requests`} refused${why}`;
  if (isUnmapped(line)) return `did not map${why}`;
  if (line.status >= 400) return `refused${why}`;
  return `${line.conversions === 1 ? 'one conversion' : `${exactCount(line.conversions)} conversions`}${why}`;
}

/** What became of one request: its conversions, the shape of its body, and the request itself while it is kept. */
function Opened({ organisation, id }: { organisation: Here; id: string }) {
  const { answer, problem, reload } = useReading(
    useCallback(() => relay.request(organisation.id, id), [organisation.id, id]),
  );
  if (problem !== undefined)
    return (
      <Failed
        code={problem.code}
        message={problem.message}
        reference={problem.reference}
        onRetry={reload}
        what="This request could not be read."
      />
    );
  if (answer === undefined) return <ComingRows what="the request" rows={3} />;
  return (
    <div className="re-bd">
      {answer.upload !== null && (
        <p>
          <Link
            className="link"
            href={pathOf({ page: 'relay-source', site: organisation.site, source: answer.source_id })}
          >
            {answer.upload.file_name}
          </Link>
          , with the problems of its rows
        </p>
      )}
      {answer.told_all > answer.told.length && (
        <p className="q2">
          The first {exactCount(answer.told.length)} of {exactCount(answer.told_all)} conversions:
        </p>
      )}
      {answer.reason === 'rate' ? (
        <p className="q2">
          What is beyond the limit is neither read nor kept: its sender was told to come again. The limit is set on the
          page of the source.
        </p>
      ) : answer.told.length === 0 ? (
        <p className="q2">
          {answer.status < 400 && answer.conversions > 0
            ? 'Its conversions are not there: they were deleted, or are not loaded yet.'
            : 'No conversion was made of it.'}
        </p>
      ) : (
        <ul className="re-reasons">
          {answer.told.map((one) => (
            <li key={one.conversion_id}>
              <Link
                className="link"
                href={pathOf({
                  page: 'relay-inspector',
                  site: organisation.site,
                  conversion: one.conversion_id,
                })}
              >
                {eventText(one.event_name)} {one.order_id ?? shortId(one.conversion_id)}
              </Link>{' '}
              {one.is_first ? 'told first' : 'told again'}
              <span className="re-marks">
                {one.deliveries.map(({ destination_id, state }, at) => (
                  <StateGlyph key={`${destination_id} ${at}`} state={state} label={state} />
                ))}
              </span>
            </li>
          ))}
        </ul>
      )}
      {answer.shape !== '' && <Code title="The body without its values" text={shapeText(answer.shape)} />}
      {answer.has_capture && <Captured organisation={organisation} id={id} />}
    </div>
  );
}

function shapeText(shape: string): string {
  try {
    return JSON.stringify(JSON.parse(shape), null, 2);
  } catch {
    return shape;
  }
}
