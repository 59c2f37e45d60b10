/**
 * By kind of destination the address that the relay sends to in place of the platform's own: emulators, and an operator's
 * proxy. Operator environment only, since whoever sets one receives tokens. Webhooks have no such address: each
 * organisation names its own.
 */
export const relayVariables = {
  'meta-capi': 'FAIRLEAD_RELAY_META_URL',
  'google-data-manager': 'FAIRLEAD_RELAY_DATA_MANAGER_URL',
  'google-ads-upload': 'FAIRLEAD_RELAY_GOOGLE_ADS_URL',
  ga4: 'FAIRLEAD_RELAY_GA4_URL',
  tiktok: 'FAIRLEAD_RELAY_TIKTOK_URL',
  microsoft: 'FAIRLEAD_RELAY_MICROSOFT_URL',
  linkedin: 'FAIRLEAD_RELAY_LINKEDIN_URL',
  pinterest: 'FAIRLEAD_RELAY_PINTEREST_URL',
  snap: 'FAIRLEAD_RELAY_SNAP_URL',
  reddit: 'FAIRLEAD_RELAY_REDDIT_URL',
  x: 'FAIRLEAD_RELAY_X_URL',
} as const;
type RelayKind = keyof typeof relayVariables;

/** Only what is set; a token that would go out in clear over a network stops the start. */
export function readRelay(read: {
  text(name: string): string | undefined;
  wrong(name: string, problem: string, fix: string): void;
  isLoopback(host: string): boolean;
}): Readonly<Partial<Record<RelayKind, string>>> {
  const found: Partial<Record<RelayKind, string>> = {};
  for (const [kind, name] of Object.entries(relayVariables) as [RelayKind, string][]) {
    const value = read.text(name);
    if (value === undefined) continue;
    const url = URL.canParse(value) ? new URL(value) : undefined;
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && read.isLoopback(url.hostname));
    if (isSafe && url?.username === '' && url.search === '') found[kind] = value.replace(/\/+$/, '');
    else read.wrong(name, 'it is not an https address.', 'Write one, or leave it out for the platform itself.');
  }
  return found;
}
