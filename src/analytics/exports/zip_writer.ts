import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { crc32, createDeflateRaw } from 'node:zlib';
import { RequestError } from '../../platform/http/route.ts';

/** Sizes and places in a ZIP without its 64-bit extension are numbers of 32 bits. */
const bytesMax = 0xffff_ffff;

interface Member {
  name: string;
  at: number;
  /** 8 = deflated, 0 = as it is. */
  method: 0 | 8;
  crc: number;
  bytes: number;
  packedBytes: number;
}

/**
 * Packs files into a ZIP (APPNOTE.TXT 4.3), one after another and without holding one in memory. Its times are all the
 * same, so that the same content gives the same bytes. What is packed already goes in as it is.
 *
 * @throws the reason of `signal`, and RequestError when a file or the archive is too large for its format
 */
export async function writeZip(
  zipFile: string,
  files: readonly { name: string; path: string; isPacked?: boolean }[],
  signal?: AbortSignal,
): Promise<void> {
  const out = await open(zipFile, 'w', 0o600);
  try {
    const members: Member[] = [];
    let at = 0;
    for (const { name, path, isPacked = false } of files) {
      if ((await stat(path)).size > bytesMax) throw tooLarge();
      const member = await writeMember(out, at, { name, path, isPacked }, signal);
      members.push(member);
      at += 30 + Buffer.byteLength(name) + member.packedBytes;
      if (at > bytesMax) throw tooLarge();
    }
    const list = Buffer.concat(members.map(listed));
    if (at + list.length > bytesMax) throw tooLarge();
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x0605_4b50, 0);
    end.writeUInt16LE(members.length, 8);
    end.writeUInt16LE(members.length, 10);
    end.writeUInt32LE(list.length, 12);
    end.writeUInt32LE(at, 16);
    await out.write(Buffer.concat([list, end]), 0, undefined, at);
    await out.sync();
  } finally {
    await out.close();
  }
}

async function writeMember(
  out: FileHandle,
  at: number,
  { name, path, isPacked }: { name: string; path: string; isPacked: boolean },
  signal: AbortSignal | undefined,
): Promise<Member> {
  const member: Member = { name, at, method: isPacked ? 0 : 8, crc: 0, bytes: 0, packedBytes: 0 };
  const content = at + 30 + Buffer.byteLength(name);
  async function* counted() {
    for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      member.crc = crc32(piece, member.crc);
      member.bytes += piece.length;
      yield piece;
    }
  }
  for await (const piece of isPacked ? counted() : deflated(counted())) {
    await out.write(piece, 0, undefined, content + member.packedBytes);
    member.packedBytes += piece.length;
  }
  // Sizes are known when the content is written; the header before it has kept its place.
  const head = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fieldsOf(member), Buffer.from(name)]);
  await out.write(head, 0, undefined, at);
  return member;
}

function deflated(pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const source = Readable.from(pieces);
  const packed = createDeflateRaw();
  source.once('error', (error) => packed.destroy(error));
  return source.pipe(packed);
}

/** What the header before the content and the list at the end both say: 26 bytes. */
function fieldsOf({ name, method, crc, bytes, packedBytes }: Member): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  // Bit 11: names are UTF-8.
  fields.writeUInt16LE(0x800, 2);
  fields.writeUInt16LE(method, 4);
  // 1 January 1980, the first day that the format knows.
  fields.writeUInt16LE(0x21, 8);
  fields.writeUInt32LE(crc, 10);
  fields.writeUInt32LE(packedBytes, 14);
  fields.writeUInt32LE(bytes, 18);
  fields.writeUInt16LE(Buffer.byteLength(name), 22);
  return fields;
}

function listed(member: Member): Buffer {
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(member.at, 10);
  return Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fieldsOf(member), rest, Buffer.from(member.name)]);
}

function tooLarge(): RequestError {
  return new RequestError(
    'bad_request',
    'The export would be larger than 4 GiB: export a shorter time with --from and --to.',
  );
}
