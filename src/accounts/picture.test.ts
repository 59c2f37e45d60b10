import { expect, it } from 'vitest';
import { pictureSideMax } from '../../contract/limits.ts';
import { readPicture } from './picture.ts';

/** Heads as PNG (third edition), T.81 and RFC 9649 write them, with nothing behind. */
const png = (width: number, height: number) => {
  const head = Buffer.alloc(33);
  Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(head);
  head.writeUInt32BE(width, 16);
  head.writeUInt32BE(height, 20);
  return head;
};
const jpeg = (width: number, height: number) => {
  // SOI, an APP0 of four bytes, a Huffman table of three, a filled-up marker, then the frame.
  const head = Buffer.from('ffd8ffe000040000ffc4000300ffffc200110800000000030100000000', 'hex');
  head.writeUInt16BE(height, 19);
  head.writeUInt16BE(width, 21);
  return head;
};
const webp = (kind: string, put: (head: Buffer) => void) => {
  const head = Buffer.alloc(40);
  head.write('RIFF', 0, 'latin1');
  head.write('WEBP', 8, 'latin1');
  head.write(kind, 12, 'latin1');
  put(head);
  return head;
};
const extended = (width: number, height: number) =>
  webp('VP8X', (head) => {
    head.writeUIntLE(width - 1, 24, 3);
    head.writeUIntLE(height - 1, 27, 3);
  });
const lossless = (width: number, height: number) =>
  webp('VP8L', (head) => head.writeUInt32LE((width - 1) | ((height - 1) << 14), 21));
const lossy = (width: number, height: number) =>
  webp('VP8 ', (head) => {
    head.writeUInt16LE(width, 26);
    head.writeUInt16LE(height, 28);
  });

it.each([
  ['image/png', png],
  ['image/jpeg', jpeg],
  ['image/webp', extended],
  ['image/webp', lossless],
  ['image/webp', lossy],
] as const)('takes %s up to its limit in each direction, and nothing that unfolds into more', (kind, of) => {
  expect(readPicture(of(pictureSideMax, pictureSideMax), 'picture')).toBe(kind);
  for (const [width, height] of [
    [pictureSideMax + 1, 1],
    [1, pictureSideMax + 1],
  ] as const)
    expect(() => readPicture(of(width, height), 'picture')).toThrow(`This picture is ${width} × ${height} pixels.`);
});

it('takes no picture that does not say its size, and nothing else', () => {
  for (const cut of [png(1, 1).subarray(0, 20), png(0, 9), jpeg(9, 9).subarray(0, 12), lossy(9, 9).subarray(0, 20)])
    expect(() => readPicture(cut, 'picture')).toThrow('does not say how large it is');
  expect(() => readPicture(Buffer.from('<svg/>'), 'picture')).toThrow('no PNG, JPEG or WebP');
});
