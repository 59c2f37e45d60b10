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

/** What is still known of the person behind a conversion. */
export interface People {
  /** By kind of destination: what `identify` made when the conversion was taken, without its raw members. */
  readonly hashes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
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

/**
 * Opens what is known of the people behind conversions: of several tellings of one, the first to name something wins. Keys
 * that were destroyed leave nothing, and that is no error.
 * @returns by id of the conversion; one without identifiers has empty hashes
 */
export async function openPeople(
  sql: Sql,
  vault: Pick<Vault, 'open' | 'prepare'>,
  organisationId: number,
  conversionIds: readonly string[],
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
  const people = new Map<string, People>(conversionIds.map((id) => [id, { hashes: {} }]));
  for (const row of rows) {
    const { hashes, raw } = await openTelling(vault, organisationId, row);
    const before = people.get(row.conversion_id) ?? { hashes: {} };
    const user = raw === undefined ? before.raw : { ...(raw as object), ...before.raw };
    people.set(row.conversion_id, {
      hashes: joined(before.hashes, hashes),
      ...(user !== undefined && { raw: user as NonNullable<Conversion['user']> }),
    });
  }
  return people;
}

async function openTelling(vault: Pick<Vault, 'open'>, organisationId: number, row: TellingRow) {
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
  return { hashes: (await open('hashes_sealed')) ?? {}, raw: await open('raw_sealed') };
}

function joined(first: People['hashes'], more: People['hashes']): People['hashes'] {
  const all: Record<string, Record<string, unknown>> = { ...first };
  for (const [kind, identifiers] of Object.entries(more)) {
    const known = Object.entries(all[kind] ?? {}).filter(([, value]) => !(Array.isArray(value) && value.length === 0));
    all[kind] = { ...identifiers, ...Object.fromEntries(known) };
  }
  return all;
}

/** Takes raw values out of what a destination was given. */
export function withoutRaw(identifiers: unknown): Record<string, unknown> {
  const kept = { ...(identifiers as Record<string, unknown>) };
  for (const member of rawMembers) delete kept[member];
  return kept;
}

/**
 * What of a person goes to a destination: the hashes that were made for it, with address and browser while they are there.
 * One that was added later is given what the raw values make.
 */
export function identifiersFor<Identifiers>(
  destination: { readonly id: string; identify(conversion: Conversion): Identifiers },
  facts: Conversion,
  { hashes, raw }: People,
): Identifiers {
  const made = destination.identify(raw === undefined ? facts : { ...facts, user: raw });
  const kept = hashes[destination.id];
  if (kept === undefined) return made;
  const fresh = Object.fromEntries(
    Object.entries(made as object).filter(([name]) => (rawMembers as readonly string[]).includes(name)),
  );
  return { ...(made as object), ...kept, ...fresh } as Identifiers;
}
