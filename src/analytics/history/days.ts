export const dayMs = 86_400_000;

/** UTC day number → 'YYYY-MM-DD'. */
export function isoDay(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** Reads of this folder are nobody's question: on a machine that is full they wait rather than give a sweep up. */
export const historySeconds = 120;
