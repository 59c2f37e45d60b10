import { createHmac } from 'node:crypto';
import { closeAgain, closedOrganisations, closedPeople, closeOrganisationAgain } from '../accounts/index.ts';
import { removeAgain, removedSites, withholdAgain } from '../analytics/index.ts';
import type { Loader, Snapshot } from '../platform/postgres/index.ts';
import type { KeyRing } from '../platform/subject.ts';
import type { Gone, GoneSite } from '../trust/backup/index.ts';
import {
  eraseAgain,
  erasedPeople,
  liftAgain,
  liftedRestrictions,
  restrictAgain,
  restrictedPeople,
} from '../trust/requests/index.ts';

/**
 * What a restore must not bring back: accounts and organisations that were closed, sites that were deleted or emptied, and people whose data was erased, or is kept
 * and not used, since the backup. The list goes with the copy of the key store, which is written anew every day, as keyed digests: it says nothing by itself.
 */
type Kind = 'person' | 'organisation' | 'site' | 'site-emptied' | 'erasure' | 'restriction' | 'lifted';

function digestOf(pepper: Buffer, kind: Kind, id: number | string): string {
  return createHmac('sha256', pepper).update(`gone ${kind} ${id}`).digest('base64');
}

export function goneOf(keys: Pick<KeyRing, 'derive'>): (snapshot: Pick<Snapshot, 'query'>) => Promise<Gone[]> {
  return async (snapshot) => {
    const pepper = keys.derive('vault-pepper');
    const people = await closedPeople(snapshot);
    const organisations = await closedOrganisations(snapshot);
    const sites = await removedSites(snapshot);
    return [
      ...organisations.map((id) => ({ digest: digestOf(pepper, 'organisation', id) })),
      ...people.map((id) => ({ digest: digestOf(pepper, 'person', id) })),
      ...sites.map(({ siteId, beforeMs }) =>
        beforeMs === undefined
          ? { digest: digestOf(pepper, 'site', siteId) }
          : { digest: digestOf(pepper, 'site-emptied', siteId), before: new Date(beforeMs).toISOString() },
      ),
      ...(await restrictedPeople(snapshot)).map((restricted) => ({
        digest: digestOf(pepper, 'restriction', `${restricted.organisation} ${restricted.began_at}`),
        restricted,
      })),
      ...(await liftedRestrictions(snapshot)).map((lifted) => ({
        digest: digestOf(pepper, 'lifted', `${lifted.organisation} ${lifted.began_at}`),
        lifted,
      })),
      ...(await erasedPeople(snapshot)).map((erased) => ({ digest: digestOf(pepper, 'erasure', erased.run), erased })),
    ];
  };
}

/** Holds the restored rows against the list, and takes out what is on it. @returns sites to take out of the warehouse too */
export async function forgetGone(
  sql: Pick<Loader, 'query'>,
  gone: readonly Gone[],
  pepper: Buffer,
  now: Date,
): Promise<GoneSite[]> {
  const listed = new Map(gone.map((one) => [one.digest, one]));
  for (const { id } of await sql.query<{ id: string }>("SELECT id FROM people WHERE status <> 'closed'"))
    if (listed.has(digestOf(pepper, 'person', Number(id)))) await closeAgain(sql, Number(id), now);
  for (const { id } of await sql.query<{ id: string }>('SELECT id FROM organisations WHERE emptied_at IS NULL'))
    if (listed.has(digestOf(pepper, 'organisation', Number(id)))) await closeOrganisationAgain(sql, Number(id), now);
  const found: GoneSite[] = [];
  for (const row of await sql.query<{ id: string }>('SELECT id FROM sites ORDER BY id')) {
    const siteId = Number(row.id);
    const emptied = listed.get(digestOf(pepper, 'site-emptied', siteId))?.before;
    if (listed.has(digestOf(pepper, 'site', siteId))) found.push({ siteId, beforeMs: undefined });
    else if (emptied !== undefined) found.push({ siteId, beforeMs: Date.parse(emptied) });
  }
  for (const site of found) await removeAgain(sql, site);
  await eraseAgain(
    sql,
    gone.flatMap(({ erased }) => (erased === undefined ? [] : [erased])),
    now,
  );
  await restrictAgain(
    sql,
    gone.flatMap(({ restricted }) => (restricted === undefined ? [] : [restricted])),
    now,
  );
  await liftAgain(
    sql,
    gone.flatMap(({ lifted }) => (lifted === undefined ? [] : [lifted])),
  );
  await withholdAgain(sql);
  return found;
}
