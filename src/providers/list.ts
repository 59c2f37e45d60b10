import type { ConnectionProvider } from '../../contract/connections.ts';
import type { Config } from '../platform/config.ts';
import { noConnections } from '../platform/connection_config.ts';
import { google } from './google.ts';
import { linkedin } from './linkedin.ts';
import { meta } from './meta.ts';
import { microsoft } from './microsoft.ts';
import { pasted } from './pasted.ts';
import type { Provider } from './provider.ts';
import { tiktok } from './tiktok.ts';

/**
 * Every platform of which something can be connected. One that somebody signs in at is a file of its own, its name in the
 * contract and a line here; one whose secret is pasted says so in its destination.
 */
export const providers: readonly Provider[] = [...[google, meta, linkedin, microsoft, tiktok], ...pasted];

/** @throws TypeError for one that is not in the list: names are checked where they come in */
export function providerOf(id: ConnectionProvider | string): Provider {
  const found = providers.find((one) => one.id === id);
  if (found === undefined) throw new TypeError(`There is no provider ${id}.`);
  return found;
}

/**
 * The addresses that tokens of this platform are used at, as one text: a connection that was made for others is paused
 * until somebody authorises it again.
 */
export function hostsOf(
  { oauth, hosts, destinations }: Provider,
  { connections = noConnections, relay = {} }: Pick<Config, 'connections' | 'relay'>,
): string {
  const at = oauth === undefined ? (hosts ?? []) : Object.values(oauth.at(connections));
  const sentTo = destinations.flatMap((kind) => relay[kind] ?? []);
  return [...new Set([...at, ...sentTo])].sort().join(' ');
}
