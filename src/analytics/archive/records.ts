import { archiveKeptDays, type OrganisationArchive } from '../../../contract/organisation_archives.ts';
import type { Notices } from '../../accounts/index.ts';
import { everywhere, type Sql } from '../../platform/postgres/index.ts';
import { removeNoted } from '../../platform/removed.ts';
import type { House } from '../../platform/subject.ts';
import type { Place } from '../../platform/vault.ts';
import { heldIn, refuseLineWhileHeld } from '../../trust/windows/index.ts';
import { isArchiveWithheld } from '../exports/withheld.ts';
import { oneAtATime } from '../site_limit.ts';

type Stores = Pick<House, 'postgres' | 'clock' | 'vault' | 'random'> & { notices: Pick<Notices, 'tell'> };

const keptMs = archiveKeptDays * 86_400_000;
/** Files of one organisation at once. */
export const archivesMax = 5;

export interface PendingArchive {
  id: number;
  organisation_id: number;
  name: string;
  slug: string;
  created_at: Date;
}

const columns = `id, state, sites, sites_done, rows, bytes, failure, created_by AS started_by, created_at, finished_at, expires_at,
  ${isArchiveWithheld} AS withheld`;
type Row = Omit<OrganisationArchive, 'created_at' | 'finished_at' | 'expires_at' | 'held'> & {
  created_at: Date;
  finished_at: Date | null;
  expires_at: Date | null;
};

const keyAt = (organisationId: number, id: number): Place & { class: 'D8' } => ({
  ...{ organisationId, table: 'organisation_archives', column: 'key_sealed', row: id, class: 'D8' },
});

const line = 'organisation-archives';
/** Does a legal hold keep them (R9)? Each does: whatever it keeps is in them. */
const areHeld = async (sql: Sql, organisationId: number) => (await heldIn(sql, organisationId, line)).everything;

export type ArchiveRecords = ReturnType<typeof openArchiveRecords>;

/** The archives of all organisations, as PostgreSQL has them. */
export function openArchiveRecords({ postgres, clock, vault, random, notices }: Stores) {
  return {
    /** @returns undefined when one is being made already, or there are too many */
    begin: (organisationId: number, startedBy: number, note: (sql: Sql, id: number) => Promise<void>) =>
      postgres.tenant(organisationId, async (sql) => {
        await oneAtATime(sql, `archive of organisation ${organisationId}`);
        const known = await sql.query<{ pending: boolean }>(
          "SELECT state IN ('waiting', 'running') AS pending FROM organisation_archives WHERE organisation_id = $1",
          [organisationId],
        );
        if (known.some(({ pending }) => pending)) return 'running' as const;
        if (known.length >= archivesMax) return 'full' as const;
        const { id } = await sql.one<{ id: number }>("SELECT nextval('organisation_archives_id_seq') AS id");
        const row = await sql.one<Row>(
          `INSERT INTO organisation_archives (id, organisation_id, state, key_sealed, sites, created_by, created_at)
           VALUES ($1, $2, 'waiting', $3, (SELECT count(*) FROM sites WHERE organisation_id = $2), $4, $5) RETURNING ${columns}`,
          [
            ...[id, organisationId, await vault.seal(keyAt(organisationId, id), random.bytes(32))],
            ...[startedBy, new Date(clock.now())],
          ],
        );
        await note(sql, id);
        return answerOf(row, false);
      }),

    list: (organisationId: number) =>
      postgres.tenant(organisationId, async (sql) => {
        const rows = await sql.query<Row>(
          `SELECT ${columns} FROM organisation_archives WHERE organisation_id = $1 ORDER BY id DESC`,
          [organisationId],
        );
        const held = rows.length > 0 && (await areHeld(sql, organisationId));
        return rows.map((row) => answerOf(row, held));
      }),

    find: (organisationId: number, id: number) =>
      postgres.tenant(organisationId, async (sql) => {
        const row = await sql.maybe<Row>(
          `SELECT ${columns} FROM organisation_archives WHERE organisation_id = $1 AND id = $2`,
          [organisationId, id],
        );
        return row === undefined ? undefined : answerOf(row, await areHeld(sql, organisationId));
      }),

    /** The key of a file. */
    async keyOf(organisationId: number, id: number): Promise<Buffer> {
      const { key_sealed } = await postgres.tenant(organisationId, (sql) =>
        sql.one<{ key_sealed: Buffer }>('SELECT key_sealed FROM organisation_archives WHERE id = $1', [id]),
      );
      return vault.open(keyAt(organisationId, id), key_sealed);
    },

    /** The key of a finished file, whosever it is or of one organisation's alone; undefined for one of no row, or another's. */
    async keyForScan(id: number, organisationId?: number): Promise<Buffer | undefined> {
      const found = (sql: Sql) =>
        sql.query<{ organisation_id: number; key_sealed: Buffer }>(
          "SELECT organisation_id, key_sealed FROM organisation_archives WHERE id = $1 AND state = 'done'",
          [id],
        );
      const [row] =
        organisationId === undefined ? await everywhere(postgres, found) : await postgres.tenant(organisationId, found);
      return row === undefined ? undefined : vault.open(keyAt(row.organisation_id, id), row.key_sealed);
    },

    /** Names of finished files that a hold keeps. */
    heldFiles: (organisationId: number) =>
      postgres.tenant(organisationId, async (sql): Promise<ReadonlySet<string>> => {
        if (!(await areHeld(sql, organisationId))) return new Set();
        const rows = await sql.query<{ id: number }>("SELECT id FROM organisation_archives WHERE state = 'done'");
        return new Set(rows.map(({ id }) => String(id)));
      }),

    /**
     * @returns whether there was one
     * @throws RequestError conflict while a hold keeps it
     */
    remove: (organisationId: number, id: number, note: (sql: Sql, id: number) => Promise<void>) =>
      postgres.tenant(organisationId, async (sql) => {
        const finished = await sql.query(
          "SELECT 1 FROM organisation_archives WHERE organisation_id = $1 AND id = $2 AND state = 'done'",
          [organisationId, id],
        );
        if (finished.length > 0) await refuseLineWhileHeld(sql, organisationId, line);
        const removed = await sql.run('DELETE FROM organisation_archives WHERE organisation_id = $1 AND id = $2', [
          organisationId,
          id,
        ]);
        if (removed > 0) await note(sql, id);
        return removed > 0;
      }),

    async next(among?: readonly number[]): Promise<PendingArchive | undefined> {
      const pending = await everywhere(postgres, (sql) =>
        sql.query<PendingArchive>(
          `SELECT a.id, a.organisation_id, o.name, o.slug, a.created_at
           FROM organisation_archives a JOIN organisations o ON o.id = a.organisation_id
           WHERE a.state IN ('waiting', 'running') AND ($1::bigint[] IS NULL OR a.id = ANY ($1)) ORDER BY a.id LIMIT 1`,
          [among ?? null],
        ),
      );
      return pending.sort((one, other) => one.id - other.id)[0];
    },

    /** @param at its `done` is how many sites are written. @returns false when the archive is no longer wanted */
    progress: (pending: PendingArchive, at: { done: number; rows: number } | undefined) =>
      postgres.tenant(pending.organisation_id, async (sql) => {
        const changed =
          at === undefined
            ? await sql.run("UPDATE organisation_archives SET state = 'running' WHERE id = $1", [pending.id])
            : await sql.run('UPDATE organisation_archives SET sites_done = $2, rows = $3 WHERE id = $1', [
                ...[pending.id, at.done, at.rows],
              ]);
        return changed > 0;
      }),

    /** Whoever asked for it is told in the same transaction. @returns false when it is no longer wanted */
    finish: (pending: PendingArchive, end: { bytes: number } | { failure: string }) =>
      postgres.tenant(pending.organisation_id, async (sql) => {
        const now = clock.now();
        const isDone = 'bytes' in end;
        const ended = await sql.maybe<{ started_by: number }>(
          `UPDATE organisation_archives SET state = $2, failure = $3, bytes = $4, finished_at = $5, expires_at = $6,
             sites_done = CASE WHEN $2 = 'done' THEN sites ELSE sites_done END
           WHERE id = $1 RETURNING created_by AS started_by`,
          [
            ...[pending.id, isDone ? 'done' : 'failed', isDone ? null : end.failure, isDone ? end.bytes : 0],
            ...[new Date(now), new Date(now + keptMs)],
          ],
        );
        if (ended === undefined) return false;
        await notices.tell(sql, ended.started_by, {
          name: isDone ? 'archive_ready' : 'archive_failed',
          facts: { organisation: pending.name, ...(isDone ? { days: archiveKeptDays } : { reason: end.failure }) },
          link: `/o/${pending.slug}/settings`,
          organisationId: pending.organisation_id,
        });
        return true;
      }),

    /** Takes the rows away whose time is over, but what a hold keeps (R9). @returns those that are left, in every organisation, by their number */
    async sweep(): Promise<ReadonlyMap<number, { isPending: boolean }>> {
      const now = new Date(clock.now());
      const left = await everywhere(postgres, async (sql, organisationId) => {
        const over = await sql.query('SELECT 1 FROM organisation_archives WHERE expires_at <= $1 LIMIT 1', [now]);
        if (over.length > 0)
          await removeNoted(
            sql,
            { line, from: 'organisation_archives', organisationId, nowMs: now.getTime() },
            `DELETE FROM organisation_archives WHERE expires_at <= $1 AND NOT (state = 'done' AND $2)
             RETURNING id::text AS key, finished_at AS since`,
            [now, await areHeld(sql, organisationId)],
          );
        return sql.query<{ id: number; isPending: boolean }>(
          `SELECT id, state IN ('waiting', 'running') AS "isPending" FROM organisation_archives`,
        );
      });
      return new Map(left.map(({ id, isPending }) => [id, { isPending }]));
    },
  };
}

function answerOf(row: Row, held: boolean): OrganisationArchive {
  return {
    ...row,
    held: held && row.state === 'done',
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
    expires_at: row.expires_at?.toISOString() ?? null,
  };
}
