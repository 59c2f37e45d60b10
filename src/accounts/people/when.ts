/** A moment as a mail says it: in the zone of the person, which is named, or in UTC. */
export function whenText(moment: Date, timezone: string | null): string {
  const zone = timezone ?? 'UTC';
  const text = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: zone }).format(
    moment,
  );
  return `${text} (${zone})`;
}
