import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { type Owner, type Place, VaultError } from '../../platform/vault.ts';

/** What every ciphertext begins with; another form gets another mark. */
const mark = Buffer.from('v1');
export const keyIdBytes = 8;
export const nonceBytes = 12;
/** Enforced both ways: without `authTagLength` Node takes a tag of four bytes, which is guessed in hours. */
const tagBytes = 16;
const headBytes = mark.length + keyIdBytes + nonceBytes;

/**
 * A key as it is used: 32 bytes, and the id that its ciphertexts carry. As an object of Node's, since from bytes Node makes
 * one anew for each message, which took three times what the encryption takes.
 */
export interface LiveKey {
  id: Buffer;
  key: KeyObject;
}
export function liveKey(id: Buffer, bytes: Buffer): LiveKey {
  return { id, key: createSecretKey(bytes) };
}

/**
 * AES-256-GCM under a fresh 96-bit nonce: `v1`, key id (8), nonce (12), ciphertext, tag (16). The place and the key id are
 * additional data, so the result opens for the same row, column, class and organisation only (CRY-01).
 */
export function sealFor(place: Place, { id, key }: LiveKey, plain: Buffer, nonce: Buffer): Buffer {
  return encrypt(key, nonce, boundTo(place, id), plain, [mark, id]);
}

/** @throws VaultError not-authentic, when any bit of it, of its place or of the key is another */
export function openFor(place: Place, { id, key }: LiveKey, sealed: Buffer): Buffer {
  const plain = decrypt(key, boundTo(place, id), sealed.subarray(mark.length + keyIdBytes));
  if (plain !== undefined) return plain;
  throw new VaultError(
    'not-authentic',
    `This value of ${place.table}.${place.column} was sealed for another row, or was changed.`,
  );
}

/** Which key a ciphertext was sealed under. @throws VaultError not-sealed */
export function keyIdOf(sealed: Buffer): Buffer {
  if (sealed.length < headBytes + tagBytes || sealed[0] !== mark[0] || sealed[1] !== mark[1])
    throw new VaultError(
      'not-sealed',
      'This is no sealed value, or one of a version that this Fairlead does not know.',
    );
  return sealed.subarray(mark.length, mark.length + keyIdBytes);
}

/** Seals a key under the one above it. `what` is `dek` for a key of an organisation, `subject` for one of a subject. */
export function wrap(
  key: Buffer,
  under: KeyObject | Buffer,
  bound: readonly (string | Buffer)[],
  nonce: Buffer,
): Buffer {
  return encrypt(under, nonce, framed(bound), key);
}

export function unwrap(wrapped: Buffer, under: KeyObject | Buffer, bound: readonly (string | Buffer)[]): Buffer {
  const key = decrypt(under, framed(bound), wrapped);
  if (key !== undefined) return key;
  throw new VaultError('not-authentic', 'A key in the key store was changed, or belongs to another organisation.');
}

export function dataKeyBound(owner: Owner, id: Buffer): (string | Buffer)[] {
  return ['dek', String(owner), id];
}

export function subjectKeyBound(owner: Owner, id: Buffer, subject: Buffer): (string | Buffer)[] {
  return ['subject', String(owner), id, subject];
}

function boundTo(place: Place, keyId: Buffer): Buffer {
  return framed([String(place.organisationId), place.table, place.column, String(place.row), place.class, keyId]);
}

/** Each part with its length in front: `a`, `bc` and `ab`, `c` are not the same. */
export function framed(parts: readonly (string | Buffer)[]): Buffer {
  let bytes = 0;
  for (const part of parts) bytes += 4 + (typeof part === 'string' ? Buffer.byteLength(part) : part.length);
  const whole = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const part of parts) {
    const length = typeof part === 'string' ? whole.write(part, at + 4) : part.copy(whole, at + 4);
    whole.writeUInt32BE(length, at);
    at += 4 + length;
  }
  return whole;
}

const noHead: readonly Buffer[] = [];
const encrypting = { authTagLength: tagBytes } as const;

/** @param head stands in front of the nonce, and is not bound by this */
function encrypt(
  key: KeyObject | Buffer,
  nonce: Buffer,
  bound: Buffer,
  plain: Buffer,
  head: readonly Buffer[] = noHead,
): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, encrypting);
  cipher.setAAD(bound);
  // GCM gives all that was put in at once, and nothing at its end.
  const secret = cipher.update(plain);
  cipher.final();
  return Buffer.concat([...head, nonce, secret, cipher.getAuthTag()]);
}

function decrypt(key: KeyObject | Buffer, bound: Buffer, sealed: Buffer): Buffer | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined;
  const end = sealed.length - tagBytes;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(bound);
  decipher.setAuthTag(sealed.subarray(end));
  try {
    // GCM gives all that was put in at once; what comes at the end is whether it is genuine.
    const plain = decipher.update(sealed.subarray(nonceBytes, end));
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}
