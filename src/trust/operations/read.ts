import type { z } from 'zod';
import type { OperationLine, operationsExportQuestion } from '../../../contract/operations.ts';
import { shownName } from '../../platform/email.ts';
import { everyOperator, type Postgres, type Sql } from '../../platform/postgres/index.ts';
import { type Vault, VaultError } from '../../platform/vault.ts';
import type { Span } from '../audit/index.ts';
import { pseudonymOf } from './writer.ts';

type Asked = Omit<z.infer<typeof operationsExportQuestion>, 'format' | 'from' | 'to' | 'timezone'> & Span;

interface Row {
  id: number;
  at: Date;
  kind: OperationLine['kind'];
  action: string;
  site_id: number | null;
  actor_type: 'person' | 'key' | null;
  actor: string | null;
  object_kind: string | null;
  object_id: string | null;
  request_id: string | null;
  outcome: OperationLine['outcome'];
  code: string | null;
  ms: number | null;
  browser: string | null;
  network: string | null;
}

/** Lines that a question asks for, newest first, in the transaction of their organisation or of the desk. */
export async function findLines(
  sql: Sql,
  asked: Asked & { before_id?: number | undefined; limit: number },
): Promise<Row[]> {
  const params: unknown[] = [];
  // Row security binds the organisation; said once more, so that the index is used.
  const where = ['o.organisation_id IS NOT DISTINCT FROM current_organisation()'];
  const is = (column: string, value: unknown) => where.push(`o.${column} = $${params.push(value)}`);
  if (asked.kind !== undefined) is('kind', asked.kind);
  if (asked.action !== undefined) is('action', asked.action);
  if (asked.outcome !== undefined) is('outcome', asked.outcome);
  if (asked.request !== undefined) is('request_id', asked.request);
  if (asked.actor !== undefined) {
    const [type, id] = asked.actor.split(':');
    is('actor_type', type);
    is('actor', id);
  }
  if (asked.object !== undefined) {
    const [kind = '', id] = asked.object.split(/:(.*)/s);
    if (kind === 'site' && id !== undefined) {
      const one = `$${params.push(/^\d{1,15}$/.test(id) ? Number(id) : -1)}`;
      where.push(`o.site_id = ${one}`);
    } else {
      is('object_kind', kind);
      if (id !== undefined) is('object_id', id);
    }
  }
  if (asked.since !== undefined) where.push(`o.at >= $${params.push(new Date(asked.since))}`);
  if (asked.before !== undefined) where.push(`o.at < $${params.push(new Date(asked.before))}`);
  if (asked.before_id !== undefined) where.push(`o.id < $${params.push(asked.before_id)}`);
  return sql.query<Row>(
    `SELECT o.id, o.at, o.kind, o.action, o.site_id, o.actor_type, o.actor, o.object_kind, o.object_id, o.request_id,
       o.outcome, o.code, o.ms, o.browser, n.network
     FROM operations o LEFT JOIN operation_networks n ON n.operation_id = o.id
     WHERE ${where.join(' AND ')} ORDER BY o.id DESC LIMIT $${params.push(asked.limit)}`,
    params,
  );
}

/**
 * Names by pseudonym, of who is a member now or runs the desk. The log itself names nobody: who has left, and whose
 * account is closed, stays a pseudonym for every reader.
 */
export async function namesNow(
  { postgres, vault }: { postgres: Postgres; vault: Vault },
  organisationId: number | null,
): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  const add = async (owner: number | 'desk', person: { id: number; name: string; email_sealed: Buffer | null }) => {
    try {
      const name = await shownName(vault, person);
      if (name !== undefined) names.set(await pseudonymOf(vault, owner, person.id), name);
    } catch (error) {
      // The key of this person was destroyed just now.
      if (!(error instanceof VaultError)) throw error;
    }
  };
  if (organisationId === null) {
    await everyOperator(postgres, async (sql, id) => {
      const [person] = await sql.query<{ id: number; name: string; email_sealed: Buffer | null }>(
        'SELECT id, name, email_sealed FROM people WHERE id = $1',
        [id],
      );
      if (person !== undefined) await add('desk', person);
    });
    return names;
  }
  const members = await postgres.tenant(organisationId, (sql) =>
    sql.query<{ id: number; name: string; email_sealed: Buffer | null }>(
      `SELECT p.id, p.name, p.email_sealed FROM memberships m JOIN people p ON p.id = m.person_id
       WHERE m.organisation_id = $1 ORDER BY p.id`,
      [organisationId],
    ),
  );
  for (const member of members) await add(organisationId, member);
  return names;
}

/** A line as a page shows it. */
export function shownLine(
  row: Row,
  names: ReadonlyMap<string, string>,
  summaries: ReadonlyMap<string, string>,
): OperationLine {
  const { actor_type: type, actor, object_kind: kind, object_id: id } = row;
  return {
    id: row.id,
    at: row.at.toISOString(),
    kind: row.kind,
    action: row.action,
    summary: summaries.get(row.action) ?? null,
    site_id: row.site_id,
    actor: type === null || actor === null ? null : { type, id: actor, name: names.get(actor) ?? null },
    object: kind === null || id === null ? null : { kind, id },
    request_id: row.request_id,
    outcome: row.outcome,
    code: row.code,
    ms: row.ms,
    browser: row.browser,
    network: row.network,
  };
}
