import { useCallback, useEffect, useRef, useState } from 'react';
import type { BrowserState } from '../../../../contract/pixels.ts';
import { askedStates, relayPeriods } from '../../../../contract/relay_asked.ts';
import type { ListedConversion } from '../../../../contract/relay_reading.ts';
import { Link, navigate, useAddress } from '../../address/navigate.tsx';
import { pathOf } from '../../address/route.ts';
import { Choice, SearchWords } from '../../audit/filter_parts.tsx';
import { ComingRows } from '../../controls/coming.tsx';
import { Icon } from '../../controls/icons.tsx';
import { asDeskError, type DeskError, type Site } from '../../desk/api.ts';
import { useWhileVisible } from '../../desk/live.ts';
import { may } from '../../desk/session.tsx';
import { readerZone, secondText, zonedText } from '../../edge/reader.ts';
import { exactCount } from '../../numbers/format.ts';
import { Empty, Failed } from '../../overview/states.tsx';
import { type ConversionsPage, relay } from './api.ts';
import { Deletion, Receipts } from './deletion.tsx';
import { conversionFilters, type Filters, filterQuery, readFilters, setFilters, withFilters } from './filters.ts';
import { type Here, ReadingFrame } from './frame.tsx';
import { StoryPane } from './story.tsx';
import { browserWords, eventText, periodWords, reasonText, StateGlyph, stateWords, valueText } from './words.tsx';

/** How often a stream that is looked at, at its top, asks what is new. */
const everyMs = 2_500;
/** Rows that stay on the page; older ones are a click on the foot away. */
const rowsMax = 500;

/** What became of this one? The stream stays at the left, the story of one stands at the right. */
export function RelayInspectorPage({ site, conversion }: { site: Site; conversion: string | undefined }) {
  return (
    <ReadingFrame site={site} title="Inspector" what="conversions of the relay">
      {(organisation) => <Inspector organisation={organisation} conversion={conversion} />}
    </ReadingFrame>
  );
}

function Inspector({ organisation, conversion }: { organisation: Here; conversion: string | undefined }) {
  const { search } = useAddress();
  const filters = readFilters(search, conversionFilters);
  const query = filterQuery(filters);
  const [isPaused, setPaused] = useState(false);
  const list = useRef<HTMLElement>(null);
  const stream = useStream(organisation.id, query, () => !isPaused && (list.current?.scrollTop ?? 0) < 40);
  const path = pathOf({ page: 'relay-inspector', site: organisation.site });
  const narrow = (change: Filters) => setFilters(path, { ...filters, ...change });
  const hrefOf = (id: string) =>
    withFilters(pathOf({ page: 'relay-inspector', site: organisation.site, conversion: id }), filters);
  const mayManage = may(organisation, 'relay.manage');
  return (
    <>
      <FilterBar filters={filters} page={stream.page} narrow={narrow} path={path} />
      <div className="re-live">
        <p className="q" role="status">
          {stream.page === undefined
            ? '…'
            : isPaused
              ? 'Paused'
              : stream.problem === undefined
                ? 'Live: what comes stands here within three seconds'
                : 'Not live: the desk does not answer'}
        </p>
        <span className="sp" />
        <button type="button" className="btn sm" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? 'Go on' : 'Pause'}
        </button>
        {mayManage && <Deletion organisation={organisation} filters={filters} onDone={stream.reload} />}
      </div>
      <div className={`panel re-split ${conversion === undefined ? '' : 'one'}`}>
        <section className="re-stream" aria-label="Conversions" aria-busy={stream.page === undefined} ref={list}>
          <Stream
            stream={stream}
            chosen={conversion}
            hrefOf={hrefOf}
            isFiltered={query !== ''}
            clear={() => setFilters(path, {})}
          />
        </section>
        <section className="re-object" aria-label="Conversion">
          {conversion === undefined ? (
            <Empty title="No conversion is open.">Choose one to see how it came in and what became of it.</Empty>
          ) : (
            <StoryPane
              key={conversion}
              organisation={organisation}
              id={conversion}
              back={withFilters(path, filters)}
              onGone={() => {
                stream.reload();
                navigate(withFilters(path, filters));
              }}
            />
          )}
        </section>
      </div>
      <Receipts organisation={organisation} tick={stream.tick} />
    </>
  );
}

interface StreamState {
  page: ConversionsPage | undefined;
  problem: DeskError | undefined;
  isMore: boolean;
  /** Counts reloads that somebody asked for. */
  tick: number;
  older(): void;
  reload(): void;
}

function useStream(organisation: number, query: string, isLive: () => boolean): StreamState {
  const [kept, setKept] = useState<{ query: string; page: ConversionsPage }>();
  const [problem, setProblem] = useState<DeskError>();
  const [isMore, setMore] = useState(false);
  const [tick, setTick] = useState(0);
  const live = useRef(isLive);
  live.current = isLive;
  const page = kept?.query === query ? kept.page : undefined;
  const known = useRef(page);
  known.current = page;
  const read = useCallback(
    (signal?: AbortSignal) => relay.conversions(organisation, query, signal),
    [organisation, query],
  );
  useWhileVisible(
    async (signal) => {
      if (known.current !== undefined && !live.current()) return;
      try {
        const fresh = await read(signal);
        if (signal.aborted) return;
        setProblem(undefined);
        setKept((before) => ({ query, page: before?.query === query ? joined(fresh, before.page) : fresh }));
      } catch (error) {
        if (!signal.aborted) setProblem(asDeskError(error));
      }
    },
    everyMs,
    [read, tick],
  );
  return {
    ...{ page, problem, isMore, tick },
    reload: () => {
      setKept(undefined);
      setTick((count) => count + 1);
    },
    older: () => {
      if (page?.next == null || isMore) return;
      setMore(true);
      relay
        .conversions(organisation, `${query}${query === '' ? '' : '&'}cursor=${page.next}`)
        .then(
          (more) => setKept({ query, page: { ...more, conversions: [...page.conversions, ...more.conversions] } }),
          (error: unknown) => setProblem(asDeskError(error)),
        )
        .finally(() => setMore(false));
    },
  };
}

/** The newest page over what was read before: new ones on top, changed ones in their place, older ones stay. */
function joined(fresh: ConversionsPage, before: ConversionsPage): ConversionsPage {
  const oldest = fresh.conversions.at(-1);
  if (fresh.next === null || oldest === undefined) return fresh;
  const older = before.conversions.filter(
    (one) => one.received_at < oldest.received_at || (one.received_at === oldest.received_at && one.id > oldest.id),
  );
  if (older.length === 0) return fresh;
  const all = [...fresh.conversions, ...older].slice(0, rowsMax);
  const last = all.at(-1) as ListedConversion;
  const isCut = all.length < fresh.conversions.length + older.length;
  return { ...fresh, conversions: all, next: isCut ? `${Date.parse(last.received_at)}.${last.id}` : before.next };
}

function Stream({
  stream,
  chosen,
  hrefOf,
  isFiltered,
  clear,
}: {
  stream: StreamState;
  chosen: string | undefined;
  hrefOf: (id: string) => string;
  isFiltered: boolean;
  clear: () => void;
}) {
  const { page, problem } = stream;
  const row = useRef<HTMLAnchorElement>(null);
  const isThere = page !== undefined;
  useEffect(() => {
    if (isThere && chosen !== undefined) row.current?.scrollIntoView({ block: 'nearest' });
  }, [isThere, chosen]);
  if (page === undefined)
    return problem === undefined ? (
      <ComingRows what="conversions" rows={10} lines={2} />
    ) : (
      <Failed
        code={problem.code}
        message={problem.message}
        reference={problem.reference}
        onRetry={stream.reload}
        what="Conversions could not be read."
      />
    );
  if (page.conversions.length === 0)
    return isFiltered ? (
      <Empty
        title="No conversion matches these filters."
        action={
          <button type="button" className="btn sm" onClick={clear}>
            Remove all filters
          </button>
        }
      >
        A search finds whole ids only: of an order, an event, a conversion or a request.
      </Empty>
    ) : (
      <Empty title="No conversion yet.">
        The first one stands here within three seconds of its request to a source.
      </Empty>
    );
  const names = new Map(page.destinations.map(({ id, name }) => [id, name]));
  return (
    <>
      <ul>
        {page.conversions.map((one) => (
          <li key={one.id}>
            <Link
              href={hrefOf(one.id)}
              className="re-row"
              {...(one.id === chosen ? { 'aria-current': 'true' as const, ref: row } : {})}
            >
              <span className="re-l1">
                <b>{eventText(one.event_name)}</b>
                <span>{valueText(one.value, one.currency, one.is_refund)}</span>
              </span>
              <span className="re-l2">
                <time dateTime={one.received_at} title={secondText(one.received_at)}>
                  {timeOf(one.received_at)}
                </time>
                <span className="cut">{one.source.name ?? 'a source that was deleted'}</span>
                {one.doubles > 0 && <span className="re-told">told {exactCount(one.doubles + 1)} times</span>}
                <Marks one={one} names={names} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {page.next !== null && (
        <footer>
          <button type="button" className="btn sm" disabled={stream.isMore} onClick={stream.older}>
            {stream.isMore ? 'Reading…' : 'Show older'}
          </button>
        </footer>
      )}
    </>
  );
}

function filterText(name: 'reason' | 'browser' | 'from' | 'to', value: string): string {
  if (name === 'reason') return reasonText(value);
  return name === 'browser' ? (browserWords[value as BrowserState] ?? value) : value;
}

/** Today by the clock, older ones with their day. */
function timeOf(iso: string): string {
  const zone = readerZone();
  const day = (one: string | number) => zonedText(new Date(one).toISOString(), zone, { dateStyle: 'short' });
  return day(iso) === day(Date.now())
    ? zonedText(iso, zone, { timeStyle: 'medium' })
    : zonedText(iso, zone, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
}

function Marks({ one, names }: { one: ListedConversion; names: ReadonlyMap<number, string> }) {
  if (one.deliveries.length === 0) return <span className="q">on no route</span>;
  return (
    <span className="re-marks">
      {one.deliveries.slice(0, 6).map(({ destination_id, state, reason }, at) => (
        <StateGlyph
          key={`${destination_id} ${at}`}
          state={state}
          label={`${names.get(destination_id) ?? 'Removed destination'}: ${stateWords[state].toLowerCase()}${reason === null ? '' : `, ${reasonText(reason)}`}`}
        />
      ))}
      {one.deliveries.length > 6 && <span className="q">+ {one.deliveries.length - 6}</span>}
    </span>
  );
}

function FilterBar({
  filters,
  page,
  narrow,
  path,
}: {
  filters: Filters;
  page: ConversionsPage | undefined;
  narrow: (change: Filters) => void;
  path: string;
}) {
  const [event, setEvent] = useState(filters.event ?? '');
  useEffect(() => setEvent(filters.event ?? ''), [filters.event]);
  const named = (list: readonly { id: number; name: string }[] | undefined) =>
    (list ?? []).map(({ id, name }) => [String(id), name] as const);
  return (
    <search className="re-filters" aria-label="Filter conversions">
      <SearchWords
        label="Order, event, conversion or request id"
        given={filters.search ?? ''}
        onSearch={(search) => narrow({ search })}
      />
      <Choice
        label="Source"
        all="All sources"
        options={named(page?.sources)}
        value={filters.source}
        onChoose={(source) => narrow({ source })}
      />
      <Choice
        label="Destination"
        all="All destinations"
        options={named(page?.destinations)}
        value={filters.destination}
        onChoose={(destination) => narrow({ destination })}
      />
      <Choice
        label="State"
        all="Any state"
        options={askedStates.map((one) => [one, stateWords[one]] as const)}
        value={filters.state}
        onChoose={(state) => narrow({ state })}
      />
      <Choice
        label="Period"
        all="All days"
        options={relayPeriods.map((one) => [one, periodWords[one]] as const)}
        value={filters.period}
        onChoose={(period) => narrow({ period })}
      />
      <form
        onSubmit={(submitted) => {
          submitted.preventDefault();
          narrow({ event: event.trim() });
        }}
      >
        <span className="in">
          <input
            type="search"
            aria-label="Event"
            placeholder="Event, such as purchase"
            maxLength={512}
            value={event}
            onChange={(changed) => setEvent(changed.target.value)}
          />
        </span>
      </form>
      {(['reason', 'browser', 'from', 'to'] as const)
        .filter((name) => filters[name] !== undefined)
        .map((name) => (
          <span className="chip" key={name}>
            <span className="chip-text">
              <span>{name}</span> {filterText(name, filters[name] ?? '')}
            </span>
            <button
              type="button"
              className="chip-x"
              aria-label={`Remove the filter ${name}`}
              onClick={() => narrow({ [name]: '' })}
            >
              <Icon name="close" />
            </button>
          </span>
        ))}
      {Object.keys(filters).length > 1 && (
        <button type="button" className="btn quiet sm" onClick={() => setFilters(path, {})}>
          Remove all filters
        </button>
      )}
    </search>
  );
}
