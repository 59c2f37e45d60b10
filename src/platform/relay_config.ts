import { destinationReceivers } from '../../contract/destinations.ts';

/**
 * By kind of destination the address that the relay sends to in place of the platform's own: emulators, and an operator's
 * proxy. Operator environment only, since whoever sets one receives tokens. Webhooks have no such address: each
 * organisation names its own.
 */
export const relayVariables: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(destinationReceivers).map(([kind, { variable }]) => [kind, variable]),
);

/** Only what is set; a token that would go out in clear over a network stops the start. */
export function readRelay(read: {
  text(name: string): string | undefined;
  wrong(name: string, problem: string, fix: string): void;
  isLoopback(host: string): boolean;
}): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [kind, name] of Object.entries(relayVariables)) {
    const value = read.text(name);
    if (value === undefined) continue;
    const url = URL.canParse(value) ? new URL(value) : undefined;
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && read.isLoopback(url.hostname));
    if (isSafe && url?.username === '' && url.search === '') found[kind] = value.replace(/\/+$/, '');
    else read.wrong(name, 'it is not an https address.', 'Write one, or leave it out for the platform itself.');
  }
  return found;
}
