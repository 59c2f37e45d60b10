import type {
  CopiedRecord,
  DataSubject,
  Erased,
  FoundRows,
  HeldRows,
  PersonalDataHolder,
} from '../platform/personal_data.ts';
import type { House } from '../platform/subject.ts';
import type { Vault } from '../platform/vault.ts';
import { inDialect } from '../platform/warehouse/index.ts';
import type { ContactKeys } from './contact_keys.ts';

const table = 'warehouse events';
/** As many values as fit into the address that a server is asked by. */
const batchMax = 1_000;
const scanSeconds = 120;

/** What the value of a link is found by: its kind and, in hex, its keyed digest. */
export async function digestNameOf(
  vault: Pick<Vault, 'subject'>,
  organisationId: number,
  text: string,
): Promise<string> {
  const value = text.replace(/^(?:mailto|tel):/i, '').split('?')[0] ?? '';
  const kind = value.includes('@') ? 'email' : 'phone';
  return `${kind} ${(await vault.subject(organisationId, kind, value)).toString('hex')}`;
}

interface Click {
  siteId: number;
  domain: string;
  time: string;
  page: string;
  contact: string;
  value: string;
}

/**
 * Values of mail and phone links that are somebody's address or number (class D4), where a site keeps them. Each is sealed
 * for its row, so they are opened one after another and compared. The rest of such a row is about whoever clicked, whom
 * nobody knows: it stays.
 */
export function contactHolder(
  { postgres, warehouse, vault }: Pick<House, 'postgres' | 'warehouse' | 'vault'>,
  keys: Pick<ContactKeys, 'open'>,
): PersonalDataHolder {
  async function clicksOf(who: DataSubject, siteIds?: (siteId: number) => boolean): Promise<Click[]> {
    const wanted = new Set(
      who.identifiers
        .filter(({ kind }) => kind === 'email' || kind === 'phone')
        .map(({ kind, digest }) => `${kind} ${digest.toString('hex')}`),
    );
    if (wanted.size === 0) return [];
    const sites = await postgres.tenant(who.organisationId, (sql) =>
      sql.query<{ id: number; domain: string }>('SELECT id, domain FROM sites ORDER BY id'),
    );
    const found: Click[] = [];
    for (const { id, domain } of sites.filter((site) => siteIds?.(site.id) ?? true)) {
      let after = '';
      for (;;) {
        const rows = await warehouse.read<{ ms: string; visit: string; page: string; contact: string }>(
          `SELECT toString(toUnixTimestamp64Milli(time)) AS ms, toString(visit_id) AS visit, pathname AS page, contact FROM events
           WHERE site_id = {site:UInt64} AND contact > {after:String} ORDER BY contact LIMIT ${batchMax}`,
          { site: id, after },
          { purpose: 'data_subject', seconds: scanSeconds },
        );
        for (const { ms, visit, page, contact } of rows) {
          const value = await keys.open({ siteId: id, timeMs: Number(ms), visitId: visit }, contact);
          if (value === undefined || !(await isWanted(who.organisationId, value, wanted))) continue;
          found.push({ siteId: id, domain, time: new Date(Number(ms)).toISOString(), page, contact, value });
        }
        after = rows.at(-1)?.contact ?? after;
        if (rows.length < batchMax) break;
      }
    }
    return found;
  }

  const isWanted = async (organisationId: number, text: string, wanted: ReadonlySet<string>) =>
    wanted.has(await digestNameOf(vault, organisationId, text));

  const rowsOf = (clicks: readonly Click[]): FoundRows[] =>
    clicks.length === 0 ? [] : [{ table, class: 'D4', rows: clicks.length }];
  const notHeld = (held: HeldRows) => (siteId: number) => !held.siteIds.has(siteId);

  return {
    name: 'contact-clicks',
    what: 'their address or number as it was clicked on a site',
    tables: { [table]: 'D4' },
    find: async (who) => ({ rows: rowsOf(await clicksOf(who)) }),
    copy: async (who) =>
      (await clicksOf(who)).map(
        ({ domain, time, page, value }): CopiedRecord => ({
          ...{ table, class: 'D4' },
          record: { site: domain, clicked_at: time, page, value },
        }),
      ),
    async eraseBefore(who, held) {
      const clicks = await clicksOf(who);
      const free = clicks.filter(({ siteId }) => notHeld(held)(siteId));
      for (const site of new Set(free.map(({ siteId }) => siteId))) {
        const values = free.filter(({ siteId }) => siteId === site).map(({ contact }) => contact);
        for (let from = 0; from < values.length; from += batchMax)
          for (const text of inDialect(
            `ALTER TABLE {{table:events}} UPDATE contact = '' WHERE site_id = {site:UInt64} AND has({values:Array(String)}, contact)`,
            warehouse.cluster,
          ))
            await warehouse.command(
              text,
              { site, values: values.slice(from, from + batchMax) },
              { background: true, purpose: 'data_subject' },
            );
      }
      const kept: Erased['kept'] = [];
      for (const [siteId, hold] of held.siteIds)
        for (const one of rowsOf(clicks.filter((click) => click.siteId === siteId)))
          kept.push({ ...one, why: 'a legal hold keeps what is stored of the site', hold });
      return { gone: rowsOf(free).map((one) => ({ ...one, how: 'blanked' })), kept };
    },
    whileRestricted: 'the page of clicks shows that a link was used, and not whose address it was',
    left: async (who, held) => rowsOf(await clicksOf(who, notHeld(held))),
  };
}
