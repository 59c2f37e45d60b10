import { isIP } from 'node:net';
import { RequestError } from './route.ts';

/**
 * Under which names the account plane answers. A foreign name that leads here (DNS rebinding, a stray virtual host) would
 * give a page of somebody else's the origin of this desk, so it is refused. An address in numbers cannot be led
 * elsewhere by anybody's DNS, and neither can a name of this machine: both are let in.
 */
export type HostCheck = (host: string | undefined) => void;

/** @param names further names, without a port */
export function openHostCheck(publicUrl: string, names: readonly string[] = []): HostCheck {
  const known = new Set([new URL(publicUrl).hostname, ...names].map((name) => name.toLowerCase()));
  return (host) => {
    const name = hostName(host);
    if (name !== undefined && (known.has(name) || isOwnMachine(name))) return;
    throw new RequestError(
      'misdirected',
      `This desk does not go by the name ${name === undefined ? 'that was asked for' : `"${name}"`}. Open ${publicUrl}, or add the name to FAIRLEAD_HOSTS and start again.`,
    );
  };
}

/** The name in a Host header, in lower case and without its port; undefined for what is no name. */
function hostName(host: string | undefined): string | undefined {
  const found = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253}?)\.?(:\d{1,5})?$/i.exec(host ?? '');
  return found?.[1]?.toLowerCase();
}

function isOwnMachine(name: string): boolean {
  const bare = name.startsWith('[') ? name.slice(1, -1) : name;
  return isIP(bare) !== 0 || name === 'localhost' || name.endsWith('.localhost');
}
