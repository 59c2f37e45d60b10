import type { QueryAnswer } from '../desk/api.ts';
import { exactCount, milliseconds } from '../numbers/format.ts';

export interface Fact {
  label: string;
  text: string;
}

/** What `include.explain` says about an answer, in words. Parts that the engine does not say are left out. */
export function explanation(answer: QueryAnswer | undefined): Fact[] {
  const explain = answer?.meta.explain;
  if (typeof explain !== 'object' || explain === null) return [];
  const said = explain as Record<string, unknown>;
  const facts: Fact[] = [];
  if (typeof said.path === 'string') facts.push({ label: 'Read from', text: pathWords[said.path] ?? said.path });
  if (typeof said.rows_read === 'number') facts.push({ label: 'Rows read', text: exactCount(said.rows_read) });
  if (typeof said.elapsed_ms === 'number') facts.push({ label: 'Took', text: milliseconds(said.elapsed_ms) });
  const rebuilding = rebuildingDays(answer);
  if (rebuilding > 0)
    facts.push({
      label: 'Being counted again',
      text: `${exactCount(rebuilding)} ${rebuilding === 1 ? 'day' : 'days'}`,
    });
  return facts;
}

const pathWords: Record<string, string> = {
  daily: 'closed days, counted exactly',
  visits: 'visits',
  events: 'events',
  mixed: 'closed days, and visits for the days that still run',
};

/** Days whose frozen counts are being rebuilt; their numbers can still move. */
export function rebuildingDays(answer: QueryAnswer | undefined): number {
  const explain = answer?.meta.explain as { rebuilding_days?: unknown } | undefined;
  const days = explain?.rebuilding_days ?? answer?.meta.rebuilding_days;
  return Array.isArray(days) ? days.length : typeof days === 'number' ? days : 0;
}
