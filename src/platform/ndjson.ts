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
 * One line of NDJSON out for each line in, in the same order. Empty lines are passed over.
 * @returns how many lines were answered
 */
export async function answerLines({ lines, write, answer }: LinesAnswered): Promise<number> {
  let bunch = '';
  let answered = 0;
  for await (const line of lines) {
    if (line.trim() === '') continue;
    answered++;
    bunch += `${JSON.stringify(answer(line))}\n`;
    if (bunch.length < bunchChars) continue;
    await write(bunch);
    bunch = '';
  }
  if (bunch !== '') await write(bunch);
  return answered;
}
