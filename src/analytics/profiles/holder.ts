import {
  type CopiedRecord,
  type Corrected,
  type DataSubject,
  type FoundRows,
  identifiersOf,
  type KeptRows,
  type PersonalDataHolder,
} from '../../platform/personal_data.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { inDialect } from '../../platform/warehouse/index.ts';
import { heldIn, holdOnLine } from '../../trust/windows/index.ts';
import { type Copies, forgetCopies, forgetKeptArchives, withholdArchives } from '../exports/forget.ts';
import { aloneWithProfiles, ofVisitors, type Profiles } from './store.ts';

interface Row {
  id: string;
  site_id: number;
  domain: string;
  traits_sealed: Buffer | null;
  first_seen: Date;
  last_seen: Date;
  visitors: string[];
}

const scanSeconds = 120;
const fieldWords = { email: 'address', name: 'name', 'external-id': 'id', picture: 'picture' } as const;

/** Profiles of somebody, and the events of the browsers that were named as theirs: the only events that are anybody's. */
export function profileHolder(
  { config, clock, postgres, warehouse }: Pick<House, 'config' | 'clock' | 'postgres' | 'warehouse'>,
  profiles: Pick<Profiles, 'open' | 'forget' | 'correct'>,
): PersonalDataHolder {
  const rowsOf = (sql: Sql, who: DataSubject) =>
    sql.query<Row>(
      `SELECT p.id, p.site_id, s.domain, p.traits_sealed, p.first_seen, p.last_seen,
         array(SELECT visitor_id::text FROM profile_visitors v WHERE v.profile_id = p.id) AS visitors
       FROM profiles p JOIN sites s ON s.id = p.site_id
       WHERE p.id IN (SELECT profile_id FROM profile_digests WHERE (kind = 'email' AND digest = ANY($1)) OR (kind = 'external-id' AND digest = ANY($2)))
       ORDER BY p.id`,
      [
        identifiersOf(who, 'email').map(({ digest }) => digest),
        identifiersOf(who, 'external-id').map(({ digest }) => digest),
      ],
    );
  const found = (who: DataSubject) => postgres.tenant(who.organisationId, (sql) => rowsOf(sql, who));

  /** A table of the warehouse at a time, by the visitors of a site. */
  async function count(table: 'events' | 'visits', rows: readonly Row[]): Promise<number> {
    let sum = 0;
    for (const { site_id, visitors } of rows) {
      if (visitors.length === 0) continue;
      const [counted] = await warehouse.read<{ rows: string }>(
        `SELECT count() AS rows FROM ${table} WHERE site_id = {site:UInt64} AND ${ofVisitors}`,
        { site: site_id, visitors },
        { purpose: 'data_subject', seconds: scanSeconds },
      );
      sum += Number(counted?.rows ?? 0);
    }
    return sum;
  }
  async function counted(rows: readonly Row[]): Promise<FoundRows[]> {
    const visitors = rows.reduce((sum, row) => sum + row.visitors.length, 0);
    return [
      { table: 'postgres profiles', class: 'D4' as const, rows: rows.length },
      { table: 'postgres profile_visitors', class: 'D2' as const, rows: visitors },
      { table: 'warehouse events', class: 'D3' as const, rows: await count('events', rows) },
      { table: 'warehouse visits', class: 'D3' as const, rows: await count('visits', rows) },
    ].filter((one) => one.rows > 0);
  }

  /** Browsers whose events are gone, until their profile is. One that was named since keeps the profile for the next look. */
  const emptied = new Map<string, ReadonlySet<string>>();

  /**
   * Copies of these sites, and archives, which have every site in them. A hold on any site or person keeps each archive (R9): what
   * else is in it cannot be taken out. Once it is released they go, though nothing else of them is found any more.
   */
  async function eraseCopies(
    sql: Sql,
    organisationId: number,
    siteIds: readonly number[],
  ): Promise<{ gone: FoundRows[]; kept: KeptRows[] }> {
    const hold = await holdOnLine(sql, organisationId, 'organisation-archives');
    const gone: Copies = await forgetCopies(sql, config.dataDir, siteIds, { archives: hold === undefined });
    const archives = { table: 'postgres organisation_archives', class: 'D4' as const };
    const kept: KeptRows[] = [];
    if (hold === undefined) gone.organisation_archives += await forgetKeptArchives(sql, config.dataDir);
    else {
      const withheld = await withholdArchives(sql, config.dataDir, siteIds.length > 0, new Date(clock.now()));
      gone.organisation_archives += withheld.gone;
      const why = `legal hold ${hold.id} keeps archives of the organisation, which may hold them; nobody is given one until it is released, and then they are deleted`;
      kept.push({ ...archives, rows: withheld.kept, why, hold: hold.id });
    }
    return {
      gone: [
        { table: 'postgres exports', class: 'D3' as const, rows: gone.exports },
        { ...archives, rows: gone.organisation_archives },
      ].filter((one) => one.rows > 0),
      kept: kept.filter((one) => one.rows > 0),
    };
  }

  return {
    name: 'profiles',
    what: 'profiles that pages of a site have named, and what their browsers did',
    tables: {
      'postgres profiles': 'D4',
      'postgres profile_digests': 'D2',
      'postgres profile_visitors': 'D2',
      'postgres profile_corrections': 'D2',
      'postgres exports': 'D3',
      'postgres organisation_archives': 'D4',
    },
    async find(who) {
      const rows = await found(who);
      const known = [];
      for (const { id, traits_sealed } of rows) {
        const traits = await profiles.open(who.organisationId, id, traits_sealed);
        if (traits.id !== undefined) known.push({ kind: 'external-id' as const, value: traits.id });
        if (traits.email !== undefined) known.push({ kind: 'email' as const, value: traits.email });
      }
      return { rows: await counted(rows), known };
    },
    async copy(who) {
      const records: CopiedRecord[] = [];
      for (const row of await found(who)) {
        const traits = await profiles.open(who.organisationId, row.id, row.traits_sealed);
        records.push({
          ...{ table: 'postgres profiles', class: 'D4' },
          record: {
            ...{ site: row.domain, user_id: traits.id ?? null, email: traits.email ?? null },
            ...{ name: traits.name ?? null, picture: traits.avatar ?? null },
            ...{ first_named: row.first_seen.toISOString(), last_named: row.last_seen.toISOString() },
          },
        });
        if (row.visitors.length === 0) continue;
        const events = await warehouse.read<Record<string, string>>(
          `SELECT toString(events.time) AS at, name, hostname, pathname, title, referrer, source, country, region, city, browser, os,
             device, toJSONString(props) AS properties, toString(revenue_amount) AS revenue, revenue_currency AS currency, order_id
           FROM events WHERE site_id = {site:UInt64} AND stored_id = 1 AND ${ofVisitors} ORDER BY events.time`,
          { site: row.site_id, visitors: row.visitors },
          { purpose: 'data_subject', seconds: scanSeconds },
        );
        for (const { at = '', ...record } of events)
          records.push({
            ...{ table: 'warehouse events', class: 'D3' },
            record: { site: row.domain, at: `${at.replace(' ', 'T')}Z`, ...record },
          });
      }
      return records;
    },
    async eraseBefore(who, held) {
      const rows = (await found(who)).filter(({ site_id }) => !held.siteIds.has(site_id));
      const gone = (await counted(rows)).filter(({ table }) => table.startsWith('warehouse'));
      for (const { site_id, visitors } of rows)
        if (visitors.length > 0)
          for (const table of ['visits', 'events'])
            for (const text of inDialect(
              `ALTER TABLE {{table:${table}}} DELETE WHERE site_id = {site:UInt64} AND ${ofVisitors}`,
              warehouse.cluster,
            ))
              await warehouse.command(text, { site: site_id, visitors }, { background: true, purpose: 'data_subject' });
      for (const { id, visitors } of rows) emptied.set(id, new Set(visitors));
      return { gone: gone.map((one) => ({ ...one, how: 'deleted' })), kept: [] };
    },
    async erase(sql, who, held) {
      // A call that names them at this moment ends first, or finds no profile any more.
      const sites = new Set((await rowsOf(sql, who)).map(({ site_id }) => site_id));
      for (const siteId of [...sites].sort((a, b) => a - b)) await aloneWithProfiles(sql, siteId);
      const rows = await rowsOf(sql, who);
      const free = rows.filter(
        ({ id, site_id, visitors }) => !held.siteIds.has(site_id) && visitors.every((one) => emptied.get(id)?.has(one)),
      );
      for (const { id } of rows) emptied.delete(id);
      await profiles.forget(
        sql,
        who.organisationId,
        free.map(({ id }) => id),
      );
      const copies = await eraseCopies(
        sql,
        who.organisationId,
        free.map(({ site_id }) => site_id),
      );
      const of = (some: readonly Row[]) =>
        [
          { table: 'postgres profiles', class: 'D4' as const, rows: some.length },
          {
            ...{ table: 'postgres profile_visitors', class: 'D2' as const },
            rows: some.reduce((sum, { visitors }) => sum + visitors.length, 0),
          },
        ].filter((one) => one.rows > 0);
      const kept = rows.filter(({ site_id }) => held.siteIds.has(site_id));
      return {
        gone: [
          ...of(free).map((one) => ({
            ...one,
            how: one.class === 'D4' ? ('key destroyed' as const) : ('deleted' as const),
          })),
          ...copies.gone.map((one) => ({ ...one, how: 'deleted' as const })),
        ],
        kept: [
          ...copies.kept,
          ...kept.flatMap((row) =>
            of([row]).map((one) => ({
              ...{ ...one, why: 'a legal hold keeps what is stored of the site' },
              hold: held.siteIds.get(row.site_id),
            })),
          ),
        ],
      };
    },
    async correct(sql, who, corrections) {
      const corrected: Corrected = { changed: [], kept: [] };
      const table = { table: 'postgres profiles', class: 'D4' as const, rows: 1 };
      // In the order in which a restriction waits for them.
      const rows = (await rowsOf(sql, who)).sort((a, b) => a.site_id - b.site_id);
      for (const { id, site_id: siteId, domain } of rows) {
        const site = { id: siteId, organisationId: who.organisationId };
        const { changed, taken } = await profiles.correct(sql, site, id, corrections);
        corrected.changed.push(...changed.map((one) => ({ ...table, ...one })));
        for (const field of taken)
          corrected.kept.push({ ...table, why: `another profile of ${domain} has this ${fieldWords[field]} already` });
      }
      return corrected;
    },
    whileRestricted:
      'their profiles are in no list, page or export, calls that name them store nothing, and their browsers are not recognised',
    async restrict(sql, who, restrictionId) {
      // A call that has read the list before it was there ends first: its link is found here, and no later one is made.
      for (const { id } of await sql.query<{ id: number }>('SELECT id FROM sites ORDER BY id'))
        await aloneWithProfiles(sql, id);
      await sql.run(
        `INSERT INTO restricted_visitors (organisation_id, site_id, visitor_id, restriction_id)
         SELECT organisation_id, site_id, visitor_id, $2 FROM profile_visitors WHERE profile_id = ANY($1) ON CONFLICT DO NOTHING`,
        [(await rowsOf(sql, who)).map(({ id }) => id), restrictionId],
      );
      const sites = (await rowsOf(sql, who)).map(({ site_id }) => site_id);
      const { everything, siteIds } = await heldIn(sql, who.organisationId, 'exports');
      // A copy that a legal hold keeps stays and is given to nobody (R9, exports/withheld.ts); an archive has every site in it.
      const free = sites.filter((id) => !everything && !siteIds.has(id));
      const { everything: areArchivesHeld } = await heldIn(sql, who.organisationId, 'organisation-archives');
      await forgetCopies(sql, config.dataDir, free, { archives: !areArchivesHeld });
    },
    async release(sql, restrictionId) {
      await sql.run('DELETE FROM restricted_visitors WHERE restriction_id = $1', [restrictionId]);
    },
    left: async (who, held) => counted((await found(who)).filter(({ site_id }) => !held.siteIds.has(site_id))),
  };
}
