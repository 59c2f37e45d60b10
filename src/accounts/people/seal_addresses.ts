import { type EmailHolder, emailDigest, sealEmail } from '../../platform/email.ts';
import type { House } from '../../platform/subject.ts';

/** Addresses sealed in one transaction. */
const batchMax = 200;

interface Row {
  held_in: 'people' | 'invitations' | 'identities';
  row_id: number;
  organisation_id: number | null;
  person_id: number | null;
  row_digest: Buffer | null;
  address: string;
}

/**
 * Seals what a version before 2026-11-28-30 wrote in clear, then drops the columns that it stood in. Called at each start,
 * before anything asks for an address; a run that was killed is taken up by the next one. On a desk that has nothing in
 * clear it is one question.
 * @returns how many addresses were sealed
 */
export async function sealAddresses({
  postgres,
  vault,
  keys,
}: Pick<House, 'postgres' | 'vault' | 'keys'>): Promise<number> {
  const isDone = () =>
    postgres.system(async (sql) => {
      const { there } = await sql.one<{ there: boolean }>("SELECT to_regnamespace('upgrade') IS NOT NULL AS there");
      return !there;
    });
  let sealed = 0;
  if (await isDone()) return sealed;
  for (;;) {
    const rows = await postgres.system((sql) =>
      sql.query<Row>('SELECT * FROM upgrade.addresses_in_clear($1)', [batchMax]),
    );
    if (rows.length === 0) break;
    const ready = await Promise.all(
      rows.map(async (row) => [
        row.held_in,
        row.row_id,
        emailDigest(keys, row.address),
        await sealEmail(vault, holderOf(row), row.address),
      ]),
    );
    await postgres.system(async (sql) => {
      for (const one of ready) await sql.query('SELECT upgrade.seal_address($1, $2, $3, $4)', one);
    });
    sealed += rows.length;
  }
  await postgres.system(async (sql) => {
    // Two processes that start at once: the second one finds nothing to drop.
    await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('addresses in clear', 0))");
    const { there } = await sql.one<{ there: boolean }>(
      "SELECT to_regprocedure('upgrade.drop_addresses_in_clear()') IS NOT NULL AS there",
    );
    if (there) await sql.query('SELECT upgrade.drop_addresses_in_clear()');
  });
  return sealed;
}

function holderOf(row: Row): EmailHolder {
  switch (row.held_in) {
    case 'people':
      return { person: row.row_id };
    case 'invitations':
      return { invitation: row.row_id, organisationId: row.organisation_id as number };
    case 'identities':
      return { identity: row.row_digest as Buffer, person: row.person_id as number };
  }
}
