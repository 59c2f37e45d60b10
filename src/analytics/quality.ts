import { z } from 'zod';
import { type DropReason, dropReasons } from '../../contract/drops.ts';
import { type QualitySign, qualitySigns } from '../../contract/quality.ts';
import { siteOfPath } from '../accounts/index.ts';
import { defineRoute, type Route } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';
import { hourMs } from '../platform/zone.ts';
import { inSpan, minutesInSpan } from './in_span.ts';

/**
 * When a site's events look wrong. The bounds are high, because a line that is there every day is not read: few events
 * say nothing, and a quiet night is not a fault, so the same hours of seven days are the measure.
 */
export const qualityRules = {
  /** Events that the same hours had on the quietest of the days before, and of how many days that has to be known. */
  silentMin: 20,
  silentDaysMin: 3,
  fellMin: 100,
  fellShare: 0.5,
  refusedMin: 20,
  refusedShare: 0.01,
  shieldedMin: 50,
  shieldedShare: 0.1,
  robotsMin: 100,
  robotsShare: 0.5,
} as const;

const day = 24;
const daysBefore = 7;

/** Faults of whoever sends or of this desk: nobody chose that these are not stored. */
const refusals: readonly DropReason[] = ['invalid', 'too_large', 'throttle', 'quarantined'];
/** What the site chose. A list of hostnames that forgets one looks like this. */
const shields: readonly DropReason[] = [
  'site_hostname_allowlist',
  'site_hostname_blocklist',
  'site_page_blocklist',
  'site_country_blocklist',
  'site_ip_blocklist',
  'site_referrer_blocklist',
];

/**
 * @param stored events by how many whole hours ago they were, 0 for the last 60 minutes; eight days of them
 * @param drops events that were not stored in the last 24 hours, by reason
 */
export function signsOf(stored: readonly number[], drops: ReadonlyMap<string, number>): QualitySign[] {
  const within = (from: number, hours: number) => {
    let events = 0;
    for (let ago = from; ago < from + hours; ago++) events += stored[ago] ?? 0;
    return events;
  };
  const today = within(0, day);
  const signs: QualitySign[] = [];
  const silence = silenceOf(stored, within);
  if (silence !== undefined) signs.push(silence);
  else {
    const before = Array.from({ length: daysBefore }, (_, at) => within((at + 1) * day, day));
    const median = [...before].sort((one, other) => one - other)[Math.floor(daysBefore / 2)] ?? 0;
    // A Sunday is compared with the Sunday before.
    const usual = Math.min(median, before.at(-1) ?? 0);
    if (usual >= qualityRules.fellMin && today < qualityRules.fellShare * usual)
      signs.push({ sign: 'fell', events: today, usual });
  }
  const arrived = today + [...drops.values()].reduce((sum, events) => sum + events, 0);
  const most = (reasons: readonly DropReason[]) => {
    const counts = reasons.map((reason) => ({ reason, events: drops.get(reason) ?? 0 }));
    const events = counts.reduce((sum, each) => sum + each.events, 0);
    const { reason } = counts.reduce((one, other) => (other.events > one.events ? other : one));
    return { reason, means: dropReasons[reason], events, share: percentOf(events, arrived) };
  };
  const refused = most(refusals);
  if (refused.events >= qualityRules.refusedMin && refused.events > qualityRules.refusedShare * arrived)
    signs.push({ sign: 'refused', ...refused });
  const shielded = most(shields);
  if (shielded.events >= qualityRules.shieldedMin && shielded.events > qualityRules.shieldedShare * arrived)
    signs.push({ sign: 'shielded', ...shielded });
  const robots = drops.get('bot') ?? 0;
  if (robots >= qualityRules.robotsMin && robots > qualityRules.robotsShare * arrived)
    signs.push({ sign: 'robots', events: robots, share: percentOf(robots, arrived) });
  return signs;
}

/** Nothing for some hours that were never that quiet on the days before the silence. */
function silenceOf(
  stored: readonly number[],
  within: (from: number, hours: number) => number,
): QualitySign | undefined {
  const silent = stored.findIndex((events) => events > 0);
  if (silent < 1) return undefined;
  const hours = Math.min(silent, day);
  const counts = Array.from({ length: daysBefore }, (_, at) => (at + 1) * day)
    .filter((from) => from >= silent)
    .map((from) => within(from, hours));
  const usual_min = Math.min(...counts);
  if (counts.length < qualityRules.silentDaysMin || usual_min < qualityRules.silentMin) return undefined;
  return { sign: 'silent', hours: silent, days: counts.length, usual_min };
}

const percentOf = (part: number, whole: number) => (whole === 0 ? 0 : Math.round((1000 * part) / whole) / 10);

/** Is something off with what a site sends? Read by the overview, which says so in a line. */
export function qualityRoutes({
  postgres,
  warehouse,
  clock,
}: Pick<House, 'postgres' | 'warehouse' | 'clock'>): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/quality',
      access: 'stats.read',
      summary:
        'What is off with the events of the last 24 hours: silence, a fall, refusals, shields that stop much, robots.',
      params: z.object({ domain: z.string() }),
      answer: qualitySigns,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const to = Math.ceil(clock.now() / 1000);
        const options = { purpose: 'quality', signal: request.signal };
        const seconds = hourMs / 1000;
        const [stored, dropped] = await Promise.all([
          // What an import brought says nothing of whether the site sends.
          warehouse.read<{ ago: number; events: string }>(
            `SELECT intDiv({to:UInt32} - 1 - toUnixTimestamp(time), ${seconds}) AS ago, toString(count()) AS events
            FROM events WHERE ${inSpan} AND import_id = 0 GROUP BY ago`,
            { site: site.id, from: to - (daysBefore + 1) * day * seconds, to },
            options,
          ),
          warehouse.read<{ reason: string; events: string }>(
            `SELECT reason, toString(sum(drops.events)) AS events FROM drops
            WHERE site_id = {site:UInt64} AND ${minutesInSpan}
            GROUP BY reason`,
            { site: site.id, from: to - day * seconds, to },
            options,
          ),
        ]);
        const hours = Array.from({ length: (daysBefore + 1) * day }, () => 0);
        for (const { ago, events } of stored) hours[Number(ago)] = Number(events);
        return { body: { signs: signsOf(hours, new Map(dropped.map((row) => [row.reason, Number(row.events)]))) } };
      },
    }),
  ];
}
