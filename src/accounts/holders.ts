import { emailDigest, openEmail } from '../platform/email.ts';
import {
  type CopiedRecord,
  type Corrected,
  type DataSubject,
  type Erased,
  type FoundRows,
  identifiersOf,
  type KeptRows,
  type PersonalDataHolder,
} from '../platform/personal_data.ts';
import type { Sql } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';
import { revokeKeysOf } from './api_keys.ts';
import { lockOrganisation } from './organisations/found.ts';

const heldPerson = 'a legal hold keeps what is stored of this person';
type Parts = Pick<House, 'postgres' | 'vault' | 'keys' | 'audit' | 'clock'>;

/** What an organisation stores about people who work with it, or were invited to. Their accounts are their own. */
export function accountHolders(house: Parts): PersonalDataHolder[] {
  return [invitationHolder(house), notificationHolder(house), membershipHolder(house)];
}

/** The digests by which invitations are found: those of the restore, or of what is said. */
function accountDigests({ keys }: Pick<House, 'keys'>, who: DataSubject): Buffer[] {
  return identifiersOf(who, 'email').flatMap(({ others, value }) =>
    others !== undefined ? [others.account] : value !== undefined ? [emailDigest(keys, value)] : [],
  );
}

/** Numbers of the accounts that are meant: said so, or found by an address. Any door may ask. */
async function peopleOf(house: Pick<House, 'keys'>, sql: Sql, who: DataSubject): Promise<number[]> {
  const ids = new Set(
    identifiersOf(who, 'person').flatMap(({ value }) => (value === undefined ? [] : [Number(value)])),
  );
  for (const digest of accountDigests(house, who)) {
    const found = await sql.maybe<{ person_id: number | null }>('SELECT person_id FROM lookup.person_by_email($1)', [
      digest,
    ]);
    if (typeof found?.person_id === 'number') ids.add(found.person_id);
  }
  return [...ids];
}

const counted = (table: string, rows: number): FoundRows[] => (rows === 0 ? [] : [{ table, class: 'D7', rows }]);
const deleted = (table: string, rows: number): Erased['gone'] =>
  counted(table, rows).map((one) => ({ ...one, how: 'deleted' as const }));

function invitationHolder(house: Parts): PersonalDataHolder {
  const { postgres, vault } = house;
  const table = 'postgres invitations';
  const count = (who: DataSubject) =>
    postgres.tenant(who.organisationId, async (sql) => {
      const { rows } = await sql.one<{ rows: number }>(
        'SELECT count(*)::int AS rows FROM invitations WHERE email_digest = ANY ($1)',
        [accountDigests(house, who)],
      );
      return counted(table, rows);
    });
  return {
    name: 'invitations',
    what: 'invitations to the organisation',
    tables: { [table]: 'D7' },
    find: async (who) => ({ rows: await count(who) }),
    left: count,
    whileRestricted: 'no invitation goes to them by mail',
    async correct(sql, who, corrections) {
      const [{ rows } = { rows: 0 }] = await sql.query<{ rows: number }>(
        'SELECT count(*)::int AS rows FROM invitations WHERE email_digest = ANY ($1) AND accepted_at IS NULL AND revoked_at IS NULL',
        [accountDigests(house, who)],
      );
      const why = 'an invitation belongs to the mailbox that it went to: take it back and invite the right one';
      const isMeant = corrections.some(({ field }) => field === 'email');
      return { changed: [], kept: isMeant ? counted(table, rows).map((one) => ({ ...one, why })) : [] };
    },
    async copy(who) {
      const { organisationId } = who;
      return postgres.tenant(organisationId, async (sql) => {
        const rows = await sql.query<{
          id: number;
          email_sealed: Buffer | null;
          role: string;
          created_at: Date;
          accepted_at: Date | null;
          revoked_at: Date | null;
        }>(
          'SELECT id, email_sealed, role, created_at, accepted_at, revoked_at FROM invitations WHERE email_digest = ANY ($1) ORDER BY id',
          [accountDigests(house, who)],
        );
        const copied: CopiedRecord[] = [];
        for (const { id, email_sealed, role, ...at } of rows) {
          const email =
            email_sealed === null ? null : await openEmail(vault, { invitation: id, organisationId }, email_sealed);
          const record = { id, email, role, ...momentsOf(at) };
          copied.push({ table, class: 'D7', record });
        }
        return copied;
      });
    },
    async erase(sql, who) {
      const rows = await sql.run('DELETE FROM invitations WHERE email_digest = ANY ($1)', [accountDigests(house, who)]);
      return { gone: deleted(table, rows), kept: [] };
    },
  };
}

function notificationHolder(house: Parts): PersonalDataHolder {
  const { postgres } = house;
  const table = 'postgres notifications';
  /** What a person was told is theirs to read alone, so it is asked for through their door, one after another. */
  async function eachPerson<T>(sql: Sql, who: DataSubject, work: (personId: number) => Promise<T[]>): Promise<T[]> {
    const found: T[] = [];
    for (const id of await peopleOf(house, sql, who)) {
      await sql.query("SELECT set_config('fairlead.person', $1, true)", [String(id)]);
      found.push(...(await work(id)));
      await sql.query("SELECT set_config('fairlead.person', '', true)");
    }
    return found;
  }
  const count = (who: DataSubject) =>
    postgres.tenant(who.organisationId, (sql) =>
      eachPerson(sql, who, async (id) => {
        const { rows } = await sql.one<{ rows: number }>(
          'SELECT count(*)::int AS rows FROM notifications WHERE person_id = $1 AND organisation_id = $2',
          [id, who.organisationId],
        );
        return rows === 0 ? [] : [{ table, class: 'D16' as const, rows }];
      }),
    );
  return {
    name: 'notifications',
    what: 'what they were told in the app, of this organisation',
    tables: { [table]: 'D16' },
    find: async (who) => ({ rows: await count(who) }),
    left: count,
    whileRestricted: 'what they were told is read by nobody but them',
    copy: (who) =>
      postgres.tenant(who.organisationId, (sql) =>
        eachPerson(sql, who, async (id) => {
          const rows = await sql.query<{ id: number; notice: string; facts: object; created_at: Date }>(
            'SELECT id, notice, facts, created_at FROM notifications WHERE person_id = $1 AND organisation_id = $2 ORDER BY id',
            [id, who.organisationId],
          );
          return rows.map(({ id: number, notice, facts, created_at }) => ({
            ...{ table, class: 'D16' as const },
            record: { id: number, notice, facts: JSON.stringify(facts), ...momentsOf({ created_at }) },
          }));
        }),
      ),
    async erase(sql, who, { personIds }) {
      const gone: Erased['gone'] = [];
      const kept: Erased['kept'] = [];
      const rows = await eachPerson(sql, who, async (id) => {
        const of = [id, who.organisationId];
        if (!personIds.has(id))
          return [await sql.run('DELETE FROM notifications WHERE person_id = $1 AND organisation_id = $2', of)];
        kept.push({ table, class: 'D16', rows: 1, why: heldPerson, hold: personIds.get(id) });
        return [];
      });
      const sum = rows.reduce((all, one) => all + one, 0);
      if (sum > 0) gone.push({ table, class: 'D16', rows: sum, how: 'deleted' });
      return { gone, kept };
    },
  };
}

/** In the order in which they go: what refers to a membership before it. */
const membershipTables = ['report_sendings', 'report_subscriptions', 'team_members', 'ownership_offers', 'memberships'];
const ofPerson = (table: string) => (table === 'ownership_offers' ? 'offered_to' : 'person_id');

/**
 * Membership, teams and reports by mail. Of an owner they stay: an organisation is handed on or closed by its owners and not
 * by whoever answers requests.
 */
function membershipHolder(house: Parts): PersonalDataHolder {
  const { postgres, vault } = house;

  async function count(sql: Sql, ids: readonly number[]): Promise<FoundRows[]> {
    const found: FoundRows[] = [];
    for (const table of membershipTables) {
      const { rows } = await sql.one<{ rows: number }>(
        `SELECT count(*)::int AS rows FROM ${table} WHERE ${ofPerson(table)} = ANY ($1)`,
        [ids],
      );
      found.push(...counted(`postgres ${table}`, rows));
    }
    return found;
  }
  /** Why the rows of a person stay; undefined when nothing speaks for it. */
  async function keeper(
    sql: Sql,
    id: number,
    held: ReadonlyMap<number, number>,
  ): Promise<Pick<KeptRows, 'why' | 'hold'> | undefined> {
    if (held.has(id)) return { why: heldPerson, hold: held.get(id) };
    const row = await sql.maybe<{ role: string }>('SELECT role FROM memberships WHERE person_id = $1', [id]);
    return row?.role === 'owner' ? { why: 'they own the organisation: hand it on or close it first' } : undefined;
  }

  return {
    name: 'membership',
    what: 'membership, teams and reports by mail',
    tables: Object.fromEntries(membershipTables.map((table) => [`postgres ${table}`, 'D7'])),
    after: ['notifications', 'invitations'],
    find: (who) =>
      postgres.tenant(who.organisationId, async (sql) => {
        const ids = await peopleOf(house, sql, who);
        // Of former members too: their names are in the trail.
        return { rows: await count(sql, ids), known: ids.map((id) => ({ kind: 'person', value: String(id) })) };
      }),
    copy: (who) =>
      postgres.tenant(who.organisationId, async (sql) => {
        const copied: CopiedRecord[] = [];
        const ids = await peopleOf(house, sql, who);
        for (const { person_id, role, created_at, name, email_sealed } of await sql.query<{
          person_id: number;
          role: string;
          created_at: Date;
          name: string;
          email_sealed: Buffer | null;
        }>(
          `SELECT m.person_id, m.role, m.created_at, p.name, p.email_sealed FROM memberships m
           JOIN people p ON p.id = m.person_id WHERE m.person_id = ANY ($1) ORDER BY m.person_id`,
          [ids],
        )) {
          const email = email_sealed === null ? null : await openEmail(vault, { person: person_id }, email_sealed);
          const record = { person: person_id, name, email, role, ...momentsOf({ created_at }) };
          copied.push({ table: 'postgres memberships', class: 'D7', record });
        }
        for (const [table, text] of copies)
          for (const row of await sql.query<Record<string, string | number | Date | null>>(text, [ids]))
            copied.push({ table: `postgres ${table}`, class: 'D7', record: momentsOf(row) });
        return copied;
      }),
    whileRestricted: 'no report and no alert goes to them; their own access stays as it is',
    /** The name of somebody who works for this organisation alone; what they prove themselves, or others show too, is theirs. */
    async correct(sql, who, corrections) {
      const corrected: Corrected = { changed: [], kept: [] };
      const row = { table: 'postgres people', class: 'D7' as const, rows: 1 };
      const name = corrections.find(({ field }) => field === 'name')?.value;
      for (const id of await peopleOf(house, sql, who)) {
        if ((await sql.query('SELECT 1 FROM memberships WHERE person_id = $1', [id])).length === 0) continue;
        if (corrections.some(({ field }) => field === 'email'))
          corrected.kept.push({
            ...row,
            why: 'the address of an account is changed by its person, who proves the new mailbox',
          });
        if (name === undefined) continue;
        const of = await sql.query('SELECT organisation_id FROM lookup.organisations_of_person($1)', [id]);
        if (of.length > 1) {
          corrected.kept.push({
            ...row,
            why: 'the account works for other organisations too: its person changes the name',
          });
          continue;
        }
        await sql.query("SELECT set_config('fairlead.person', $1, true)", [String(id)]);
        const before = await sql.one<{ name: string | null }>('SELECT name FROM people WHERE id = $1', [id]);
        if (before.name !== name) {
          await sql.run('UPDATE people SET name = $2 WHERE id = $1', [id, name]);
          corrected.changed.push({ ...row, field: 'name', before: before.name ? 'another' : 'none' });
        }
        await sql.query("SELECT set_config('fairlead.person', '', true)");
      }
      return corrected;
    },
    async erase(sql, who, { personIds }) {
      const gone: Erased['gone'] = [];
      const kept: Erased['kept'] = [];
      const { organisationId } = who;
      await lockOrganisation(sql, organisationId);
      for (const id of await peopleOf(house, sql, who)) {
        const why = await keeper(sql, id, personIds);
        if (why !== undefined) {
          kept.push(...(await count(sql, [id])).map((one) => ({ ...one, ...why })));
          continue;
        }
        const by = { actor: { type: 'system' as const } };
        await revokeKeysOf(house, sql, { organisationId, personId: id, by });
        for (const table of membershipTables) {
          const rows = await sql.run(`DELETE FROM ${table} WHERE ${ofPerson(table)} = $1`, [id]);
          gone.push(...deleted(`postgres ${table}`, rows));
          if (table === 'memberships' && rows > 0)
            await house.audit.record(sql, organisationId, {
              ...{ action: 'member.removed', ...by, targets: [{ type: 'person', id }] },
              details: { because: 'a request of a data subject' },
            });
        }
      }
      return { gone, kept };
    },
    left: (who, { personIds }) =>
      postgres.tenant(who.organisationId, async (sql) => {
        const found: FoundRows[] = [];
        for (const id of await peopleOf(house, sql, who))
          if ((await keeper(sql, id, personIds)) === undefined) found.push(...(await count(sql, [id])));
        return found;
      }),
  };
}

const copies: readonly (readonly [string, string])[] = [
  [
    'team_members',
    'SELECT t.name AS team, m.person_id AS person FROM team_members m JOIN teams t ON t.id = m.team_id WHERE m.person_id = ANY ($1)',
  ],
  ['ownership_offers', 'SELECT created_at, expires_at FROM ownership_offers WHERE offered_to = ANY ($1)'],
  [
    'report_subscriptions',
    'SELECT s.domain AS site, r.weekly_since, r.monthly_since FROM report_subscriptions r JOIN sites s ON s.id = r.site_id WHERE r.person_id = ANY ($1)',
  ],
  [
    'report_sendings',
    'SELECT s.domain AS site, r.kind, r.first_day::text, r.outcome, r.decided_at FROM report_sendings r JOIN sites s ON s.id = r.site_id WHERE r.person_id = ANY ($1)',
  ],
];

function momentsOf(
  row: Readonly<Record<string, string | number | Date | null>>,
): Record<string, string | number | null> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof Date ? value.toISOString() : value]),
  );
}
