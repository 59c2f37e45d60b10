import type { KillableDesk } from './killable_desk.ts';
import type { SentEvent } from './load.ts';
import { tally } from './tally.ts';

/** The gap is counted in whole minutes (docs/guides/metrics.md): 30:59 after the last event still continues the visit. */
const visitGapMs = 31 * 60_000;

interface EventSeen {
  path: string;
  name: string;
  visitor: string;
  visit: string;
  ms: string;
  start: string;
  id_day: string;
  entry: string;
  source: string;
  detached: number;
  amount: string;
}
interface VisitSeen {
  visit: string;
  visitor: string;
  started: string;
  ended: string;
  pageviews: string;
  events: string;
  counting: string;
  entry: string;
  exit: string;
}
type Seen = {
  events: EventSeen[];
  visits: VisitSeen[];
  unmerged: { pageviews: string; events: string }[];
  arrivals: { id_day: string; events: string }[];
};

export interface Audit {
  events: number;
  visits: number;
  /** Stored although nobody was told so: their senders gave up. */
  unasked: number;
}

/**
 * Reads everything that the warehouse holds and compares it with what the senders know.
 * @throws with the first things that are not as promised
 */
export async function auditDesk(
  desk: Pick<KillableDesk, 'rows' | 'sites'>,
  sent: readonly SentEvent[],
  options: {
    /** UTC days may change under a visit: its visitor then may have an id for each. */
    spansMidnight?: boolean;
    quarantined?: readonly string[];
  } = {},
): Promise<Audit> {
  const site = desk.sites[0]?.id;
  const seen = await desk.rows<Seen>({
    events: `SELECT pathname AS path, name, toString(visitor_id) AS visitor, toString(visit_id) AS visit,
      toUnixTimestamp64Milli(time) AS ms, toUnixTimestamp64Milli(visit_start) AS start, toString(id_day) AS id_day,
      entry_page AS entry, source, detached, toString(revenue_amount) AS amount
      FROM events WHERE site_id = ${site}`,
    visits: `SELECT toString(visit_id) AS visit, toString(visitor_id) AS visitor, toUnixTimestamp64Milli(started) AS started,
      toUnixTimestamp64Milli(ended) AS ended, pageviews, events, counting, entry_page AS entry, exit_page AS exit
      FROM visits FINAL WHERE site_id = ${site}`,
    unmerged: `SELECT sum(pageviews) AS pageviews, sum(events) AS events FROM visits WHERE site_id = ${site}`,
    arrivals: `SELECT toString(id_day) AS id_day, sum(events) AS events FROM arrivals WHERE site_id = ${site} GROUP BY id_day`,
  });
  const problems = [
    ...deliveryProblems(sent, seen, options.quarantined ?? []),
    ...visitProblems(seen.events, options.spansMidnight === true),
    ...rollUpProblems(seen),
    ...revenueProblems(seen.events),
  ];
  if (problems.length > 0)
    throw new Error(
      `${problems.length} things are not as promised: ${problems[0]}\n  ${problems.slice(0, 12).join('\n  ')}`,
    );
  const acknowledged = new Set(sent.filter((event) => event.acknowledged).map((event) => event.path));
  return {
    events: seen.events.length,
    visits: seen.visits.length,
    unasked: seen.events.filter(({ path }) => !acknowledged.has(path)).length,
  };
}

/** Acknowledged means stored, and nothing is stored twice or from nowhere. */
function deliveryProblems(sent: readonly SentEvent[], seen: Seen, quarantined: readonly string[]): string[] {
  const { lost, duplicated } = tally(
    sent.filter((event) => event.acknowledged).map((event) => event.path),
    [...seen.events.map((event) => event.path), ...quarantined],
  );
  const known = new Map(sent.map((event) => [event.path, event]));
  const strange = seen.events.filter(({ path, name }) => known.get(path)?.name !== name);
  return [
    ...lost.map((path) => `${path} was acknowledged and is not stored`),
    ...duplicated.map((path) => `${path} is stored more than once`),
    ...strange.map(({ path, name }) => `${path} (${name}) is stored and was not sent`),
  ];
}

/** The visits that the definition makes of the stored times are the visits that are stored. */
function visitProblems(events: readonly EventSeen[], spansMidnight: boolean): string[] {
  const problems: string[] = [];
  for (const [who, own] of groupBy(events, ({ path }) => path.split('/')[1] as string)) {
    const ids = new Set(own.map((event) => (spansMidnight ? `${event.visitor} ${event.id_day}` : event.visitor)));
    if (!spansMidnight && ids.size > 1) problems.push(`visitor ${who} has ${ids.size} ids`);
    const inTime = own.toSorted((a, b) => Number(a.ms) - Number(b.ms));
    let visit: string | undefined;
    let last = Number.NEGATIVE_INFINITY;
    const used = new Set<string>();
    for (const event of inTime) {
      if (event.detached !== 0) problems.push(`${event.path} is detached`);
      const continues = Number(event.ms) - last < visitGapMs;
      if (continues && event.visit !== visit)
        problems.push(`the visit of visitor ${who} was split before ${event.path}`);
      if (!continues && used.has(event.visit)) problems.push(`${event.path} goes on with a visit that was over`);
      visit = event.visit;
      last = Number(event.ms);
      used.add(event.visit);
    }
  }
  for (const [visit, own] of groupBy(events, (event) => event.visit)) {
    if (new Set(own.map(({ path }) => path.split('/')[1])).size > 1) problems.push(`visit ${visit} has two visitors`);
    const first = Math.min(...own.map((event) => Number(event.ms)));
    if (own.some((event) => Number(event.start) !== first)) problems.push(`visit ${visit} has more than one beginning`);
    if (new Set(own.map((event) => event.source)).size > 1) problems.push(`visit ${visit} has more than one source`);
    const entries = new Set(own.map((event) => event.entry).filter((entry) => entry !== ''));
    if (entries.size > 1) problems.push(`visit ${visit} has ${entries.size} entry pages`);
  }
  return problems;
}

/** What the materialized views add up is what the rows say. */
function rollUpProblems({ events, visits, unmerged, arrivals }: Seen): string[] {
  const problems: string[] = [];
  const same = (what: string, summed: unknown, counted: number) => {
    if (Number(summed) !== counted) problems.push(`${what}: ${summed} in the roll-up, ${counted} in the rows`);
  };
  const isView = (event: EventSeen) => event.name === 'pageview';
  const isAction = (event: EventSeen) => event.name !== 'engagement';
  same('page views', unmerged[0]?.pageviews ?? 0, events.filter(isView).length);
  same('events', unmerged[0]?.events ?? 0, events.filter(isAction).length);
  const days = groupBy(events, (event) => event.id_day);
  for (const [day, own] of days)
    same(`arrivals of ${day}`, arrivals.find((row) => row.id_day === day)?.events ?? 0, own.length);
  same('days with arrivals', arrivals.length, days.size);
  const byVisit = groupBy(events, (event) => event.visit);
  same('visits', visits.length, byVisit.size);
  for (const visit of visits) {
    const own = byVisit.get(visit.visit) ?? [];
    const views = own.filter(isView).toSorted((a, b) => Number(a.ms) - Number(b.ms));
    const times = own.map((event) => Number(event.ms));
    same(`page views of visit ${visit.visit}`, visit.pageviews, views.length);
    same(`events of visit ${visit.visit}`, visit.events, own.filter(isAction).length);
    same(`counting events of visit ${visit.visit}`, visit.counting, own.filter(isAction).length);
    same(`begin of visit ${visit.visit}`, visit.started, Math.min(...times));
    same(`end of visit ${visit.visit}`, visit.ended, Math.max(...times));
    const isAt = (page: string, view: EventSeen | undefined) =>
      view === undefined ? page === '' : views.some((one) => one.path === page && one.ms === view.ms);
    if (!isAt(visit.entry, views[0]))
      problems.push(`visit ${visit.visit} enters at ${visit.entry}, not ${views[0]?.path}`);
    if (!isAt(visit.exit, views.at(-1)))
      problems.push(`visit ${visit.visit} exits at ${visit.exit}, not ${views.at(-1)?.path}`);
  }
  return problems;
}

/** Each visitor buys the same order again and again: it earns once, whichever process took it. */
function revenueProblems(events: readonly EventSeen[]): string[] {
  const problems: string[] = [];
  for (const [who, own] of groupBy(events, ({ path }) => path.split('/')[1] as string)) {
    const bought = own.filter((event) => event.name === 'purchase');
    const earned = bought.reduce((sum, event) => sum + Number(event.amount), 0);
    if (bought.length > 0 && earned !== 10) problems.push(`the order of visitor ${who} earned ${earned}`);
  }
  return problems;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
