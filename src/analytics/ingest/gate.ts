import { ingestLimits } from '../../../contract/limits.ts';

/**
 * Where requests wait while a starting desk reads back what the last process knew: an event may belong to a visit that is
 * not there yet. A listener that keeps them for these seconds loses nothing, where one that is not there yet would.
 */
export interface Gate {
  readonly isOpen: boolean;
  /** Requests that wait. */
  waiting(): number;
  /**
   * Keeps a request until the gate opens, in the order of arrival.
   * @param bytes of its body
   * @param refuse answers it when it cannot wait: too many do already, or the desk could not read back
   */
  hold(bytes: number, go: () => void, refuse: () => void): void;
  /** Lets everything pass that waits, and all that comes. */
  open(): void;
  /** Refuses what waits and all that comes. */
  close(): void;
}

export function openGate(): Gate {
  let state: 'waiting' | 'open' | 'closed' = 'waiting';
  let waiting: { go: () => void; refuse: () => void }[] = [];
  let bytesWaiting = 0;

  function leave() {
    const those = waiting;
    waiting = [];
    bytesWaiting = 0;
    return those;
  }

  return {
    get isOpen() {
      return state === 'open';
    },
    waiting: () => waiting.length,
    hold(bytes, go, refuse) {
      const isFull =
        waiting.length >= ingestLimits.waitingRequestsMax || bytesWaiting + bytes > ingestLimits.waitingBytesMax;
      if (state === 'closed' || isFull) return refuse();
      waiting.push({ go, refuse });
      bytesWaiting += bytes;
    },
    open() {
      state = 'open';
      for (const { go } of leave()) go();
    },
    close() {
      state = 'closed';
      for (const { refuse } of leave()) refuse();
    },
  };
}
