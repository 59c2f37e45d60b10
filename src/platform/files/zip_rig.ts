import { crc32, deflateRawSync } from 'node:zlib';

/** A member of an archive that a test makes, with whatever is wrong about it. */
export interface Packed {
  name: string;
  text: string | Buffer;
  /** 0 = as it is, 8 = deflated (the default). */
  method?: 0 | 8;
  /** What the archive says instead of the truth. */
  says?: { crc?: number; bytes?: number; compressedBytes?: number; at?: number; flags?: number; method?: number };
}

/** An archive as APPNOTE.TXT describes it, written from that and not from the reader. For tests. */
export function zipOf(members: readonly Packed[], comment = ''): Buffer {
  const parts: Buffer[] = [];
  const list: Buffer[] = [];
  let at = 0;
  for (const { name, text, method = 8, says = {} } of members) {
    const bytes = Buffer.from(text as string);
    const packed = method === 8 ? deflateRawSync(bytes) : bytes;
    const label = Buffer.from(name);
    const fields = Buffer.alloc(22);
    fields.writeUInt16LE(says.flags ?? 0x800, 0);
    fields.writeUInt16LE(says.method ?? method, 2);
    fields.writeUInt32LE(says.crc ?? crc32(bytes), 8);
    fields.writeUInt32LE(says.compressedBytes ?? packed.length, 12);
    fields.writeUInt32LE(says.bytes ?? bytes.length, 16);
    fields.writeUInt16LE(label.length, 20);
    parts.push(Buffer.from('PK\x03\x04\x14\x00', 'latin1'), fields, Buffer.alloc(2), label, packed);
    const rest = Buffer.alloc(16);
    rest.writeUInt32LE(says.at ?? at, 12);
    list.push(Buffer.from('PK\x01\x02\x14\x00\x14\x00', 'latin1'), fields, rest.subarray(0, 16), label);
    at += 30 + label.length + packed.length;
  }
  const listed = Buffer.concat(list);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(Buffer.byteLength(comment), 20);
  return Buffer.concat([...parts, listed, end, Buffer.from(comment)]);
}

export async function* piecesOf(bytes: Buffer, size = 64 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
