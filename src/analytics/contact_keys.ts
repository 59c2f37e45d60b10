import type { House } from '../platform/subject.ts';
import { type HeldKey, type Place, VaultError } from '../platform/vault.ts';
import { openSeal } from '../trust/keys/index.ts';
import type { SiteRecord } from './sites.ts';

/** Which row a value belongs to: it opens in no other. `visitId` as the warehouse writes it, in decimal digits. */
export interface ContactRow {
  siteId: number;
  timeMs: number;
  visitId: string;
}

/**
 * Seals the value of a mail or phone link for its row, at once, as text that needs no escape in JSON.
 * @returns undefined while the site's key is not at hand
 */
export type ContactSeal = (site: SiteRecord, row: Omit<ContactRow, 'siteId'>, value: string) => string | undefined;

/** The key of a site's values: of its organisation, and of the time since the site was emptied last (0 = never). */
export interface ContactKey {
  organisationId: number;
  siteId: number;
  sinceMs: number;
}

const mark = 'v1';

export function contactKeyOf({
  id,
  organisationId,
  emptiedAtMs,
}: Pick<SiteRecord, 'id' | 'organisationId' | 'emptiedAtMs'>) {
  return { organisationId, siteId: id, sinceMs: emptiedAtMs ?? 0 };
}

/** What every value under this key begins with; who reads it learns which key opens the rest, and nothing else. */
export function contactPrefix({ organisationId, sinceMs }: ContactKey): string {
  return `${mark}.${organisationId}.${sinceMs}.`;
}

export function contactKeyName({ organisationId, siteId, sinceMs }: ContactKey): string {
  return `${siteId} ${organisationId} ${sinceMs}`;
}

type ContactHouse = Pick<House, 'keys' | 'random' | 'vault' | 'postgres' | 'clock' | 'log'>;

/**
 * Values of mail and phone links (class D4), sealed by the vault under a key that belongs to their site: sealed before the
 * spool, opened for those who may change the site. No dimension, summary or export reads the column.
 *
 * Ingest asks no database, so the key of each site that keeps such values is held open, as the list of sites is. The table
 * `contact_keys` says which keys there are: it is written before a key seals anything.
 */
export function openContactKeys({ keys, random, vault, postgres, clock, log }: ContactHouse) {
  /** How values were sealed before there were keys of sites; only read. */
  const former = openSeal(keys.derive('contact-click'), random);
  let held = new Map<string, HeldKey>();

  const subjectOf = ({ organisationId, siteId, sinceMs }: ContactKey) =>
    vault.subject(organisationId, 'site', `${siteId} ${sinceMs}`);

  const placeOf = ({ siteId, timeMs, visitId }: ContactRow) => ({
    table: 'events',
    column: 'contact',
    row: `${siteId} ${timeMs} ${visitId}`,
    class: 'D4' as const,
  });
  const vaultPlaceOf = async (key: ContactKey, row: ContactRow): Promise<Place & { class: 'D4' }> => ({
    ...placeOf(row),
    organisationId: key.organisationId,
    subject: await subjectOf(key),
  });

  const textOf = (key: ContactKey, sealed: Buffer) => contactPrefix(key) + sealed.toString('base64url');

  /** In the table before it is used, so that it is found when the site has gone elsewhere. */
  async function note(organisationId: number, wanted: readonly ContactKey[]): Promise<void> {
    await postgres.tenant(organisationId, (sql) =>
      sql.run(
        `INSERT INTO contact_keys (organisation_id, site_id, since_ms, made_at)
         SELECT $1, site, since, $4 FROM unnest($2::bigint[], $3::bigint[]) AS wanted (site, since)
         ON CONFLICT (organisation_id, site_id, since_ms) DO UPDATE SET stale_at = NULL WHERE contact_keys.stale_at IS NOT NULL`,
        [
          ...[organisationId, wanted.map(({ siteId }) => siteId), wanted.map(({ sinceMs }) => sinceMs)],
          new Date(clock.now()),
        ],
      ),
    );
  }

  return {
    seal(site, row, value) {
      const key = contactKeyOf(site);
      const sealed = held.get(contactKeyName(key))?.seal(placeOf({ ...row, siteId: site.id }), value);
      return sealed === undefined ? undefined : textOf(key, sealed);
    },

    /**
     * Takes the keys in hand that a new list of sites needs, before it is used. What fails is tried again with the next list.
     * @returns to be called when the list is in use: lets go of the keys that it does not need
     */
    async prepare(sites: Iterable<SiteRecord>): Promise<() => void> {
      const wanted = [...sites].filter((site) => site.contactClicks).map(contactKeyOf);
      const missing = wanted.filter((key) => !held.has(contactKeyName(key)));
      const next = new Map(held);
      for (const organisationId of new Set(missing.map((key) => key.organisationId)))
        try {
          const own = missing.filter((key) => key.organisationId === organisationId);
          await note(organisationId, own);
          for (const key of own) next.set(contactKeyName(key), await vault.hold(organisationId, await subjectOf(key)));
        } catch (error) {
          log.error('contact_clicks.no_key', { organisation: organisationId }, error);
        }
      held = next;
      return () => {
        const names = new Set(wanted.map(contactKeyName));
        for (const [name, key] of next) {
          if (names.has(name)) continue;
          next.delete(name);
          key.close();
        }
      };
    },

    /** @returns undefined when it was sealed for another row, was changed, or its key was destroyed */
    async open(row: ContactRow, text: string): Promise<string | undefined> {
      const [found, organisation, since, sealed = ''] = text.split('.');
      // Sealed before there were keys of sites, and not sealed anew yet.
      if (found !== mark) return former.open(text, `contact-click ${row.siteId}`);
      const key = { organisationId: Number(organisation), siteId: row.siteId, sinceMs: Number(since) };
      if (!Number.isSafeInteger(key.organisationId) || !Number.isSafeInteger(key.sinceMs)) return undefined;
      try {
        const place = await vaultPlaceOf(key, row);
        return (await vault.open(place, Buffer.from(sealed, 'base64url'))).toString('utf8');
      } catch (error) {
        if (error instanceof VaultError && ['not-authentic', 'not-sealed', 'destroyed'].includes(error.code))
          return undefined;
        throw error;
      }
    },

    /** For one that was opened: under this key from now on. */
    async sealAnew(key: ContactKey, row: ContactRow, value: string): Promise<string> {
      return textOf(key, await vault.seal(await vaultPlaceOf(key, row), value));
    },

    note: (key: ContactKey) => note(key.organisationId, [key]),
    async destroy(key: ContactKey): Promise<void> {
      held.get(contactKeyName(key))?.close();
      held.delete(contactKeyName(key));
      await vault.shred(key.organisationId, await subjectOf(key));
    },

    close(): void {
      for (const key of held.values()) key.close();
      held = new Map();
    },
  } satisfies { seal: ContactSeal; [name: string]: unknown };
}
export type ContactKeys = ReturnType<typeof openContactKeys>;

export const isFormerContact = `contact != '' AND NOT startsWith(contact, '${mark}.')`;
