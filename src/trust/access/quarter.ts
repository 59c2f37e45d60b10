import { dayMs, utcDay } from '../../platform/zone.ts';

/** Days in which a review that has begun has to be done. */
export const reviewDays = 30;

/** The quarter of a moment in UTC: its name, its first day and that of the next one. */
export function quarterOf(ms: number): { name: string; first: string; next: string } {
  const at = new Date(ms);
  const [year, quarter] = [at.getUTCFullYear(), Math.floor(at.getUTCMonth() / 3)];
  const dayOf = (month: number) => new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10);
  return { name: `${year}-Q${quarter + 1}`, first: dayOf(quarter * 3), next: dayOf(quarter * 3 + 3) };
}

/** @returns a UTC day, so many days later */
export function dayAfter(ms: number, days: number): string {
  return utcDay(ms + days * dayMs);
}
