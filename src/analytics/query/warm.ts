import type { Warehouse } from '../../platform/warehouse/index.ts';
import { goalDimension } from '../history/index.ts';
import { hold } from './ask_frozen.ts';
import { blocksOf } from './blocks.ts';
import { cellsOf, type Source } from './frozen_source.ts';
import type { FrozenRow } from './frozen_sql.ts';
import type { KeptSums } from './kept_sums.ts';
import type { FrozenDays } from './run.ts';
import { sumRowsMax } from './sums.ts';

/** Frozen days that end with the last one, as the two periods do that readers choose most. */
const lengths = [30, 91] as const;

/** Totals have a period before that they are compared with. */
const totalDays = 182;

/** Of what may be kept: the rest is for what readers ask beside. */
const shareMax = 3 / 4;

/** What the dashboard shows before anybody has chosen a list (web/src/questions/panels.ts). */
const firstLists = ['visit:channel', 'visit:source', 'event:page', 'visit:country', 'visit:device', goalDimension];

/** Lists of where visits come from say what they earned. */
const earning = ['visit:channel', 'visit:source'];

/**
 * Reads and keeps what a first look at an overview asks of closed days, one block after another, so that questions of readers
 * and events come in between. What is kept already costs nothing.
 */
export async function warm(
  site: number,
  { frozenDays, kept, warehouse }: { frozenDays: FrozenDays; kept: KeptSums; warehouse: Pick<Warehouse, 'read'> },
): Promise<void> {
  const frozen = frozenDays.days;
  const days = [...frozen.keys()].sort((one, other) => one - other);
  if (days.length === 0) return;
  const store = {
    ...{ siteId: site, frozen, rowsMax: sumRowsMax },
    ofSite: kept.of(site, frozenDays.revisions),
    read: ({ sql, params }: { sql: string; params: Record<string, unknown> }) =>
      warehouse.read<FrozenRow>(sql, params, { purpose: 'warm' }),
  };
  const source = (kind: Source['kind'], dimension: string): Source => ({
    ...{ kind, dimension, filters: [], value: undefined },
    reading: kind === 'cells',
    revenue: kind === 'cells' || earning.includes(dimension),
  });
  await hold([{ source: source('cells', ''), stretches: cellsOf(days.slice(-totalDays), frozen) }], store);
  for (const length of lengths)
    for (const block of blocksOf(new Set(days.slice(-length)))) {
      if (kept.bytes() > shareMax * kept.bytesMax) return;
      await hold(
        firstLists.map((dimension) => ({ source: source('values', dimension), stretches: [block] })),
        store,
      );
    }
}

/** Sites whose first look takes long enough to be seen, the largest first; more would not have room in what is kept. */
export async function sitesToWarm(
  warehouse: Pick<Warehouse, 'read'>,
  { eventsMin, sitesMax }: { eventsMin: number; sitesMax: number } = { eventsMin: 1_000_000, sitesMax: 4 },
): Promise<number[]> {
  const rows = await warehouse.read<{ site: string }>(
    `SELECT site_id AS site FROM arrivals GROUP BY site_id HAVING sum(events) >= {min:UInt64}
     ORDER BY sum(events) DESC LIMIT {max:UInt64}`,
    { min: eventsMin, max: sitesMax },
    { purpose: 'warm' },
  );
  return rows.map(({ site }) => Number(site));
}
