import type { QueryAnswer } from '../desk/api.ts';
import { exactCount } from '../numbers/format.ts';
import type { Day } from '../period/period.ts';
import { rangeText } from '../period/words.ts';

export interface Fact {
  label: string;
  text: string;
}

/** What `include.explain` says, as far as this page reads it. */
interface Explained {
  parts?: { table?: string }[];
  days?: { frozen?: number; live?: number | null; rebuilding?: number };
  counted_until?: string;
}

/** Where a number was read, in words. Parts that the engine does not say are left out. */
export function explanation(answer: QueryAnswer | undefined): Fact[] {
  const said = explained(answer);
  const facts: Fact[] = [];
  const names = new Set((said.parts ?? []).map((part) => part.table ?? ''));
  const tables = [...names].map((name) => tableWords[name]).filter((words) => words !== undefined);
  if (tables.length > 0) facts.push({ label: 'Read from', text: tables.join(' and ') });
  const frozen = said.days?.frozen ?? 0;
  if (frozen > 0) facts.push({ label: 'Closed days', text: `${exactCount(frozen)}, counted once and kept` });
  const rebuilding = rebuildingDays(answer);
  if (rebuilding > 0)
    facts.push({
      label: 'Counted again',
      text: `${exactCount(rebuilding)} ${rebuilding === 1 ? 'day' : 'days'}, right now`,
    });
  const imported = importedDays(answer);
  if (imported.length > 0) {
    const warning = answer?.meta.imports_warning;
    facts.push({
      label: 'Imported',
      text:
        typeof warning === 'string' ? warning : imported.map(([from, to]) => rangeText({ from, to }, to)).join(', '),
    });
  }
  return facts;
}

/** Stretches of days, first and last, whose numbers came from another product. */
export function importedDays(answer: QueryAnswer | undefined): [Day, Day][] {
  const days = answer?.meta.imported_days;
  return Array.isArray(days) ? days : [];
}

/** Days whose frozen counts are being rebuilt; meanwhile they are read from visits, which is slower and as exact. */
export function rebuildingDays(answer: QueryAnswer | undefined): number {
  return explained(answer).days?.rebuilding ?? 0;
}

/** Events with money in other currencies than the site's: they are counted, and their amounts are never added in silence. */
export function revenueElsewhere(answer: QueryAnswer | undefined): { currency: string; events: number }[] {
  const left = answer?.meta.revenue_not_summed;
  return Array.isArray(left) ? left : [];
}

/** Up to when events are in the number, as milliseconds since the epoch. */
export function countedUntil(answer: QueryAnswer | undefined): number | undefined {
  const until = Date.parse(explained(answer).counted_until ?? '');
  return Number.isFinite(until) ? until : undefined;
}

const tableWords: Record<string, string> = {
  daily: 'closed days',
  visits: 'visits',
  events: 'events',
  'events+visits': 'events with their visits',
};

function explained(answer: QueryAnswer | undefined): Explained {
  const explain = answer?.meta.explain;
  return typeof explain === 'object' && explain !== null ? explain : {};
}
