/** What a line of the intake log says of what was no request: a file, an event that reached a goal, or many that were refused. */
export interface IntakeLogLine {
  readonly organisationId: number;
  readonly sourceId: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Under which number its conversions were told of. */
  readonly id: string;
  readonly way: 'request' | 'upload' | 'goal';
  readonly status: number;
  readonly reason?: string;
  readonly field?: string;
  readonly method?: string;
  readonly bytes?: number;
  readonly ms?: number;
  readonly conversions?: number;
  readonly problems?: number;
  readonly requests?: number;
}

/** As the table takes it (warehouse/); what is left out is empty there. */
export function intakeLine({ organisationId, sourceId, at, ...line }: IntakeLogLine): string {
  return JSON.stringify({ organisation_id: organisationId, source_id: sourceId, at: clockText(at), ...line });
}

/** A moment as the warehouse reads it: `2026-11-30 10:00:00.007`. */
export function clockText(at: number): string {
  const ms = Math.trunc(at);
  const second = Math.floor(ms / 1_000);
  if (second !== latest.second) {
    const text = new Date(second * 1_000).toISOString();
    latest = { second, text: `${text.slice(0, 10)} ${text.slice(11, 19)}.` };
  }
  return latest.text + String(ms - second * 1_000).padStart(3, '0');
}
/** Thousands of lines are of the same second. */
let latest = { second: Number.NaN, text: '' };
