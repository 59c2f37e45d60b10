import {
  createCipheriv,
  createDecipheriv,
  createHash,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { byteStream } from '../../platform/byte_stream.ts';
import { BackupError } from './backup_error.ts';
import { publicFrom, publicOf } from './recovery_key.ts';

/**
 * A file sealed for one recovery key. Head: mark, name of the recovery key's public half (32), a public half made for this
 * file (32). Then chunks of 1 MiB and one shorter last one, each AES-256-GCM under a key that both halves agree on
 * (X25519, HKDF-SHA-256), with its number and "this is the last" in the nonce and the head as additional data: a chunk that
 * is missing, changed, moved or of another file does not open, and a file that ends early has no last chunk
 * (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
 * In the chunks stand entries: length of the name (4), name, length of the body (8), body.
 */
const mark = Buffer.from('fairlead-backup-1\n');
const publicBytes = 32;
const headBytes = mark.length + 2 * publicBytes;
const chunkBytes = 1024 * 1024;
const tagBytes = 16;
const nameBytesMax = 4096;

export interface SealedWriter {
  /** Adds an entry. `size` is the length of the body; one that turns out another is refused. */
  add(name: string, size: number, body: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void>;
  /** Writes the last chunk; all of it is on the disk when it resolves. @returns bytes of the file and their SHA-256 */
  end(): Promise<{ bytes: number; digest: string }>;
  /** Opens the file again, with the key that is at hand until the writer is forgotten, and reads every entry. */
  readBack(): AsyncGenerator<SealedEntry>;
  /** After an error: closes the file, which stays as it is. */
  abandon(): Promise<void>;
}

export interface SealedEntry {
  name: string;
  size: number;
  /** To be read to its end before the next entry is asked for; what is left is passed over. */
  body: AsyncGenerator<Buffer>;
}

/** @param file is made, 0600, and must not be there yet */
export async function openSealedWriter(file: string, recipient: Buffer): Promise<SealedWriter> {
  const own = generateKeyPairSync('x25519');
  const head = Buffer.concat([mark, recipient, publicOf(own.privateKey)]);
  const key = keyOf(diffieHellman({ privateKey: own.privateKey, publicKey: publicFrom(recipient) }), head);
  const handle = await open(file, 'wx', 0o600);
  const digest = createHash('sha256');
  let bytes = 0;
  let number = 0;
  let held: Buffer[] = [];
  let heldBytes = 0;

  async function put(part: Buffer): Promise<void> {
    digest.update(part);
    await handle.appendFile(part);
    bytes += part.length;
  }
  async function chunk(plain: Buffer, isLast: boolean): Promise<void> {
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number++, isLast), { authTagLength: tagBytes });
    cipher.setAAD(head);
    await put(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
  }
  async function push(part: Buffer): Promise<void> {
    held.push(part);
    heldBytes += part.length;
    if (heldBytes < chunkBytes) return;
    let all = Buffer.concat(held);
    for (; all.length >= chunkBytes; all = all.subarray(chunkBytes)) await chunk(all.subarray(0, chunkBytes), false);
    held = [all];
    heldBytes = all.length;
  }

  await put(head);
  return {
    async add(name, size, body) {
      const nameBytes = Buffer.from(name);
      const front = Buffer.alloc(12);
      front.writeUInt32BE(nameBytes.length);
      front.writeBigUInt64BE(BigInt(size), 4);
      await push(Buffer.concat([front.subarray(0, 4), nameBytes, front.subarray(4)]));
      let came = 0;
      for await (const part of body) {
        came += part.length;
        await push(part);
      }
      if (came !== size) throw new Error(`The backup's entry ${name} was to have ${size} bytes and had ${came}.`);
    },
    async end() {
      await chunk(Buffer.concat(held), true);
      await handle.sync();
      await handle.close();
      return { bytes, digest: digest.digest('hex') };
    },
    readBack: () => readEntries(file, (found) => (found.equals(head) ? key : undefined)),
    abandon: () => handle.close().catch(() => {}),
  };
}

/**
 * Reads a sealed file to its end.
 * @throws BackupError when it is none of ours, was sealed for another recovery key, or is damaged or cut
 */
export function openSealed(file: string, recovery: KeyObject): AsyncGenerator<SealedEntry> {
  const own = publicOf(recovery);
  return readEntries(file, (head) => {
    if (!head.subarray(mark.length, mark.length + publicBytes).equals(own)) return undefined;
    const other = publicFrom(head.subarray(mark.length + publicBytes));
    return keyOf(diffieHellman({ privateKey: recovery, publicKey: other }), head);
  });
}

async function* readEntries(file: string, findKey: (head: Buffer) => Buffer | undefined): AsyncGenerator<SealedEntry> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new BackupError(`The backup ${file} cannot be read (${error.code}). Look at its path and whose it is.`);
  });
  try {
    const plain = byteStream(chunksOf(file, handle, findKey));
    for (;;) {
      const front = await plain.take(4);
      if (front === undefined) return;
      const length = front.readUInt32BE();
      if (length > nameBytesMax) throw damaged(file);
      const name = ((await plain.take(length)) ?? fail(file)).toString('utf8');
      const size = Number(((await plain.take(8)) ?? fail(file)).readBigUInt64BE());
      let left = size;
      const body = async function* () {
        while (left > 0) {
          const part = (await plain.some(left)) ?? fail(file);
          left -= part.length;
          yield part;
        }
      };
      yield { name, size, body: body() };
      while (left > 0) left -= ((await plain.some(left)) ?? fail(file)).length;
    }
  } finally {
    await handle.close();
  }
}

async function* chunksOf(
  file: string,
  handle: FileHandle,
  findKey: (head: Buffer) => Buffer | undefined,
): AsyncGenerator<Buffer> {
  const head = await readFully(handle, headBytes);
  if (head.length < headBytes || !head.subarray(0, mark.length).equals(mark)) {
    const newer = /^fairlead-backup-\d+\n/.test(head.toString('latin1'));
    throw new BackupError(
      newer
        ? `The backup ${file} is of a form that this Fairlead does not know: a newer version made it. Restore with that version. Nothing was changed.`
        : `The file ${file} is no backup of Fairlead, or its beginning is damaged. Name the file of a backup. Nothing was changed.`,
    );
  }
  const key = findKey(head);
  if (key === undefined)
    throw new BackupError(
      `The backup ${file} was sealed for another recovery key. Use the key that was shown when it was made, or a backup of this one. Nothing was changed.`,
    );
  let next = await readFully(handle, chunkBytes + tagBytes);
  for (let number = 0; ; number++) {
    const sealed = next;
    next = sealed.length === chunkBytes + tagBytes ? await readFully(handle, chunkBytes + tagBytes) : Buffer.alloc(0);
    const isLast = next.length === 0;
    if (sealed.length < tagBytes) throw damaged(file);
    const end = sealed.length - tagBytes;
    const cipher = createDecipheriv('aes-256-gcm', key, nonceOf(number, isLast), { authTagLength: tagBytes });
    cipher.setAAD(head);
    cipher.setAuthTag(sealed.subarray(end));
    let plain: Buffer;
    try {
      plain = Buffer.concat([cipher.update(sealed.subarray(0, end)), cipher.final()]);
    } catch {
      throw damaged(file);
    }
    yield plain;
    if (isLast) return;
  }
}

function damaged(file: string): BackupError {
  return new BackupError(
    `The backup ${file} is damaged or was cut off: what it holds is not what was written. Use another backup. Nothing was changed.`,
  );
}
function fail(file: string): never {
  throw damaged(file);
}

function keyOf(shared: Buffer, head: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', shared, head, 'fairlead/1/backup', 32));
}

function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(number), 3);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

async function readFully(handle: FileHandle, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let have = 0;
  while (have < length) {
    const { bytesRead } = await handle.read(buffer, have, length - have);
    if (bytesRead === 0) break;
    have += bytesRead;
  }
  return buffer.subarray(0, have);
}
