import { wholeLines } from './lines.ts';

/** What is said to a line that is not parsed yet: anything that JSON holds. */
export type LineAnswer = (line: string) => unknown;

/**
 * @property bytes UTF-8 @property write resolves when more may come (backpressure)
 * @property charsMax of a line; what is longer is answered as though it ended there
 * @property threads answer what comes once there is more than a few thousand lines
 */
export interface LinesAnswered {
  readonly bytes: AsyncIterable<Uint8Array | string>;
  readonly write: (answers: Uint8Array) => Promise<void>;
  readonly answer: LineAnswer;
  readonly charsMax: number;
  readonly threads?: AnsweringThreads;
}

/** Answer pieces of whole lines beside the one that reads and writes, which answers too. */
export interface AnsweringThreads {
  /** May be called again and again; the first time begins. */
  start(): void;
  /** Is a thread there that has nothing to do soon? */
  readonly isFree: boolean;
  /** @param piece is given away */
  answer(piece: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
}

/** A thread takes half a second to load what it answers with, and as long to be as fast as the first. */
const threadsFromBytes = 2 * 1024 * 1024;
/** So many pieces are answered or wait for earlier ones: with those of the threads some megabytes. */
const underWayMax = 32;
const newline = /\r?\n/;

/**
 * One line of NDJSON out for each line in, in the same order; empty lines are passed over. Answers go out with the lines that
 * came together: somebody who sends one line and waits for its answer gets it.
 * @throws what `write`, `answer` or `bytes` throws
 */
export async function answerLines({ bytes, write, answer, charsMax, threads }: LinesAnswered): Promise<void> {
  const underWay: Promise<void>[] = [];
  let seen = 0;
  for await (const piece of wholeLines(bytes, charsMax)) {
    seen += piece.length;
    if (seen > threadsFromBytes) threads?.start();
    const answers = threads?.isFree === true ? threads.answer(piece) : answersTo(piece, answer, charsMax);
    const inOrder = writeAfter(underWay.at(-1), answers, write);
    // Whoever waits for the last of them hears of it.
    inOrder.catch(() => {});
    underWay.push(inOrder);
    if (underWay.length >= (threads === undefined ? 1 : underWayMax)) await underWay.shift();
  }
  await Promise.all(underWay);
}

async function writeAfter(
  before: Promise<void> | undefined,
  answers: Uint8Array | Promise<Uint8Array>,
  write: LinesAnswered['write'],
): Promise<void> {
  const [written] = await Promise.all([answers, before]);
  if (written.length > 0) await write(written);
}

/** The answers to a piece of whole lines. */
export function answersTo(piece: Uint8Array, answer: LineAnswer, charsMax: number): Uint8Array<ArrayBuffer> {
  const text = Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString();
  let answers = '';
  for (const line of text.split(newline)) {
    if (line.trim() !== '') answers += `${JSON.stringify(answer(line.slice(0, charsMax)))}\n`;
  }
  return new TextEncoder().encode(answers);
}
