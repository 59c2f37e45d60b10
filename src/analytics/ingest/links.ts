import { createCipheriv, createDecipheriv } from 'node:crypto';
import { type Clock, repeat } from '../../platform/clock.ts';
import type { Random } from '../../platform/random.ts';
import { removeNoted } from '../../platform/removed.ts';
import type { House, KeyRing } from '../../platform/subject.ts';

/** What goes from one host of a site to another: the two parameters of a link. */
export type LinkIds = { readonly visitor: string; readonly visit: string };
export type LinkText = { readonly v: string; readonly s: string };
export type LinkPlace = { readonly siteId: number; readonly host: string };

export type Links = {
  make(ids: LinkIds, place: LinkPlace): LinkText;
  /** @returns undefined when it is not of ours, for another host or site, older than five minutes, or was taken before */
  take(text: LinkText, place: LinkPlace): Promise<LinkIds | undefined>;
  stop(): void;
};

/**
 * Remembers, for all collectors, what was taken.
 * @returns whether it was the first time
 */
export type FirstTime = (digest: Buffer, expiresMs: number) => Promise<boolean>;

export const linkMsMax = 5 * 60_000;
const ivBytes = 12;
const tagBytes = 16;
/** Clocks of two collectors may differ by as much. */
const skewMsMax = 5_000;

/**
 * The two parameters that carry a visitor from one of a site's hosts to another (COL-06 to COL-08). They are sealed, so an
 * address that is passed on or logged tells nobody who it was; they open for the one host that they were made for, within
 * five minutes, and once.
 *
 * The key is the desk's own, derived from its root like those of other steps that last for minutes: a link holds across a restart and
 * between collectors, and none is in a backup. What was taken is remembered in the database as a digest, for as long.
 */
export function openLinks(parts: {
  clock: Clock;
  random: Random;
  keys: Pick<KeyRing, 'derive' | 'digest'>;
  firstTime: FirstTime;
}): Pick<Links, 'make' | 'take'> {
  const { clock, random, keys, firstTime } = parts;
  const key = keys.derive('visitor-link');

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
    async take({ v, s }, { siteId, host }) {
      const opened = unseal(v, `visitor ${siteId} ${host}`);
      const visit = unseal(s, `visit ${siteId} ${host} ${v}`);
      if (opened === undefined || visit === undefined) return undefined;
      const madeMs = Number(opened.readBigUInt64BE(0));
      const ageMs = clock.now() - madeMs;
      if (ageMs < -skewMsMax || ageMs > linkMsMax) return undefined;
      if (!(await firstTime(keys.digest('visitor-link', v), madeMs + linkMsMax + skewMsMax))) return undefined;
      return { visitor: opened.toString('hex', 8), visit: visit.toString('hex') };
    },
  };
}

/** Links that were taken and are not too old yet; more at once are refused rather than forgotten. */
const takenMax = 200_000;
const sweepMs = 60_000;

/** The links of a desk, with its database as the memory of all its collectors. */
export function openDeskLinks({
  clock,
  random,
  keys,
  postgres,
  log,
}: Pick<House, 'clock' | 'random' | 'keys' | 'postgres' | 'log'>): Links {
  let taken = 0;
  const stop = repeat(
    clock,
    sweepMs,
    () =>
      postgres.system(async (sql) => {
        await removeNoted(
          sql,
          { line: 'visitor-links', from: 'taken_links', organisationId: null, nowMs: clock.now() },
          "DELETE FROM taken_links WHERE expires_at < $1 RETURNING encode(digest, 'hex') AS key, expires_at AS since",
          [new Date(clock.now())],
        );
        taken = (await sql.one<{ count: number }>('SELECT count(*)::int AS count FROM taken_links')).count;
      }),
    { onError: (error) => log.warn('taken_links_sweep_failed', { error: String((error as Error)?.name) }) },
  );
  async function firstTime(digest: Buffer, expiresMs: number): Promise<boolean> {
    if (taken >= takenMax) return false;
    try {
      const row = await postgres.system((sql) =>
        sql.maybe('INSERT INTO taken_links (digest, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1', [
          digest,
          new Date(expiresMs),
        ]),
      );
      if (row !== undefined) taken++;
      return row !== undefined;
    } catch (error) {
      // Without the database nobody knows whether it is the first time: the visitor is a new one on this host.
      log.warn('link_refused', { error: String((error as Error)?.name) });
      return false;
    }
  }
  return { ...openLinks({ clock, random, keys, firstTime }), stop };
}
