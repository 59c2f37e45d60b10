import { pastedPlatforms } from '../../contract/destinations.ts';
import type { Provider } from './provider.ts';

/** Platforms whose secret is copied from them, and of which nothing is asked here: each is one destination of the relay. */
export const pasted: readonly Provider[] = pastedPlatforms.map(({ id, platform, what, where, host }) => ({
  ...{ id, label: platform, destinations: [id], pasted: { what, where } },
  // A webhook goes where its organisation says.
  hosts: [`https://${host ?? ''}`],
}));
