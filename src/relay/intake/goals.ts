import type { Conversion } from '../../../contract/conversion.ts';
import { kindOfPixel, type PixelPlatform, pixelPlatforms } from '../../../contract/pixels.ts';
import type { WatchedEvent, WatchedSite, Watcher } from '../../analytics/index.ts';
import { crashPoint } from '../../platform/crash_point.ts';
import type { Log } from '../../platform/log.ts';
import { type Random, uuidOf } from '../../platform/random.ts';
import { type Lane, piecesOf, SpoolUnavailable } from '../../platform/spool/index.ts';
import type { KeyRing } from '../../platform/subject.ts';
import { readSnapshot } from '../../trust/consent/index.ts';
import { isMeant } from '../conversions/facts.ts';
import type { EventGoal, RunningSource, SourceDirectory } from './directory.ts';
import { intakeLine } from './line.ts';
import { callsRecord } from './pixels.ts';
import { makeRecord, type Sealing } from './record.ts';

/** When to send an event again whose conversion could not be kept. */
const waitSeconds = 5;

export interface GoalParts {
  readonly directory: () => Pick<SourceDirectory, 'freshKeys'>;
  readonly conversions: Lane;
  readonly sealing: Sealing;
  readonly keys: Pick<KeyRing, 'digest'>;
  readonly random: Random;
  /** The lane of the intake log. */
  readonly lane: Lane;
  readonly log: Pick<Log, 'error'>;
}

export interface Goals extends Watcher {
  /** Takes over what the sources are now. @returns what to watch: by site, what any of its sources asks for */
  take(sources: Iterable<RunningSource>): ReadonlyMap<number, WatchedSite>;
  readonly counts: { conversions: number; withoutUser: number; calls: number };
}

/** Makes conversions of events that reach a goal: each goal of each source of the site is one. */
export function openGoals({ directory, conversions, sealing, keys, random, lane, log }: GoalParts): Goals {
  let bySite = new Map<number, RunningSource[]>();
  const counts = { conversions: 0, withoutUser: 0, calls: 0 };

  async function linesOf(event: WatchedEvent): Promise<Lines> {
    const rows: string[] = [];
    const logged: string[] = [];
    // Where its sender gave it none it gets one here: without, two people who do the same at one moment would be one.
    const id = event.id === '' ? uuidOf(random) : event.id;
    for (const source of bySite.get(event.siteId) ?? []) {
      const came = { request: uuidOf(random), at: event.receivedMs };
      const reached = source.goals.filter((goal) => reaches(event, goal));
      for (const goal of reached) {
        const freshKeys = directory().freshKeys(source.organisationId);
        const whole = { ...conversionOf(event, goal, source), event_id: id };
        // Who cannot be sealed is left out: an event is not kept waiting for that.
        const { user: _user, ...nobody } = whole;
        const given = freshKeys === undefined ? nobody : whole;
        const made =
          (await makeRecord(given, source, { ...came, freshKeys }, sealing)) ??
          (await makeRecord(nobody, source, { ...came, freshKeys }, sealing));
        if (made === undefined) throw new Error('A conversion without a user needs no key.');
        if (whole.user !== undefined && made.key === null) counts.withoutUser++;
        rows.push(JSON.stringify({ ...made, region: readSnapshot(event.consent)?.region ?? 'unknown' }));
      }
      if (reached.length > 0)
        logged.push(
          intakeLine({
            ...{ organisationId: source.organisationId, sourceId: source.id, at: came.at, id: came.request },
            ...{ way: 'goal', status: 202, conversions: reached.length },
          }),
        );
    }
    return { rows, logged };
  }

  async function keep(events: readonly WatchedEvent[]): Promise<void> {
    const lines = await Promise.all(events.map(linesOf));
    const rows = lines.flatMap((one) => one.rows);
    for (const piece of piecesOf(rows)) await conversions.append(piece);
    if (rows.length > 0) crashPoint('relay.goal');
    counts.conversions += rows.length;
    // The conversion is kept by now, and a line that is missing is no reason to have the event come again.
    for (const piece of piecesOf(lines.flatMap((one) => one.logged)))
      void lane.append(piece).catch((error) => log.error('relay.goal_not_logged', { events: events.length }, error));
  }

  return {
    counts,
    keep(events, done) {
      keep(events).then(
        () => done(),
        (error: unknown) => {
          if (error instanceof SpoolUnavailable) return done(error);
          log.error('relay.goal_failed', { events: events.length }, error);
          done(new SpoolUnavailable('failing', waitSeconds));
        },
      );
    },
    keepCalls(told, done) {
      conversions.append(JSON.stringify(callsRecord(told, keys, random)), (refusal) => {
        if (refusal === undefined) counts.calls += told.calls.length;
        done(refusal);
      });
    },
    take(sources) {
      bySite = new Map();
      const sites = new Map<number, WatchedSite>();
      for (const source of sources) {
        const { siteId, goals, organisationId, clickIds, ipAndAgent, pixelCalls } = source;
        if (source.kind !== 'goals' || source.state !== 'active' || siteId === null) continue;
        // Calls of pixels belong to conversions of whatever source.
        if (goals.length === 0 && !pixelCalls) continue;
        bySite.set(siteId, [...(bySite.get(siteId) ?? []), source]);
        const before = sites.get(siteId);
        sites.set(siteId, {
          organisationId,
          names: new Set([...(before?.names ?? []), ...goals.map(({ event }) => event)]),
          clickIds: before?.clickIds === true || clickIds,
          network: before?.network === true || ipAndAgent,
          browserIds: new Set([...(before?.browserIds ?? []), ...platformsOf(source)]),
          pixelCalls: before?.pixelCalls === true || pixelCalls,
        });
      }
      return sites;
    },
  };
}

/** Conversions of an event for the spool, and a line of the intake log for each source that made some. */
interface Lines {
  readonly rows: readonly string[];
  readonly logged: readonly string[];
}

/** Whose ids its conversions have: of platforms that they go to, and no others. */
function platformsOf({ browserIds, kinds }: Pick<RunningSource, 'browserIds' | 'kinds'>): PixelPlatform[] {
  return browserIds ? pixelPlatforms.filter((platform) => kinds.includes(kindOfPixel[platform])) : [];
}
const idsOf = { meta: ['fbc', 'fbp'], tiktok: ['ttp'] } as const satisfies Record<PixelPlatform, readonly string[]>;

/** As the goal's figures count it (analytics/query/condition.ts). */
function reaches({ row }: WatchedEvent, { event, property }: EventGoal): boolean {
  return row.name === event && (property === null || row.props[property.name] === property.value);
}

/**
 * The canonical conversion of an event: what its row says of the page, the visit and the sale, and of its visitor what the source
 * asks for and consent allows.
 */
export function conversionOf(
  { row, timeMs, consent, revenue, clicks, network, browserIds }: WatchedEvent,
  { name }: Pick<EventGoal, 'name'>,
  source: Pick<RunningSource, 'clickIds' | 'ipAndAgent' | 'browserIds' | 'kinds'>,
): Conversion {
  const { clickIds, ipAndAgent } = source;
  const ofClick = Object.entries((clickIds && clicks?.ids) || {}).filter(([id, value]) => isMeant(id, value));
  const ids = filled({
    ...Object.fromEntries(ofClick),
    ...Object.fromEntries(platformsOf(source).flatMap((one) => idsOf[one].map((id) => [id, browserIds?.[id]]))),
  });
  const utm = filled({
    ...{ source: cut(row.utm_source), medium: cut(row.utm_medium), campaign: cut(row.utm_campaign) },
    ...{ term: cut(row.utm_term), content: cut(row.utm_content) },
  });
  const user =
    ipAndAgent && network
      ? filled({ ip: network.address, user_agent: network.userAgent.slice(0, agentCharsMax) })
      : undefined;
  // The place that an app without a host gives its page.
  const hasHost = row.hostname.includes('.');
  return {
    event_name: name,
    occurred_at: new Date(timeMs).toISOString(),
    action_source: 'website',
    ...(hasHost && { page_url: `https://${row.hostname}${row.pathname}`, domain: row.hostname }),
    ...(row.order_id !== '' && { order_id: row.order_id }),
    ...(revenue !== undefined && { value: inCents(revenue.amount), currency: revenue.currency }),
    ...(utm !== undefined && { utm }),
    ...(row.source !== '' && { campaign: { source: cut(row.source) } }),
    consent: consentOf(consent),
    ...(ids !== undefined && { click_ids: ids }),
    ...(clicks && ofClick.length > 0 && { clicked_at: new Date(clicks.atMs).toISOString() }),
    ...(user !== undefined && { user }),
  };
}

/** What the visitor said: silence is passed on as such, and what follows from it is for the gate of each delivery to say. */
function consentOf(consent: string): NonNullable<Conversion['consent']> {
  const answers = readSnapshot(consent)?.answers;
  const said = (purpose: 'ad_user_data' | 'ad_personalization'): 'granted' | 'denied' | undefined => {
    const answer = answers?.[purpose];
    if (answer === undefined || answer.source === 'region' || answer.state === 'not_asked') return undefined;
    return answer.state;
  };
  return filled({ ad_user_data: said('ad_user_data'), ad_personalization: said('ad_personalization') }) ?? {};
}

/** Amounts of events have three places; the third only where it says something. */
function inCents(amount: string): string {
  return amount.replace(/(\.\d\d)0$/, '$1');
}

/** As much as the canonical conversion takes. */
const textCharsMax = 512;
const agentCharsMax = 1_024;
function cut(text: string): string {
  return text.slice(0, textCharsMax);
}

/** Without what is empty; undefined where nothing is left. */
function filled<Given extends Record<string, string | undefined>>(given: Given): Partial<Given> | undefined {
  const all = Object.entries(given).filter(([, value]) => value !== undefined && value !== '');
  return all.length === 0 ? undefined : (Object.fromEntries(all) as Partial<Given>);
}
