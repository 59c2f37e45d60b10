import { useSyncExternalStore } from 'react';
import type { SiteImport } from '../../../contract/imports.ts';
import { uploadLimits } from '../../../contract/limits.ts';
import type { DeskError } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';

/** A file on its way to the desk. It goes on while other pages of the dashboard are looked at. */
export interface Sending {
  readonly sent: number;
  readonly size: number;
  readonly state: 'sending' | 'paused' | 'waiting' | 'failed';
  readonly problem: DeskError | undefined;
}

interface Held extends Sending {
  domain: string;
  file: File;
  next: number;
}

/** A lost line is tried again after so long, then the person is asked. */
const waitsMs = [1_000, 2_000, 4_000, 8_000, 16_000];

let held = new Map<number, Held>();
const listeners = new Set<() => void>();

function set(id: number, change: Partial<Held> | undefined): void {
  const before = held.get(id);
  held = new Map(held);
  if (change === undefined) held.delete(id);
  else if (before !== undefined) held.set(id, { ...before, ...change });
  for (const tell of listeners) tell();
  askBeforeLeaving();
}

const stay = (event: BeforeUnloadEvent) => event.preventDefault();

/** Closing the tab ends the way of a file; other pages of the dashboard do not. The browser asks in its own words. */
function askBeforeLeaving(): void {
  const onTheWay = [...held.values()].some(({ state }) => state === 'sending' || state === 'waiting');
  if (onTheWay) window.addEventListener('beforeunload', stay);
  else window.removeEventListener('beforeunload', stay);
}

export function useSending(id: number | undefined): Sending | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => (id === undefined ? undefined : held.get(id)),
  );
}

/** Sends what of the file is not there yet; then the desk looks through it. */
export function sendFile(domain: string, one: SiteImport, file: File): void {
  const size = one.size ?? file.size;
  held.set(one.id, {
    ...{ domain, file, size, sent: one.received, state: 'sending', problem: undefined },
    next: one.next_part ?? Math.ceil(size / uploadLimits.partBytes),
  });
  void run(one.id);
}

export function pauseSending(id: number): void {
  set(id, { state: 'paused' });
}

export function resumeSending(id: number): void {
  set(id, { state: 'sending', problem: undefined });
  void run(id);
}

export function forgetSending(id: number): void {
  set(id, undefined);
}

const running = new Set<number>();

async function run(id: number): Promise<void> {
  if (running.has(id)) return;
  running.add(id);
  set(id, {});
  let lost = 0;
  try {
    for (;;) {
      const now = held.get(id);
      if (now === undefined || now.state === 'paused' || now.state === 'failed') return;
      const from = now.next * uploadLimits.partBytes;
      try {
        if (from >= now.size) {
          await api.checkImport(now.domain, id);
          set(id, undefined);
          return;
        }
        const part = now.file.slice(from, from + uploadLimits.partBytes);
        const answer = await api.sendImportPart(now.domain, id, now.next, part);
        lost = 0;
        const next = answer.next_part ?? Math.ceil(now.size / uploadLimits.partBytes);
        const isPaused = held.get(id)?.state === 'paused';
        set(id, {
          next,
          sent: answer.received,
          ...(isPaused ? {} : { state: 'sending' as const }),
          problem: undefined,
        });
      } catch (error) {
        const problem = asDeskError(error, 'The file cannot be read any more. Choose it again.');
        const wait = waitsMs[lost++];
        const isPassing = problem.code === 'unreachable' || problem.status >= 500;
        if (!isPassing || wait === undefined) return set(id, { state: 'failed', problem });
        if (held.get(id)?.state === 'sending') set(id, { state: 'waiting', problem });
        await new Promise((resolve) => setTimeout(resolve, wait));
        if (held.get(id)?.state === 'waiting') set(id, { state: 'sending' });
      }
    }
  } finally {
    running.delete(id);
  }
}
