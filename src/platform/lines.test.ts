import { describe, expect, it } from 'vitest';
import { readLines, wholeLines } from './lines.ts';

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

describe('pieces of whole lines', () => {
  async function piecesOf(pieces: (string | Buffer)[], charsMax = 100): Promise<string[]> {
    async function* stream() {
      yield* pieces;
    }
    const whole: string[] = [];
    for await (const piece of wholeLines(stream(), charsMax)) whole.push(Buffer.from(piece).toString());
    return whole;
  }
  it.each([
    ['in one piece', ['a\nb\nc'], ['a\nb\n', 'c']],
    ['in pieces that cut lines', ['a', 'b\nc', 'd', '\n', 'e'], ['ab\n', 'cd\n', 'e']],
    ['of nothing', [], []],
    ['of nothing but a break', ['\n'], ['\n']],
    ['behind a byte order mark', ['\ufeffa\n\ufeffb\n'], ['a\n\ufeffb\n']],
  ])('%s', async (_title, pieces, expected) => {
    expect(await piecesOf(pieces)).toEqual(expected);
  });
  it('a character cut in two is whole again', async () => {
    const bytes = Buffer.from('é😀\nx');
    expect(await piecesOf([...bytes].map((byte) => Buffer.from([byte])))).toEqual(['é😀\n', 'x']);
  });
  it('memory that the stream uses again is not looked at later', async () => {
    const memory = Buffer.from('abc');
    async function* stream() {
      yield memory;
      memory.fill('x');
      yield Buffer.from('d\n');
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of wholeLines(stream(), 100)) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe('abcd\n');
  });
  it('a line without end is given up behind what it may be at most, and the next one is whole', async () => {
    const pieces = await piecesOf([...Array.from({ length: 9 }, () => 'x'.repeat(60)), 'yy\nz\n'], 100);
    expect(pieces.map((piece) => piece.length)).toEqual([360, 2]);
  });
});
