import { inflateRawSync } from 'node:zlib';

/** The text of one file of an archive. */
export function member(archive: Buffer, wanted: string): string {
  for (let at = archive.readUInt32LE(archive.length - 6); archive.readUInt32LE(at) === 0x0201_4b50; ) {
    const nameBytes = archive.readUInt16LE(at + 28);
    const head = archive.readUInt32LE(at + 42);
    if (archive.toString('utf8', at + 46, at + 46 + nameBytes) === wanted)
      return inflateRawSync(
        archive.subarray(head + 30 + nameBytes, head + 30 + nameBytes + archive.readUInt32LE(at + 20)),
      ).toString();
    at += 46 + nameBytes;
  }
  throw new Error(`The archive has no ${wanted}.`);
}
