import type { CSSProperties, ReactNode } from 'react';
import { useEffect, useId, useMemo, useRef, useState } from 'react';
import type { RealtimeAnswer } from '../../../contract/realtime.ts';
import { navigate, useAddress } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import type { View } from '../address/view.ts';
import { defaultView, readView, writeView } from '../address/view.ts';
import { StepBars } from '../charts/step_bars.tsx';
import { CallBox } from '../controls/call_box.tsx';
import { CutPath } from '../controls/cut_path.tsx';
import { Tabs } from '../controls/tabs.tsx';
import type { Site } from '../desk/api.ts';
import { realtimePath } from '../desk/api.ts';
import { now } from '../edge/browser.ts';
import { exactCount, notApplicable, onItsWay } from '../numbers/format.ts';
import { FilterBar } from '../overview/filter_bar.tsx';
import { RowName } from '../overview/panel.tsx';
import { PlaceCredit } from '../overview/place_credit.tsx';
import { Failed } from '../overview/states.tsx';
import { WhyPopover } from '../overview/why.tsx';
import { localTime } from '../period/period.ts';
import { clockText } from '../period/words.ts';
import { declaredDimension, isProperty, notSet, valueText } from '../questions/dimensions.ts';
import type { Filter } from '../questions/filters.ts';
import { filterSentence, passesAlone, toApiFilter, toggleFilter } from '../questions/filters.ts';
import { frameOf } from '../questions/overview.ts';
import { Shell } from '../shell/shell.tsx';
import './realtime.css';
import type { StreamEvent } from './stream.ts';
import { useStream } from './stream.ts';

const rowsShown = 5;

/** The tabs of "Places now", and the list of the answer that each shows. */
const placeTabs = [
  { id: 'country', label: 'Countries', list: 'places' },
  { id: 'region', label: 'Regions', list: 'regions' },
  { id: 'city', label: 'Cities', list: 'cities' },
] as const;

/** Can it be told from one event alone, as it comes? Goals, properties, and the ends of visits cannot. */
function appliesNow({ dimension, operator }: Filter): boolean {
  if (['goal', 'entry', 'exit'].includes(dimension) || isProperty(dimension)) return false;
  // A part of a country's name: events have its code.
  return dimension !== 'country' || operator === 'is' || operator === 'is_not';
}

/** What happens right now? Who is there, the last half hour, and the events as they come. */
export function RealtimePage({ site }: { site: Site }) {
  const [paused, setPaused] = useState(false);
  const [why, setWhy] = useState(false);
  const [adding, setAdding] = useState(false);
  const { search } = useAddress();
  const view = useMemo(() => readView(search), [search]);
  const applied = view.filters.filter(appliesNow);
  const left = view.filters.filter((filter) => !appliesNow(filter));
  const path = realtimePath(
    site.domain,
    applied.length === 0 ? '' : JSON.stringify(applied.map((filter) => toApiFilter(filter).slice(0, 3))),
  );
  const { answer, events, problem } = useStream(path, paused);
  const change = (part: Partial<View>, replace = false) =>
    navigate(pathOf({ page: 'realtime', site: site.domain }) + writeView({ ...view, ...part }), { replace });
  const local = localTime(now(), site.timezone);
  const today = frameOf(
    { ...defaultView, period: { kind: 'preset', preset: 'today' }, against: { kind: 'off' } },
    local.day,
    local.day,
  );
  const list = (
    dimension: 'page' | 'source' | 'country' | 'region' | 'city',
    rows: RealtimeAnswer['pages'] | undefined,
  ) => ({
    dimension,
    rows,
    notRead: answer === undefined && problem !== undefined,
    filtered: (value: string) => passesAlone(view.filters, dimension, value),
    onFilter: (value: string, exclude: boolean) =>
      change({ filters: toggleFilter(view.filters, dimension, value, exclude ? 'is_not' : 'is') }),
    empty: applied.length === 0 ? 'Nobody in the last 5 minutes.' : 'Nobody in the last 5 minutes under these filters.',
  });
  const places = placeTabs.find(({ id }) => id === view.tabs.places) ?? placeTabs[0];
  const placesId = useId();
  const at = answer === undefined ? undefined : clockText(Date.parse(answer.at), site.timezone, undefined, true);
  const state =
    at === undefined
      ? onItsWay
      : paused
        ? `Paused. Counted to ${at}.`
        : problem === undefined
          ? `Counted to ${at}`
          : `Counted to ${at}. ${problem.message}`;
  const pause = () => setPaused(!paused);
  return (
    <Shell
      site={site.domain}
      title="Realtime"
      skipTo="Skip to what happens now"
      actions={{ p: pause, w: () => setWhy(true), f: () => setAdding(true) }}
      palette={() => [
        { id: 'pause', group: 'Actions', text: paused ? 'Go on with realtime' : 'Pause realtime', act: pause },
      ]}
    >
      <FilterBar
        asked={{ site: site.domain, frame: today, filters: view.filters, time: local.time.slice(0, 5) }}
        filters={view.filters}
        onChange={(filters) => change({ filters })}
        timezone={site.timezone}
        adding={adding}
        onAdding={setAdding}
      />
      <main className="wrap realtime" id="main" tabIndex={-1}>
        {left.length > 0 && (
          <p className="note" role="status">
            Not filtered by {left.map((filter) => filterSentence(filter)).join(', ')}: that is not known of an event as
            it comes.
          </p>
        )}
        <section className="panel" aria-label="Visitors now">
          <div className="rt-head">
            <p className="rt-now">
              <b>
                {answer !== undefined ? exactCount(answer.visitors) : problem === undefined ? onItsWay : notApplicable}
              </b>
              <span>{answer?.visitors === 1 ? 'visitor now' : 'visitors now'}</span>
            </p>
            <div className="rt-acts">
              <WhyNow open={why} onOpenChange={setWhy} at={at} filters={applied} />
              <button type="button" className="btn sm" aria-pressed={paused} onClick={pause} title="Pause (p)">
                Pause
              </button>
            </div>
          </div>
          {answer === undefined && problem !== undefined ? (
            <div className="rt-course rt-away">
              <Failed
                code={problem.code}
                message={problem.message}
                reference={problem.reference}
                onRetry={() => window.location.reload()}
                what="What happens now could not be read."
              />
            </div>
          ) : (
            <Course answer={answer} timezone={site.timezone} />
          )}
          <footer>
            <span className={answer !== undefined && problem !== undefined ? 'rt-bad' : ''}>
              {answer === undefined && problem !== undefined ? 'It is asked for again by itself.' : state}
            </span>
          </footer>
        </section>
        <div className="grid">
          <List title="Pages now" {...list('page', answer?.pages)} />
          <List title="Sources now" {...list('source', answer?.sources)} />
          <List
            title="Places now"
            {...list(places.id, answer?.[places.list])}
            bodyId={placesId}
            tabs={
              <Tabs
                label="Places now"
                tabs={placeTabs}
                selected={places.id}
                onSelect={(id) => change({ tabs: { ...view.tabs, places: id } }, true)}
                panelId={placesId}
              />
            }
            note={<PlaceCredit />}
          />
        </div>
        <Events
          events={events}
          known={answer !== undefined}
          notRead={answer === undefined && problem !== undefined}
          paused={paused}
          timezone={site.timezone}
        />
        <CallBox site={site.domain} call={{ method: 'GET', path }} />
      </main>
    </Shell>
  );
}

function WhyNow({
  open,
  onOpenChange,
  at,
  filters,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  at?: string | undefined;
  filters: readonly Filter[];
}) {
  return (
    <WhyPopover open={open} onOpenChange={onOpenChange}>
      <div className="why reached" tabIndex={-1} data-autofocus>
        <h3>Visitors now</h3>
        <p>
          Different visitors with at least one event in the last 5 minutes: page views, custom events and signs of
          attention alike. It is what Plausible calls current visitors.
        </p>
        <p>The lists are of the same visitors, so one of them can stand in several rows. The bars are whole minutes.</p>
        <dl>
          <dt>Filters</dt>
          <dd>{filters.length === 0 ? 'none' : filters.map((filter) => filterSentence(filter)).join(' · ')}</dd>
          <dt>Left out</dt>
          <dd>Robots, referrer spam and what shields stop: they are counted apart, by reason.</dd>
          <dt>Counted to</dt>
          <dd>{at ?? onItsWay}</dd>
        </dl>
      </div>
    </WhyPopover>
  );
}

/** Thirty bars of page views, with the visitors inside them. Its height never changes. */
function Course({ answer, timezone }: { answer: RealtimeAnswer | undefined; timezone: string }) {
  const minutes = answer?.minutes ?? [];
  const top = Math.max(1, ...minutes.map((one) => Math.max(one.pageviews, one.visitors)));
  const views = minutes.reduce((all, one) => all + one.pageviews, 0);
  const clock = (start: string) => clockText(Date.parse(start), timezone);
  const [first] = minutes;
  return (
    <figure className="rt-course">
      <figcaption>
        <span>
          <i className="rt-key visitors" /> Visitors
        </span>
        <span>
          <i className="rt-key views" /> Page views by minute
          {answer === undefined ? '' : `, ${exactCount(views)} in 30`}
        </span>
        <span className="rt-top">{views === 0 ? '' : `highest ${exactCount(top)}`}</span>
      </figcaption>
      <StepBars
        steps={minutes.map(({ start, pageviews, visitors }) => ({
          key: start,
          name: clock(start),
          said: `${clock(start)}: ${exactCount(pageviews)} page views, ${exactCount(visitors)} visitors`,
          values: [pageviews, visitors],
        }))}
        kinds={[
          { head: 'Page views', className: 'views' },
          { head: 'Visitors', className: 'visitors' },
        ]}
        top={top}
        ends={[first === undefined ? '' : clock(first.start), 'this minute']}
        caption="The last 30 minutes by minute"
        stepHead="Minute"
      />
    </figure>
  );
}

function named(key: 'source' | 'country' | 'device', value: string): string {
  return valueText(declaredDimension(key), value);
}

function List({
  title,
  rows,
  dimension,
  filtered,
  onFilter,
  notRead,
  empty,
  tabs,
  bodyId,
  note,
}: {
  title: string;
  /** What is above says why. */
  notRead: boolean;
  rows: RealtimeAnswer['pages'] | undefined;
  dimension: 'page' | 'source' | 'country' | 'region' | 'city';
  filtered: (value: string) => boolean;
  onFilter: (value: string, exclude: boolean) => void;
  empty: string;
  /** In place of the title, where there are more lists than one. */
  tabs?: ReactNode;
  bodyId?: string;
  note?: ReactNode;
}) {
  const facts = declaredDimension(dimension);
  const longest = Math.max(1, ...(rows ?? []).map((row) => row.visitors));
  return (
    <section className="panel w4" aria-label={title}>
      <header>
        <h2 className={tabs === undefined ? 'rt-title' : 'vh'}>{title}</h2>
        {tabs}
      </header>
      <div
        className="body"
        style={{ '--rows': rowsShown } as CSSProperties}
        {...(tabs === undefined ? {} : { role: 'tabpanel', id: bodyId, 'aria-label': facts.plural })}
      >
        {notRead || rows?.length === 0 ? (
          <p className="empty">{notRead ? 'Not read, for the same reason.' : empty}</p>
        ) : (
          <table className="bars">
            <thead>
              <tr>
                <th scope="col">{facts.label}</th>
                <th scope="col" className="num">
                  Visitors
                </th>
              </tr>
            </thead>
            <tbody>
              {(rows ?? []).slice(0, rowsShown).map((row) => {
                const value = row.name === '' ? (facts.empty ?? notSet) : row.name;
                return (
                  <tr key={row.name} className={filtered(value) ? 'on' : ''}>
                    <td>
                      <span
                        className="b"
                        style={{ width: `calc((100% - var(--edge)) * ${(0.92 * row.visitors) / longest})` }}
                      />
                      <RowName
                        name={valueText(facts, row.name)}
                        path={dimension === 'page'}
                        filtered={filtered(value)}
                        onFilter={(exclude) => onFilter(value, exclude)}
                      />
                    </td>
                    <td className="num">{exactCount(row.visitors)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        )}
      </div>
      <footer>
        <span>{note ?? ' '}</span>
        {rows !== undefined && rows.length > rowsShown && <span>the {rowsShown} with the most visitors</span>}
      </footer>
    </section>
  );
}

/** The stream itself is silent for screen readers; how many came is said, at most once in this time. */
const sayEveryMs = 5_000;

function Events({
  events,
  known,
  notRead,
  paused,
  timezone,
}: {
  events: readonly StreamEvent[];
  known: boolean;
  notRead: boolean;
  paused: boolean;
  timezone: string;
}) {
  const spoken = useSpoken(events, known && !paused);
  return (
    <section className="panel rt-stream" aria-label="Events as they come">
      <header>
        <h2 className="rt-title">Events as they come</h2>
        <span className="rt-note">last 30 minutes, at most 100{paused ? ', paused' : ''}</span>
      </header>
      <p className="vh" role="status" aria-live="polite">
        {spoken}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling list must be reachable by keyboard. */}
      <section className="rt-scroll" tabIndex={0} aria-label="The newest events">
        {notRead ? (
          <p className="empty">Not read, for the same reason.</p>
        ) : known && events.length === 0 ? (
          <p className="empty">
            <b>No event in the last 30 minutes.</b> The next one appears here by itself, within 3 seconds.
          </p>
        ) : (
          <table>
            <thead>
              <tr>
                {['Time', 'Event', 'Page', 'Source', 'Country', 'Device'].map((head) => (
                  <th key={head} scope="col" className={head === 'Source' || head === 'Device' ? 'lo' : ''}>
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {keyed(events).map(({ key, event }) => (
                <tr key={key}>
                  <td>{clockText(Date.parse(event.time), timezone, undefined, true)}</td>
                  <td className="rt-name">{event.name === 'pageview' ? 'Page view' : event.name}</td>
                  <td className="rt-page" title={event.page}>
                    <span className="cut-path">
                      <CutPath text={event.page} />
                    </span>
                    <span className="rt-more">
                      {named('source', event.source)} · {named('device', event.device)}
                    </span>
                  </td>
                  <td className="lo">{named('source', event.source)}</td>
                  <td>{named('country', event.country)}</td>
                  <td className="lo">{named('device', event.device)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
    </section>
  );
}

/** Rows have no id: what a row says names it, and its place among those that say the same, counted from the oldest. */
function keyed(events: readonly StreamEvent[]): { key: string; event: StreamEvent }[] {
  const same = new Map<string, number>();
  return events
    .toReversed()
    .map((event) => {
      const text = JSON.stringify(event);
      const at = same.get(text) ?? 0;
      same.set(text, at + 1);
      return { key: `${text} ${at}`, event };
    })
    .toReversed();
}

function useSpoken(events: readonly StreamEvent[], on: boolean): string {
  const [spoken, setSpoken] = useState('');
  const latest = useRef(events);
  latest.current = events;
  useEffect(() => {
    if (!on) return;
    let told = new Set(keyed(latest.current).map(({ key }) => key));
    const timer = setInterval(() => {
      const rows = keyed(latest.current);
      const fresh = rows.filter(({ key }) => !told.has(key));
      told = new Set(rows.map(({ key }) => key));
      const [newest] = fresh;
      if (newest === undefined) return;
      const { name, page } = newest.event;
      setSpoken(
        `${fresh.length === 1 ? '1 new event' : `${fresh.length} new events`}, the newest: ${name === 'pageview' ? 'page view' : name} on ${page}`,
      );
    }, sayEveryMs);
    return () => clearInterval(timer);
  }, [on]);
  return spoken;
}
