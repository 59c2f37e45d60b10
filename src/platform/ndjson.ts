/** Lines are answered in bunches of this many characters: a write per line would cost more than the line itself. */
const bunchChars = 64 * 1024;

/** @property write resolves when more may come (backpressure) */
export interface LinesAnswered {
  readonly lines: AsyncIterable<string>;
  readonly write: (text: string) => Promise<void>;
  /** @param line not parsed yet */
  readonly answer: (line: string) => unknown;
}

/**
 * One line of NDJSON out for each line in, in the same order. Empty lines are passed over. What is answered goes out as soon as
 * no further line is at hand: somebody who sends one and waits for its answer gets it.
 * @returns how many lines were answered
 */
export async function answerLines({ lines, write, answer }: LinesAnswered): Promise<number> {
  let bunch = '';
  let answered = 0;
  let written = Promise.resolve();
  const flush = () => {
    const text = bunch;
    bunch = '';
    if (text !== '') written = written.then(() => write(text));
    return written;
  };
  for await (const line of lines) {
    if (line.trim() === '') continue;
    answered++;
    // Lines at hand follow one another without a turn of the event loop. A write that fails is told of by the next one.
    if (bunch === '') setImmediate(() => flush().catch(() => {}));
    bunch += `${JSON.stringify(answer(line))}\n`;
    if (bunch.length >= bunchChars) await flush();
  }
  await flush();
  return answered;
}
