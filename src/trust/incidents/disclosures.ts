import type { Disclosure, DisclosureKind, NewDisclosure, NewDisclosureEntry } from '../../../contract/disclosures.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { classes } from '../classes/index.ts';

const page = 50;

interface Row {
  id: number;
  authority: string;
  reference: string | null;
  ground: string;
  classes: string[];
  scope: string;
  asked_on: string;
  entered_at: Date;
  entered_by: number;
}
interface EntryRow {
  id: number;
  disclosure_id: number;
  kind: DisclosureKind;
  said: string;
  alone: boolean;
  at: Date;
  person_id: number;
}
interface By {
  personId: number;
  nowMs: number;
}

const columns = 'id, authority, reference, ground, classes, scope, asked_on, entered_at, entered_by';

/** The newest first, each with its entries in the order in which they were written. */
export async function listDisclosures(
  sql: Sql,
  organisationId: number,
  asker: number,
  before = Number.MAX_SAFE_INTEGER,
): Promise<{ disclosures: Disclosure[]; next: number | null }> {
  const rows = await sql.query<Row>(
    `SELECT ${columns} FROM disclosures WHERE organisation_id = $1 AND id < $2 ORDER BY id DESC LIMIT ${page + 1}`,
    [organisationId, before],
  );
  const some = rows.slice(0, page);
  return {
    disclosures: await shown(sql, organisationId, some, asker),
    next: rows.length > page ? (some.at(-1)?.id ?? null) : null,
  };
}

/** @throws RequestError not_found */
export async function readDisclosure(sql: Sql, organisationId: number, id: number, asker: number): Promise<Disclosure> {
  const row = await sql.maybe<Row>(`SELECT ${columns} FROM disclosures WHERE organisation_id = $1 AND id = $2`, [
    organisationId,
    id,
  ]);
  if (row === undefined) throw new RequestError('not_found', 'There is no disclosure with this number here.');
  return (await shown(sql, organisationId, [row], asker))[0] as Disclosure;
}

async function shown(sql: Sql, organisationId: number, rows: readonly Row[], asker: number): Promise<Disclosure[]> {
  const entries = await sql.query<EntryRow>(
    `SELECT id, disclosure_id, kind, said, alone, at, person_id FROM disclosure_entries
     WHERE organisation_id = $1 AND disclosure_id = ANY ($2) ORDER BY id`,
    [organisationId, rows.map(({ id }) => id)],
  );
  const found: Disclosure[] = [];
  for (const row of rows) {
    const own = entries.filter(({ disclosure_id }) => disclosure_id === row.id);
    const has = (kind: DisclosureKind) => own.some((one) => one.kind === kind);
    found.push({
      ...row,
      entered_at: row.entered_at.toISOString(),
      state: has('disclosed') ? 'disclosed' : has('allowed') ? 'allowed' : has('refused') ? 'refused' : 'waiting',
      subject: has('told') ? 'told' : has('untold') ? 'untold' : 'open',
      may_decide: asker !== row.entered_by || !(await hasSecond(sql, organisationId, row.entered_by)),
      entries: own.map(({ disclosure_id: _, person_id: person, at, ...entry }) => ({
        ...entry,
        at: at.toISOString(),
        person,
      })),
    });
  }
  return found;
}

/** @throws RequestError invalid_field when a day or a class cannot be meant */
export async function enterDisclosure(
  sql: Sql,
  organisationId: number,
  wish: NewDisclosure,
  by: By,
): Promise<Disclosure> {
  const refuse = (field: string, message: string) => new RequestError('invalid_field', message, { field });
  // A day that has begun anywhere on earth.
  if (Date.parse(wish.asked_on) > by.nowMs + 14 * 3_600_000)
    throw refuse('asked_on', 'It cannot have come later than today.');
  for (const one of wish.classes)
    if (!classes.some(({ id }) => id === one)) throw refuse('classes', 'Name classes of data, D1 to D25.');
  const { id } = await sql.one<{ id: number }>(
    `INSERT INTO disclosures (organisation_id, authority, reference, ground, classes, scope, asked_on, entered_at, entered_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
    [
      ...[organisationId, wish.authority, wish.reference === '' ? null : wish.reference, wish.ground],
      ...[[...new Set(wish.classes)], wish.scope, wish.asked_on, new Date(by.nowMs), by.personId],
    ],
  );
  return readDisclosure(sql, organisationId, id, by.personId);
}

/**
 * Adds an entry. It is decided once, by a second person where there is one; nothing is handed over before it was allowed;
 * who was told stays told.
 * @throws RequestError not_found, conflict
 */
export async function addToDisclosure(
  sql: Sql,
  organisationId: number,
  id: number,
  { kind, said }: NewDisclosureEntry,
  by: By,
): Promise<Disclosure> {
  // Of two who decide at a time the second one hears of the first.
  await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('disclosure ' || $1, 0))", [String(id)]);
  const now = await readDisclosure(sql, organisationId, id, by.personId);
  const why = refusalOf(kind, now);
  if (why !== undefined) throw new RequestError('conflict', why);
  const decides = kind === 'allowed' || kind === 'refused';
  await sql.run(
    `INSERT INTO disclosure_entries (organisation_id, disclosure_id, kind, said, alone, at, person_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      ...[organisationId, id, kind, said, decides && now.entered_by === by.personId],
      ...[new Date(by.nowMs), by.personId],
    ],
  );
  return readDisclosure(sql, organisationId, id, by.personId);
}

function refusalOf(kind: DisclosureKind, { state, subject, may_decide }: Disclosure): string | undefined {
  switch (kind) {
    case 'allowed':
    case 'refused':
      if (state !== 'waiting') return 'This demand was decided already. What came later is added as a note.';
      return may_decide ? undefined : 'Who entered a demand does not decide it: another owner or privacy officer does.';
    case 'disclosed':
      if (state === 'waiting') return 'Nothing is handed over before somebody has allowed it.';
      return state === 'refused' ? 'This demand was refused: nothing is handed over.' : undefined;
    case 'told':
      return subject === 'told' ? 'Whom it is about was told already.' : undefined;
    case 'untold':
      return subject === 'told' ? 'Whom it is about was told already, and that stays.' : undefined;
    case 'noted':
      return undefined;
  }
}

/** Is there somebody else who may decide? */
async function hasSecond(sql: Sql, organisationId: number, personId: number): Promise<boolean> {
  const others = await sql.query(
    `SELECT 1 FROM memberships m JOIN people p ON p.id = m.person_id LEFT JOIN custom_roles c ON c.id = m.custom_role_id
     WHERE m.organisation_id = $1 AND m.person_id <> $2 AND p.status NOT IN ('suspended', 'closing', 'closed')
       AND (m.role IN ('owner', 'privacy-officer') OR 'policy.manage' = ANY (c.permissions)) LIMIT 1`,
    [organisationId, personId],
  );
  return others.length > 0;
}
