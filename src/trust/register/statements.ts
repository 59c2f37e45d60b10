import type { ReceiverStatement } from '../../../contract/register.ts';
import type { Sql } from '../../platform/postgres/index.ts';

type Stated = { [Member in keyof ReceiverStatement]-?: Exclude<ReceiverStatement[Member], undefined> | null };

/** What was stated of a receiver, for the host that it had then. */
export interface Statement extends Omit<Stated, 'legal_name' | 'country'> {
  legal_name: string;
  country: string;
  receiver: string;
  version: number;
  host: string;
}

const columns = `receiver, version, host, legal_name, country, basis, contract, contract_on::text AS contract_on,
  policy_url, terms_url, checked_on::text AS checked_on`;

/** The statement that holds, of each receiver. */
export async function readStatements(sql: Sql): Promise<Map<string, Statement>> {
  const rows = await sql.query<Statement>(
    `SELECT DISTINCT ON (receiver) ${columns} FROM receiver_statements ORDER BY receiver, version DESC`,
  );
  return new Map(rows.map((row) => [row.receiver, row]));
}

/** Makes a further version; what was stated before stays. Two at once follow each other. */
export async function state(
  sql: Sql,
  of: { receiver: string; host: string; atMs: number },
  said: ReceiverStatement,
): Promise<number> {
  await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('receiver ' || $1, 0))", [of.receiver]);
  const { version } = await sql.one<{ version: number }>(
    `INSERT INTO receiver_statements (receiver, version, host, legal_name, country, basis, contract, contract_on, policy_url, terms_url, checked_on, stated_at)
     SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM receiver_statements WHERE receiver = $1
     RETURNING version`,
    [
      ...[
        of.receiver,
        of.host,
        said.legal_name,
        said.country,
        said.basis ?? null,
        said.contract ?? null,
        said.contract_on ?? null,
      ],
      ...[said.policy_url ?? null, said.terms_url ?? null, said.checked_on ?? null, new Date(of.atMs)],
    ],
  );
  return version;
}
