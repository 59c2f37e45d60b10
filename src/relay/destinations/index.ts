import type { Destination } from './destination.ts';
import { destinations } from './list.ts';

export { destinations };

/** @param id such as `meta-capi` */
export function destinationOf(id: string): Destination | undefined {
  return destinations.find((destination) => destination.id === id);
}
