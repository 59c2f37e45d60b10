import { openEmail } from '../../platform/email.ts';
import type { CopiedRecord } from '../../platform/personal_data.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { actsOfPerson } from '../../trust/audit/index.ts';
import { personIn } from '../people/person.ts';

type Parts = Pick<House, 'postgres' | 'vault'>;
type Row = Readonly<Record<string, string | number | boolean | Date | object | null>>;

/** What belongs to the account alone, by table: read through the person's own door, without secrets. */
const ofAccount: Readonly<Record<string, string>> = {
  avatars: "SELECT type, changed_at, encode(picture, 'base64') AS picture_base64 FROM avatars WHERE person_id = $1",
  passwords: 'SELECT changed_at FROM passwords WHERE person_id = $1',
  authenticators: 'SELECT created_at, confirmed_at FROM authenticators WHERE person_id = $1',
  passkeys: 'SELECT name, created_at, last_used_day, is_synced FROM passkeys WHERE person_id = $1 ORDER BY created_at',
  sessions: `SELECT family, min(started_at) AS started_at, max(last_used_at) AS last_used_at, max(revoked_at) AS revoked_at,
      max(expires_at) AS expires_at, max(device) AS device, max(place) AS place, max(methods) AS methods
    FROM sessions WHERE person_id = $1 GROUP BY family ORDER BY 2`,
  seen_devices:
    'SELECT device, first_seen_at, last_seen_at FROM seen_devices WHERE person_id = $1 ORDER BY first_seen_at',
  acceptances: 'SELECT kind, version, accepted_at FROM acceptances WHERE person_id = $1 ORDER BY accepted_at',
  notification_choices: 'SELECT kind, in_app, by_mail FROM notification_choices WHERE person_id = $1 ORDER BY kind',
  quiet_hours: 'SELECT from_minute, until_minute, timezone FROM quiet_hours WHERE person_id = $1',
  notifications:
    'SELECT kind, notice, facts, link, created_at, read_at FROM notifications WHERE person_id = $1 ORDER BY id',
  consent_records:
    'SELECT purpose, state, region, text_version, how, recorded_at FROM consent_records WHERE person_id = $1 ORDER BY id',
  memberships: `SELECT o.name AS organisation, m.role, m.created_at, m.team_sites_only
    FROM memberships m JOIN organisations o ON o.id = m.organisation_id WHERE m.person_id = $1 ORDER BY m.organisation_id`,
};

/** What organisations have of a member, each read through its own door. */
const ofOrganisation: Readonly<Record<string, string>> = {
  team_members: 'SELECT t.name AS team FROM team_members m JOIN teams t ON t.id = m.team_id WHERE m.person_id = $1',
  report_subscriptions: `SELECT s.domain AS site, r.weekly_since, r.monthly_since
    FROM report_subscriptions r JOIN sites s ON s.id = r.site_id WHERE r.person_id = $1 ORDER BY s.domain`,
  api_keys: 'SELECT name, scopes, created_at, revoked_at FROM api_keys WHERE created_by = $1 ORDER BY created_at',
};

/** Tables that the person's door opens and that are not in the archive, and why. */
export const notTaken: Readonly<Record<string, string>> = {
  recovery_codes: 'secrets: digests of codes',
  one_time_tokens: 'links that wait for an hour at most',
  legal_holds: 'belongs to the organisation that placed it',
  organisations: 'its name stands with the membership; the rest belongs to it',
  site_moves: 'offers of sites, which belong to the organisations',
  'audit.chains': 'where each audit log ends; it names nobody',
  organisation_logos: 'belongs to the organisation',
  custom_roles: 'belongs to the organisation; the role stands with the membership',
  team_sites: 'belongs to the organisation',
};
/** In it, in a form of its own. */
export const takenOtherwise = ['people', 'identities', 'mail.messages', 'audit.entries'] as const;
export const takenTables = [...Object.keys(ofAccount), ...Object.keys(ofOrganisation), ...takenOtherwise];

/** Everything that is stored about an account, for its person: account, ways in, sessions, places, letters and acts. */
export async function ownRecords(house: Parts, personId: number): Promise<CopiedRecord[]> {
  const { postgres } = house;
  const records: CopiedRecord[] = [];
  const add = (table: string, rows: readonly Row[], more: Row = {}) => {
    for (const row of rows)
      records.push({ table: `postgres ${table}`, class: classOf(table), record: plain({ ...more, ...row }) });
  };
  const organisations = await postgres.person(personId, async (sql) => {
    const { id, ...person } = await personIn(house, sql, personId);
    const rest = await sql.one<Row>('SELECT created_at, last_seen_day, is_operator, status FROM people WHERE id = $1', [
      id,
    ]);
    add('people', [{ number: id, ...person, ...rest }]);
    for (const [table, text] of Object.entries(ofAccount)) add(table, await sql.query<Row>(text, [personId]));
    add('identities', await identitiesIn(house, sql, personId));
    return sql.query<{ id: number; name: string }>(
      'SELECT o.id, o.name FROM memberships m JOIN organisations o ON o.id = m.organisation_id WHERE m.person_id = $1 ORDER BY o.id',
      [personId],
    );
  });
  const letters = await postgres.mail((sql) =>
    sql.query<Row>('SELECT template, kind, state, created_at FROM mail.messages WHERE person_id = $1 ORDER BY id', [
      personId,
    ]),
  );
  add('mail.messages', letters);
  for (const { id, name } of organisations) {
    await postgres.tenant(id, async (sql) => {
      for (const [table, text] of Object.entries(ofOrganisation))
        add(table, await sql.query<Row>(text, [personId]), { organisation: name });
    });
    add('audit.entries', (await actsOfPerson(house, id, personId)) as unknown as Row[], { organisation: name });
  }
  add('audit.entries', (await actsOfPerson(house, 'desk', personId)) as unknown as Row[], { organisation: null });
  return records;
}

async function identitiesIn({ vault }: Parts, sql: Sql, person: number): Promise<Row[]> {
  const rows = await sql.query<Row & { digest: Buffer; label_sealed: Buffer | null }>(
    'SELECT provider, digest, label_sealed, linked_at, last_used_day FROM identities WHERE person_id = $1 ORDER BY id',
    [person],
  );
  return Promise.all(
    rows.map(async ({ digest, label_sealed, ...row }) => ({
      ...row,
      account: label_sealed === null ? null : await openEmail(vault, { identity: digest, person }, label_sealed),
    })),
  );
}

const classes: Readonly<Record<string, `D${number}`>> = {
  ...{ passwords: 'D8', authenticators: 'D8', passkeys: 'D8', sessions: 'D8', seen_devices: 'D8', identities: 'D8' },
  ...{ notifications: 'D16', 'mail.messages': 'D16', 'audit.entries': 'D17', consent_records: 'D23' },
};
const classOf = (table: string) => classes[table] ?? 'D7';

function plain(row: Row): CopiedRecord['record'] {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof Date
        ? value.toISOString()
        : typeof value === 'object' && value !== null
          ? JSON.stringify(value)
          : value,
    ]),
  );
}
