import { repeat } from '../platform/clock.ts';
import { crashPoint } from '../platform/crash_point.ts';
import { whyOf } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';
import { inDialect } from '../platform/warehouse/index.ts';
import { type ContactKey, type ContactKeys, contactKeyName, contactPrefix, isFormerContact } from './contact_keys.ts';
import { aloneIn } from './history/index.ts';

/** Values sealed anew by one mutation: as many as fit into the address that a server is asked by. */
const batchMax = 1_000;
/** A look costs one small read of PostgreSQL; it finds what a kill or another process left. */
const lookMs = 10 * 60_000;
const againMs = 5_000;
const drainMs = 30_000;
/** A question about all rows of a site is a scan; it may take its time. */
const scanSeconds = 120;
/** Other processes on the same database may have rows in their spools that were sealed under a key which is not used any more. */
const sharedGraceMs = 24 * 3_600_000;
/** So long after the first look that found none, values of the former way may come in: from quarantine, for a week, and from such spools. */
const formerGraceMs = 8 * 24 * 3_600_000;

export interface ContactUpkeepParts {
  house: Pick<House, 'config' | 'clock' | 'log' | 'postgres' | 'warehouse' | 'spool' | 'audit'>;
  keys: Pick<ContactKeys, 'open' | 'sealAnew' | 'note' | 'destroy'>;
  /** Resolves when the list of sites, and with it the keys that seal, is as the tables are now. */
  refresh(): Promise<void>;
  /** Ingest has read back what the last process knew. */
  begun: Promise<void>;
}

/** A key whose site has another organisation now, was emptied since, or is gone. */
interface Stale extends ContactKey {
  staleAt: Date;
}

const actOn = (siteId: number) => ({ actor: { type: 'system' }, targets: [{ type: 'site', id: siteId }] }) as const;

/**
 * Values of mail and phone links follow their site: what lies under a key that is not the site's own any more is sealed anew
 * under the one that is, and the old key is destroyed. So does what was sealed before there were keys of sites. Every step may
 * be done twice; a kill costs the batch that it came in.
 */
export function openContactUpkeep(parts: ContactUpkeepParts) {
  const { house, keys } = parts;
  const { clock, log, postgres, warehouse, spool } = house;
  const alone = aloneIn(postgres, clock);
  const graceMs = house.config.databaseUrl === undefined ? 0 : sharedGraceMs;
  let isStopped = false;
  const stopped = Promise.withResolvers<void>();
  let working: Promise<void> | undefined;
  let isWoken = false;
  let callOff = () => {};
  /** Once per process: nothing seals in the former way any more. */
  let knowsFormer = false;

  async function staleKeys(): Promise<Stale[]> {
    const holders = await postgres.system((sql) =>
      sql.query<{ organisation_id: number; site_id: number }>('SELECT * FROM lookup.stale_contact_keys()'),
    );
    const found: Stale[] = [];
    for (const { organisation_id: organisationId, site_id: siteId } of holders) {
      const rows = await postgres.tenant(organisationId, (sql) =>
        sql.query<{ since_ms: number; stale_at: Date }>(
          `UPDATE contact_keys SET stale_at = coalesce(stale_at, $2) WHERE site_id = $1 AND NOT EXISTS (
             SELECT FROM sites s WHERE s.id = $1
               AND contact_keys.since_ms = coalesce((extract(epoch FROM s.emptied_at) * 1000)::bigint, 0))
           RETURNING since_ms, stale_at`,
          [siteId, new Date(clock.now())],
        ),
      );
      for (const row of rows) found.push({ organisationId, siteId, sinceMs: row.since_ms, staleAt: row.stale_at });
    }
    return found;
  }

  /** A scan of the column over all events, so it is done until it has been shown to be over, and never again. */
  async function formerSites(): Promise<number[]> {
    const over = await postgres.system((sql) =>
      sql.maybe(`SELECT 1 FROM upkeep WHERE task = 'former_contacts' AND done_at IS NOT NULL`),
    );
    if (over !== undefined) return [];
    const rows = await warehouse.read<{ site_id: string }>(
      `SELECT DISTINCT site_id FROM events WHERE ${isFormerContact}`,
      {},
      { purpose: 'contact_keys', seconds: scanSeconds },
    );
    if (rows.length === 0) await noteNoneLeft();
    return rows.map(({ site_id }) => Number(site_id));
  }

  async function noteNoneLeft(): Promise<void> {
    const now = clock.now();
    await postgres.system((sql) =>
      sql.run(
        `INSERT INTO upkeep (task, clean_at) VALUES ('former_contacts', $1)
         ON CONFLICT (task) DO UPDATE SET done_at = $1 WHERE upkeep.done_at IS NULL AND upkeep.clean_at <= $2`,
        [new Date(now), new Date(now - formerGraceMs)],
      ),
    );
  }

  /** The key that a site's values belong under; undefined when there is no such site any more. */
  async function ownKey(siteId: number): Promise<ContactKey | undefined> {
    const site = await postgres.system((sql) =>
      sql.maybe<{ organisation_id: number }>('SELECT organisation_id FROM lookup.site_by_id($1)', [siteId]),
    );
    if (site === undefined) return undefined;
    const row = await postgres.tenant(site.organisation_id, (sql) =>
      sql.maybe<{ emptied_at: Date | null }>('SELECT emptied_at FROM sites WHERE id = $1', [siteId]),
    );
    if (row === undefined) return undefined;
    return { organisationId: site.organisation_id, siteId, sinceMs: row.emptied_at?.getTime() ?? 0 };
  }

  /** Seals everything of a site that is not under this key. @returns how many values, and how many cannot be opened */
  async function sealAnew(key: ContactKey): Promise<{ sealed: number; unreadable: number }> {
    await keys.note(key);
    const counts = { sealed: 0, unreadable: 0 };
    let after = '';
    while (!isStopped) {
      const rows = await warehouse.read<{ ms: string; visit: string; contact: string }>(
        `SELECT toString(toUnixTimestamp64Milli(time)) AS ms, toString(visit_id) AS visit, contact FROM events
         WHERE site_id = {site:UInt64} AND contact > {after:String} AND NOT startsWith(contact, {own:String})
         ORDER BY contact LIMIT ${batchMax}`,
        { site: key.siteId, after, own: contactPrefix(key) },
        { purpose: 'contact_keys', seconds: scanSeconds },
      );
      const from: string[] = [];
      const to: string[] = [];
      for (const { ms, visit, contact } of rows) {
        const row = { siteId: key.siteId, timeMs: Number(ms), visitId: visit };
        const value = await keys.open(row, contact);
        if (value === undefined) counts.unreadable += 1;
        else {
          from.push(contact);
          to.push(await keys.sealAnew(key, row, value));
        }
      }
      if (from.length > 0)
        for (const one of inDialect(
          `ALTER TABLE {{table:events}} UPDATE contact = transform(contact, {from:Array(String)}, {to:Array(String)}, contact)
           WHERE site_id = {site:UInt64} AND has({from:Array(String)}, contact)`,
          warehouse.cluster,
        ))
          await warehouse.command(one, { site: key.siteId, from, to }, { background: true, purpose: 'contact_keys' });
      crashPoint('contacts.sealed');
      counts.sealed += from.length;
      after = rows.at(-1)?.contact ?? after;
      if (rows.length < batchMax) return counts;
    }
    throw new Error('The desk stops.');
  }

  async function mendSite(siteId: number, stale: readonly Stale[]): Promise<void> {
    const own = await ownKey(siteId);
    const done = own === undefined ? { sealed: 0, unreadable: 0 } : await sealAnew(own);
    if (done.unreadable > 0) log.warn('contact_clicks.unreadable', { site: siteId, values: done.unreadable });
    if (own !== undefined && done.sealed > 0)
      await postgres.tenant(own.organisationId, (sql) =>
        house.audit.record(sql, own.organisationId, {
          action: 'contact_clicks.sealed_anew',
          ...actOn(siteId),
          details: { values: done.sealed },
        }),
      );
    const over = stale.filter(({ staleAt }) => clock.now() - staleAt.getTime() >= graceMs);
    for (const key of over) await whileOwn(siteId, own, () => destroy(key));
    log.info('contact_clicks.sealed_anew', { site: siteId, values: done.sealed, keys_destroyed: over.length });
  }

  /** Meanwhile the site can neither go to another organisation, nor come back, nor be emptied. */
  async function whileOwn(
    siteId: number,
    own: ContactKey | undefined,
    destruction: () => Promise<void>,
  ): Promise<void> {
    if (own === undefined) return destruction();
    await postgres.tenant(own.organisationId, async (sql) => {
      const site = await sql.maybe<{ emptied_at: Date | null }>(
        'SELECT emptied_at FROM sites WHERE id = $1 FOR UPDATE',
        [siteId],
      );
      if ((site?.emptied_at?.getTime() ?? 0) !== own.sinceMs || site === undefined)
        throw new Error('The site changed.');
      await destruction();
    });
  }

  /** @throws when it is the site's own again */
  async function destroy(key: ContactKey): Promise<void> {
    if (!(await staleKeys()).some((one) => contactKeyName(one) === contactKeyName(key)))
      throw new Error('The site came back to its key.');
    await keys.destroy(key);
    await postgres.tenant(key.organisationId, async (sql) => {
      const { siteId, sinceMs } = key;
      await sql.run('DELETE FROM contact_keys WHERE site_id = $1 AND since_ms = $2', [siteId, sinceMs]);
      await house.audit.record(sql, key.organisationId, {
        action: 'contact_clicks.key_destroyed',
        ...actOn(siteId),
      });
    });
  }

  async function look(): Promise<void> {
    // A desk that is only opened (a command, a test) never begins: its end must not wait for that.
    const hasBegun = await Promise.race([parts.begun.then(() => true), stopped.promise.then(() => false)]);
    if (!hasBegun) return;
    await alone('contact-keys', async () => {
      const stale = await staleKeys();
      if (stale.length === 0 && knowsFormer) return;
      // From here on nothing is sealed under an old key in this process; what was is on its way.
      await parts.refresh();
      if (!(await spool.drain(drainMs))) throw new Error('The spool is not empty.');
      const former = knowsFormer ? [] : await formerSites();
      for (const siteId of new Set([...stale.map((key) => key.siteId), ...former])) {
        if (isStopped) return;
        await mendSite(
          siteId,
          stale.filter((key) => key.siteId === siteId),
        );
      }
      knowsFormer = true;
    });
  }

  async function work(): Promise<void> {
    do {
      isWoken = false;
      try {
        await look();
      } catch (error) {
        if (isStopped) return;
        log.info('contact_clicks.waits', { why: whyOf(error) });
        callOff();
        callOff = clock.after(againMs, wake);
      }
    } while (isWoken && !isStopped);
  }

  function wake(): void {
    isWoken = true;
    if (isStopped) return;
    working ??= work().finally(() => {
      working = undefined;
      if (isWoken) wake();
    });
  }

  const stopLooking = repeat(clock, lookMs, async () => wake(), {
    firstMs: 1_000,
    onError: (error) => log.error('contact_clicks.look_failed', {}, error),
  });

  return {
    /** Something about sites changed. */
    wake,
    async stop(): Promise<void> {
      isStopped = true;
      stopped.resolve();
      stopLooking();
      callOff();
      await working;
    },
  };
}
