export const dayMs = 86_400_000;

/** UTC day number → 'YYYY-MM-DD'. */
export function isoDay(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}
