import { type EmailHolder, emailDigest, sealEmail } from '../../platform/email.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';

/** Addresses sealed in one transaction. */
const batchMax = 50;
/** Another process that starts is at it: so long until the next look. */
const againMs = 200;

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
  clock,
}: Pick<House, 'postgres' | 'vault' | 'keys' | 'clock'>): Promise<number> {
  for (let sealed = 0; ; ) {
    const count = await postgres.system(async (sql) => {
      if (!(await isLeft(sql))) return undefined;
      // Two processes that start at once take turns; the second one may find that nothing is left.
      const { mine } = await sql.one<{ mine: boolean }>(
        "SELECT pg_try_advisory_xact_lock(hashtextextended('addresses in clear', 0)) AS mine",
      );
      if (!mine) return 'busy';
      if (!(await isLeft(sql))) return undefined;
      const rows = await sql.query<Row>('SELECT * FROM upgrade.addresses_in_clear($1)', [batchMax]);
      const sealings = rows.map((row) => sealEmail(vault, holderOf(row), row.address));
      for (const [i, bytes] of (await Promise.all(sealings)).entries()) {
        const row = rows[i] as Row;
        const digest = emailDigest(keys, row.address);
        await sql.query('SELECT upgrade.seal_address($1, $2, $3, $4)', [row.held_in, row.row_id, digest, bytes]);
      }
      if (rows.length === 0) await sql.query('SELECT upgrade.drop_addresses_in_clear()');
      return rows.length;
    });
    if (count === undefined) return sealed;
    if (count === 'busy') await new Promise<void>((resolve) => void clock.after(againMs, resolve));
    else sealed += count;
  }
}

/** Read from the table: what a transaction remembers of names may be from before another process dropped them. */
async function isLeft(sql: Sql): Promise<boolean> {
  return (await sql.query("SELECT 1 FROM pg_namespace WHERE nspname = 'upgrade'")).length > 0;
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
