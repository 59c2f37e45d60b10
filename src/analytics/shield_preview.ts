import { type PreviewedKind, type ShieldPreview, shieldLimits } from '../../contract/shields.ts';
import type { Warehouse } from '../platform/warehouse/index.ts';
import { isoInstant, zoneOrUtc } from '../platform/zone.ts';
import { inSpan } from './in_span.ts';
import { stepsOf } from './missing.ts';
import { pagePattern } from './query/page_pattern.ts';

const examplesMax = 6;

export type PreviewSite = { readonly id: number; readonly timezone: string };

/** A rule as it would be stored; for `hostname` with those that the site allows already, since any of them lets in. */
export type PreviewedRule = {
  readonly kind: PreviewedKind;
  readonly value: string;
  readonly allowed: readonly string[];
};

/**
 * What a rule would have dropped in the last 7 days, from what is stored of them. A visit keeps its first referrer, so
 * a rule about one is previewed by whole visits, of which the desk would have dropped the part that came from there.
 * @throws WarehouseUnavailable, QueryOverCeiling
 */
export async function previewShield(
  warehouse: Pick<Warehouse, 'read'>,
  site: PreviewSite,
  rule: PreviewedRule,
  now: number,
  signal: AbortSignal,
): Promise<ShieldPreview> {
  const zone = zoneOrUtc(site.timezone);
  const { starts, to } = stepsOf('7d', now, zone);
  const from = starts[0] ?? to;
  const span = { site: site.id, from: from / 1000, to: Math.ceil(to / 1000) };
  const week = { span, starts: starts.map((start) => start / 1000) };
  const read: Read = (sql, params) => warehouse.read(sql, params, { purpose: 'shields', signal });
  const found = await (rule.kind === 'rate' ? overRate(read, week, rule.value) : matching(read, week, rule));
  const byStep = starts.map((start) =>
    Number(found.steps.find((row) => Number(row.start) * 1000 === start)?.hits ?? 0),
  );
  const stored = found.steps.reduce((sum, row) => sum + Number(row.stored), 0);
  const dropped = byStep.reduce((sum, events) => sum + events, 0);
  return {
    kind: rule.kind,
    value: rule.value,
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    steps: starts.map((start) => isoInstant(start, zone)),
    stored: { events: stored, visitors: found.storedVisitors },
    dropped: { events: dropped, visitors: found.visitors, by_step: byStep },
    estimated: rule.kind === 'rate',
    busiest: found.busiest,
    examples: found.examples,
    confirm: dropped > stored * shieldLimits.confirmAbove,
  };
}

type Read = <Row>(sql: string, params: Record<string, unknown>) => Promise<Row[]>;
type Week = { readonly span: { site: number; from: number; to: number }; readonly starts: readonly number[] };
type Step = { start: string | number; stored: string; hits: string };

/** Live events of the span: no shield meets an imported one. */
const ofSite = `FROM events WHERE ${inSpan} AND import_id = 0`;

async function matching(read: Read, { span, starts }: Week, rule: PreviewedRule) {
  const { sql, params } = conditionOf(rule);
  const ofHosts = rule.kind === 'hostname' || rule.kind === 'blocked_hostname';
  const [steps, visitors, examples] = await Promise.all([
    read<Step>(
      `SELECT roundDown(toUnixTimestamp(time), {starts:Array(UInt32)}) AS start, toString(count()) AS stored,
        toString(countIf(${sql})) AS hits ${ofSite} GROUP BY start`,
      { ...span, ...params, starts },
    ),
    read<{ stored: string; hits: string }>(
      `SELECT toString(uniqExact(visitor_id)) AS stored, toString(uniqExactIf(visitor_id, ${sql})) AS hits ${ofSite}`,
      { ...span, ...params },
    ),
    read<{ what: string; hits: string; visitors: string }>(
      `SELECT ${ofHosts ? 'hostname' : 'concat(hostname, pathname)'} AS what, toString(count()) AS hits,
        toString(uniqExact(visitor_id)) AS visitors
      ${ofSite} AND ${sql} GROUP BY what ORDER BY count() DESC, what LIMIT ${examplesMax}`,
      { ...span, ...params },
    ),
  ]);
  return {
    steps,
    storedVisitors: Number(visitors[0]?.stored ?? 0),
    visitors: Number(visitors[0]?.hits ?? 0),
    busiest: null,
    examples: examples.map((row) => ({ what: row.what, events: Number(row.hits), visitors: Number(row.visitors) })),
  };
}

async function overRate(read: Read, { span, starts }: Week, rate: string) {
  const [steps, visitors] = await Promise.all([
    read<Step & { busiest: string }>(
      `SELECT roundDown(second, {starts:Array(UInt32)}) AS start, toString(sum(n)) AS stored,
        toString(sum(if(n > {rate:UInt32}, n - {rate:UInt32}, 0))) AS hits, toString(max(n)) AS busiest
      FROM (SELECT toUnixTimestamp(time) AS second, count() AS n ${ofSite} GROUP BY second) GROUP BY start`,
      { ...span, starts, rate: Number(rate) },
    ),
    read<{ stored: string }>(`SELECT toString(uniqExact(visitor_id)) AS stored ${ofSite}`, span),
  ]);
  return {
    steps,
    storedVisitors: Number(visitors[0]?.stored ?? 0),
    visitors: null,
    busiest: Math.max(0, ...steps.map(({ busiest }) => Number(busiest))),
    examples: [],
  };
}

type Condition = { readonly sql: string; readonly params: Record<string, string> };

/** What the rule's text is compared with. All of it is bound; the SQL is made of nothing but our own words. */
function conditionOf({ kind, value, allowed }: PreviewedRule): Condition {
  if (kind === 'hostname') {
    const globs = [...allowed, value].map((glob, at) => globCondition('hostname', glob, `glob${at}`));
    return {
      sql: `NOT (${globs.map(({ sql }) => sql).join(' OR ')})`,
      params: Object.assign({}, ...globs.map(({ params }) => params)),
    };
  }
  if (kind === 'blocked_hostname') return globCondition('hostname', value, 'glob');
  if (kind === 'path') return globCondition('pathname', value, 'glob');
  if (kind === 'country') return { sql: 'country = {value:String}', params: { value } };
  const host = "splitByChar('/', referrer)[1]";
  return {
    sql: `(${host} = {value:String} OR endsWith(${host}, {under:String}))`,
    params: { value, under: `.${value}` },
  };
}

/** The same globs as matchesGlob's, as the warehouse answers them fastest. */
function globCondition(column: 'hostname' | 'pathname', glob: string, name: string): Condition {
  const { kind, text } = pagePattern(glob);
  const bound = `{${name}:String}`;
  const sql = {
    exact: `${column} = ${bound}`,
    prefix: `startsWith(${column}, ${bound})`,
    pattern: `match(${column}, ${bound})`,
  };
  return { sql: sql[kind], params: { [name]: text } };
}
