import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { Random } from '../../platform/random.ts';
import { BackupError } from './backup_error.ts';

/** Crockford's letters: none that is mistaken for another when it is copied from paper by hand. */
const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const keyBytes = 32;
/** Bytes of a digest behind the key: one letter that was copied wrongly is found with a chance of 1 − 2^-24. */
const checkBytes = 3;
const groupLetters = 4;

/** What stands in front of 32 bytes in the DER forms of X25519 keys (RFC 8410). */
const privateHead = Buffer.from('302e020100300506032b656e04220420', 'hex');
const publicHead = Buffer.from('302a300506032b656e032100', 'hex');

/** The owner's half opens backups; the desk keeps the other half, which only seals. */
export interface RecoveryPair {
  /** 56 letters and digits in groups of four. Shown once and kept nowhere. */
  text: string;
  /** 32 bytes. */
  publicKey: Buffer;
}

/** A new recovery key: an X25519 key, written in base 32 with a check at its end. */
export function makeRecoveryKey(random: Random): RecoveryPair {
  const bytes = random.bytes(keyBytes);
  return { text: written(bytes), publicKey: publicOf(privateFrom(bytes)) };
}

/** @throws BackupError when it was copied wrongly, with what to do */
export function readRecoveryKey(text: string): KeyObject {
  const typed = text.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  const bytes = decode(typed);
  const key = bytes?.subarray(0, keyBytes);
  if (bytes === undefined || key === undefined || !checkOf(key).equals(bytes.subarray(keyBytes)))
    throw new BackupError(
      'This is no recovery key, or a letter of it was copied wrongly: its check does not fit. Compare it with what was written down; it has 14 groups of four.',
    );
  return privateFrom(key);
}

export function publicOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(publicHead.length);
}

export function publicFrom(bytes: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([publicHead, bytes]), format: 'der', type: 'spki' });
}

function privateFrom(bytes: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([privateHead, bytes]), format: 'der', type: 'pkcs8' });
}

/** Tells one key from another on a page: eight hex digits of a digest of its public half. */
export function nameOfKey(publicKey: Buffer): string {
  return createHash('sha256').update(publicKey).digest('hex').slice(0, 8);
}

function checkOf(key: Buffer): Buffer {
  return createHash('sha256').update('fairlead/recovery').update(key).digest().subarray(0, checkBytes);
}

/** 35 bytes are 280 bits, which are 56 letters of five bits each. */
function written(key: Buffer): string {
  const bits = BigInt(`0x${Buffer.concat([key, checkOf(key)]).toString('hex')}`);
  const count = ((keyBytes + checkBytes) * 8) / 5;
  const text = Array.from({ length: count }, (_, i) => letters[Number((bits >> BigInt((count - 1 - i) * 5)) & 31n)]);
  return (text.join('').match(new RegExp(`.{${groupLetters}}`, 'g')) as string[]).join('-');
}

function decode(text: string): Buffer | undefined {
  const count = ((keyBytes + checkBytes) * 8) / 5;
  if (text.length !== count) return undefined;
  let bits = 0n;
  for (const letter of text) {
    const at = letters.indexOf(letter);
    if (at < 0) return undefined;
    bits = (bits << 5n) | BigInt(at);
  }
  return Buffer.from(bits.toString(16).padStart((keyBytes + checkBytes) * 2, '0'), 'hex');
}
