import type { ReactNode } from 'react';
import { useEffect, useState } from 'react';
import type { MissingEvents, MissingPeriod } from '../../../contract/missing.ts';
import type { ShieldKind } from '../../../contract/shields.ts';
import { Link, navigate, useAddress } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { StepBars } from '../charts/step_bars.tsx';
import { CallBox } from '../controls/call_box.tsx';
import { CutPath } from '../controls/cut_path.tsx';
import { Glyph, Icon } from '../controls/icons.tsx';
import type { DeskError, Site } from '../desk/api.ts';
import { api, asDeskError, missingPath } from '../desk/api.ts';
import { may, useSession } from '../desk/session.tsx';
import { zonedText } from '../edge/reader.ts';
import { exactCount, notApplicable, percent, share } from '../numbers/format.ts';
import { signSentence, useQuality } from '../overview/quality.tsx';
import { Failed } from '../overview/states.tsx';
import { clockText, stepText, stepTick } from '../period/words.ts';
import { declaredDimension, valueText } from '../questions/dimensions.ts';
import { Shell } from '../shell/shell.tsx';
import './missing.css';

const periods: readonly { id: MissingPeriod; label: string; words: string }[] = [
  { id: '24h', label: '24 hours', words: 'the last 24 hours' },
  { id: '7d', label: '7 days', words: 'the last 7 days' },
  { id: '30d', label: '30 days', words: 'the last 30 days' },
];
/** A week, as the server has it when nothing is asked for. */
const usual = { id: '7d', label: '7 days', words: 'the last 7 days' } as const;

type Reason = MissingEvents['reasons'][number];

/** What was sent and is not there, why, and where that is changed. Period and reason are in the address. */
export function MissingPage({ site }: { site: Site }) {
  const { search } = useAddress();
  const asked = new URLSearchParams(search);
  const period = periods.find(({ id }) => id === asked.get('period')) ?? usual;
  const { answer, problem, retry, late } = useMissing(site.domain, period.id);
  const signs = useQuality(site.domain, true);
  const here = pathOf({ page: 'missing', site: site.domain });
  const addressOf = (next: MissingPeriod, reason: string | null) => {
    const query = new URLSearchParams({
      ...(next === usual.id ? {} : { period: next }),
      ...(reason === null ? {} : { reason }),
    }).toString();
    return query === '' ? here : `${here}?${query}`;
  };
  const move = (by: number) => {
    const next = periods[periods.findIndex(({ id }) => id === period.id) + by];
    if (next !== undefined) navigate(addressOf(next.id, asked.get('reason')));
  };
  const reasons = answer?.reasons ?? [];
  const dropped = reasons.filter(({ kind }) => kind === 'dropped');
  const leftOut = reasons.filter(({ kind }) => kind === 'left_out');
  const one = reasons.find(({ reason }) => reason === asked.get('reason'));
  const arrived = (answer?.stored ?? 0) + sumOf(dropped);
  const reasonAddress = (reason: Reason) => addressOf(period.id, reason === one ? null : reason.reason);
  return (
    <Shell
      site={site.domain}
      title="Missing events"
      skipTo="Skip to the reasons"
      actions={{ '[': () => move(1), ']': () => move(-1) }}
    >
      <main className={`wrap missing ${late ? 'late' : ''}`} id="main" tabIndex={-1}>
        <div className="ms-top">
          <p>Why an event is missing: everything that was sent and not stored has a reason and a count.</p>
          <fieldset className="seg">
            <legend className="vh">Period</legend>
            {periods.map(({ id, label }) => (
              <button
                key={id}
                type="button"
                aria-pressed={id === period.id}
                onClick={() => navigate(addressOf(id, asked.get('reason')))}
              >
                {label}
              </button>
            ))}
          </fieldset>
        </div>
        <section className="panel" aria-label="Over time">
          {answer === undefined ? (
            <div className="ms-frame">
              {problem !== undefined && (
                <Failed
                  code={problem.code}
                  message={problem.message}
                  reference={problem.reference}
                  onRetry={retry}
                  what="The reasons could not be read."
                />
              )}
            </div>
          ) : reasons.length === 0 ? (
            <div className="ms-frame">
              <Nothing stored={answer.stored} words={period.words} site={site.domain} />
            </div>
          ) : (
            <Course answer={answer} shown={one === undefined ? dropped : [one]} one={one} />
          )}
          <footer>
            <span>{answer === undefined ? '' : `Counted to ${clockText(Date.parse(answer.to), site.timezone)}`}</span>
            {one !== undefined && (
              <Link className="link" href={addressOf(period.id, null)}>
                All reasons
              </Link>
            )}
          </footer>
        </section>
        {answer !== undefined && signs !== undefined && (
          <>
            {signs.map((sign) => (
              <p className="note warn off" key={sign.sign}>
                <Icon name="alert" />
                <span>{signSentence(sign)}</span>
              </p>
            ))}
            {dropped.length > 0 && (
              <Reasons
                title="Not stored"
                rows={dropped}
                whole={arrived}
                of="Share of all that arrived"
                site={site.domain}
                one={one}
                addressOf={reasonAddress}
              />
            )}
            {leftOut.length > 0 && (
              <Reasons
                title="Stored without a part"
                rows={leftOut}
                whole={answer.stored}
                of="Share of what was stored"
                site={site.domain}
                one={one}
                addressOf={reasonAddress}
              />
            )}
            {answer.robots.length > 0 && <Robots answer={answer} />}
            {answer.examples.length > 0 && <Examples answer={answer} timezone={site.timezone} />}
            <Last
              rows={answer.last.filter(({ reason }) => one === undefined || reason === one.reason)}
              timezone={site.timezone}
            />
            {answer.of_no_site.length > 0 && <OfNoSite rows={answer.of_no_site} />}
          </>
        )}
        {answer !== undefined && signs !== undefined && (
          <CallBox site={site.domain} call={{ method: 'GET', path: missingPath(site.domain, period.id) }} />
        )}
      </main>
    </Shell>
  );
}

/** Quick answers do not dim what is there (ui.md §9). */
const lateMs = 200;

/** The answer to the period; the one before stays, dimmed, until it is here. */
function useMissing(domain: string, period: MissingPeriod) {
  const [found, setFound] = useState<{ answer?: MissingEvents; problem?: DeskError }>({});
  const [late, setLate] = useState(false);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(() => setLate(true), lateMs);
    api
      .missing(domain, period, stop.signal)
      .then(
        (answer) => {
          if (!stop.signal.aborted) setFound({ answer });
        },
        (error: unknown) => {
          // Numbers of another period would stand under the wrong words.
          if (!stop.signal.aborted) setFound({ problem: asDeskError(error) });
        },
      )
      .finally(() => {
        clearTimeout(timer);
        if (!stop.signal.aborted) setLate(false);
      });
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [domain, period, attempt]);
  return { ...found, late, retry: () => setAttempt((count) => count + 1) };
}

const sumOf = (rows: readonly { events: number }[]) => rows.reduce((sum, { events }) => sum + events, 0);
const shareText = (part: number, whole: number) => {
  const value = share(part, whole);
  return value === null ? notApplicable : percent(value);
};
const eventsText = (events: number) => `${exactCount(events)} ${events === 1 ? 'event' : 'events'}`;

function Nothing({ stored, words, site }: { stored: number; words: string; site: string }) {
  return (
    <div className="empty">
      <p>
        {stored > 0 && <Glyph state="ok" />}
        <span>
          <b>{stored > 0 ? 'Nothing is missing.' : 'Nothing arrived.'}</b>{' '}
          {stored === 0
            ? `No event reached this site in ${words}, so none was dropped either. The snippet may not be on its pages.`
            : stored === 1
              ? `The one event of ${words} was stored whole.`
              : `All ${exactCount(stored)} events of ${words} were stored whole.`}
        </span>
      </p>
      {stored === 0 && (
        <Link className="btn sm" href={pathOf({ page: 'settings', site, section: 'snippet' })}>
          Show the snippet
        </Link>
      )}
    </div>
  );
}

/** Bars by hour or day: of all that was dropped, or of the one reason that was chosen. */
function Course({ answer, shown, one }: { answer: MissingEvents; shown: readonly Reason[]; one: Reason | undefined }) {
  const today = answer.steps.at(-1)?.slice(0, 10) ?? '';
  const values = answer.steps.map((start, at) => ({
    start,
    name: stepText(start.slice(0, 19), answer.step, today),
    events: shown.reduce((sum, { by_step }) => sum + (by_step[at] ?? 0), 0),
  }));
  const top = Math.max(1, ...values.map(({ events }) => events));
  const tick = (start: string | undefined) =>
    start === undefined ? '' : stepTick(start.slice(0, 19), answer.step, true, today);
  const what = one?.means ?? 'Events that were not stored';
  return (
    <figure className="ms-frame ms-course">
      <figcaption>
        <span>
          {one === undefined ? `${what} by ${answer.step}` : what} · {eventsText(sumOf(shown))}
        </span>
        <span className="q">highest {exactCount(Math.max(...values.map(({ events }) => events)))}</span>
      </figcaption>
      <StepBars
        steps={values.map(({ start, name, events }) => ({
          key: start,
          name,
          said: `${name}: ${eventsText(events)}`,
          values: [events],
        }))}
        kinds={[{ head: 'Events', className: 'events' }]}
        top={top}
        ends={[tick(answer.steps[0]), `${answer.step === 'hour' ? 'this hour' : 'today'}, so far`]}
        caption={`${what} by ${answer.step}`}
        stepHead={answer.step === 'hour' ? 'Hour' : 'Day'}
      />
    </figure>
  );
}

function Reasons({
  title,
  rows,
  whole,
  of,
  site,
  one,
  addressOf,
}: {
  title: string;
  rows: readonly Reason[];
  whole: number;
  of: string;
  site: string;
  one: Reason | undefined;
  addressOf: (reason: Reason) => string;
}) {
  return (
    <Counts
      title={title}
      head="Reason"
      whole={whole}
      shareOf={of}
      foot={`${of}.`}
      rows={rows.map((row) => ({
        word: row.reason,
        means: (
          <Link href={addressOf(row)} {...(row === one ? { 'aria-current': 'true' as const } : {})}>
            {row.means}
          </Link>
        ),
        rule: <Rule rule={row.rule} reason={row.reason} site={site} means={row.means} />,
        events: row.events,
        chosen: row === one,
      }))}
    />
  );
}

interface Count {
  /** The word that the desk counts under. */
  word: string;
  means: ReactNode;
  rule?: ReactNode;
  events: number;
  chosen?: boolean;
}

/** A list of words with what they mean and how many events each has. */
function Counts({
  title,
  head,
  rows,
  whole,
  shareOf,
  foot,
}: {
  title: string;
  head: string;
  rows: readonly Count[];
  /** Events that shares are of; without it there are none. */
  whole?: number;
  shareOf?: string;
  foot: string;
}) {
  return (
    <section className="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
      </header>
      <table>
        <thead>
          <tr>
            <th scope="col">{head}</th>
            <th scope="col" className="num">
              Events
            </th>
            {whole !== undefined && (
              <th scope="col" className="num" title={shareOf}>
                Share
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ word, means, rule, events, chosen }) => (
            <tr key={word} className={chosen ? 'on' : ''}>
              <td className="ms-reason">
                {means}
                <span className="ms-rule">
                  <code>{word}</code> {rule}
                </span>
              </td>
              <td className="num">{exactCount(events)}</td>
              {whole !== undefined && <td className="num">{shareText(events, whole)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      <footer>
        <span>{foot}</span>
      </footer>
    </section>
  );
}

/** The kind of shield that counts its drops under each reason, as src/analytics/shields.ts has it. */
const shieldOf: Readonly<Record<string, ShieldKind>> = {
  site_hostname_allowlist: 'hostname',
  site_hostname_blocklist: 'blocked_hostname',
  site_page_blocklist: 'path',
  site_country_blocklist: 'country',
  site_ip_blocklist: 'address',
  site_referrer_blocklist: 'referrer',
  throttle: 'rate',
};

/** Where the rule is changed: the shields of its kind, or the setting. */
function Rule({ rule, reason, site, means }: { rule: Reason['rule']; reason: string; site: string; means: string }) {
  const { sites, organisations } = useSession();
  if (rule === null) return <span>The same for every site.</span>;
  if (rule === 'consent') {
    const ours = organisations.find(({ id }) => id === sites.find(({ domain }) => domain === site)?.organisation_id);
    if (ours === undefined || !may(ours, 'audit.read')) return <span>By region, as the organisation has set it.</span>;
    const href = pathOf({ page: 'consent', organisation: ours.slug });
    return (
      <Link className="link" aria-label={`Purposes and bases: ${means}`} href={href}>
        Purposes and bases
      </Link>
    );
  }
  if (rule === 'shields' || rule === 'rate')
    return (
      <Link
        className="link"
        aria-label={`Change rule: ${means}`}
        href={`${pathOf({ page: 'shields', site })}?add=${shieldOf[reason] ?? 'path'}`}
      >
        Change rule
      </Link>
    );
  return (
    <Link
      className="link"
      aria-label={`${rule === 'snippet' ? 'Look at the snippet' : 'Change rule'}: ${means}`}
      href={pathOf({ page: 'settings', site, section: rule })}
    >
      {rule === 'snippet' ? 'Look at the snippet' : 'Change rule'}
    </Link>
  );
}

/** What a rule saw, by its word in the warehouse. */
const ruleWords: Readonly<Record<string, string>> = {
  ua_pattern: 'The browser string says that it is a robot.',
  client_signals: 'The screen is one that no person has, and more speaks for a robot.',
  header_heuristics: 'The headers contradict each other, and more speaks for a robot.',
  ua_missing: 'There is no browser string, and more speaks for a robot.',
};
const ruleText = (rule: string) => ruleWords[rule] ?? 'A rule of another version of this desk.';

function Robots({ answer }: { answer: MissingEvents }) {
  return (
    <Counts
      title="Robots by rule"
      head="Rule"
      rows={answer.robots.map(({ rule, events }) => ({ word: rule, means: ruleText(rule), events }))}
      whole={sumOf(answer.robots)}
      foot="Share of all robots. They are kept apart from visitors and are part of the reasons above."
    />
  );
}

/** Day and time in the site's timezone: examples can be a month old. */
function momentText(time: string, timezone: string): string {
  return zonedText(time, timezone, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
}

/** An event that was not counted, with what it says in words. */
interface Example extends Pick<MissingEvents['last'][number], 'time' | 'name' | 'hostname' | 'page' | 'referrer'> {
  /** The rule or reason. */
  why: string;
  country: string;
  /** Beside the page where there is no room for columns. */
  more: string;
  /** The member that could not be read, in place of the page. */
  field?: string;
}

function ExampleTable(parts: {
  title: string;
  label: string;
  head: string;
  rows: readonly Example[];
  foot: string;
  timezone: string;
}) {
  return (
    <section className="panel" aria-label={parts.title}>
      <header>
        <h2>{parts.title}</h2>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling table must be reachable by keyboard. */}
      <section className="ms-scroll" tabIndex={0} aria-label={parts.label}>
        <table>
          <thead>
            <tr>
              {['Time', parts.head, 'Event', 'Page', 'Referrer', 'Country'].map((head) => (
                <th key={head} scope="col" className={head === 'Time' || head === 'Page' ? '' : 'lo'}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {parts.rows.map((row, at) => {
              const page = `${row.hostname}${row.page}`;
              return (
                <tr key={at}>
                  <td>{momentText(row.time, parts.timezone)}</td>
                  <td className="lo">
                    <code>{row.why}</code>
                  </td>
                  <td className="lo">
                    {row.name === 'pageview' ? 'Page view' : row.name === '' ? notApplicable : row.name}
                  </td>
                  <td className="ms-page" title={page}>
                    <span className="cut-path">{page === '' ? `not read: ${row.field}` : <CutPath text={page} />}</span>
                    <span className="ms-more">{row.more}</span>
                  </td>
                  <td className="lo">{row.referrer === '' ? notApplicable : row.referrer}</td>
                  <td className="lo">{row.country}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
      <footer>
        <span>{parts.foot}</span>
      </footer>
    </section>
  );
}

function Examples({ answer, timezone }: { answer: MissingEvents; timezone: string }) {
  return (
    <ExampleTable
      title="The last robots"
      label="Examples"
      head="Rule"
      rows={answer.examples.map((row) => {
        const country = valueText(declaredDimension('country'), row.country);
        return { ...row, why: row.rule, country, more: [row.rule, country].join(' · ') };
      })}
      foot={`The newest ${answer.examples.length}.`}
      timezone={timezone}
    />
  );
}

/** What a rule of the site stopped, or what could not be read: where to look on the page itself. */
function Last({ rows, timezone }: { rows: MissingEvents['last']; timezone: string }) {
  if (rows.length === 0) return null;
  return (
    <ExampleTable
      title="The last of other reasons"
      label="Examples of other reasons"
      head="Reason"
      rows={rows.map((row) => ({
        ...row,
        why: row.reason,
        country: row.country === '' ? notApplicable : valueText(declaredDimension('country'), row.country),
        more: row.reason,
      }))}
      foot="At most four of each reason since the desk was started; they are in its memory only. Who asked not to be counted and shielded addresses are not shown."
      timezone={timezone}
    />
  );
}

function OfNoSite({ rows }: { rows: MissingEvents['of_no_site'] }) {
  return (
    <Counts
      title="Events of no site"
      head="Reason"
      rows={rows.map(({ reason, means, events }) => ({ word: reason, means, events }))}
      foot="Of the whole desk: a misspelt domain in a snippet is among them."
    />
  );
}
