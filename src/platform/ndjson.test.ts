import { expect, it } from 'vitest';
import { answerLines } from './ndjson.ts';

it('answers a line whose sender waits for the answer before the next one', async () => {
  const out: string[] = [];
  let heard = () => {};
  async function* lines() {
    for (const line of ['1', '   ', '2']) {
      const answer = new Promise<void>((resolve) => {
        heard = resolve;
      });
      yield line;
      if (line.trim() !== '') await answer;
    }
  }
  const answered = await answerLines({
    lines: lines(),
    answer: (line) => Number(line) * 2,
    write: async (text) => {
      out.push(text);
      heard();
    },
  });
  expect([answered, out]).toEqual([2, ['2\n', '4\n']]);
});

it('writes lines that are at hand together, and ends with the fault of a write', async () => {
  async function* lines() {
    for (let line = 0; line < 1_000; line++) yield String(line);
  }
  const out: string[] = [];
  await answerLines({ lines: lines(), answer: Number, write: async (text) => void out.push(text) });
  expect(out.join('')).toBe(Array.from({ length: 1_000 }, (_, line) => `${line}\n`).join(''));
  expect(out.length).toBeLessThan(10);
  const fails = answerLines({ lines: lines(), answer: Number, write: () => Promise.reject(new Error('gone')) });
  await expect(fails).rejects.toThrow('gone');
});
