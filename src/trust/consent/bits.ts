/** A text of base64url signs read as bits, six from each sign. Strangers write it: nothing here trusts a length. */
export type Bits = { readonly text: string; at: number };

/** Thrown inside a reader and caught at its door: the text ends early or says something that cannot be. */
export class Unreadable extends Error {}

const values = new Int8Array(128).fill(-1);
for (let at = 0; at < 64; at++)
  values['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.charCodeAt(at)] = at;

/** @throws Unreadable for a sign that is none of base64url */
export function bitsOf(text: string): Bits {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 127 || (values[code] as number) < 0) throw new Unreadable('A sign is none of base64url.');
  }
  return { text, at: 0 };
}

export function bitsLeft(bits: Bits): number {
  return bits.text.length * 6 - bits.at;
}

/** @param count at most 30 @throws Unreadable behind the end */
export function take(bits: Bits, count: number): number {
  if (count > bitsLeft(bits)) throw new Unreadable('The text ends early.');
  let value = 0;
  for (let left = count; left > 0; ) {
    const inSign = bits.at % 6;
    const width = Math.min(6 - inSign, left);
    const six = values[bits.text.charCodeAt((bits.at / 6) | 0)] as number;
    value = (value << width) | ((six >> (6 - inSign - width)) & ((1 << width) - 1));
    bits.at += width;
    left -= width;
  }
  return value;
}

/** @throws Unreadable behind the end */
export function skip(bits: Bits, count: number): void {
  if (count > bitsLeft(bits)) throw new Unreadable('The text ends early.');
  bits.at += count;
}

export function bitAt(text: string, at: number): 0 | 1 {
  const six = values[text.charCodeAt(Math.floor(at / 6))] as number;
  return ((six >> (5 - (at % 6))) & 1) as 0 | 1;
}
