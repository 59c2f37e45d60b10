import { Fragment, useCallback, useState } from 'react';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { CallBox } from '../controls/call_box.tsx';
import { ComingRows } from '../controls/coming.tsx';
import { Fact } from '../controls/fact.tsx';
import { FormError } from '../controls/field.tsx';
import { Icon } from '../controls/icons.tsx';
import { asDeskError, type DeskError, type Site } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import { may, useSession } from '../desk/session.tsx';
import { zonedText } from '../edge/reader.ts';
import { duration, exactCount } from '../numbers/format.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { clockText } from '../period/words.ts';
import { declaredDimension, valueText } from '../questions/dimensions.ts';
import { type Act, type Browser, type Profile, profiles, profilesPath, type ProfilePage as Read } from './api.ts';
import { countryText, eventsText, Initials, momentIn, nameOf, ProfilesFrame } from './parts.tsx';

/** What did this one do? What they are called, their browsers, and what these did, newest first. */
export function ProfilePage({ site, id }: { site: Site; id: string }) {
  return (
    <ProfilesFrame site={site} title="Profile">
      <OneProfile site={site} id={id} />
    </ProfilesFrame>
  );
}

function OneProfile({ site, id }: { site: Site; id: string }) {
  const { answer, problem, reload, set } = useReading(
    useCallback(() => profiles.one(site.domain, id), [site.domain, id]),
  );
  const older = async (before: string) => set(joined(answer as Read, await profiles.one(site.domain, id, before)));
  const all = pathOf({ page: 'profiles', site: site.domain });
  const profile = answer?.profile;
  // A number that cannot be one is refused; for the reader that is the same as one that is not there.
  const isNobody = profile === null || problem?.code === 'invalid_field' || problem?.status === 404;
  return (
    <>
      <p className="pf-back">
        <Link className="btn quiet sm" href={all}>
          <Icon name="back" />
          Profiles
        </Link>
      </p>
      {isNobody ? (
        <section className="panel" aria-label="Profile">
          <Empty
            title={answer?.is_restricted ? 'This profile is kept and not shown.' : 'There is no such profile here.'}
            action={
              <Link className="btn sm" href={all}>
                All profiles
              </Link>
            }
          >
            {answer?.is_restricted
              ? 'Whoever it is asked that their data is not used. It is shown again once that has ended, under Trust, Requests.'
              : 'It may have become one with another, been erased, or have no events left. It may also be one of another site.'}
          </Empty>
        </section>
      ) : problem !== undefined ? (
        <section className="panel" aria-label="Profile">
          <Failed {...problem} onRetry={reload} what="The profile could not be read." />
        </section>
      ) : answer === undefined || profile === undefined ? (
        <section className="panel" aria-label="Profile">
          <ComingRows what="the profile" rows={8} />
        </section>
      ) : (
        <div className="pf-columns">
          <div className="pf-side">
            <Traits of={profile} visits={answer.visit_count} site={site} />
            <Browsers browsers={answer.browsers} zone={site.timezone} isKnown={profile.is_known} />
          </div>
          <Timeline read={answer} of={profile} zone={site.timezone} onOlder={older} />
        </div>
      )}
      {profile !== null && profile !== undefined && (
        <CallBox site={site.domain} call={{ method: 'GET', path: profilesPath(site.domain, `/${id}`) }} />
      )}
    </>
  );
}

/** A part of a timeline with the one that comes after it, further back. */
function joined(read: Read, part: Read): Read {
  const known = new Set(read.visits.map(({ visit }) => visit));
  return {
    ...read,
    next: part.next,
    timeline: [...read.timeline, ...part.timeline],
    visits: [...read.visits, ...part.visits.filter(({ visit }) => !known.has(visit))],
  };
}

function Traits({ of, visits, site }: { of: Profile; visits: number; site: Site }) {
  const organisation = useSession().organisations.find(({ id }) => id === site.organisation_id);
  const { name, email, id, avatar } = of.traits;
  const host = avatar === undefined || !URL.canParse(avatar) ? undefined : new URL(avatar);
  return (
    <section className="panel pf-traits" aria-labelledby="who">
      <div className="pf-head">
        <Initials of={of} />
        <div>
          <h2 id="who" dir="auto">
            {nameOf(of)}
          </h2>
          <p className="q2">
            {of.is_known
              ? 'Named by a page of this site. That is what it said, and no proof of who somebody is.'
              : 'Not named: no page has said who this is.'}
          </p>
        </div>
      </div>
      <dl>
        {of.is_known && (
          <>
            <Fact name="Name">
              <Said text={name} />
            </Fact>
            <Fact name="E-mail">
              <Said text={email} />
            </Fact>
            <Fact name="User id">
              <Said text={id} />
            </Fact>
            <Fact name="Picture">
              {host?.protocol === 'https:' ? (
                <>
                  <a className="link" href={host.href} target="_blank" rel="noopener noreferrer">
                    Open at {host.host}
                  </a>
                  <span className="q pf-below">Never loaded here: that host would see that you look.</span>
                </>
              ) : (
                <Said text={avatar} />
              )}
            </Fact>
          </>
        )}
        <Fact name="First seen">{momentIn(of.first_seen, site.timezone)}</Fact>
        <Fact name="Last seen">{momentIn(of.last_seen, site.timezone)}</Fact>
        <Fact name="Visits">{exactCount(visits)}</Fact>
        <Fact name="Events">{exactCount(of.events)}</Fact>
        <Fact name="Last country">{countryText(of.country)}</Fact>
      </dl>
      {of.is_known && organisation !== undefined && may(organisation, 'request.manage') && (
        <footer>
          <span>Do they want a copy, or to be erased?</span>
          <Link className="link" href={pathOf({ page: 'requests', organisation: organisation.slug })}>
            Enter a request
          </Link>
        </footer>
      )}
    </section>
  );
}

function Said({ text }: { text: string | undefined }) {
  return text === undefined ? <span className="q">not said</span> : <span dir="auto">{text}</span>;
}

const device = declaredDimension('device');
const browserText = ({ browser, os }: Browser) => [browser, os].filter((one) => one !== '').join(', ') || 'Unknown';

function Browsers({ browsers, zone, isKnown }: { browsers: readonly Browser[]; zone: string; isKnown: boolean }) {
  return (
    <section className="panel" aria-labelledby="browsers">
      <header>
        <h2 id="browsers">{browsers.length === 1 ? 'One browser' : `${exactCount(browsers.length)} browsers`}</h2>
      </header>
      <ul className="pf-browsers">
        {browsers.map((of) => (
          <li className="pf-browser" key={`${of.first_seen} ${of.last_seen} ${of.named_at}`}>
            <p>
              <b>{browserText(of)}</b> <span className="q">{valueText(device, of.device)}</span>
            </p>
            <p className="q2">
              {eventsText(of.events)}
              {of.country === '' ? '' : `, last from ${countryText(of.country)}`}
            </p>
            <p className="q2">
              {momentIn(of.first_seen, zone)} to {momentIn(of.last_seen, zone)}
            </p>
            {of.named_at !== null && <p className="q2">Named {momentIn(of.named_at, zone)}</p>}
          </li>
        ))}
      </ul>
      {isKnown && (
        <footer>
          <span>
            {browsers.length === 1
              ? 'What it did before it was named belongs to the profile too.'
              : 'They were named alike, so they are one profile, with what each did before.'}
          </span>
        </footer>
      )}
    </section>
  );
}

/** Where a browser was named: above the first of its events that came before the call, by their places in the timeline. */
function namedAbove({ browsers, timeline }: Read): Map<number, Browser> {
  const marks = new Map<number, Browser>();
  for (const [at, of] of browsers.entries()) {
    const { named_at } = of;
    if (named_at === null) continue;
    const first = timeline.findIndex(({ browser, time }) => browser === at && time < named_at);
    if (first !== -1) marks.set(first, of);
  }
  return marks;
}

function Timeline({
  read,
  of,
  zone,
  onOlder,
}: {
  read: Read;
  of: Profile;
  zone: string;
  onOlder: (before: string) => Promise<void>;
}) {
  const [isMore, setMore] = useState(false);
  const [refusal, setRefusal] = useState<DeskError>();
  async function older(before: string) {
    setRefusal(undefined);
    setMore(true);
    await onOlder(before).catch((error: unknown) => setRefusal(asDeskError(error)));
    setMore(false);
  }
  const marks = namedAbove(read);
  const visits = [...Map.groupBy([...read.timeline.entries()], ([, { visit }]) => visit).entries()];
  return (
    <section className="panel pf-timeline" aria-labelledby="timeline">
      <header>
        <h2 id="timeline">What they did</h2>
        <span className="q">newest first</span>
      </header>
      {visits.length === 0 ? (
        <Empty title="Nothing to list.">Only signs of attention are stored, and those are not events of a page.</Empty>
      ) : (
        <ol className="pf-visits">
          {visits.map(([visit, acts]) => (
            <Visit
              key={visit}
              {...{ acts, marks, zone }}
              whole={read.visits.find((one) => one.visit === visit)}
              browsers={read.browsers}
            />
          ))}
        </ol>
      )}
      <footer>
        <span>
          {read.timeline.length < of.events
            ? `The newest ${exactCount(read.timeline.length)} of ${eventsText(of.events)}. `
            : ''}
          Times are those of {zone}. This look is in the audit log.
        </span>
        {read.next !== null && (
          <button type="button" className="btn sm" disabled={isMore} onClick={() => void older(read.next as string)}>
            {isMore ? 'Reading…' : 'Show older'}
          </button>
        )}
        <FormError message={refusal?.message} reference={refusal?.reference} />
      </footer>
    </section>
  );
}

/** '14 events in 3m 20s'; a visit of one moment has no length. */
function lengthText({ events, started, ended }: Read['visits'][number]): string {
  const seconds = (Date.parse(ended) - Date.parse(started)) / 1_000;
  return seconds < 1 ? eventsText(events) : `${eventsText(events)} in ${duration(seconds)}`;
}

function Visit({
  acts,
  whole,
  browsers,
  marks,
  zone,
}: {
  acts: readonly [at: number, act: Act][];
  /** As it is, whatever part of it is listed. */
  whole: Read['visits'][number] | undefined;
  browsers: readonly Browser[];
  marks: ReadonlyMap<number, Browser>;
  zone: string;
}) {
  const [, oldest] = acts.at(-1) as [number, Act];
  const browser = browsers[oldest.browser];
  const started = whole?.started ?? oldest.time;
  const hosts = new Set(acts.map(([, { hostname }]) => hostname));
  return (
    <li className="pf-visit">
      <h3>
        Visit of{' '}
        <time dateTime={started}>
          {zonedText(started, zone, {
            weekday: 'short',
            day: 'numeric',
            month: 'short',
            year: 'numeric',
          })}
          , {clockText(Date.parse(started), zone)}
        </time>{' '}
        <span className="q">
          {[
            oldest.source === '' ? 'direct' : `from ${oldest.source}`,
            ...(browsers.length > 1 && browser !== undefined ? [browserText(browser)] : []),
            ...(oldest.country === '' ? [] : [countryText(oldest.country)]),
            ...(whole === undefined ? [] : [lengthText(whole)]),
          ].join(' · ')}
        </span>
      </h3>
      <ol>
        {acts.map(([at, act]) => {
          const mark = marks.get(at);
          return (
            <Fragment key={at}>
              {mark !== undefined && (
                <li className="pf-mark">
                  Named {momentIn(mark.named_at as string, zone)}
                  {browsers.length > 1 ? ` in ${browserText(mark)}` : ''}: from here down it was not known who this is
                </li>
              )}
              <li className={act.name === 'pageview' ? 'pf-doing' : 'pf-doing pf-event'}>
                <time dateTime={act.time}>{clockText(Date.parse(act.time), zone, undefined, true)}</time>
                <span className="pf-act">
                  {act.name === 'pageview' ? 'Page view' : <b dir="auto">{act.name}</b>}{' '}
                  <span className="pf-path" dir="auto">
                    {hosts.size > 1 ? act.hostname : ''}
                    {act.pathname}
                  </span>
                </span>
              </li>
            </Fragment>
          );
        })}
      </ol>
    </li>
  );
}
