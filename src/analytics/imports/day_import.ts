import { refused } from '../../platform/files/refused.ts';
import { inDialect, type Warehouse } from '../../platform/warehouse/index.ts';
import type { Atom } from '../facts.ts';
import type { DayKindName, DayRow } from './kinds.ts';
import { importLimits } from './limits.ts';
import {
  countStopped,
  emptyReport,
  type ImportReport,
  type Overlap,
  overlapOf,
  type StopReason,
  spanOf,
} from './report.ts';

/** What a reader of tables finds: a row, one it cannot take, the numbers a table has, or something it knows nothing of. */
export type DayReading =
  | { row: DayRow }
  | { stopped: StopReason; at: string }
  | { kind: DayKindName; atoms: readonly Atom[] }
  | { ignored: string };

export interface DayReport extends ImportReport {
  /** Rows that are stored, by table, with their sums; `days` counts days. */
  tables: {
    [Kind in DayKindName]?: { rows: number; days: number; visitors: number; visits: number; pageviews: number };
  };
  /** Files and columns that are not read. */
  notUnderstood: string[];
  /** Days that are left out because they have numbers already. */
  overlap: Overlap | undefined;
}

/** What an import holds, for its record. */
export interface Held {
  days: string[];
  holds: { [Kind in DayKindName]?: readonly Atom[] };
}

export interface DayImportParts {
  readonly readings: AsyncIterable<DayReading>;
  readonly siteId: number;
  readonly importId: number;
  /** The site's own day now, 'YYYY-MM-DD': it and later ones are not over. */
  readonly today: string;
  /** Why the numbers of a day are not taken, if they are not. */
  readonly occupied: (kind: DayKindName, day: string) => StopReason | undefined;
  /** Absent: a dry run, which reads everything and stores nothing. */
  readonly warehouse: Pick<Warehouse, 'insert'> | undefined;
  /** How often the import was begun before: blocks of another time are others. */
  readonly attempt?: number;
  /** Awaited, so that it can slow the import down; what it throws ends it. */
  readonly onProgress?: (rows: number) => void | Promise<void>;
}

/** Rows of one insert: some 3 MB of text. */
const rowsPerInsert = 20_000;
const notUnderstoodMax = 100;
/** Progress is said this often also where no row is stored. */
const rowsPerSign = 1_000;

/**
 * Takes tables of days in. Each block has a token made of the import's number and its own, so a block that is sent
 * again after an error is there once. Nobody sees the rows before the import is recorded as done.
 */
export async function importDays(parts: DayImportParts): Promise<{ report: DayReport; held: Held }> {
  const report: DayReport = { ...emptyReport(), tables: {}, notUnderstood: [], overlap: undefined };
  const days = new Map<DayKindName, Set<string>>();
  const overlap = new Set<string>();
  const holds: { [Kind in DayKindName]?: readonly Atom[] } = {};
  let block: string[] = [];
  let blocks = 0;
  async function flush() {
    if (block.length > 0 && parts.warehouse !== undefined)
      await parts.warehouse.insert(
        'imported_days',
        Buffer.from(`${block.join('\n')}\n`),
        `import:${parts.siteId}:${parts.importId}:${parts.attempt ?? 0}:${blocks}`,
      );
    block = [];
    blocks++;
    await parts.onProgress?.(report.lines);
  }

  for await (const reading of parts.readings) {
    if ('ignored' in reading) {
      if (report.notUnderstood.length < notUnderstoodMax) report.notUnderstood.push(reading.ignored);
      continue;
    }
    if ('kind' in reading) {
      holds[reading.kind] = reading.atoms;
      continue;
    }
    report.lines++;
    if (report.lines > importLimits.rowsMax)
      throw refused(`The file has more than ${importLimits.rowsMax} rows: import it in parts.`);
    if (report.lines % rowsPerSign === 0) await parts.onProgress?.(report.lines);
    if ('stopped' in reading) {
      countStopped(report, reading.stopped, reading.at);
      continue;
    }
    const { row } = reading;
    const reason = row.day >= parts.today ? 'in_future' : parts.occupied(row.kind, row.day);
    if (reason !== undefined) {
      if (reason !== 'in_future') overlap.add(row.day);
      countStopped(report, reason, `${row.kind} ${row.day}`);
      continue;
    }
    addUp(report, row, days);
    block.push(lineOf(possible(row), parts));
    if (block.length >= rowsPerInsert) await flush();
  }
  await flush();

  const all = [...new Set([...days.values()].flatMap((each) => [...each]))].sort();
  report.days = spanOf(all);
  report.overlap = overlapOf([...overlap].sort());
  for (const [kind, each] of days) {
    const table = report.tables[kind];
    if (table !== undefined) table.days = each.size;
  }
  return {
    report,
    held: {
      days: all,
      holds: Object.fromEntries(Object.entries(holds).filter(([kind]) => days.has(kind as DayKindName))),
    },
  };
}

/** No rate of other products may be over 100 % here: not more visits bounce, and nobody scrolls further, than there are. */
function possible(row: DayRow): DayRow {
  const { visits, bounces, scroll, scroll_visits } = row.numbers;
  const numbers = { ...row.numbers };
  if (visits !== undefined && bounces !== undefined) numbers.bounces = Math.min(bounces, visits);
  if (scroll !== undefined && scroll_visits !== undefined) numbers.scroll = Math.min(scroll, scroll_visits * 100);
  return { ...row, numbers };
}

function addUp(report: DayReport, row: DayRow, days: Map<DayKindName, Set<string>>): void {
  report.stored++;
  const table = report.tables[row.kind] ?? { rows: 0, days: 0, visitors: 0, visits: 0, pageviews: 0 };
  table.rows++;
  table.visitors += row.numbers.visitors ?? 0;
  table.visits += row.numbers.visits ?? 0;
  table.pageviews += row.numbers.pageviews ?? 0;
  report.tables[row.kind] = table;
  const seen = days.get(row.kind);
  if (seen === undefined) days.set(row.kind, new Set([row.day]));
  else seen.add(row.day);
}

function lineOf(row: DayRow, { siteId, importId }: DayImportParts): string {
  return JSON.stringify({
    site_id: siteId,
    import_id: importId,
    kind: row.kind,
    day: row.day,
    ...row.columns,
    ...row.numbers,
  });
}

/** Takes the rows of an import of days out again. They are invisible already: its record does not say done. */
export async function undoDays(parts: {
  warehouse: Pick<Warehouse, 'read' | 'command' | 'cluster'>;
  siteId: number;
  importId: number;
}): Promise<{ rows: number }> {
  const which = { site: parts.siteId, import: parts.importId };
  const where = 'site_id = {site:UInt64} AND import_id = {import:UInt32}';
  const [counted] = await parts.warehouse.read<{ rows: string }>(
    `SELECT count() AS rows FROM imported_days WHERE ${where}`,
    which,
    { purpose: 'undo_import' },
  );
  for (const statement of inDialect(`DELETE FROM {{table:imported_days}} WHERE ${where}`, parts.warehouse.cluster))
    await parts.warehouse.command(statement, which, { purpose: 'undo_import' });
  return { rows: Number(counted?.rows ?? 0) };
}
