import { describe, expect, it } from 'vitest';
import { answerLines, type LineAnswer, type LinesAnswered } from './ndjson.ts';
import { openThreads } from './ndjson_threads.ts';

async function* stream(pieces: Iterable<string>) {
  for (const piece of pieces) yield Buffer.from(piece);
}
const read = (answers: Uint8Array) => Buffer.from(answers).toString();

async function answered(pieces: Iterable<string>, answer: LineAnswer, more: Partial<LinesAnswered> = {}) {
  const out: string[] = [];
  const write = async (answers: Uint8Array) => void out.push(read(answers));
  await answerLines({ bytes: stream(pieces), charsMax: 1_000, answer, write, ...more });
  return out;
}

it('answers a line whose sender waits for the answer before the next one', async () => {
  const out: string[] = [];
  let heard = () => {};
  async function* lines() {
    for (const line of ['1', '   ', '2']) {
      const answer = new Promise<void>((resolve) => {
        heard = resolve;
      });
      yield `${line}\n`;
      if (line.trim() !== '') await answer;
    }
  }
  const write = async (answers: Uint8Array) => {
    out.push(read(answers));
    heard();
  };
  await answerLines({ bytes: lines(), charsMax: 1_000, answer: (line) => Number(line) * 2, write });
  expect(out).toEqual(['2\n', '4\n']);
});

it('writes what came together at once, passes empty lines over and cuts what is too long', async () => {
  const pieces = ['1\r\n\n2\n  \n', '3\n4', '5\n', `${'7'.repeat(20)}\n`, '6'];
  expect(await answered(pieces, String, { charsMax: 10 })).toEqual([
    '"1"\n"2"\n',
    '"3"\n',
    '"45"\n',
    '"7777777777"\n',
    '"6"\n',
  ]);
});

it('writes one thing after the other, and reads no further as long as its reader is slow', async () => {
  let asked = 0;
  let written = 0;
  let ahead = 0;
  let writing = 0;
  function* pieces() {
    for (let piece = 0; piece < 50; piece++) {
      ahead = Math.max(ahead, ++asked - written);
      yield `${piece}\n`;
    }
  }
  const write = async () => {
    expect(++writing).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1));
    written++;
    writing--;
  };
  await answered(pieces(), Number, { write });
  expect(written).toBe(50);
  expect(ahead).toBeLessThan(4);
});

it('ends with the fault of a write, of an answer, and of the stream', async () => {
  const pieces = ['1\n', '2\n', '3\n'];
  const fails = () => {
    throw new Error('gone');
  };
  await expect(answered(pieces, Number, { write: () => Promise.reject(new Error('gone')) })).rejects.toThrow('gone');
  await expect(answered(pieces, fails)).rejects.toThrow('gone');
  async function* broken() {
    yield '1\n';
    fails();
  }
  await expect(answered([], Number, { bytes: broken() })).rejects.toThrow('gone');
});

describe('by threads', () => {
  const lines = Array.from({ length: 60_000 }, (_, at) => `${at} ${'x'.repeat(60)}\n`);
  const pieces = (size: number) =>
    Array.from({ length: Math.ceil(lines.length / size) }, (_, at) => lines.slice(at * size, (at + 1) * size).join(''));
  const threadThat = (answer: string) =>
    openThreads(
      new URL(
        `data:text/javascript,${encodeURIComponent(`
          import { isMainThread, parentPort } from 'node:worker_threads';
          import { answerPieces } from '${new URL('./ndjson_threads.ts', import.meta.url)}';
          answerPieces(parentPort, ${answer}, 1_000);
        `)}`,
      ),
      undefined,
      2,
    );
  /** Threads take a while to start, and the stream of a test is at hand at once. */
  async function* slowly(all: string[], threads: { readonly isFree: boolean }) {
    for (const [at, piece] of all.entries()) {
      yield Buffer.from(piece);
      while (at > all.length / 2 && !threads.isFree) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  it('answers all lines once and in their order, here and elsewhere', async () => {
    const threads = threadThat('(line) => [isMainThread, Number(line.split(" ")[0])]');
    const all = pieces(700);
    const answer = (line: string) => [true, Number(line.split(' ')[0])];
    const out = await answered([], answer, { bytes: slowly(all, threads), threads });
    await threads.close();
    const said = out.flatMap((text) => text.trimEnd().split('\n')).map((line) => JSON.parse(line) as [boolean, number]);
    expect(said.map(([, at]) => at)).toEqual(lines.map((_, at) => at));
    expect(said[0]).toEqual([true, 0]);
    expect(new Set(said.map(([isMain]) => isMain))).toEqual(new Set([true, false]));
  });

  it('answers all itself where no thread can start', async () => {
    const threads = openThreads(new URL('data:text/javascript,throw new Error("no")'), undefined, 2);
    const out = await answered(pieces(700), (line) => Number(line.split(' ')[0]), { threads });
    await threads.close();
    expect(out.join('').split('\n').length).toBe(lines.length + 1);
  });

  it('ends with the fault of a thread, and says nothing of what came behind it', async () => {
    const threads = threadThat('(line) => { if (line.startsWith("50000 ")) throw new Error("no"); return 1; }');
    const out: string[] = [];
    const write = async (answers: Uint8Array) => void out.push(read(answers));
    const fails = answered([], () => 1, { bytes: slowly(pieces(700), threads), threads, write });
    await expect(fails).rejects.toThrow('no');
    await threads.close();
    expect(out.join('').length / 2).toBeLessThanOrEqual(50_000);
  });
});
