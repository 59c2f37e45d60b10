import { describe, expect, it } from 'vitest';
import { readLines } from './lines.ts';

async function linesOf(pieces: (string | Buffer)[], charsMax?: number): Promise<string[]> {
  async function* stream() {
    yield* pieces;
  }
  const lines: string[] = [];
  for await (const line of readLines(stream(), charsMax)) lines.push(line);
  return lines;
}

describe('lines of a stream', () => {
  it.each([
    ['in one piece', ['a\nb\nc'], ['a', 'b', 'c']],
    ['with a break at the end', ['a\nb\n'], ['a', 'b']],
    ['in pieces that cut lines', ['a', 'b\nc', 'd', '\n', 'e'], ['ab', 'cd', 'e']],
    ['with both kinds of breaks', ['a\r\nb\n\nc\r', '\nd'], ['a', 'b', '', 'c', 'd']],
    ['of nothing', [], []],
    ['of nothing but a break', ['\n'], ['']],
  ])('%s', async (_title, pieces, expected) => {
    expect(await linesOf(pieces)).toEqual(expected);
  });
  it('a character cut in two by the pieces is whole again', async () => {
    const bytes = Buffer.from('é😀\nx');
    expect(await linesOf([...bytes].map((byte) => Buffer.from([byte])))).toEqual(['é😀', 'x']);
  });
  it('a line without end is cut, and the next one is whole', async () => {
    const lines = await linesOf(['x'.repeat(60), 'x'.repeat(60), 'x'.repeat(60), 'yy\nz\n'], 100);
    expect(lines.map((line) => line.length)).toEqual([100, 1]);
  });
});
