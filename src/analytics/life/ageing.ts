import type { Due, Ended, Executor, WindowAsk } from '../../platform/executor.ts';
import { whyOf } from '../../platform/http/route.ts';
import type { Log } from '../../platform/log.ts';
import type { House } from '../../platform/subject.ts';
import { inDialect } from '../../platform/warehouse/index.ts';
import { dayMs } from '../../platform/zone.ts';
import { aloneIn } from '../history/index.ts';
import type { Id64 } from '../visits/live_visits.ts';
import { eachOrder, ordersOf } from './tables.ts';

/**
 * Counts of fewer visitors than this go with the events that they were made of (rule R14): what is left of a day says
 * nothing that only a few could have done. The same number as the least of contributors to a benchmark.
 */
export const fewestOutliving = 10;

/** Looking at all rows of a site is a scan; it may take its time, and nobody waits for it. */
const scanSeconds = 600;
/** Events without a known site are counted under this number; they are the desk's own. */
const noSite = 0;

type AgeingHouse = Pick<House, 'postgres' | 'warehouse' | 'clock'> & { log: Pick<Log, 'error'> };

export interface AgeingParts {
  house: AgeingHouse;
  /** Counts the closed days that nobody has counted yet. */
  countClosed(): Promise<unknown>;
  outlive(siteId: number, beforeDay: number): Promise<void>;
  forgetOrder(key: Id64): void;
  /** Memory and files that were made from rows of the site. */
  forgetKept(siteId: number): Promise<void>;
}

interface AgingTable {
  table: 'events' | 'visits' | 'arrivals' | 'bot_events' | 'drops';
  /** What of it is old, with `{cut:…}` bound. */
  old: string;
  at: string;
  /** The key of a row, of which the digest is made. */
  key: string;
  /** Where rows of one key lie side by side until they are merged: how many keys there are. */
  rows?: string;
}

/** In this order: of a killed run the events are still there to be found, and everything is done once more. */
const visitorTables: readonly AgingTable[] = [
  {
    table: 'arrivals',
    old: 'id_day < {cut:Date}',
    at: 'toDateTime(id_day)',
    key: 'site_id, id_day',
    rows: 'uniqExact(id_day)',
  },
  { table: 'visits', old: 'id_day < {cut:Date}', at: 'started', key: 'site_id, day, visitor_id, visit_id' },
  { table: 'events', old: 'id_day < {cut:Date}', at: 'time', key: 'site_id, time, visitor_id, visit_id, name' },
];
const robotTable: AgingTable = {
  table: 'bot_events',
  old: 'time < {cut:DateTime}',
  at: 'time',
  key: 'site_id, time, name, pathname',
};
const dropTable: AgingTable = {
  table: 'drops',
  old: 'minute < {cut:DateTime}',
  at: 'minute',
  key: 'site_id, minute, reason',
};

interface Aging {
  siteId: number;
  cutMs: number;
  isHeld: boolean;
}

/** The rows of one site in one table whose window is over. */
interface Old {
  rows: number;
  oldestMs: number;
  digest: string;
}

/**
 * Ends the rows of the warehouse whose window is over: of visitors, of robots, and the counts of what was not stored. A
 * mutation takes every part of a table in its hand, also those that nothing goes from (17 ms of a core for each, and
 * `visits` has one for each day), so all sites of all organisations go in one.
 */
export function ageingExecutors(parts: AgeingParts): Executor[] {
  const { postgres, warehouse, clock } = parts.house;
  const alone = aloneIn(postgres, clock);

  /** The sites of an organisation, each with its own cut-off. Whole days of visitors, so that no day is cut in two. */
  async function sitesOf(ask: WindowAsk, ofVisitors: boolean): Promise<Aging[]> {
    if (ask.organisationId === null) return [{ siteId: noSite, cutMs: ask.cutMs, isHeld: false }];
    const sites = await postgres.tenant(ask.organisationId, (sql) =>
      sql.query<{ id: number; months: number }>('SELECT id, retention_months AS months FROM sites ORDER BY id'),
    );
    return sites.map(({ id, months }) => {
      const cutMs = ofVisitors ? Math.floor(ask.siteCutMs(months) / dayMs) * dayMs : ask.cutMs;
      return { siteId: id, cutMs, isHeld: ask.holds.everything || ask.holds.siteIds.has(id) };
    });
  }

  async function oldIn(table: AgingTable, sites: readonly Aging[]): Promise<Map<number, Old>> {
    const found = new Map<number, Old>();
    // Sites of one window are one question.
    for (const [cutMs, some] of Map.groupBy(sites, (site) => site.cutMs)) {
      const rows = await warehouse.read<{ site: string; rows: string; oldest: string; digest: string }>(
        `SELECT site_id AS site, ${table.rows ?? 'count()'} AS rows, toUnixTimestamp(min(${table.at})) * 1000 AS oldest,
           hex(groupBitXorDistinct(sipHash64(${table.key}))) AS digest
         FROM ${table.table} WHERE site_id IN {sites:Array(UInt64)} AND ${table.old} GROUP BY site_id`,
        { sites: some.map(({ siteId }) => siteId), cut: cutOf(table.old, cutMs) },
        { purpose: 'retention', seconds: scanSeconds },
      );
      for (const row of rows)
        found.set(Number(row.site), { rows: Number(row.rows), oldestMs: Number(row.oldest), digest: row.digest });
    }
    return found;
  }

  async function dueIn(tables: readonly AgingTable[], sites: readonly Aging[]): Promise<Due[]> {
    const due: Due[] = [];
    for (const table of tables) {
      const found = await oldIn(table, sites);
      for (const isHeld of [false, true]) {
        const some = sites.filter((site) => site.isHeld === isHeld).flatMap(({ siteId }) => found.get(siteId) ?? []);
        if (some.length === 0) continue;
        due.push({
          table: table.table,
          rows: some.reduce((sum, { rows }) => sum + rows, 0),
          oldestMs: Math.min(...some.map(({ oldestMs }) => oldestMs)),
          isHeld,
        });
      }
    }
    return due;
  }

  /** @returns what went, by site */
  async function endIn(table: AgingTable, sites: readonly Aging[]): Promise<Map<number, Old>> {
    const free = sites.filter(({ isHeld }) => !isHeld);
    const found = await oldIn(table, free);
    await remove(
      table.table,
      table.old,
      free.filter(({ siteId }) => found.has(siteId)),
    );
    return found;
  }

  /** Off the disk, and not only out of sight: a mutation writes the parts anew. One, whatever the windows of the sites are. */
  async function remove(table: string, old: string, sites: readonly Aging[], params: object = {}): Promise<void> {
    if (sites.length === 0) return;
    const bound: Record<string, unknown> = { ...params };
    const where = [...Map.groupBy(sites, (site) => site.cutMs)].map(([cutMs, some], at) => {
      bound[`sites${at}`] = some.map(({ siteId }) => siteId);
      bound[`cut${at}`] = cutOf(old, cutMs);
      return `(site_id IN {sites${at}:Array(UInt64)} AND ${old.replaceAll('{cut:', `{cut${at}:`)})`;
    });
    const sql = `ALTER TABLE {{table:${table}}} DELETE WHERE ${where.join(' OR ')}`;
    for (const one of inDialect(sql, warehouse.cluster))
      await warehouse.command(one, bound, { background: true, purpose: 'retention' });
  }

  /**
   * What was counted of these days stays, but for counts that only a few visitors are in.
   * @returns the sites of which it does; of one that fails the rows stay as well, and the night finds them past due
   */
  async function leaveCounts(sites: readonly Aging[]): Promise<Aging[]> {
    const left: Aging[] = [];
    for (const site of sites)
      try {
        await alone(`history:${site.siteId}`, () => parts.outlive(site.siteId, site.cutMs / dayMs));
        await eachOrder(await ordersOf(warehouse, { siteId: site.siteId, beforeMs: site.cutMs }), parts.forgetOrder);
        left.push(site);
      } catch (error) {
        parts.house.log.error('retention.site_failed', { site_id: site.siteId, why: whyOf(error) }, error);
      }
    await remove('daily', fewSql, left, { few: fewestOutliving });
    return left;
  }

  /** Whoever was not named within the window of their site. */
  async function oldProfiles({ organisationId }: WindowAsk, sites: readonly Aging[]): Promise<Due[]> {
    if (organisationId === null) return [];
    const due: Due[] = [];
    for (const { siteId, cutMs, isHeld } of sites) {
      const { rows, oldest } = await postgres.tenant(organisationId, (sql) =>
        sql.one<{ rows: number; oldest: Date | null }>(
          'SELECT count(*)::int AS rows, min(last_seen) AS oldest FROM profiles WHERE site_id = $1 AND last_seen < $2',
          [siteId, new Date(cutMs)],
        ),
      );
      if (oldest !== null) due.push({ table: 'profiles', rows, oldestMs: oldest.getTime(), isHeld });
    }
    return due;
  }

  async function endProfiles({ organisationId }: WindowAsk, sites: readonly Aging[]): Promise<Ended[]> {
    if (organisationId === null) return [];
    const gone: string[] = [];
    for (const { siteId, cutMs } of sites.filter(({ isHeld }) => !isHeld))
      gone.push(
        ...(
          await postgres.tenant(organisationId, (sql) =>
            sql.query<{ id: string }>('DELETE FROM profiles WHERE site_id = $1 AND last_seen < $2 RETURNING id', [
              siteId,
              new Date(cutMs),
            ]),
          )
        ).map(({ id }) => id),
      );
    // The ids are random: together they stand for these rows and for no others.
    return gone.length === 0 ? [] : [{ table: 'profiles', rows: gone.length, oldestMs: null, digest: xor(gone) }];
  }

  const visitors: Executor = {
    line: 'visitor-events',
    of: 'organisations',
    works: 'together',
    async due(ask) {
      const sites = await sitesOf(ask, true);
      return [...(await dueIn(visitorTables, sites)), ...(await oldProfiles(ask, sites))];
    },
    async end(asks) {
      const all: { sites: Aging[]; ended: Ended[] }[] = [];
      for (const ask of asks) {
        const sites = await sitesOf(ask, true);
        all.push({ sites, ended: await endProfiles(ask, sites) });
      }
      const sites = all.flatMap((one) => one.sites);
      const old = new Set<number>();
      for (const table of visitorTables) for (const siteId of (await oldIn(table, sites)).keys()) old.add(siteId);
      const due = sites.filter(({ siteId, isHeld }) => !isHeld && old.has(siteId));
      if (due.length > 0) {
        await parts.countClosed();
        const ending = await leaveCounts(due);
        for (const table of visitorTables) {
          const gone = await endIn(table, ending);
          for (const { sites: own, ended } of all) ended.push(...endedOf(table, own, gone));
        }
        for (const { siteId } of ending) await parts.forgetKept(siteId);
      }
      return all.map(({ ended }) => ended);
    },
  };

  const plain = (line: string, table: AgingTable, of: Executor['of']): Executor => ({
    line,
    of,
    works: 'together',
    due: async (ask) => dueIn([table], await sitesOf(ask, false)),
    async end(asks) {
      const all: Aging[][] = [];
      for (const ask of asks) all.push(await sitesOf(ask, false));
      const gone = await endIn(table, all.flat());
      return all.map((own) => endedOf(table, own, gone));
    },
  });

  return [visitors, plain('robots', robotTable, 'organisations'), plain('drops', dropTable, 'both')];
}

/**
 * Rows of counts have visitors and no currency; rows of revenue have a currency and no visitors, so of these only the totals
 * of days with enough sales stay.
 */
const fewSql = `id_day < {cut:Date} AND ((currency = '' AND visitors < {few:UInt32})
  OR (currency != '' AND (dimension != '' OR revenue_events < {few:UInt32})))`;

/** What went of these sites, as one line of a receipt; none where nothing did. */
function endedOf({ table }: AgingTable, sites: readonly Aging[], gone: ReadonlyMap<number, Old>): Ended[] {
  const own = sites.flatMap(({ siteId }) => gone.get(siteId) ?? []);
  if (own.length === 0) return [];
  return [
    {
      table,
      rows: own.reduce((sum, { rows }) => sum + rows, 0),
      oldestMs: Math.min(...own.map(({ oldestMs }) => oldestMs)),
      digest: xor(own.map(({ digest }) => digest)),
    },
  ];
}

function cutOf(old: string, cutMs: number): string {
  const text = new Date(cutMs).toISOString().slice(0, 19).replace('T', ' ');
  return old.includes('{cut:Date}') ? text.slice(0, 10) : text;
}

function xor(digests: readonly string[]): string {
  const sum = digests.reduce((whole, one) => whole ^ BigInt(`0x${one === '' ? '0' : one}`), 0n);
  return sum.toString(16).padStart(16, '0');
}
