import { createHash } from 'node:crypto';
import type { Sql } from './postgres/index.ts';

/** What a timer removes because its window is over. @property line of the table of windows (trust/windows/lines.ts) */
export interface TimedRemoval {
  line: string;
  /** Table or folder. */
  from: string;
  /** Whose it was; null for the desk's own. In the scope of the same. */
  organisationId: number | null;
  nowMs: number;
}

export interface RemovedFile {
  name: string;
  /** When the first of what was in it came. */
  sinceMs: number;
}
export type OnRemoved = (files: readonly RemovedFile[]) => Promise<void>;

const noted = `INSERT INTO retention_removals AS r (organisation_id, line, from_table, rows, oldest, digest, first_at, last_at)`;
const added = `ON CONFLICT (organisation_id, line, from_table) DO UPDATE SET rows = r.rows + excluded.rows,
  oldest = least(r.oldest, excluded.oldest), digest = r.digest # excluded.digest, last_at = excluded.last_at`;

/**
 * Removes rows and notes them in the same statement, for the receipt that the next night makes of it (RET-17).
 *
 * @param statement a DELETE or UPDATE that returns each row's `key`, as text, and its `since`
 * @returns how many went
 */
export async function removeNoted(
  sql: Sql,
  { line, from, organisationId, nowMs }: TimedRemoval,
  statement: string,
  values: readonly unknown[],
): Promise<number> {
  const at = values.length;
  const { rows } = await sql.one<{ rows: number }>(
    `WITH gone AS (${statement}), noted AS (
       ${noted} SELECT $${at + 1}::bigint, $${at + 2}::text, $${at + 3}::text, count(*), min(since), bit_xor(key_digest(key)), $${at + 4}::timestamptz, $${at + 4}
       FROM gone HAVING count(*) > 0 ${added})
     SELECT count(*) AS rows FROM gone`,
    [...values, organisationId, line, from, new Date(nowMs)],
  );
  return rows;
}

/** The same for files of the desk: they are gone by now, and have names instead of keys. */
export async function noteRemovedFiles(
  sql: Sql,
  { line, from, organisationId, nowMs }: TimedRemoval,
  files: readonly RemovedFile[],
): Promise<void> {
  if (files.length === 0) return;
  const digest = files.reduce((sum, { name }) => sum ^ keyDigest(name), 0n);
  const oldest = new Date(Math.min(...files.map(({ sinceMs }) => sinceMs)));
  await sql.run(`${noted} VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ${added}`, [
    ...[organisationId, line, from, files.length, oldest, String(digest), new Date(nowMs)],
  ]);
}

/** As the function `key_digest` of the database has it. */
export function keyDigest(key: string): bigint {
  return createHash('sha256').update(key).digest().readBigInt64BE(0);
}

/**
 * For a timer of files, which must not wait for a database that is away: what could not be told goes with the next turn.
 * A process that is killed between a file and its note has removed one more than its receipt says.
 */
export function tellOfRemoved(onRemoved: OnRemoved = async () => {}): OnRemoved {
  let untold: RemovedFile[] = [];
  return async (files) => {
    untold.push(...files);
    const telling = untold;
    untold = [];
    if (telling.length === 0) return;
    try {
      await onRemoved(telling);
    } catch (error) {
      untold = [...telling, ...untold];
      throw error;
    }
  };
}
