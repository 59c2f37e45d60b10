import type { FileClass } from '../../platform/spool/index.ts';

/** Frozen days of large sites as columns, by site, day and the state of the register that they are of. */
export const packedFiles: readonly FileClass[] = [
  {
    path: 'packed/*/*',
    classes: ['D3'],
    window: 'as long as the events of the day; one whose day has changed goes with the next sweep (5 min)',
    purpose: 'what visits and events of a closed day say, without any id, for questions with a filter',
  },
  {
    path: 'packed/*/*.rows',
    classes: ['D2', 'D3'],
    window: 'seconds, while a day is packed; what a kill leaves goes at the next start',
    purpose: 'visits and events of one day on their way out of the warehouse',
  },
];
