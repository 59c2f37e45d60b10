import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Random } from '../../platform/random.ts';

/** Seals text so that a copy of the database cannot be read without the key file. */
export interface Seal {
  /** AES-256-GCM under a fresh nonce; `context` says where the text belongs and opens it nowhere else. */
  seal(text: string, context: string): string;
  /** The text, or undefined when it was sealed under another key or for another context, or was changed. */
  open(sealed: string, context: string): string | undefined;
}

const nonceBytes = 12;
const tagBytes = 16;

/** @param key 32 bytes of one purpose (`KeyRing.derive`) */
export function openSeal(key: Buffer, random: Random): Seal {
  return {
    seal(text, context) {
      const nonce = random.bytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < nonceBytes + tagBytes) return undefined;
      const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(context));
      cipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
      try {
        return Buffer.concat([cipher.update(bytes.subarray(nonceBytes + tagBytes)), cipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}
