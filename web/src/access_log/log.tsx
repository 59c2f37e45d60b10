import { useEffect, useState } from 'react';
import type { AccessPage } from '../../../contract/access_log.ts';
import { navigate, useAddress } from '../address/navigate.tsx';
import { Choice, DayChoice, SearchWords } from '../audit/filter_parts.tsx';
import { ComingRows } from '../controls/coming.tsx';
import { Glyph, Icon } from '../controls/icons.tsx';
import { asDeskError, type DeskError } from '../desk/api.ts';
import { milliseconds } from '../numbers/format.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { accessLogPath, type LogOf, readAccessLog } from './api.ts';
import '../audit/audit.css';
import '../operator/operator.css';

const names = ['day', 'status', 'method', 'route'] as const;
type Filters = Partial<Record<(typeof names)[number], string>>;
/** Lines at once; the desk gives 1,000 at most. */
const pageLines = 200;
const statuses = [
  ['2xx', '2xx: answered'],
  ['3xx', '3xx: sent elsewhere'],
  ['4xx', '4xx: refused'],
  ['401', '401: not signed in'],
  ['404', '404: not there'],
  ['429', '429: too many'],
  ['5xx', '5xx: failed'],
] as const;
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** One log, of the desk or of an organisation: who asked for what, on one day? */
export function AccessLog({ of, path, about }: { of: LogOf; path: string; about: string }) {
  const { search } = useAddress();
  const filters = read(search);
  const query = queryOf(filters);
  const { page, problem, isMore, reload, more } = useLines(of, query);
  const set = (change: { [name in keyof Filters]: string }) => {
    const next = queryOf({ ...filters, ...change });
    navigate(next === '' ? path : `${path}?${next}`);
  };
  const day = filters.day ?? page?.day;
  const isNarrow = names.some((name) => name !== 'day' && filters[name] !== undefined);
  const exported = `${accessLogPath(of)}/export?${query}${query === '' ? '' : '&'}format=`;
  return (
    <>
      <p className="op-lead">{about} Times and days are UTC.</p>
      <FilterBar filters={filters} day={day} days={page?.days ?? []} set={set} exported={exported} />
      {page?.on === false && (
        <p className="op-note" role="status">
          <Glyph state="idle" />
          <span>Nothing is written down: FAIRLEAD_ACCESS_LOG is off. What stands here is older.</span>
        </p>
      )}
      <section className="panel au-entries" aria-label="Requests" aria-busy={page === undefined}>
        {problem !== undefined ? (
          <Failed
            code={problem.code}
            message={problem.message}
            reference={problem.reference}
            onRetry={reload}
            what="The access log could not be read."
          />
        ) : page === undefined ? (
          <ComingRows what="the requests" rows={12} />
        ) : page.entries.length > 0 ? (
          <Lines page={page} />
        ) : page.next !== null ? (
          <Empty title="Nothing found yet.">A part of this day was looked through. Go on below.</Empty>
        ) : isNarrow ? (
          <Empty
            title="No request of this day matches."
            action={
              <button type="button" className="btn sm" onClick={() => set({ status: '', method: '', route: '' })}>
                Remove all filters
              </button>
            }
          >
            Other days may have some.
          </Empty>
        ) : (
          <Empty title={`There is nothing of ${page.day}.`}>
            {page.days.length === 0
              ? 'The log begins with the next request.'
              : `The newest day with lines is ${page.days[0]}.`}
          </Empty>
        )}
        {page !== undefined && page.next !== null && (
          <footer>
            <button type="button" className="btn sm" onClick={more} disabled={isMore}>
              {isMore ? 'Reading…' : 'Show older requests'}
            </button>
          </footer>
        )}
      </section>
    </>
  );
}

function FilterBar({
  filters,
  day,
  days,
  set,
  exported,
}: {
  filters: Filters;
  day: string | undefined;
  days: readonly string[];
  set: (change: { [name in keyof Filters]: string }) => void;
  exported: string;
}) {
  const at = days.indexOf(day ?? '');
  const older = at < 0 ? days.find((one) => day !== undefined && one < day) : days[at + 1];
  const newer = at < 0 ? days.findLast((one) => day !== undefined && one > day) : days[at - 1];
  return (
    <search className="au-filters" aria-label="Filter the requests">
      <div className="op-days">
        <button
          type="button"
          className="btn icon"
          aria-label="The day before with lines"
          disabled={older === undefined}
          onClick={() => set({ day: older ?? '' })}
        >
          <Icon name="left" />
        </button>
        <DayChoice
          label={<span className="op-hidden">Day</span>}
          value={day}
          min={days.at(-1)}
          max={days[0]}
          onChoose={(chosen) => set({ day: chosen })}
        />
        <button
          type="button"
          className="btn icon"
          aria-label="The day after with lines"
          disabled={newer === undefined}
          onClick={() => set({ day: newer ?? '' })}
        >
          <Icon name="right" />
        </button>
      </div>
      <SearchWords label="Part of a route" given={filters.route ?? ''} onSearch={(route) => set({ route })} />
      <Choice
        label="Status"
        all="Any status"
        options={statuses}
        value={filters.status}
        onChoose={(status) => set({ status })}
      />
      <Choice
        label="Method"
        all="Any method"
        options={methods.map((one) => [one, one] as const)}
        value={filters.method}
        onChoose={(method) => set({ method })}
      />
      <span className="sp" />
      <div className="au-acts">
        <a className="btn sm" href={`${exported}ndjson`} download>
          <Icon name="download" />
          NDJSON
        </a>
        <a className="btn sm" href={`${exported}csv`} download>
          <Icon name="table" />
          CSV
        </a>
      </div>
    </search>
  );
}

function Lines({ page }: { page: AccessPage }) {
  return (
    <ul className="op-lines">
      <li className="op-names log-names" aria-hidden="true">
        <span>Time</span>
        <span>Status</span>
        <span>Request</span>
        <span>From</span>
        <span className="op-ms">Took</span>
        <span>Reference</span>
      </li>
      {page.entries.map((one) => (
        <li key={one.request_id}>
          <time dateTime={one.time} title={one.time}>
            {one.time.slice(11, 19)}
          </time>
          <span className={`op-status ${one.status >= 400 ? 'bad' : ''}`}>{one.status}</span>
          <span className="op-route">{one.route}</span>
          <span className="op-from">
            {one.address}
            {one.place !== '' && <small>{one.place}</small>}
          </span>
          <span className="op-ms">{milliseconds(one.ms)}</span>
          <code className="op-id">{one.request_id}</code>
        </li>
      ))}
    </ul>
  );
}

function read(search: string): Filters {
  const given = new URLSearchParams(search);
  return Object.fromEntries(names.flatMap((name) => (given.get(name) ? [[name, given.get(name)]] : [])));
}

function queryOf(filters: Filters): string {
  const given = new URLSearchParams();
  for (const name of names) if (filters[name]) given.set(name, filters[name]);
  return given.toString();
}

function useLines(of: LogOf, query: string) {
  const [found, setFound] = useState<{ query: string; page?: AccessPage; problem?: DeskError }>();
  const [attempt, setAttempt] = useState(0);
  const [isMore, setMore] = useState(false);
  const limited = `${query}${query === '' ? '' : '&'}limit=${pageLines}`;
  useEffect(() => {
    const stop = new AbortController();
    readAccessLog(of, limited, stop.signal).then(
      (page) => setFound({ query, page }),
      (error: unknown) => {
        if (!stop.signal.aborted) setFound({ query, problem: asDeskError(error) });
      },
    );
    return () => stop.abort();
  }, [of, query, limited, attempt]);
  const seen = found?.query === query ? found : undefined;
  const more = async () => {
    const before = seen?.page;
    if (before === undefined || before.next === null) return;
    setMore(true);
    try {
      // The day stays the one that is shown, also over midnight.
      const given = new URLSearchParams(limited);
      given.set('day', before.day);
      given.set('cursor', before.next);
      const page = await readAccessLog(of, given.toString());
      setFound({ query, page: { ...page, entries: [...before.entries, ...page.entries] } });
    } catch (error) {
      setFound({ query, problem: asDeskError(error) });
    } finally {
      setMore(false);
    }
  };
  return {
    page: seen?.page,
    problem: seen?.problem,
    isMore,
    more: () => void more(),
    reload: () => {
      setFound(undefined);
      setAttempt((count) => count + 1);
    },
  };
}
