import { availableParallelism } from 'node:os';
import { type MessagePort, Worker } from 'node:worker_threads';
import { type AnsweringThreads, answersTo, type LineAnswer } from './ndjson.ts';

/** So many pieces lie ready for a thread, so that it does not wait for the next one while we answer one ourselves. */
const piecesEach = 3;
/** With more the thread that reads and writes has most to do. */
const threadsMax = 8;
const others = Math.min(availableParallelism() - 1, threadsMax);

/**
 * Threads that answer lines, one for each processor but ours. Each runs `url`, which calls `answerPieces`; `data` is its `workerData`.
 * A thread that fails or ends fails everything that is asked since.
 */
export function openThreads(url: URL, data: unknown, count = others): AnsweringThreads & { close(): Promise<void> } {
  const workers: Worker[] = [];
  const ready: Worker[] = [];
  const waiting = new Map<number, { resolve(answers: Uint8Array): void; reject(fault: Error): void }>();
  let number = 0;
  let fault: Error | undefined;

  function started(): Worker {
    const worker = new Worker(url, { workerData: data });
    worker.on('message', (message: Answered | 'ready') => {
      if (message === 'ready') ready.push(worker);
      else {
        waiting.get(message.number)?.resolve(message.answers);
        waiting.delete(message.number);
      }
    });
    const ended = (error: Error) => {
      // What cannot start is not missed: we answer all ourselves.
      if (ready.includes(worker)) failed(error);
    };
    worker.on('error', ended).on('exit', () => ended(new Error('a thread that answers lines has ended')));
    return worker;
  }

  function failed(error: Error): void {
    fault ??= error;
    for (const { reject } of waiting.values()) reject(fault);
    waiting.clear();
  }

  return {
    start() {
      while (workers.length < count) workers.push(started());
    },
    get isFree() {
      return waiting.size < ready.length * piecesEach;
    },
    answer(piece) {
      return new Promise((resolve, reject) => {
        if (fault !== undefined) return reject(fault);
        waiting.set(++number, { resolve, reject });
        const asked: Asked = { number, piece };
        // Pieces are alike in size: in turns is as good as by who has least to do.
        ready[number % ready.length]?.postMessage(asked, [piece.buffer]);
      });
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

interface Asked {
  readonly number: number;
  readonly piece: Uint8Array<ArrayBuffer>;
}
interface Answered {
  readonly number: number;
  readonly answers: Uint8Array<ArrayBuffer>;
}

/** In a thread that `openThreads` started: answers what it is asked, until it ends. */
export function answerPieces(port: MessagePort, answer: LineAnswer, charsMax: number): void {
  port.on('message', ({ number, piece }: Asked) => {
    const answered: Answered = { number, answers: answersTo(piece, answer, charsMax) };
    port.postMessage(answered, [answered.answers.buffer]);
  });
  port.postMessage('ready');
}
