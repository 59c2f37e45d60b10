import { type DestinationVersion, destinationReceivers, destinationVersions } from '../../contract/destinations.ts';

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

export const versionVariables: readonly string[] = Object.values(destinationVersions).map(({ variable }) => variable);

interface Reading {
  text(name: string): string | undefined;
  wrong(name: string, problem: string, fix: string): void;
}

/** By kind of destination the version of its interface that requests are made for. What has another shape stops the start. */
export function readVersions(read: Reading): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(destinationVersions).map(([kind, one]) => [kind, readVersion(read, one)]));
}

/** It stands in addresses and headers as it is, so nothing but its shape comes through. */
export function readVersion(read: Reading, { label, variable, standard, is }: DestinationVersion): string {
  const value = read.text(variable);
  if (value === undefined || new RegExp(is).test(value)) return value ?? standard;
  read.wrong(
    variable,
    `"${value.slice(0, 40)}" is not a version of ${label}.`,
    `Write one as its documents do, such as ${standard}, or leave it out.`,
  );
  return standard;
}
