/** Ids that pixels of ad platforms keep in a browser, by their names among conversions: Meta's `_fbc` and `_fbp`, TikTok's `_ttp`. */
export type BrowserIds = Readonly<Partial<Record<'fbc' | 'fbp' | 'ttp', string>>>;

/**
 * How each of them looks (reference, Meta: four segments, or five with an appendix of 2 or 8 characters). What looks otherwise
 * is none that a pixel made.
 */
const shapes: Readonly<Record<keyof BrowserIds, RegExp>> = {
  fbc: /^fb\.\d\.\d{1,16}\.[^.\s]{1,480}(?:\.(?:[\w-]{2}|[\w-]{8}))?$/,
  fbp: /^fb\.\d\.\d{1,16}\.\d{1,20}(?:\.(?:[\w-]{2}|[\w-]{8}))?$/,
  ttp: /^[\w.-]{8,128}$/,
};
const names = ['fbc', 'fbp', 'ttp'] as const;

/** Reads what the tracker says of them. @returns undefined where there is none */
export function readBrowserIds(given: unknown): BrowserIds | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  let ids: Partial<Record<keyof BrowserIds, string>> | undefined;
  for (const name of names) {
    const value = (given as Record<string, unknown>)[name];
    if (typeof value !== 'string' || !shapes[name].test(value)) continue;
    ids ??= {};
    ids[name] = value;
  }
  return ids;
}
