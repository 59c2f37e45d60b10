import type { Conversion } from '../../../contract/conversion.ts';
import type { UploadReport } from '../../../contract/relay_uploads.ts';
import { readMoment } from '../conversions/moment.ts';
import type { ConversionRecord } from '../intake/record.ts';
import type { ReadRow } from './rows.ts';

const eventsShownMax = 20;
const eventsCountedMax = 1_000;
const reasonsShownMax = 20;
const firstRowsMax = 20;

type Identity = Pick<ConversionRecord['identity'], 'kind' | 'digest'>;

/** Counts what would come of a file, and keeps nothing of a row but its number. */
export function openTally(columns: readonly string[], used: ReadonlySet<string>) {
  const events = new Map<string, number>();
  const problems = new Map<string, UploadReport['problems'][number]>();
  /** Digests of what was seen: known before, or told by the file itself. Of 32 bytes the first 16 tell 500,000 apart. */
  const seen = new Map<string, 'known' | 'fresh'>();
  const identities = { order: 0, event: 0, words: 0 };
  const counts = { rows: 0, fresh: 0, known: 0, repeated: 0, wrong: 0, ignored: 0, incomplete: 0 };
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;

  function countConversion(conversion: Conversion): void {
    const { event_name: name, occurred_at: at } = conversion;
    if (events.has(name) || events.size < eventsCountedMax) events.set(name, (events.get(name) ?? 0) + 1);
    const moment = readMoment(at);
    if (typeof moment === 'string') return;
    firstMs = Math.min(firstMs, moment.ms);
    lastMs = Math.max(lastMs, moment.ms);
  }
  const short = (digest: string) => digest.slice(0, 32);

  return {
    get rows() {
      return counts.rows;
    },
    addRow(read: ReadRow): void {
      counts.rows += 1;
      if (read.isIgnored) counts.ignored += 1;
      else if (read.conversions.length === 0) counts.wrong += 1;
      else if (read.problems.length > 0) counts.incomplete += 1;
      for (const { field, reason } of read.problems) {
        const name = `${reason} ${field}`;
        const known = problems.get(name) ?? { field, reason, rows: 0, first_rows: [] };
        known.rows += 1;
        if (known.first_rows.length < firstRowsMax) known.first_rows.push(read.row);
        problems.set(name, known);
      }
      for (const conversion of read.conversions) countConversion(conversion);
    },
    /** @param known of these identities those that a conversion has which is there */
    addIdentities(some: readonly Identity[], known: ReadonlySet<string>): void {
      for (const { kind, digest } of some) {
        identities[kind] += 1;
        const before = seen.get(short(digest));
        if (before === undefined) {
          const state = known.has(digest) ? 'known' : 'fresh';
          seen.set(short(digest), state);
          counts[state] += 1;
        } else counts[before === 'known' ? 'known' : 'repeated'] += 1;
      }
    },
    report(): UploadReport {
      const byCount = <One extends { rows: number }>(all: Iterable<One>) => [...all].sort((a, b) => b.rows - a.rows);
      const named = [...events].map(([name, rows]) => ({ name, rows }));
      return {
        ...counts,
        identities,
        events: byCount(named)
          .slice(0, eventsShownMax)
          .map(({ name, rows }) => ({ name, count: rows })),
        first_at: Number.isFinite(firstMs) ? new Date(firstMs).toISOString() : null,
        last_at: Number.isFinite(lastMs) ? new Date(lastMs).toISOString() : null,
        problems: byCount(problems.values()).slice(0, reasonsShownMax),
        unused_columns: columns.filter((column) => !used.has(column)),
        missing_columns: [...used].filter((column) => !columns.includes(column)),
      };
    },
  };
}
