import { openEmail } from '../../platform/email.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { VaultError } from '../../platform/vault.ts';
import { readClass } from '../../trust/classes/index.ts';

/** Rows that are held at once. */
const rowsAtOnce = 500;

const itself = 'says which archives were made, and holds the keys of their files';
const ofPerson = 'belongs to a person and not to the organisation: each takes it along from their account';
const keys = 'keys, which open nothing outside of this desk';
const digests = 'keyed digests, which say nothing outside of this desk';

/**
 * Tables of an organisation that are in no file of its archive, and why. Every other one is in it: a table that is added
 * later is so by itself, without its secrets.
 */
export const leftOut: Readonly<Record<string, string>> = {
  organisation_archives: itself,
  'audit.entries': 'is in audit/audit.ndjson, with what verifies it',
  'audit.chains': 'its end stands in the first line of audit/audit.ndjson',
  people: 'names and addresses of members stand with their memberships; the rest belongs to each account',
  avatars: ofPerson,
  notifications: ofPerson,
  'mail.messages': 'the list of sent mail, kept with whoever runs the desk: kind, time and outcome, its words are gone',
  'mail.suppressions': digests,
  request_archives: 'copies for those who asked for their data, for two weeks and for them alone',
  request_asks: 'forms that nobody has confirmed yet; they are gone after a day',
  contact_keys: keys,
  connection_tokens: 'tokens of platforms: whoever takes the organisation along connects anew',
  connection_steps: 'what somebody began to connect; it is gone after ten minutes',
  profile_digests: digests,
  profile_visitors: 'ids of browsers, which are in no export of events either',
  restricted_identifiers: digests,
  restricted_visitors: 'ids of browsers, which are in no export of events either',
  erasure_subjects: 'who was erased, as keyed digests',
  'vault.owner_keys': keys,
  'vault.subject_keys': keys,
  'vault.destroyed_owners': keys,
};

/** What the desk publishes to everybody, and an organisation has relied on. */
const ofDesk = ['receiver_lists', 'receiver_statements', 'operator_identities', 'legal_documents'];

/** Secrets, credentials and digests of the suppression list: never in a file. */
const secret = new Set(['D1', 'D8', 'D9', 'D25']);
/** Bytes that say something by themselves. Other bytes are sealed, or keyed digests. */
const plainBytes: Readonly<Record<string, 'hex' | 'base64'>> = {
  'consent_records.subject_digest': 'hex',
  'consent_records.text_digest': 'hex',
  'consent_records.evidence_digest': 'hex',
  'consent_records.proof': 'hex',
  'organisation_logos.bytes': 'base64',
};

interface ColumnOfTable {
  name: string;
  class: `D${number}`;
  isBytes: boolean;
  isDate: boolean;
}
export interface TableOfArchive {
  table: string;
  isOfDesk: boolean;
  columns: ColumnOfTable[];
  columnsLeftOut: string[];
}

interface CatalogueRow {
  table: string;
  owner: 'organisation_id' | 'id' | null;
  is_tenant: boolean;
  may: boolean;
  columns: { name: string; comment: string | null; type: string }[];
}

/**
 * Every table with rows of organisations, from the live catalogue: by its column or by its policy.
 * @returns those that are read; whatever is neither read nor left out for a reason is named by `forgotten`
 */
export async function tablesOfArchive(sql: Sql): Promise<{ tables: TableOfArchive[]; forgotten: string[] }> {
  const rows = await sql.query<CatalogueRow>(
    `SELECT CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS table,
       CASE WHEN bool_or(a.attname = 'organisation_id') THEN 'organisation_id' WHEN c.relname = 'organisations' THEN 'id' END AS owner,
       EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid
         AND concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) ~ 'current_organisation') AS is_tenant,
       bool_or(has_column_privilege(c.oid, a.attnum, 'SELECT')) AS may,
       json_agg(json_build_object('name', a.attname, 'comment', col_description(c.oid, a.attnum), 'type', format_type(a.atttypid, NULL)) ORDER BY a.attnum) AS columns
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     GROUP BY n.nspname, c.oid ORDER BY 1`,
  );
  const tables: TableOfArchive[] = [];
  const forgotten: string[] = [];
  for (const { table, owner, is_tenant, may, columns } of rows) {
    const isOfDesk = ofDesk.includes(table);
    if (table in leftOut || !(isOfDesk || owner !== null || is_tenant)) continue;
    if (!may || (owner === null && !isOfDesk)) {
      forgotten.push(table);
      continue;
    }
    const read: ColumnOfTable[] = [];
    const columnsLeftOut: string[] = [];
    for (const { name, comment, type } of columns) {
      const found = readClass(comment)?.id;
      const isBytes = type === 'bytea';
      const isUseful = !isBytes || name.endsWith('_sealed') || `${table}.${name}` in plainBytes;
      if (found === undefined || secret.has(found) || !isUseful) columnsLeftOut.push(name);
      else read.push({ name, class: found as `D${number}`, isBytes, isDate: type === 'date' });
    }
    tables.push({ table, isOfDesk, columns: read, columnsLeftOut });
  }
  return { tables, forgotten };
}

/** Rows that are in no copy: profiles and identifiers of somebody whose data is restricted (DSR-05). */
const withheld: Readonly<Record<string, string>> = {
  profiles: `AND NOT EXISTS (SELECT FROM profile_visitors v JOIN restricted_visitors r ON r.site_id = v.site_id AND r.visitor_id = v.visitor_id
      WHERE v.profile_id = profiles.id)
    AND NOT EXISTS (SELECT FROM profile_digests d JOIN restricted_identifiers i ON i.kind = d.kind AND i.digest = d.digest
      WHERE d.profile_id = profiles.id)`,
  relay_tellings: `AND NOT EXISTS (SELECT FROM relay_subjects s JOIN restricted_identifiers i ON i.digest = s.digest
      WHERE s.organisation_id = relay_tellings.organisation_id AND s.telling_id = relay_tellings.id)`,
  relay_captures: `AND NOT EXISTS (SELECT FROM relay_tellings t JOIN relay_subjects s ON s.organisation_id = t.organisation_id AND s.telling_id = t.id
      JOIN restricted_identifiers i ON i.digest = s.digest
      WHERE t.organisation_id = relay_captures.organisation_id AND t.request_id = relay_captures.id)`,
};

type House_ = Pick<House, 'postgres' | 'vault'>;

/**
 * The rows of a table of one organisation as lines of JSON, sealed values opened. Read through the door of the organisation
 * and by a cursor, so that memory holds a few hundred of them. The cursor has rows that went since, with their keys: they are left out.
 * @returns how many rows were written, and how many sealed values of them did not open
 */
export async function writeTable(
  { postgres, vault }: House_,
  organisationId: number,
  { table, isOfDesk, columns, columnsLeftOut }: TableOfArchive,
  append: (text: string) => Promise<void>,
): Promise<{ rows: number; unopened: number }> {
  const owner = table === 'organisations' ? 'id' : 'organisation_id';
  const where = isOfDesk ? '' : `WHERE ${owner} = current_organisation() ${withheld[table] ?? ''}`;
  // What is about somebody is sealed under a key of theirs, which the row says in a column that stays here.
  const hasSubject = columnsLeftOut.includes('subject');
  const names = [...columns, ...(hasSubject ? [{ name: 'subject', isDate: false }] : [])]
    .map(({ name, isDate }) => (isDate ? `${name}::text AS ${name}` : name))
    .join(', ');
  let rows = 0;
  let unopened = 0;
  /** @returns undefined where the row has gone meanwhile */
  const opened = async (
    sql: Sql,
    { name, class: dataClass }: ColumnOfTable,
    row: Record<string, unknown>,
  ): Promise<string | null | undefined> => {
    const sealed = row[name] as Buffer;
    const id = row.id as string | number;
    // The key of a profile is that of the person behind it.
    const subject = hasSubject
      ? { subject: row.subject as Buffer }
      : table === 'profiles'
        ? { subject: await vault.subject(organisationId, 'person', `profile ${id}`) }
        : {};
    try {
      const place = { organisationId, table, column: name, row: id, class: dataClass, ...subject };
      return (await vault.open(place as typeof place & { class: 'D7' }, sealed)).toString('utf8');
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      if (error.code === 'destroyed' && (await sql.maybe(`SELECT 1 FROM ${table} WHERE id = $1`, [id])) === undefined)
        return undefined;
      unopened += 1;
      return null;
    }
  };
  const lineOf = async (sql: Sql, row: Record<string, unknown>): Promise<Record<string, unknown> | undefined> => {
    const line = { ...row };
    for (const column of columns.filter(({ isBytes }) => isBytes)) {
      const { name } = column;
      if (row[name] === null) continue;
      if (name.endsWith('_sealed')) {
        const value = await opened(sql, column, row);
        if (value === undefined) return undefined;
        line[name.slice(0, -'_sealed'.length)] = value;
        delete line[name];
      } else line[name] = (row[name] as Buffer).toString(plainBytes[`${table}.${name}`]);
    }
    if (hasSubject) delete line.subject;
    if (table === 'memberships') Object.assign(line, await memberOf({ vault }, sql, Number(row.person_id)));
    return line;
  };
  await postgres.tenant(organisationId, async (sql) => {
    await sql.run(`DECLARE of_archive NO SCROLL CURSOR FOR SELECT ${names} FROM ${table} ${where}`);
    for (;;) {
      const some = await sql.query<Record<string, unknown>>(`FETCH ${rowsAtOnce} FROM of_archive`);
      const lines: string[] = [];
      if (hasSubject)
        await vault.prepare(
          organisationId,
          some.flatMap((row) => sealedOf(row, columns)),
        );
      for (const row of some) {
        const line = await lineOf(sql, row);
        if (line !== undefined) lines.push(`${JSON.stringify(line)}\n`);
      }
      if (lines.length > 0) await append(lines.join(''));
      rows += lines.length;
      if (some.length < rowsAtOnce) return;
    }
  });
  return { rows, unopened };
}

function sealedOf(row: Record<string, unknown>, columns: readonly ColumnOfTable[]) {
  const subject = row.subject as Buffer | null;
  const value = columns
    .map(({ name }) => (name.endsWith('_sealed') ? (row[name] as Buffer | null) : null))
    .find(Boolean);
  return subject === null || value === undefined || value === null ? [] : [{ subject, value }];
}

/** What the members' page says of somebody. */
async function memberOf({ vault }: Pick<House, 'vault'>, sql: Sql, personId: number) {
  const person = await sql.maybe<{ name: string; email_sealed: Buffer | null }>(
    'SELECT name, email_sealed FROM people WHERE id = $1',
    [personId],
  );
  if (person === undefined || person.email_sealed === null) return { name: null, email: null };
  return { name: person.name, email: await openEmail(vault, { person: personId }, person.email_sealed) };
}
