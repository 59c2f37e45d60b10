import { type Duplex, pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type ArchiveLimits, archiveLimits } from './limits.ts';
import { refused } from './refused.ts';

/** Counts what goes into and comes out of a decompressor, for one file or for all members of an archive. */
export interface Expansion {
  /** Bytes out so far, over everything that this has counted. */
  readonly bytes: number;
  /**
   * Passes the pieces on. @throws RequestError where one of the limits is met
   * @param bytesIn what the pieces so far were made of, not what has been read ahead: a bomb is one from its first bytes
   */
  watch(pieces: AsyncIterable<Buffer>, bytesIn: () => number, name: string): AsyncGenerator<Buffer>;
}

export function openExpansion(
  limits: Pick<ArchiveLimits, 'expandedBytesMax' | 'ratioMax' | 'ratioFromBytes'> = archiveLimits,
): Expansion {
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    async *watch(pieces, bytesIn, name) {
      let own = 0;
      for await (const piece of pieces) {
        bytes += piece.length;
        own += piece.length;
        if (bytes > limits.expandedBytesMax)
          throw refused(`The file expands to more than ${limits.expandedBytesMax} bytes: import it in parts.`);
        refuseRatio(own, bytesIn(), name, limits);
        yield piece;
      }
    },
  };
}

/** @throws RequestError when so many bytes come of so few */
export function refuseRatio(
  bytesOut: number,
  bytesIn: number,
  name: string,
  limits: Pick<ArchiveLimits, 'ratioMax' | 'ratioFromBytes'>,
): void {
  if (bytesOut > limits.ratioFromBytes && bytesOut > bytesIn * limits.ratioMax)
    throw refused(
      `${name} expands to more than ${limits.ratioMax} times its size, as no table does: import it unpacked if it is one.`,
    );
}

/** Read as text they would be lines that have no format, which is no help. */
const otherPackers = [
  { name: 'ZIP', begins: Buffer.from('PK\x03\x04', 'latin1') },
  { name: 'bzip2', begins: Buffer.from('BZh', 'latin1') },
  { name: 'xz', begins: Buffer.from('\xfd7zXZ\x00', 'latin1') },
  { name: 'zstd', begins: Buffer.from('\x28\xb5\x2f\xfd', 'latin1') },
];

/** Bytes of a file as they are, or what they expand to when they are gzip. @throws RequestError on a bomb or damage */
export async function* expanded(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const pieces = bytes[Symbol.asyncIterator]();
  const first = await pieces.next();
  if (first.done === true) return;
  const packed = otherPackers.find(({ begins }) => first.value.subarray(0, begins.length).equals(begins));
  if (packed !== undefined) throw refused(`The file is packed by ${packed.name}: unpack it, or pack it as gzip.`);
  const isGzip = first.value.length > 2 && first.value[0] === 0x1f && first.value[1] === 0x8b;
  async function* all() {
    for (let next: IteratorResult<Buffer> = first; next.done !== true; next = await pieces.next()) yield next.value;
  }
  if (!isGzip) return yield* all();
  const gunzip = createGunzip();
  try {
    yield* openExpansion().watch(through(all(), gunzip), () => gunzip.bytesWritten, 'The file');
  } catch (error) {
    throw String((error as { code?: unknown }).code ?? '').startsWith('Z_')
      ? refused('The file is damaged gzip: copy it again.')
      : error;
  }
}

/** What comes out of a decompressor. Whoever stops reading ends it and its source with it. */
export function through(pieces: AsyncIterable<Buffer>, decompressor: Duplex): AsyncIterable<Buffer> {
  // Its errors come out of the iteration; the callback only keeps them from being thrown at nobody.
  return pipeline(Readable.from(pieces), decompressor, () => {});
}
