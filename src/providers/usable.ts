import type { Sql } from '../platform/postgres/index.ts';
import { findConnection } from './records.ts';

/** Why something cannot be sent with a connection, in a sentence; undefined where it can. @param provider whose it has to be */
export async function connectionProblem(
  sql: Sql,
  organisationId: number,
  id: number,
  provider: string,
): Promise<string | undefined> {
  const row = await findConnection(sql, organisationId, id);
  if (row === undefined) return 'There is no connection with this number here.';
  if (row.provider !== provider) return `This connection is one of ${row.provider}, and another one is needed here.`;
  return row.state === 'disconnected' ? 'This connection has been ended. Choose another one.' : undefined;
}
