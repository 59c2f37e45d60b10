import { useRef, useState } from 'react';
import type { RealtimeAnswer } from '../../../contract/realtime.ts';
import type { DeskError } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { useWhileVisible } from '../desk/live.ts';

/** An event is to be seen 3 s after it was taken, and storing it takes up to two of them. */
const everyMs = 1_000;
/** A desk that does not answer is asked less and less often, down to this. */
const slowestMs = 15_000;
const eventsMax = 100;

export type StreamEvent = RealtimeAnswer['events'][number];

export interface Stream {
  answer: RealtimeAnswer | undefined;
  /** Newest first. */
  events: readonly StreamEvent[];
  problem: DeskError | undefined;
}

/**
 * Asks while the page is visible and not paused; what was told stays when the desk goes away.
 * @param path where to ask, with its filters: another one is asked once even when paused
 */
export function useStream(path: string, paused: boolean): Stream {
  const [stream, setStream] = useState<Stream>({ answer: undefined, events: [], problem: undefined });
  const latest = useRef(stream);
  const told = useRef('');
  const failures = useRef(0);
  const tell = (next: Stream) => {
    latest.current = next;
    setStream(next);
  };
  useWhileVisible(
    async (signal) => {
      if (paused && told.current === path) {
        failures.current = 0;
        return;
      }
      try {
        const since = told.current === path ? latest.current.answer?.cursor : undefined;
        const answer = await api.realtime(path, since, signal);
        if (signal.aborted) return;
        told.current = path;
        failures.current = 0;
        tell({ answer, events: joined(latest.current.events, answer), problem: undefined });
      } catch (error) {
        if (signal.aborted) return;
        failures.current += 1;
        tell({ ...latest.current, problem: asDeskError(error) });
      }
    },
    () => Math.min(slowestMs, everyMs * 2 ** failures.current),
    [path, paused],
  );
  return stream;
}

/** What an answer tells from `events_from` on stands in place of what was told before; older than the course goes. */
function joined(before: readonly StreamEvent[], answer: RealtimeAnswer): StreamEvent[] {
  const oldest = answer.minutes[0]?.start ?? '';
  const kept = before.filter(({ time }) => time < answer.events_from && time >= oldest);
  return [...answer.events, ...kept].slice(0, eventsMax);
}
