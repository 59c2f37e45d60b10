import type { z } from 'zod';
import type { AuditEntry, auditExportQuestion, auditQuestion } from '../../../contract/audit.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { type Vault, VaultError } from '../../platform/vault.ts';
import { actions, isAction } from './actions.ts';
import type { Span } from './days.ts';
import { linkColumns, linkOf, type StoredRow } from './stored.ts';
import { placeOf, splitSubject } from './write.ts';

/** What narrows a trail, its days as instants. */
export type Filters = Omit<z.infer<typeof auditExportQuestion>, 'format' | 'from' | 'to' | 'timezone'> & Span;

/** A row with its sealed parts. */
export interface FullRow extends StoredRow {
  actor_name: Buffer | null;
  details: Buffer | null;
}

/** What could be opened of an entry. Salts let a reader check it against what was committed to. */
export interface Opened {
  name: string | null;
  nameSalt: string | null;
  labels: (string | null)[] | null;
  details: [string, string | number | boolean | null][] | null;
  detailsSalt: string | null;
  isErased: boolean;
}

/** Entries that a question asks for, newest first. */
export async function findEntries(
  sql: Sql,
  organisation: number,
  asked: Filters & Pick<z.infer<typeof auditQuestion>, 'cursor' | 'limit'>,
): Promise<FullRow[]> {
  const { where, params } = conditionsOf(organisation, asked);
  if (asked.cursor !== undefined) where.push(`seq < $${params.push(asked.cursor)}`);
  return sql.query<FullRow>(
    `SELECT ${linkColumns}, actor_name, details FROM audit.entries WHERE ${where.join(' AND ')}
     ORDER BY seq DESC LIMIT $${params.push(asked.limit)}`,
    params,
  );
}

/** The same oldest first and piece by piece, for exports. */
export async function nextEntries(
  sql: Sql,
  organisation: number,
  asked: Filters & { after: number; through: number; count: number },
): Promise<FullRow[]> {
  const { where, params } = conditionsOf(organisation, asked);
  where.push(`seq > $${params.push(asked.after)}`, `seq <= $${params.push(asked.through)}`);
  return sql.query<FullRow>(
    `SELECT ${linkColumns}, actor_name, details FROM audit.entries WHERE ${where.join(' AND ')}
     ORDER BY seq LIMIT $${params.push(asked.count)}`,
    params,
  );
}

function conditionsOf(organisation: number, asked: Filters): { where: string[]; params: unknown[] } {
  const params: unknown[] = [organisation];
  const where = ['organisation_id = $1'];
  if (asked.group !== undefined) where.push(`starts_with(action, $${params.push(`${asked.group}.`)})`);
  if (asked.action !== undefined) where.push(`action = $${params.push(asked.action)}`);
  if (asked.outcome !== undefined) where.push(`outcome = $${params.push(asked.outcome)}`);
  if (asked.since !== undefined) where.push(`at >= $${params.push(new Date(asked.since))}`);
  if (asked.before !== undefined) where.push(`at < $${params.push(new Date(asked.before))}`);
  if (asked.actor !== undefined) {
    const [type, id] = typeAndId(asked.actor);
    where.push(`actor_type = $${params.push(type)}`);
    if (id !== undefined) where.push(`actor = $${params.push(id)}`);
  }
  if (asked.target !== undefined) {
    const [type, id] = typeAndId(asked.target);
    where.push(`targets @> $${params.push(JSON.stringify([id === undefined ? { type } : { type, id }]))}::jsonb`);
  }
  if (asked.q !== undefined) {
    const words = asked.q.toLowerCase();
    const named = Object.entries(actions)
      .filter(([name, { sentence }]) => name.includes(words) || sentence.toLowerCase().includes(words))
      .map(([name]) => name);
    const one = `$${params.push(words)}`;
    where.push(
      `(action = ANY ($${params.push(named)}) OR request_id = ${one} OR actor = ${one} OR entry::text = ${one}
        OR reason = ${one} OR targets @> jsonb_build_array(jsonb_build_object('id', ${one}::text)))`,
    );
  }
  return { where, params };
}

function typeAndId(text: string): [type: string, id: string | undefined] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** Opens sealed parts of entries; the name of one actor is opened once. */
export function openReader(vault: Vault): (row: FullRow) => Promise<Opened> {
  const names = new Map<string, NameSealed | undefined>();

  async function nameOf(row: FullRow, stored: Buffer): Promise<NameSealed | undefined> {
    const key = stored.toString('base64');
    if (!names.has(key))
      names.set(key, (await opened(row, 'actor_name', row.actor ?? '', stored)) as NameSealed | undefined);
    return names.get(key);
  }

  async function opened(
    row: FullRow,
    column: 'actor_name' | 'details',
    name: string,
    stored: Buffer,
  ): Promise<unknown> {
    const { sealed, ...whom } = splitSubject(stored);
    const place = { ...placeOf(row.organisation_id === 0 ? 'desk' : row.organisation_id, column, name), ...whom };
    try {
      return JSON.parse((await vault.open(place, sealed)).toString('utf8'));
    } catch (error) {
      // Erased, or changed: the chain tells which.
      if (error instanceof VaultError) return undefined;
      throw error;
    }
  }

  return async (row) => {
    const name = row.actor_name === null ? undefined : await nameOf(row, row.actor_name);
    const found =
      row.details === null
        ? undefined
        : ((await opened(row, 'details', row.entry, row.details)) as { salt: string; text: string } | undefined);
    const [labels, details] =
      found === undefined ? [null, null] : (JSON.parse(found.text) as [Opened['labels'], Opened['details']]);
    return {
      name: name?.name ?? null,
      nameSalt: name?.salt ?? null,
      labels,
      details,
      detailsSalt: found?.salt ?? null,
      isErased: (row.actor_name !== null && name === undefined) || (row.details !== null && found === undefined),
    };
  };
}

interface NameSealed {
  name: string;
  salt: string;
}

/** An entry as a page shows it. */
export function shownEntry(row: FullRow, opened: Opened): AuditEntry {
  const { entry } = linkOf(row);
  const known = isAction(row.action) ? actions[row.action] : undefined;
  return {
    seq: row.seq,
    at: entry.at,
    action: row.action,
    sentence: known?.sentence ?? row.action,
    severity: known?.severity ?? 'info',
    outcome: row.outcome as AuditEntry['outcome'],
    reason: row.reason,
    actor: { type: row.actor_type as AuditEntry['actor']['type'], id: row.actor, name: opened.name },
    targets: row.targets.map((target, i) => ({
      type: String(target.type),
      id: String(target.id),
      label: opened.labels?.[i] ?? null,
    })),
    details: Object.fromEntries(opened.details ?? []),
    is_erased: opened.isErased,
    network: row.address,
    request_id: row.request_id,
    hash: row.hash,
  };
}
