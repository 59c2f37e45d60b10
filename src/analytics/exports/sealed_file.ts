import { createCipheriv, createDecipheriv } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { byteStream } from '../../platform/byte_stream.ts';
import type { Random } from '../../platform/random.ts';
import type { Form } from './form.ts';

/** Each part is sealed by itself, so that neither sealing nor opening holds more than one of them. */
const partBytes = 1 << 20;
const nonceBytes = 12;
const tagBytes = 16;
const sealedBytes = nonceBytes + partBytes + tagBytes;

/** A part opens in its place only, and the last one says that it is the last: a file that was cut or mixed is refused. */
const placeOf = ({ of, id }: Sealed, part: number, isLast: boolean) =>
  Buffer.from(`${of} ${id}:${part}:${isLast ? 'last' : 'more'}`);

/** A file that somebody takes away, with its number and its own key. */
export interface Sealed {
  of: 'organisation archive' | 'export';
  id: number;
  key: Buffer;
}

/**
 * What exports and archives are written in: sealed under its own key from the first byte, so that a kill at any moment leaves nothing
 * on the disk that says something without that key.
 */
export function sealedForm(file: Sealed, random: Random): Form {
  const { of, id, key } = file;
  const growing = Buffer.from(`${of} ${id}: a growing file`);

  function seal(bytes: Buffer, place: Buffer): Buffer {
    const nonce = random.bytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(place);
    return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }
  async function* records(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const stream = byteStream(pieces);
    for (;;) {
      const length = await stream.take(4);
      if (length === undefined) return;
      const sealed = await stream.take(length.readUInt32BE());
      if (sealed === undefined) throw new Error(`A file of ${of} ${id} ends within a piece of it.`);
      yield unsealed(sealed, key, growing);
    }
  }

  return {
    kept(text) {
      const sealed = seal(Buffer.from(text), growing);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(sealed.length);
      return Buffer.concat([length, sealed]);
    },
    opened: (bytes) => unsealed(bytes.subarray(4), key, growing),
    read: (path) => records(createReadStream(path)),
    readPlaced: (path) => openedFile(path, file),
    scratchKey: () => random.bytes(32),

    async place(path) {
      const handle = await open(path, 'w+', 0o600);
      /** The last part, until there is one behind it: a header before it is written when what it heads is. */
      const last = Buffer.alloc(partBytes);
      let number = 0;
      let length = 0;
      const put = async (part: number, bytes: Buffer, isLast: boolean) =>
        void (await handle.write(seal(bytes, placeOf(file, part, isLast)), 0, undefined, part * sealedBytes));
      async function patch(part: number, from: number, bytes: Buffer) {
        const sealed = Buffer.alloc(sealedBytes);
        await handle.read(sealed, 0, sealedBytes, part * sealedBytes);
        const plain = unsealed(sealed, key, placeOf(file, part, false));
        bytes.copy(plain, from);
        await put(part, plain, false);
      }
      return {
        async write(bytes, at) {
          for (let done = 0; done < bytes.length; ) {
            const part = Math.floor((at + done) / partBytes);
            const from = (at + done) % partBytes;
            const some = bytes.subarray(done, done + partBytes - from);
            for (; number < part; number++) {
              await put(number, last, false);
              last.fill(0);
              length = 0;
            }
            if (part < number) await patch(part, from, some);
            else {
              some.copy(last, from);
              length = Math.max(length, from + some.length);
            }
            done += some.length;
          }
        },
        async end() {
          await put(number, last.subarray(0, length), true);
          await handle.sync();
        },
        close: () => handle.close(),
      };
    },
  };
}

function unsealed(sealed: Buffer, key: Buffer, place: Buffer): Buffer {
  const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
  cipher.setAAD(place);
  cipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  return Buffer.concat([cipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes)), cipher.final()]);
}

/** How many bytes a placed file of so many says. */
export function openedBytes(stored: number): number {
  return stored - Math.ceil(stored / sealedBytes) * (nonceBytes + tagBytes);
}

/**
 * What a placed file says, or the bytes of it from `from` to `to`, both included.
 * @throws when it is not the file that was sealed, or not whole
 */
export async function* openedFile(
  path: string,
  file: Sealed,
  { from, to }: { from: number; to: number } = { from: 0, to: Number.MAX_SAFE_INTEGER },
): AsyncGenerator<Buffer> {
  const { size } = await stat(path);
  const parts = Math.ceil(size / sealedBytes);
  if (parts === 0) throw new Error(`The file of ${file.of} ${file.id} is empty.`);
  let part = Math.floor(from / partBytes);
  const last = Math.min(parts - 1, Math.floor(to / partBytes));
  const stored = { start: part * sealedBytes, end: (last + 1) * sealedBytes - 1 };
  for await (const sealed of partsOf(path, sealedBytes, stored)) {
    const plain = unsealed(sealed, file.key, placeOf(file, part, part === parts - 1));
    const begins = part * partBytes;
    yield plain.subarray(Math.max(0, from - begins), Math.min(plain.length, to - begins + 1));
    part += 1;
  }
}

/** The bytes of a file in pieces of one length; the last one may be shorter. */
async function* partsOf(
  path: string,
  bytes: number,
  { start, end }: { start: number; end: number },
): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let length = 0;
  const stream = createReadStream(path, { start, end, highWaterMark: partBytes });
  for await (const piece of stream as AsyncIterable<Buffer>) {
    waiting.push(piece);
    length += piece.length;
    while (length >= bytes) {
      const all = Buffer.concat(waiting);
      yield all.subarray(0, bytes);
      waiting = [all.subarray(bytes)];
      length -= bytes;
    }
  }
  if (length > 0) yield Buffer.concat(waiting);
}
