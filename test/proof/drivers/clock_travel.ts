/**
 * Starts a process at another time: everything in it that asks `systemClock` believes `at`, and time goes on from
 * there. The machine's own clock, and with it the times of files, stay as they are.
 */
export function clockEnv(at: Date): Record<string, string> {
  return { FAIRLEAD_CLOCK_OFFSET_MS: String(at.getTime() - Date.now()) };
}

/** The next UTC midnight after `from`, moved by `byMs`: -2,000 for two seconds before the salts turn. */
export function nextUtcMidnight(from: Date, byMs = 0): Date {
  const midnight = new Date(from);
  midnight.setUTCHours(24, 0, 0, byMs);
  return midnight;
}
