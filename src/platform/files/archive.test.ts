import { randomBytes } from 'node:crypto';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { withArchive } from './archive.ts';
import { expanded } from './expand.ts';
import { archiveLimits } from './limits.ts';
import { type Packed, piecesOf, zipOf } from './zip_rig.ts';

async function textsOf(archive: Buffer, limits: Partial<typeof archiveLimits> = {}) {
  return withArchive(
    piecesOf(archive, 1_000),
    async ({ members }) => {
      const texts: Record<string, string> = {};
      for (const member of members) {
        const pieces: Buffer[] = [];
        for await (const piece of member.read()) pieces.push(piece);
        texts[member.name] = Buffer.concat(pieces).toString();
      }
      return texts;
    },
    { ...archiveLimits, ...limits } as typeof archiveLimits,
  );
}

const long = Array.from({ length: 20_000 }, (_, n) => `${n * 7919} line\n`).join('');

it('members come as they were packed, deflated or not, behind a comment and empty', async () => {
  const members: Packed[] = [
    { name: 'a.csv', text: long },
    { name: 'b/ü.csv', text: 'x', method: 0 },
    { name: 'empty', text: '' },
  ];
  expect(await textsOf(zipOf(members, 'PK a comment'))).toEqual({ 'a.csv': long, 'b/ü.csv': 'x', empty: '' });
});

const one = (says: NonNullable<Packed['says']>, more: Partial<Packed> = {}) =>
  zipOf([{ name: 'a.csv', text: 'hello', says, ...more }]);
const whole = zipOf([{ name: 'a.csv', text: long }]);

const hostile: [string, Buffer, RegExp, Partial<Record<keyof typeof archiveLimits, number>>?][] = [
  ['no archive at all', Buffer.from('date,visitors\n'), /no whole ZIP/],
  ['nothing', Buffer.alloc(0), /no whole ZIP/],
  ['cut off in the middle', whole.subarray(0, whole.length / 2), /no whole ZIP/],
  ['cut off at the front', whole.subarray(100), /damaged|no whole ZIP/],
  ['a wrong checksum', one({ crc: 1 }), /a\.csv is damaged/],
  ['more bytes than it says', one({ bytes: 2 }), /damaged/],
  ['fewer bytes than it says', one({ bytes: 200 }), /damaged/],
  [
    'compressed bytes that end early',
    zipOf([{ name: 'a.csv', text: long, says: { compressedBytes: 100 } }]),
    /damaged/,
  ],
  ['bytes beyond the list', one({ compressedBytes: 9_999 }), /no whole ZIP/],
  ['a password', one({ flags: 1 }), /encrypted/],
  ['another way of packing', one({ method: 12 }), /packed in a way/],
  [
    'members that share bytes',
    zipOf([
      { name: 'a', text: 'hello', method: 0 },
      { name: 'b', text: 'hello', method: 0, says: { at: 0 } },
    ]),
    /no whole ZIP/,
  ],
  ['a bomb of zeros', zipOf([{ name: 'a.csv', text: Buffer.alloc(16 * 1024 * 1024) }]), /200 times/],
  [
    'two members that are too much together',
    zipOf(['a', 'b'].map((name) => ({ name, text: long }))),
    /in parts/,
    { expandedBytesMax: long.length + 10 },
  ],
  [
    'too many members',
    zipOf(['a', 'b', 'c'].map((name) => ({ name, text: '' }))),
    /more than 2 files/,
    { membersMax: 2 },
  ],
  ['too large', whole, /larger than 50000 bytes/, { archiveBytesMax: 50_000 }],
];

it.each(hostile)('an archive with %s is refused in a sentence', async (_what, archive, sentence, limits) => {
  await expect(textsOf(archive, limits as Partial<typeof archiveLimits>)).rejects.toThrow(sentence);
});

const zeros = Buffer.alloc(96 * 1024 * 1024);

it('a bomb is refused by the list of its archive, before a byte of it is expanded', async () => {
  let opened = false;
  const bomb = zipOf([{ name: 'a.csv', text: zeros }]);
  await expect(
    withArchive(piecesOf(bomb), async () => {
      opened = true;
    }),
  ).rejects.toThrow('200 times');
  expect(opened).toBe(false);
});

it('a bomb that its archive makes smaller or heavier than it is, and one of gzip, end with their first megabytes', async () => {
  const read = async (pieces: AsyncIterable<Buffer>, count: (bytes: number) => void) => {
    for await (const piece of pieces) count(piece.length);
  };
  const outOf = async (work: (count: (bytes: number) => void) => Promise<void>, sentence: string) => {
    let bytes = 0;
    const count = (more: number) => {
      bytes += more;
    };
    await expect(work(count)).rejects.toThrow(sentence);
    return bytes;
  };
  const inZip = (member: Packed) => (count: (bytes: number) => void) =>
    withArchive(piecesOf(zipOf([member])), ({ members: [only] }) => read(only?.read() ?? piecesOf(zeros), count));
  const megabyte = 1024 * 1024;
  const lighter = inZip({ name: 'a.csv', text: zeros, says: { bytes: 2 * megabyte } });
  expect(await outOf(lighter, 'damaged')).toBeLessThan(3 * megabyte);
  const first = archiveLimits.ratioFromBytes + megabyte;
  const text = Buffer.concat([deflateRawSync(zeros), randomBytes(2 * megabyte)]);
  const heavier = inZip({ name: 'a.csv', text, method: 0, says: { method: 8, bytes: zeros.length } });
  expect(await outOf(heavier, '200 times')).toBeLessThan(first);
  const gzip = gzipSync(zeros);
  expect(await outOf((count) => read(expanded(piecesOf(gzip)), count), '200 times')).toBeLessThan(first);
});
