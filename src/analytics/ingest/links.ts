import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Clock } from '../../platform/clock.ts';
import type { Random } from '../../platform/random.ts';

/** What goes from one host of a site to another: the two parameters of a link. */
export type LinkIds = { readonly visitor: string; readonly visit: string };
export type LinkText = { readonly v: string; readonly s: string };
export type LinkPlace = { readonly siteId: number; readonly host: string };

export type Links = {
  make(ids: LinkIds, place: LinkPlace): LinkText;
  /** @returns undefined when it is not of ours, for another host or site, older than five minutes, or was taken before */
  take(text: LinkText, place: LinkPlace): LinkIds | undefined;
};

export const linkMsMax = 5 * 60_000;
const ivBytes = 12;
const tagBytes = 16;
/** Links that were taken and are not too old yet; more at once are refused rather than forgotten. */
const takenMax = 200_000;

/**
 * The two parameters that carry a visitor from one of a site's hosts to another (COL-06 to COL-08). They are sealed, so an
 * address that is passed on or logged tells nobody who it was; they open for the one host that they were made for, within
 * five minutes, and once.
 *
 * The key lives in this process and ends with it: what was taken is remembered nowhere else, so a link that another process
 * made, or the one before a restart, is refused, and its visitor is a new one on the other host.
 */
export function openLinks({ clock, random }: { clock: Clock; random: Random }): Links {
  const key = random.bytes(32);
  const taken = new Map<string, number>();

  function forgetOld(nowMs: number) {
    for (const [text, atMs] of taken) {
      if (nowMs - atMs <= linkMsMax) return;
      taken.delete(text);
    }
  }

  function seal(plain: Buffer, place: string): string {
    const iv = random.bytes(ivBytes);
    const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes });
    cipher.setAAD(Buffer.from(place));
    return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64url');
  }

  function unseal(text: string, place: string): Buffer | undefined {
    const sealed = Buffer.from(text, 'base64url');
    // One spelling only: what is remembered as taken is the text.
    if (sealed.length <= ivBytes + tagBytes || sealed.toString('base64url') !== text) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, ivBytes), { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(ivBytes, -tagBytes)), decipher.final()]);
    } catch {
      return undefined;
    }
  }

  return {
    make({ visitor, visit }, { siteId, host }) {
      const made = Buffer.alloc(8);
      made.writeBigUInt64BE(BigInt(clock.now()));
      const v = seal(Buffer.concat([made, Buffer.from(visitor, 'hex')]), `visitor ${siteId} ${host}`);
      return { v, s: seal(Buffer.from(visit, 'hex'), `visit ${siteId} ${host} ${v}`) };
    },
    take({ v, s }, { siteId, host }) {
      const opened = unseal(v, `visitor ${siteId} ${host}`);
      const visit = unseal(s, `visit ${siteId} ${host} ${v}`);
      if (opened === undefined || visit === undefined) return undefined;
      const nowMs = clock.now();
      const ageMs = nowMs - Number(opened.readBigUInt64BE(0));
      if (ageMs < 0 || ageMs > linkMsMax || taken.has(v)) return undefined;
      forgetOld(nowMs);
      if (taken.size >= takenMax) return undefined;
      taken.set(v, nowMs);
      return { visitor: opened.toString('hex', 8), visit: visit.toString('hex') };
    },
  };
}
