import { type Clock, repeat } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { Remind, Reminded } from '../../platform/reminder.ts';
import { localDay, startOfDay, zoneOrUtc } from '../../platform/zone.ts';
import { destinationOf } from '../destinations/index.ts';

/** How often it is looked; what is compared are whole days, so that a quiet night is none. */
const lookMs = 15 * 60_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const comparedDays = 7;
const quarterMs = hourMs / 4;
/** What waits longest is looked at for what is oldest, and not the million behind it. */
const oldestLooked = 1_000;

/** From which numbers on something counts: a shop with three orders a day has silent days. */
export const alertLimits = {
  /** Conversions of a usual day, below which silence says nothing; and what share of it is silence. */
  ...{ usualMin: 20, silentShare: 0.1 },
  /** Deliveries of a day, below which a share of them says nothing. */
  deliveriesMin: 50,
  /** Share of a day's deliveries that ended dead, or were withheld, and how many times the usual share that has to be. */
  ...{ deadShare: 0.1, withheldShare: 0.5, timesUsual: 2 },
  /** By how much the share of conversions with an address or a number has to fall. */
  matchDrop: 0.2,
  /** Which part of a platform's age limit the oldest one that waits has used up. */
  lateShare: 0.5,
  /** Where a platform names no limit. */
  lateHours: 24,
} as const;

type Kind = 'silence' | 'unmapped' | 'dead' | 'withheld' | 'match' | 'late' | 'stopped';

export interface Finding {
  readonly kind: Kind;
  readonly about: number;
  readonly facts: Readonly<Record<string, string | number>>;
}

/** The notices that tell of it; their words are in the list of notices. */
export type RelayNotice = `relay_${Kind}`;

/** Of what is counted in a time, the share that is so; 0 where there was nothing. Sums of reading/sums.ts as `t`. */
function shareOf(isSo: string, when: string): string {
  return `coalesce(sum(t.rows) FILTER (WHERE ${when} AND ${isSo})::float8 / nullif(sum(t.rows) FILTER (WHERE ${when}), 0), 0)::float8`;
}

/**
 * Looks at the last 24 hours, from the quarter of an hour on in which they begin, beside the seven whole days before yesterday
 * in the organisation's zone: of days that are over there is one sum each.
 */
export async function lookAtRelay(sql: Sql, now: number): Promise<Finding[]> {
  const { timezone } = await sql.one<{ timezone: string }>(
    'SELECT timezone FROM organisations WHERE id = current_organisation()',
  );
  const zone = zoneOrUtc(timezone);
  const yesterday = localDay(now, zone) - 1;
  const since = new Date(Math.floor((now - dayMs) / quarterMs) * quarterMs);
  const before = new Date(startOfDay(yesterday - comparedDays, zone));
  const until = new Date(startOfDay(yesterday, zone));
  const percent = (share: number) => Math.round(share * 100);
  const found: Finding[] = [];

  const sources = await sql.query<{
    id: number;
    name: string;
    today: number;
    usual: number;
    known: number;
    knew: number;
  }>(
    `SELECT s.id, s.name, coalesce(sum(t.rows) FILTER (WHERE t.begins_at >= $1), 0)::int AS today,
       coalesce(sum(t.rows) FILTER (WHERE t.begins_at < $3), 0)::float8 / ${comparedDays} AS usual,
       ${shareOf("t.present && '{email,phone}'", 't.begins_at >= $1')} AS known, ${shareOf("t.present && '{email,phone}'", 't.begins_at < $3')} AS knew
     FROM relay_sources s LEFT JOIN relay_summed t
       ON t.organisation_id = current_organisation() AND t.what = 'told' AND t.about = s.id AND t.begins_at >= $2
     WHERE s.state = 'active' AND s.created_at < $2 GROUP BY s.id, s.name`,
    [since, before, until],
  );
  for (const { id, name, today, usual, known, knew } of sources) {
    if (usual >= alertLimits.usualMin && today < usual * alertLimits.silentShare)
      found.push({ kind: 'silence', about: id, facts: { name, today, usual: Math.round(usual) } });
    const isMany = today >= alertLimits.deliveriesMin && usual >= alertLimits.usualMin;
    if (isMany && knew - known >= alertLimits.matchDrop)
      found.push({ kind: 'match', about: id, facts: { name, today: percent(known), usual: percent(knew) } });
  }

  const unmapped = await sql.query<{ id: number; name: string; requests: number }>(
    `SELECT s.id, s.name, count(*)::int AS requests FROM relay_captures c JOIN relay_sources s ON s.id = c.source_id
     WHERE c.is_unmapped GROUP BY s.id, s.name`,
  );
  for (const { id, name, requests } of unmapped) found.push({ kind: 'unmapped', about: id, facts: { name, requests } });

  const destinations = await sql.query<{
    id: number;
    name: string;
    kind: string;
    state: string;
    state_reason: string | null;
    all: number;
    dead: number;
    withheld: number;
    dead_before: number;
    withheld_before: number;
    oldest: Date | null;
  }>(
    `SELECT o.id, o.name, o.kind, o.state, o.state_reason, coalesce(sum(t.rows) FILTER (WHERE t.begins_at >= $1), 0)::int AS all,
       coalesce(sum(t.rows) FILTER (WHERE t.begins_at >= $1 AND t.state = 'dead'), 0)::int AS dead,
       coalesce(sum(t.rows) FILTER (WHERE t.begins_at >= $1 AND t.state = 'withheld'), 0)::int AS withheld,
       ${shareOf("t.state = 'dead'", 't.begins_at < $3')} AS dead_before, ${shareOf("t.state = 'withheld'", 't.begins_at < $3')} AS withheld_before,
       (SELECT min(w.occurred_at) FROM unnest('{waiting,sending}'::text[]) AS of(state) CROSS JOIN LATERAL (
         SELECT c.occurred_at FROM relay_deliveries d
         JOIN relay_conversions c ON c.organisation_id = d.organisation_id AND c.id = d.conversion_id
         WHERE d.organisation_id = current_organisation() AND d.destination_id = o.id AND d.state = of.state AND d.waits_for IS NULL
         ORDER BY d.created_at LIMIT ${oldestLooked}) AS w) AS oldest
     FROM relay_destinations o LEFT JOIN relay_summed t
       ON t.organisation_id = current_organisation() AND t.what = 'deliveries' AND t.about = o.id AND t.begins_at >= $2
     GROUP BY o.id`,
    [since, before, until],
  );
  for (const one of destinations) {
    const { id, name, all, dead, withheld } = one;
    const isMany = all >= alertLimits.deliveriesMin;
    const isOver = (count: number, share: number, usual: number) =>
      isMany && count / all >= share && count / all >= usual * alertLimits.timesUsual;
    if (isOver(dead, alertLimits.deadShare, one.dead_before))
      found.push({ kind: 'dead', about: id, facts: { name, count: dead, all } });
    if (isOver(withheld, alertLimits.withheldShare, one.withheld_before))
      found.push({ kind: 'withheld', about: id, facts: { name, count: withheld, all } });
    if (one.state === 'reconnect' || one.state === 'misconfigured')
      found.push({ kind: 'stopped', about: id, facts: { name, state: one.state, reason: one.state_reason ?? '' } });
    const limitMs = limitOf(one.kind);
    if (one.oldest !== null && now - one.oldest.getTime() >= limitMs * alertLimits.lateShare)
      found.push({
        ...{ kind: 'late', about: id },
        facts: { name, hours: Math.round((now - one.oldest.getTime()) / hourMs), limit: Math.round(limitMs / hourMs) },
      });
  }
  return found;
}

function limitOf(kind: string): number {
  const any = { event_name: '', occurred_at: '' };
  return destinationOf(kind)?.ageMsMax?.(any) ?? alertLimits.lateHours * hourMs;
}

/** Writes down what is new and what is well again. @returns what is new */
export async function noteFindings(sql: Sql, findings: readonly Finding[], now: number): Promise<Finding[]> {
  const open = await sql.query<{ id: number; kind: Kind; about: number }>(
    'SELECT id, kind, about FROM relay_alerts WHERE ended_at IS NULL',
  );
  const nameOf = ({ kind, about }: { kind: Kind; about: number }) => `${kind} ${about}`;
  const found = new Set(findings.map(nameOf));
  const known = new Set(open.map(nameOf));
  const over = open.filter((one) => !found.has(nameOf(one)));
  if (over.length > 0)
    await sql.run('UPDATE relay_alerts SET ended_at = $2 WHERE id = ANY ($1)', [
      over.map(({ id }) => id),
      new Date(now),
    ]);
  const fresh = findings.filter((one) => !known.has(nameOf(one)));
  for (const { kind, about, facts } of fresh)
    await sql.run(
      `INSERT INTO relay_alerts (organisation_id, kind, about, began_at, facts) VALUES (current_organisation(), $1, $2, $3, $4)
       ON CONFLICT DO NOTHING`,
      [kind, about, new Date(now), JSON.stringify(facts)],
    );
  return fresh;
}

const told: { readonly [Of in Kind]: { readonly name: `relay_${Of}` } } = {
  silence: { name: 'relay_silence' },
  unmapped: { name: 'relay_unmapped' },
  dead: { name: 'relay_dead' },
  withheld: { name: 'relay_withheld' },
  match: { name: 'relay_match' },
  late: { name: 'relay_late' },
  stopped: { name: 'relay_stopped' },
};

interface Parts {
  readonly clock: Clock;
  readonly log: Pick<Log, 'error'>;
  readonly notices: { readonly remind: Remind<RelayNotice> };
}

/** Tells owners and administrators of what is new, in the transaction that writes it down. */
export function remindOfRelay({ clock, log, notices }: Parts): Promise<void> {
  return notices.remind({
    roles: ['owner', 'admin'],
    async due(sql, organisation) {
      const now = clock.now();
      const fresh = await noteFindings(sql, await lookAtRelay(sql, now), now);
      return fresh.map(
        ({ kind, facts }): Reminded<RelayNotice> => ({
          ...told[kind],
          facts: { ...facts, organisation: organisation.name },
          link: `/o/${organisation.slug}/relay`,
        }),
      );
    },
    onFailed: (organisation, error) => log.error('relay.alerts_failed', { organisation }, error),
  });
}

/** @returns what ends it */
export function watchRelay(parts: Parts): () => void {
  return repeat(parts.clock, lookMs, () => remindOfRelay(parts), {
    onError: (error) => parts.log.error('relay.alerts_failed', {}, error),
  });
}
