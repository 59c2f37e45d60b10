import type { Destination } from './destination.ts';
import { destinations } from './list.ts';

export { destinations };

/** @param id such as `meta-capi` */
export function destinationOf(id: string): Destination | undefined {
  return destinations.find((destination) => destination.id === id);
}

/** By kind of destination, the versions of interfaces that the operator has set. */
export type Versions = Readonly<Record<string, string>>;

/** The version that its requests are made for: the operator's, else its own; undefined where it has none. */
export function versionOf({ id, version }: Destination, versions: Versions = {}): string | undefined {
  return version === undefined ? undefined : (versions[id] ?? version.standard);
}
