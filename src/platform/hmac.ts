import { hash } from 'node:crypto';

const blockBytes = 64;
const digestBytes = 32;
/** Values that fit are put behind the key in one piece of memory; longer ones in one of their own. */
const shortMax = 1_024;

/**
 * HMAC-SHA-256 (RFC 2104) under one key, for whoever makes many digests of short values: twice `hash`, whose answer is a
 * string, takes a third of what an object of `createHmac` does (0.7 µs, 2.3 µs), and a conversion has four of them.
 * @param key at most 64 bytes; a longer one would have to be hashed first, and there is none
 * @returns 32 bytes for each value; of a text, of its UTF-8
 */
export function openHmac(key: Uint8Array): (value: string | Uint8Array) => Buffer {
  if (key.length > blockBytes) throw new RangeError(`A key of ${key.length} bytes is longer than a block of SHA-256.`);
  const inner = Buffer.alloc(blockBytes + shortMax, 0);
  const outer = Buffer.alloc(blockBytes + digestBytes, 0);
  for (let at = 0; at < blockBytes; at++) {
    inner[at] = (key[at] ?? 0) ^ 0x36;
    outer[at] = (key[at] ?? 0) ^ 0x5c;
  }
  return (value) => {
    // A UTF-16 unit is at most three bytes of UTF-8.
    const mostBytes = typeof value === 'string' ? value.length * 3 : value.length;
    const whole = mostBytes <= shortMax ? inner : Buffer.alloc(blockBytes + mostBytes, inner.subarray(0, blockBytes));
    const bytes = typeof value === 'string' ? whole.write(value, blockBytes) : put(whole, value);
    outer.write(hash('sha256', whole.subarray(0, blockBytes + bytes), 'binary'), blockBytes, 'latin1');
    // What was digested is mostly somebody's, and is not left lying here.
    whole.fill(0, blockBytes, blockBytes + bytes);
    return Buffer.from(hash('sha256', outer, 'binary'), 'latin1');
  };
}

function put(whole: Buffer, value: Uint8Array): number {
  whole.set(value, blockBytes);
  return value.length;
}

/** SHA-256 of a text's UTF-8 as bytes: as a string of them it comes at a third of what a buffer takes. */
export function sha256Bytes(text: string): Buffer {
  return Buffer.from(hash('sha256', text, 'binary'), 'latin1');
}
