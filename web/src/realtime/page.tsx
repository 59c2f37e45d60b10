import type { CSSProperties } from 'react';
import { useEffect, useRef, useState } from 'react';
import type { RealtimeAnswer } from '../../../contract/realtime.ts';
import { StepBars } from '../charts/step_bars.tsx';
import { CallBox } from '../controls/call_box.tsx';
import type { Site } from '../desk/api.ts';
import { realtimePath } from '../desk/api.ts';
import { exactCount, onItsWay } from '../numbers/format.ts';
import { Failed } from '../overview/states.tsx';
import { WhyPopover } from '../overview/why.tsx';
import { clockText } from '../period/words.ts';
import { declaredDimension, valueText } from '../questions/dimensions.ts';
import { Shell } from '../shell/shell.tsx';
import './realtime.css';
import type { StreamEvent } from './stream.ts';
import { useStream } from './stream.ts';

const rowsShown = 5;

/** What happens right now? Who is there, the last half hour, and the events as they come. */
export function RealtimePage({ site }: { site: Site }) {
  const [paused, setPaused] = useState(false);
  const [why, setWhy] = useState(false);
  const { answer, events, problem } = useStream(site.domain, paused);
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
      actions={{ p: pause, w: () => setWhy(true) }}
      palette={() => [
        { id: 'pause', group: 'Actions', text: paused ? 'Go on with realtime' : 'Pause realtime', act: pause },
      ]}
    >
      <main className="wrap realtime" id="main" tabIndex={-1}>
        <section className="panel" aria-label="Visitors now">
          <div className="rt-head">
            <p className="rt-now">
              <b>{answer === undefined ? onItsWay : exactCount(answer.visitors)}</b>
              <span>{answer?.visitors === 1 ? 'visitor now' : 'visitors now'}</span>
            </p>
            <div className="rt-acts">
              <WhyNow open={why} onOpenChange={setWhy} at={at} />
              <button type="button" className="btn sm" aria-pressed={paused} onClick={pause} title="Pause (p)">
                Pause
              </button>
            </div>
          </div>
          {answer === undefined && problem !== undefined ? (
            <Failed
              code={problem.code}
              message={problem.message}
              reference={problem.reference}
              onRetry={() => window.location.reload()}
              what="What happens now could not be read."
            />
          ) : (
            <Course answer={answer} timezone={site.timezone} />
          )}
          <footer>
            <span className={problem === undefined ? '' : 'rt-bad'}>
              {answer === undefined && problem !== undefined ? 'It is asked for again by itself.' : state}
            </span>
          </footer>
        </section>
        <div className="grid">
          <List title="Pages now" head="Page" rows={answer?.pages} />
          <List title="Sources now" head="Source" rows={answer?.sources} dimension="source" />
          <List title="Places now" head="Country" rows={answer?.places} dimension="country" />
        </div>
        <Events events={events} known={answer !== undefined} paused={paused} timezone={site.timezone} />
        <CallBox site={site.domain} call={{ method: 'GET', path: realtimePath(site.domain) }} />
      </main>
    </Shell>
  );
}

function WhyNow({
  open,
  onOpenChange,
  at,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  at?: string | undefined;
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
          <dd>none: filters and the period of the overview do not apply here</dd>
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
          <i className="rt-key views" /> Page views by minute
          {answer === undefined ? '' : `, ${exactCount(views)} in 30`}
        </span>
        <span>
          <i className="rt-key visitors" /> Visitors
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
  head,
  rows,
  dimension,
}: {
  title: string;
  head: string;
  rows: RealtimeAnswer['pages'] | undefined;
  dimension?: 'source' | 'country';
}) {
  const longest = Math.max(1, ...(rows ?? []).map((row) => row.visitors));
  return (
    <section className="panel w4" aria-label={title}>
      <header>
        <h2 className="rt-title">{title}</h2>
      </header>
      <div className="body" style={{ '--rows': rowsShown } as CSSProperties}>
        {rows !== undefined && rows.length === 0 ? (
          <p className="empty">Nobody in the last 5 minutes.</p>
        ) : (
          <table className="bars">
            <thead>
              <tr>
                <th scope="col">{head}</th>
                <th scope="col" className="num">
                  Visitors
                </th>
              </tr>
            </thead>
            <tbody>
              {(rows ?? []).slice(0, rowsShown).map((row) => {
                const name = dimension === undefined ? row.name : named(dimension, row.name);
                return (
                  <tr key={row.name}>
                    <td>
                      <span
                        className="b"
                        style={{ width: `calc((100% - var(--edge)) * ${(0.92 * row.visitors) / longest})` }}
                      />
                      <span className="name" title={name}>
                        <span className="cut" dir="auto">
                          {name}
                        </span>
                      </span>
                    </td>
                    <td className="num">{exactCount(row.visitors)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}

/** The stream itself is silent for screen readers; how many came is said, at most once in this time. */
const sayEveryMs = 5_000;

function Events({
  events,
  known,
  paused,
  timezone,
}: {
  events: readonly StreamEvent[];
  known: boolean;
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
        {known && events.length === 0 ? (
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
                  <td className="rt-page" dir="auto" title={event.page}>
                    {event.page}
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
