import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { crc32, createDeflateRaw } from 'node:zlib';
import { type Form, type PlacedFile, plainForm } from './form.ts';

/** Sizes and places are numbers of 32 bits; from here on they stand in the extension for 64. */
const bytesMax = 0xffff_ffff;
/** Packing can make content longer, by some bytes for each 16 KB: content that may reach the limit that way is large too. */
const largerBy = 0x10_0000;
const membersMax = 0xffff;

interface Member {
  name: string;
  at: number;
  /** Its sizes stand in the extension. */
  isLarge: boolean;
  /** So does the place where it begins. */
  isFar: boolean;
  /** 8 = deflated, 0 = as it is. */
  method: 0 | 8;
  crc: number;
  bytes: number;
  packedBytes: number;
}

/**
 * Packs files into a ZIP (APPNOTE.TXT 4.3), one after another and without holding one in memory. Its times are all the
 * same, so that the same content gives the same bytes. What is packed already goes in as it is. The 64-bit extension
 * is used where something is 4 GiB or larger, and only there, since not every reader knows it.
 *
 * @param options.form how the files lie on the disk, and the ZIP is to
 * @param options.wideFrom from so many bytes on the extension is used; a test makes it smaller
 * @throws the reason of `options.signal`
 */
export async function writeZip(
  zipFile: string,
  files: readonly { name: string; path: string; isPacked?: boolean }[],
  {
    signal,
    form = plainForm,
    wideFrom = bytesMax,
  }: { signal?: AbortSignal | undefined; form?: Form | undefined; wideFrom?: number } = {},
): Promise<void> {
  const out = await form.place(zipFile);
  try {
    const members: Member[] = [];
    let at = 0;
    for (const { name, path, isPacked = false } of files) {
      const isLarge = (await stat(path)).size >= wideFrom - largerBy;
      const isFar = at >= wideFrom;
      const pieces = isPacked ? form.readPlaced(path) : form.read(path);
      const member = await writeMember(out, at, { name, pieces, isPacked, isLarge, isFar }, signal);
      members.push(member);
      at += headOf(member).length + member.packedBytes;
    }
    const list = Buffer.concat(members.map(listed));
    await out.write(Buffer.concat([list, endOf(members.length, list.length, at, at >= wideFrom)]), at);
    await out.end();
  } finally {
    await out.close();
  }
}

async function writeMember(
  out: PlacedFile,
  at: number,
  {
    pieces,
    isPacked,
    ...known
  }: Pick<Member, 'name' | 'isLarge' | 'isFar'> & { pieces: AsyncIterable<Buffer>; isPacked: boolean },
  signal: AbortSignal | undefined,
): Promise<Member> {
  const member: Member = { ...known, at, method: isPacked ? 0 : 8, crc: 0, bytes: 0, packedBytes: 0 };
  const content = at + headOf(member).length;
  async function* counted() {
    for await (const piece of pieces) {
      signal?.throwIfAborted();
      member.crc = crc32(piece, member.crc);
      member.bytes += piece.length;
      yield piece;
    }
  }
  for await (const piece of isPacked ? counted() : deflated(counted())) {
    await out.write(piece, content + member.packedBytes);
    member.packedBytes += piece.length;
  }
  // Sizes are known when the content is written; the header before it has kept its place.
  await out.write(headOf(member), at);
  return member;
}

/** What stands before the content. */
function headOf(member: Member): Buffer {
  const extra = member.isLarge ? extension([member.bytes, member.packedBytes]) : Buffer.alloc(0);
  return Buffer.concat([signed('PK\x03\x04'), fieldsOf(member, extra.length), Buffer.from(member.name), extra]);
}

function deflated(pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const source = Readable.from(pieces);
  const packed = createDeflateRaw();
  source.once('error', (error) => packed.destroy(error));
  return source.pipe(packed);
}

/** What the header before the content and the list at the end both say: 26 bytes. */
function fieldsOf({ name, isLarge, method, crc, bytes, packedBytes }: Member, extraBytes: number): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(extraBytes === 0 ? 20 : 45, 0);
  // Bit 11: names are UTF-8.
  fields.writeUInt16LE(0x800, 2);
  fields.writeUInt16LE(method, 4);
  // 1 January 1980, the first day that the format knows.
  fields.writeUInt16LE(0x21, 8);
  fields.writeUInt32LE(crc, 10);
  fields.writeUInt32LE(isLarge ? bytesMax : packedBytes, 14);
  fields.writeUInt32LE(isLarge ? bytesMax : bytes, 18);
  fields.writeUInt16LE(Buffer.byteLength(name), 22);
  fields.writeUInt16LE(extraBytes, 24);
  return fields;
}

function listed(member: Member): Buffer {
  const wide = [...(member.isLarge ? [member.bytes, member.packedBytes] : []), ...(member.isFar ? [member.at] : [])];
  const extra = wide.length === 0 ? Buffer.alloc(0) : extension(wide);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(member.isFar ? bytesMax : member.at, 10);
  const version = Buffer.from([extra.length === 0 ? 20 : 45, 0]);
  const fields = fieldsOf(member, extra.length);
  return Buffer.concat([signed('PK\x01\x02'), version, fields, rest, Buffer.from(member.name), extra]);
}

/** The extra field of the 64-bit extension (4.5.3): what did not fit, in the order of the header. */
function extension(numbers: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * numbers.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * numbers.length, 2);
  for (const [index, number] of numbers.entries()) field.writeBigUInt64LE(BigInt(number), 4 + 8 * index);
  return field;
}

/** What stands behind the list: how many members it has, its length, and where it begins. */
function endOf(count: number, listBytes: number, at: number, isFar: boolean): Buffer {
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  for (const place of [8, 10]) end.writeUInt16LE(Math.min(count, membersMax), place);
  end.writeUInt32LE(Math.min(listBytes, bytesMax), 12);
  end.writeUInt32LE(isFar ? bytesMax : at, 16);
  if (count < membersMax && !isFar) return end;
  const wide = Buffer.alloc(56);
  wide.write('PK\x06\x06', 'latin1');
  wide.writeBigUInt64LE(44n, 4);
  for (const place of [12, 14]) wide.writeUInt16LE(45, place);
  for (const place of [24, 32]) wide.writeBigUInt64LE(BigInt(count), place);
  wide.writeBigUInt64LE(BigInt(listBytes), 40);
  wide.writeBigUInt64LE(BigInt(at), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(at + listBytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([wide, locator, end]);
}

function signed(mark: string): Buffer {
  return Buffer.from(mark, 'latin1');
}
