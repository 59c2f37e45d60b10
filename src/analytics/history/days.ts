export const dayMs = 86_400_000;

/** UTC day number → 'YYYY-MM-DD'. */
export function isoDay(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

/** 'YYYY-MM-DD' → UTC day number. */
export function dayNumber(iso: string): number {
  return Date.parse(`${iso}T00:00:00Z`) / dayMs;
}
