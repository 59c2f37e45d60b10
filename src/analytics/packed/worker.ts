import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { goBehind } from '../../platform/priority.ts';
import { openCounting } from './count.ts';
import { encodeDay } from './day.ts';
import { openDays } from './open_days.ts';
import { type EventRow, packDay, Unpackable, type VisitRow } from './pack.ts';
import { NotHere, type PackedQuestion, type PackedRows } from './question.ts';

/** What a worker is asked. */
export type Job =
  | { kind: 'count'; questions: readonly AskedDays[]; files: ReadonlyMap<number, string> }
  /** Makes `file` of the rows that the engine has written into two files. */
  | { kind: 'pack'; visits: string; events: string; file: string };

/** What a thread is begun with. */
export interface WorkerData {
  /** How many bytes of days it may keep unpacked. */
  keptBytes: number;
}

/** A question, and the days that it is about. */
export interface AskedDays {
  question: PackedQuestion;
  days: ReadonlySet<number>;
}

/** What came of one question: the rows of its lists, or why there are none. */
export type Counted = { rows: PackedRows[] } | { fault: string };

/** Its answer: what came of each question, nothing for a day that is packed; or why there is none. */
export type Answer = { number: number; counted?: Counted[] | undefined; fault?: string };

/**
 * What is smaller than half of this shares its memory with others, and so cannot be given back when it is done with: with the
 * runtime's 64 KB that was most sections of a day.
 */
Buffer.poolSize = 8 * 1024;

const { keptBytes } = workerData as WorkerData;
const days = openDays(keptBytes);

goBehind();
parentPort?.on('message', ({ number, job }: { number: number; job: Job }) => {
  const answer: Answer = { number };
  try {
    answer.counted = work(job);
  } catch (error) {
    answer.fault = faultOf(error);
  }
  parentPort?.postMessage(answer);
});

function work(job: Job): Counted[] | undefined {
  if (job.kind === 'pack') {
    const day = packDay(rowsIn<VisitRow>(job.visits), rowsIn<EventRow>(job.events));
    const unfinished = `${job.file}.part`;
    writeFileSync(unfinished, encodeDay(day), { mode: 0o600 });
    renameSync(unfinished, job.file);
    return undefined;
  }
  const asked = job.questions.map(({ question, days }) => ({ days, counting: openCounting(question), fault: '' }));
  days.begin();
  // A file is opened once, however many questions are about its day.
  for (const [number, file] of job.files) {
    const day = days.open(file);
    for (const one of asked)
      if (one.fault === '' && one.days.has(number))
        try {
          one.counting.add(number, day);
        } catch (error) {
          one.fault = faultOf(error);
        }
  }
  return asked.map(({ counting, fault }) => (fault === '' ? { rows: counting.rows() } : { fault }));
}

/** Other messages may quote what was read, and this one comes into the log. */
function faultOf(error: unknown): string {
  if (error instanceof NotHere || error instanceof Unpackable) return error.message;
  return error instanceof Error ? `The thread met a fault of ours: ${error.name}.` : 'unknown';
}

/** A row of JSON a line, one at a time: a day's text as an array of lines would take several times its memory. */
function* rowsIn<Row>(file: string): Generator<Row> {
  const bytes = readFileSync(file);
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    const to = end < 0 ? bytes.length : end;
    if (to > from) yield JSON.parse(bytes.toString('utf8', from, to)) as Row;
    from = to + 1;
  }
}
