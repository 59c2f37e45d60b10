import type { Conversion } from '../../../contract/conversion.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { type Place, type Vault, VaultError } from '../../platform/vault.ts';

/** Members of what a destination is given that are as they came, and so go with the raw identifiers. */
export const rawMembers = [
  'ip',
  'ip_address',
  'user_agent',
  'client_ip_address',
  'client_user_agent',
  'device',
] as const;

const isRawMember: ReadonlySet<string> = new Set(rawMembers);

/** What is still known of the person behind a conversion. */
export interface People {
  /** By kind of destination: what `identify` made when the conversion was taken, without its raw members. */
  readonly hashes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Kinds that each telling has such of: what a raw value would make for them is there already. Absent: none. */
  readonly whole?: ReadonlySet<string>;
  /** As it came, until its time is over. */
  readonly raw?: Conversion['user'];
}

interface TellingRow {
  id: string;
  conversion_id: string;
  subject: Buffer | null;
  hashes_sealed: Buffer | null;
  raw_sealed: Buffer | null;
}

/** Where a telling's identifiers belong. */
export function tellingPlace(organisationId: number, column: 'hashes_sealed' | 'raw_sealed', row: string) {
  return { organisationId, table: 'relay_tellings', column, row, class: 'D5' } as const satisfies Place;
}

type Identifying = { readonly id: string; identify(conversion: Conversion): unknown };

/**
 * Opens what is known of the people behind conversions: of several tellings of one, the first to name something wins. Keys
 * that were destroyed leave nothing, and that is no error.
 * @param to whom it is opened for: raw values that it takes nothing of stay sealed
 * @returns by id of the conversion; one without identifiers is not among them
 */
export async function openPeople(
  sql: Sql,
  vault: Pick<Vault, 'open' | 'prepare'>,
  organisationId: number,
  conversionIds: readonly string[],
  to?: Identifying,
): Promise<Map<string, People>> {
  const rows = await sql.query<TellingRow>(
    `SELECT id, conversion_id, subject, hashes_sealed, raw_sealed FROM relay_tellings
     WHERE organisation_id = $1 AND conversion_id = ANY ($2::uuid[]) AND subject IS NOT NULL ORDER BY received_at, id`,
    [organisationId, conversionIds],
  );
  await vault.prepare(
    organisationId,
    rows.flatMap(({ subject, hashes_sealed, raw_sealed }) => {
      const value = hashes_sealed ?? raw_sealed;
      return subject === null || value === null ? [] : [{ subject, value }];
    }),
  );
  const people = new Map<string, People>();
  const enough = to === undefined || takesRaw(to) ? undefined : to.id;
  for (const row of rows) {
    const { hashes, raw } = await openTelling(vault, organisationId, row, enough);
    const before = people.get(row.conversion_id);
    const user = raw === undefined ? before?.raw : { ...(raw as object), ...before?.raw };
    const kinds = Object.keys(hashes).filter((kind) => before?.whole?.has(kind) !== false);
    people.set(row.conversion_id, {
      hashes: before === undefined ? hashes : joined(before.hashes, hashes),
      whole: new Set(kinds),
      ...(user !== undefined && { raw: user as NonNullable<Conversion['user']> }),
    });
  }
  return people;
}

/** Does a destination get something of a person as it came? Asked of what it makes of somebody who has nothing else. */
function takesRaw(to: Identifying): boolean {
  const known = takers.get(to);
  if (known !== undefined) return known;
  // Google takes an address of nobody whose country is not known.
  const user = { ip: '8.8.8.8', user_agent: 'Mozilla/5.0', country: 'US' };
  const made = to.identify({ event_name: 'purchase', occurred_at: '2026-01-01T00:00:00Z', user }) as object;
  const takes = rawMembers.some((member) => member in made);
  takers.set(to, takes);
  return takes;
}
const takers = new WeakMap<Identifying, boolean>();

/** @param enough the kind whose hashes are all that is wanted, where there are such */
async function openTelling(
  vault: Pick<Vault, 'open'>,
  organisationId: number,
  row: TellingRow,
  enough: string | undefined,
) {
  const open = async (column: 'hashes_sealed' | 'raw_sealed') => {
    const sealed = row[column];
    if (sealed === null || row.subject === null) return undefined;
    try {
      const plain = await vault.open({ ...tellingPlace(organisationId, column, row.id), subject: row.subject }, sealed);
      return JSON.parse(plain.toString('utf8')) as Record<string, Record<string, unknown>>;
    } catch (error) {
      if (error instanceof VaultError && error.code === 'destroyed') return undefined;
      throw error;
    }
  };
  const hashes = (await open('hashes_sealed')) ?? {};
  const isEnough = enough !== undefined && hashes[enough] !== undefined;
  return { hashes, raw: isEnough ? undefined : await open('raw_sealed') };
}

function joined(first: People['hashes'], more: People['hashes']): People['hashes'] {
  const all: Record<string, Record<string, unknown>> = { ...first };
  for (const [kind, identifiers] of Object.entries(more)) all[kind] = added(all[kind] ?? {}, identifiers);
  return all;
}

/** What is known first stays, an empty list aside; of members that hold others (`hashed`), each for itself. */
function added(first: object, more: object): Record<string, unknown> {
  const all: Record<string, unknown> = { ...more };
  for (const [name, value] of Object.entries(first)) {
    const other = all[name];
    if (isGroup(value) && isGroup(other)) all[name] = added(value, other);
    else if (!(Array.isArray(value) && value.length === 0 && other !== undefined)) all[name] = value;
  }
  return all;
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Takes raw values out of what a destination was given. */
export function withoutRaw(identifiers: unknown): Record<string, unknown> {
  const given = identifiers as Record<string, unknown>;
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(given)) if (!isRawMember.has(name)) kept[name] = given[name];
  return kept;
}

/** Address and browser, and the country by which a destination says whether it takes them. */
function reachedOnly(raw: People['raw']): People['raw'] {
  if (raw === undefined) return undefined;
  const { ip, user_agent, country } = raw;
  return {
    ...(ip !== undefined && { ip }),
    ...(user_agent !== undefined && { user_agent }),
    ...(country !== undefined && { country }),
  };
}

/**
 * What of a person goes to a destination: the hashes that were made for it, with address and browser while they are there.
 * One that was added later is given what the raw values make.
 */
export function identifiersFor<Identifiers>(
  destination: { readonly id: string; identify(conversion: Conversion): Identifiers },
  facts: Conversion,
  { hashes, whole, raw }: People,
): Identifiers {
  const kept = hashes[destination.id];
  // What has its hashes is not hashed again: a sixth of what sending a conversion took of the processor.
  const user = kept !== undefined && whole?.has(destination.id) === true ? reachedOnly(raw) : raw;
  const made = destination.identify(user === undefined ? facts : { ...facts, user });
  if (kept === undefined) return made;
  const fresh = Object.fromEntries(
    Object.entries(made as object).filter(([name]) => (rawMembers as readonly string[]).includes(name)),
  );
  return { ...added(kept, made as object), ...fresh } as Identifiers;
}
