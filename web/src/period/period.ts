/**
 * Periods are resolved here, in the site's timezone, and asked for by their dates: the page can then say exactly
 * which days it shows, and two readers of one address see the same ones.
 * A day is written `YYYY-MM-DD`; its arithmetic runs in UTC, where every day has 24 hours.
 */
export type Day = string;
export interface DayRange {
  from: Day;
  to: Day;
}

export const presets = ['today', 'yesterday', '7d', '28d', '90d', 'mtd', 'lastmonth', 'ytd', '12mo', 'all'] as const;
export type Preset = (typeof presets)[number];
export type Period = { kind: 'preset'; preset: Preset } | { kind: 'days'; from: Day; to: Day };

export const presetLabels: Record<Preset, string> = {
  today: 'Today',
  yesterday: 'Yesterday',
  '7d': '7 days',
  '28d': '28 days',
  '90d': '90 days',
  mtd: 'Month to date',
  lastmonth: 'Last month',
  ytd: 'Year to date',
  '12mo': '12 months',
  all: 'All',
};

export type Against = { kind: 'off' } | { kind: 'before' } | { kind: 'year' } | { kind: 'days'; from: Day; to: Day };

export const steps = ['hour', 'day', 'week', 'month'] as const;
export type Step = (typeof steps)[number];

/** A series of more points than this is a blur and a burden; the step is not offered then (ui.md §5). */
export const pointsMax = 400;

const dayMs = 86_400_000;

export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && Number.isFinite(Date.parse(text)) && addDays(text, 0) === text;
}

export function addDays(day: Day, days: number): Day {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * dayMs).toISOString().slice(0, 10);
}

/** The same day of another month; the 31st of a shorter month is its last day. */
export function addMonths(day: Day, months: number): Day {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  const first = new Date(Date.UTC(year, month - 1 + months, 1));
  const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  first.setUTCDate(Math.min(date, last));
  return first.toISOString().slice(0, 10);
}

/** Days in a range, both ends included. */
export function daysIn(range: DayRange): number {
  return Math.round((Date.parse(range.to) - Date.parse(range.from)) / dayMs) + 1;
}

/** Which day it is, and what time, in a timezone. */
export function localTime(nowMs: number, timezone: string): { day: Day; time: string } {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).formatToParts(nowMs);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? '';
  return {
    day: `${part('year')}-${part('month')}-${part('day')}`,
    time: `${part('hour')}:${part('minute')}:${part('second')}`,
  };
}

/**
 * The days of a period. The rolling presets end today, so that a new site shows its first visits at once; the
 * unfinished day is drawn as such. `firstDay` is where "All" begins.
 */
export function resolvePeriod(period: Period, today: Day, firstDay: Day): DayRange {
  if (period.kind === 'days') return { from: period.from, to: period.to };
  switch (period.preset) {
    case 'today':
      return { from: today, to: today };
    case 'yesterday':
      return { from: addDays(today, -1), to: addDays(today, -1) };
    case '7d':
      return { from: addDays(today, -6), to: today };
    case '28d':
      return { from: addDays(today, -27), to: today };
    case '90d':
      return { from: addDays(today, -89), to: today };
    case 'mtd':
      return { from: `${today.slice(0, 7)}-01`, to: today };
    case 'lastmonth': {
      const first = `${today.slice(0, 7)}-01`;
      return { from: addMonths(first, -1), to: addDays(first, -1) };
    }
    case 'ytd':
      return { from: `${today.slice(0, 4)}-01-01`, to: today };
    case '12mo':
      return { from: addDays(addMonths(today, -12), 1), to: today };
    case 'all':
      return { from: firstDay < today ? firstDay : today, to: today };
  }
}

/**
 * The days to compare with. "Before" is the same number of days that end where the range begins; with matched
 * weekdays it moves on to whole weeks, so that a Monday always stands against a Monday.
 */
export function resolveAgainst(range: DayRange, against: Against, matchWeekdays: boolean): DayRange | undefined {
  const back = (days: number): DayRange => ({ from: addDays(range.from, -days), to: addDays(range.to, -days) });
  switch (against.kind) {
    case 'off':
      return undefined;
    case 'days':
      return { from: against.from, to: against.to };
    case 'year':
      return matchWeekdays ? back(364) : { from: addMonths(range.from, -12), to: addMonths(range.to, -12) };
    case 'before': {
      const days = daysIn(range);
      return back(matchWeekdays ? Math.ceil(days / 7) * 7 : days);
    }
  }
}

/** The range that lies one length earlier or later; never beyond today. */
export function shiftRange(range: DayRange, direction: -1 | 1, today: Day): DayRange {
  const days = daysIn(range) * direction;
  const moved = { from: addDays(range.from, days), to: addDays(range.to, days) };
  if (moved.to <= today) return moved;
  return { from: addDays(today, 1 - daysIn(range)), to: today };
}

/** The steps that give a readable number of points, and the one to begin with. */
export function stepsFor(range: DayRange): { offered: Step[]; preferred: Step } {
  const days = daysIn(range);
  const points: Record<Step, number> = {
    hour: days * 24,
    day: days,
    week: Math.ceil(days / 7),
    month: Math.ceil(days / 30),
  };
  const offered = steps.filter(
    (step) => points[step] <= pointsMax && (points[step] >= 2 || (step === 'hour' && days === 1)),
  );
  const preferred: Step = days <= 2 ? 'hour' : days <= 92 ? 'day' : days <= 400 ? 'week' : 'month';
  return { offered: offered.length > 0 ? offered : ['day'], preferred };
}

/** The labels of every step in a range as the stats API writes them, so that a step without events is a zero. */
export function stepLabels(range: DayRange, step: Step): string[] {
  const labels: string[] = [];
  if (step === 'hour') {
    for (let day = range.from; day <= range.to; day = addDays(day, 1))
      for (let hour = 0; hour < 24; hour++) labels.push(`${day} ${String(hour).padStart(2, '0')}:00:00`);
    return labels;
  }
  if (step === 'day') {
    for (let day = range.from; day <= range.to; day = addDays(day, 1)) labels.push(day);
    return labels;
  }
  for (let day = range.from; day <= range.to; day = nextStep(day, step)) {
    const start = stepStart(day, step);
    // A week that the range cuts is named after the range's first day, a month after its own first: as the API does.
    labels.push(step === 'week' && start < range.from ? range.from : start);
  }
  return labels;
}

/** The first day of the week (Monday) or month that a day lies in. */
export function stepStart(day: Day, step: 'week' | 'month'): Day {
  if (step === 'month') return `${day.slice(0, 7)}-01`;
  const weekday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
  return addDays(day, -weekday);
}

function nextStep(day: Day, step: 'week' | 'month'): Day {
  return step === 'week' ? addDays(stepStart(day, 'week'), 7) : addMonths(stepStart(day, 'month'), 1);
}

/** Does this step still run? Then its number is "so far". */
export function isUnfinished(label: string, step: Step, local: { day: Day; time: string }): boolean {
  if (step === 'hour') return label.slice(0, 10) === local.day && label.slice(11, 13) === local.time.slice(0, 2);
  if (step === 'day') return label === local.day;
  return stepStart(label, step) === stepStart(local.day, step);
}

/** Does the range hold a part of this step only? Its number is then no rise and no fall beside whole ones. */
export function isCut(label: string, step: Step, range: DayRange): boolean {
  if (step !== 'week' && step !== 'month') return false;
  const start = stepStart(label.slice(0, 10), step);
  return start < range.from || addDays(nextStep(start, step), -1) > range.to;
}

/** Is this step still to come? Then it has no number at all, which is not a zero. */
export function isAhead(label: string, step: Step, local: { day: Day; time: string }): boolean {
  if (step === 'hour')
    return (
      label.slice(0, 10) > local.day ||
      (label.slice(0, 10) === local.day && label.slice(11, 13) > local.time.slice(0, 2))
    );
  return label.slice(0, 10) > local.day;
}
