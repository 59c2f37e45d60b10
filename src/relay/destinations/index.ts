import type { Destination } from './destination.ts';
import { metaCapi } from './meta_capi.ts';

/** Every platform that conversions can be sent to; a new one is a file of its own and a line here. */
export const destinations: readonly Destination[] = [metaCapi];

/** @param id such as `meta-capi` */
export function destinationOf(id: string): Destination | undefined {
  return destinations.find((destination) => destination.id === id);
}
