import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../platform/clock.ts';
import { openHmac } from '../../platform/hmac.ts';
import { openLog } from '../../platform/log.ts';
import { type Login, openDoor } from '../../platform/postgres/index.ts';
import { goBehind } from '../../platform/priority.ts';
import type { KeyPurpose } from '../../platform/subject.ts';
import { adoptKeys, destroyKeys } from '../../trust/vault/index.ts';
import { loadSegment } from './loader.ts';

/** What the thread is begun with: the database, and the keys of the digests that loading needs, which open nothing. */
export interface LoaderThreadData {
  readonly login: Login;
  readonly keys: ReadonlyMap<KeyPurpose, Uint8Array>;
}
/** Lines of a segment, in memory that both threads have until this one has answered. */
export interface LoaderJob {
  readonly number: number;
  readonly bytes: Uint8Array;
}
/** Which destinations have something to send; or the word for why nothing is loaded. What an error says may quote a row, and stays. */
export type LoaderAnswer =
  | { readonly number: number; readonly waiting: readonly number[] }
  | { readonly number: number; readonly code: string };

// Loads what it is handed, and nothing else (see loader_thread.ts).
goBehind();
const { login, keys } = workerData as LoaderThreadData;
const log = openLog(systemClock);
const door = openDoor({ login, clock: systemClock, log });
const digests = new Map([...keys].map(([purpose, bytes]) => [purpose, openHmac(bytes)]));

parentPort?.on('message', async ({ number, bytes }: LoaderJob) => {
  const waiting = new Set<number>();
  let answer: LoaderAnswer;
  try {
    await loadSegment(
      {
        postgres: door,
        vault: {
          adopt: (organisationId, fresh) => adoptKeys(door, organisationId, fresh, systemClock.now()),
          disown: (organisationId, fresh) =>
            destroyKeys(
              door,
              organisationId,
              fresh.map(({ id }) => id),
            ),
        },
        keys: { digest },
        log,
        onWaiting: (destinations) => {
          for (const one of destinations) waiting.add(one);
        },
      },
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    );
    answer = { number, waiting: [...waiting] };
  } catch (error) {
    const { why, code } = error as { why?: unknown; code?: unknown };
    const word = why ?? code;
    if (typeof word !== 'string') log.error('relay.load_failed', {}, error);
    answer = { number, code: typeof word === 'string' ? word : 'fault' };
  }
  parentPort?.postMessage(answer);
});

function digest(purpose: KeyPurpose, value: string | Buffer): Buffer {
  const made = digests.get(purpose)?.(value);
  if (made === undefined) throw new Error(`The loader was not given the key of ${purpose}.`);
  return made;
}
