import { createCipheriv, createDecipheriv } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import type { Random } from '../../platform/random.ts';

/** Each part is sealed by itself, so that neither sealing nor opening holds more than one of them. */
const partBytes = 1 << 20;
const nonceBytes = 12;
const tagBytes = 16;
const sealedBytes = nonceBytes + partBytes + tagBytes;

/** A part opens in its place only, and the last one says that it is the last: a file that was cut or mixed is refused. */
const placeOf = (id: number, part: number, isLast: boolean) =>
  Buffer.from(`organisation archive ${id}:${part}:${isLast ? 'last' : 'more'}`);

interface Sealed {
  id: number;
  key: Buffer;
}

/** Seals a file into `out`, which appears when it is whole. */
export async function sealFile(
  plain: string,
  out: string,
  { id, key }: Sealed,
  { random, signal }: { random: Random; signal: AbortSignal },
): Promise<void> {
  const { size } = await stat(plain);
  const parts = Math.max(1, Math.ceil(size / partBytes));
  const unfinished = `${out}.sealing`;
  const file = await open(unfinished, 'w', 0o600);
  try {
    let part = 0;
    for await (const bytes of partsOf(plain, partBytes)) {
      signal.throwIfAborted();
      const nonce = random.bytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(placeOf(id, part, part === parts - 1));
      await file.write(Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]));
      part += 1;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, out);
}

/** @throws when it is not the file that was sealed, or not whole */
export async function* openedFile(path: string, { id, key }: Sealed): AsyncGenerator<Buffer> {
  const { size } = await stat(path);
  const parts = Math.ceil(size / sealedBytes);
  let part = 0;
  for await (const sealed of partsOf(path, sealedBytes)) {
    const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
    cipher.setAAD(placeOf(id, part, part === parts - 1));
    cipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
    yield Buffer.concat([cipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes)), cipher.final()]);
    part += 1;
  }
}

/** The bytes of a file in pieces of one length; the last one may be shorter. */
async function* partsOf(path: string, bytes: number): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let length = 0;
  for await (const piece of createReadStream(path, { highWaterMark: partBytes }) as AsyncIterable<Buffer>) {
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
