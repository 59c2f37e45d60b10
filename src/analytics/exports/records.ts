import type { z } from 'zod';
import type { Site } from '../../../contract/api.ts';
import type { ExportFormat, siteExport } from '../../../contract/exports.ts';
import type { Notices } from '../../accounts/index.ts';
import { everywhere, type Sql } from '../../platform/postgres/index.ts';
import { removeNoted } from '../../platform/removed.ts';
import type { House } from '../../platform/subject.ts';
import type { Place } from '../../platform/vault.ts';
import { isoDay } from '../../platform/zone.ts';
import { heldIn, refuseWhileHeld } from '../../trust/windows/index.ts';
import { oneAtATime } from '../site_limit.ts';
import { formats } from './formats.ts';
import type { Sealed } from './sealed_file.ts';
import { isExportWithheld } from './withheld.ts';
import { type ExportProgress, zoneOf } from './write_export.ts';

type Stores = Pick<House, 'postgres' | 'clock' | 'vault' | 'random'> & { notices: Pick<Notices, 'tell'> };
type Whose = Pick<Site, 'id' | 'organisation_id' | 'domain'>;

/** An export that waits or runs, with what its writer has to know. */
export interface PendingExport {
  id: number;
  organisation_id: number;
  site_id: number;
  domain: string;
  format: ExportFormat;
  timezone: string;
  first_day: string;
  last_day: string;
}

/** A file stays so long after it was finished. */
const keptDays = 7;
const keptMs = keptDays * 86_400_000;
/** Lines that a site may have at once, files and failures. */
export const exportsPerSiteMax = 20;

const columns = `id, format, state, first_day, last_day, (last_day - first_day + 1) AS days, days_done, rows, bytes, failure, created_by AS started_by, created_at, finished_at, expires_at,
  ${isExportWithheld} AS withheld`;

type Row = Omit<z.infer<typeof siteExport>, 'created_at' | 'finished_at' | 'expires_at' | 'file_name'> & {
  created_at: Date;
  finished_at: Date | null;
  expires_at: Date | null;
};

interface KeyRow {
  id: number;
  organisation_id: number;
  key_sealed: Buffer | null;
}
const keyAt = (organisationId: number, id: number): Place & { class: 'D8' } => ({
  ...{ organisationId, table: 'exports', column: 'key_sealed', row: id, class: 'D8' },
});

/** Writes down who did it, in the same transaction. */
type Note = (sql: Sql, id: number) => Promise<void>;

export type ExportRecords = ReturnType<typeof openExportRecords>;

/** The exports of all organisations, as PostgreSQL has them. */
export function openExportRecords({ postgres, clock, vault, random, notices }: Stores) {
  async function sealedFile(row: KeyRow | undefined): Promise<Sealed | undefined> {
    if (row === undefined || row.key_sealed === null) return undefined;
    const key = await vault.open(keyAt(row.organisation_id, row.id), row.key_sealed);
    return { of: 'export', id: row.id, key };
  }

  return {
    /** @returns undefined when the site waits for one of this format already, or has too many */
    begin: (
      site: Whose & Pick<Site, 'timezone'>,
      format: ExportFormat,
      span: { from: number; to: number },
      startedBy: number | undefined,
      note: Note,
    ) =>
      postgres.tenant(site.organisation_id, async (sql) => {
        // One at a time: two that begin at the same moment would both find none.
        await oneAtATime(sql, `export ${site.id}`);
        // What only a hold keeps takes nobody's place.
        const known = await sql.query<{ format: string; pending: boolean }>(
          `SELECT format, state IN ('waiting', 'running') AS pending FROM exports
           WHERE site_id = $1 AND (expires_at IS NULL OR expires_at > $2)`,
          [site.id, new Date(clock.now())],
        );
        if (known.some((one) => one.pending && one.format === format)) return 'running' as const;
        if (known.length >= exportsPerSiteMax) return 'full' as const;
        const { id } = await sql.one<{ id: number }>("SELECT nextval('exports_id_seq') AS id");
        const row = await sql.one<Row>(
          `INSERT INTO exports (id, organisation_id, site_id, format, state, timezone, first_day, last_day, created_by, created_at, key_sealed)
           VALUES ($1, $2, $3, $4, 'waiting', $5, $6, $7, $8, $9, $10) RETURNING ${columns}`,
          [
            ...[id, site.organisation_id, site.id, format, zoneOf(site), isoDay(span.from), isoDay(span.to)],
            ...[startedBy ?? null, new Date(clock.now())],
            await vault.seal(keyAt(site.organisation_id, id), random.bytes(32)),
          ],
        );
        await note(sql, row.id);
        return answerOf(site, row);
      }),

    list: (site: Whose) =>
      postgres.tenant(site.organisation_id, async (sql) => {
        const rows = await sql.query<Row>(`SELECT ${columns} FROM exports WHERE site_id = $1 ORDER BY id DESC`, [
          site.id,
        ]);
        return rows.map((row) => answerOf(site, row));
      }),

    find: (site: Whose, id: number) =>
      postgres.tenant(site.organisation_id, async (sql) => {
        const row = await sql.maybe<Row>(`SELECT ${columns} FROM exports WHERE id = $1 AND site_id = $2`, [
          id,
          site.id,
        ]);
        return row === undefined ? undefined : answerOf(site, row);
      }),

    /** How its file is opened; undefined for one that lies as it is, begun before files were sealed, or that is gone. */
    fileOf: async (organisationId: number, id: number): Promise<Sealed | undefined> =>
      sealedFile(
        await postgres.tenant(organisationId, (sql) =>
          sql.maybe<KeyRow>('SELECT id, organisation_id, key_sealed FROM exports WHERE id = $1', [id]),
        ),
      ),

    /** The same of a finished one, whosever it is or of one organisation's alone; undefined for one of no row, or another's. */
    async fileForScan(id: number, organisationId?: number): Promise<{ sealed: Sealed | undefined } | undefined> {
      const found = (sql: Sql) =>
        sql.query<KeyRow>("SELECT id, organisation_id, key_sealed FROM exports WHERE id = $1 AND state = 'done'", [id]);
      const [row] =
        organisationId === undefined ? await everywhere(postgres, found) : await postgres.tenant(organisationId, found);
      return row === undefined ? undefined : { sealed: await sealedFile(row) };
    },

    /** Names of finished files that a hold keeps. */
    heldFiles: (organisationId: number) =>
      postgres.tenant(organisationId, async (sql): Promise<ReadonlySet<string>> => {
        const { everything, siteIds } = await heldIn(sql, organisationId, 'exports');
        const rows = await sql.query<{ id: number }>(
          "SELECT id FROM exports WHERE state = 'done' AND ($1 OR site_id = ANY ($2))",
          [everything, [...siteIds]],
        );
        return new Set(rows.map(({ id }) => String(id)));
      }),

    /**
     * One that is not finished may be called off, whatever is held; a file is a copy that a hold keeps.
     * @returns whether there was one
     * @throws RequestError conflict while a hold keeps it
     */
    remove: (site: Whose, id: number, note: Note) =>
      postgres.tenant(site.organisation_id, async (sql) => {
        const finished = await sql.query("SELECT 1 FROM exports WHERE id = $1 AND site_id = $2 AND state = 'done'", [
          ...[id, site.id],
        ]);
        if (finished.length > 0) await refuseWhileHeld(sql, site.organisation_id, site.id);
        const removed = await sql.run('DELETE FROM exports WHERE id = $1 AND site_id = $2', [id, site.id]);
        if (removed > 0) await note(sql, id);
        return removed > 0;
      }),

    /**
     * The export that was asked for first among those that are not finished.
     * @param among numbers of those that count; absent: all of them
     */
    async next(among?: readonly number[]): Promise<PendingExport | undefined> {
      const pending = await everywhere(postgres, (sql) =>
        sql.query<PendingExport>(
          `SELECT e.id, e.organisation_id, e.site_id, s.domain, e.format, e.timezone, e.first_day, e.last_day
           FROM exports e JOIN sites s ON s.id = e.site_id
           WHERE e.state IN ('waiting', 'running') AND ($1::bigint[] IS NULL OR e.id = ANY ($1)) ORDER BY e.id LIMIT 1`,
          [among ?? null],
        ),
      );
      return pending.sort((one, other) => one.id - other.id)[0];
    },

    /** @returns false when the export is no longer wanted: its row has gone */
    progress: (pending: PendingExport, at: Pick<ExportProgress, 'done' | 'rows' | 'bytes'> | undefined) =>
      postgres.tenant(pending.organisation_id, async (sql) => {
        const changed =
          at === undefined
            ? await sql.run("UPDATE exports SET state = 'running' WHERE id = $1", [pending.id])
            : await sql.run('UPDATE exports SET days_done = $2, rows = $3, bytes = $4 WHERE id = $1', [
                ...[pending.id, at.done, at.rows, at.bytes],
              ]);
        return changed > 0;
      }),

    /** Whoever asked for it is told in the same transaction. @returns false when the export is no longer wanted */
    finish: (pending: PendingExport, end: { bytes: number } | { failure: string }) =>
      postgres.tenant(pending.organisation_id, async (sql) => {
        const now = clock.now();
        const ended = await sql.maybe<{ started_by: number | null }>(
          `UPDATE exports SET state = $2, failure = $3, bytes = $4, finished_at = $5, expires_at = $6,
             days_done = CASE WHEN $2 = 'done' THEN last_day - first_day + 1 ELSE days_done END
           WHERE id = $1 RETURNING created_by AS started_by`,
          [
            pending.id,
            'bytes' in end ? 'done' : 'failed',
            'failure' in end ? end.failure : null,
            'bytes' in end ? end.bytes : 0,
            ...[new Date(now), new Date(now + keptMs)],
          ],
        );
        if (ended === undefined) return false;
        if (ended.started_by !== null)
          await notices.tell(sql, ended.started_by, {
            name: 'bytes' in end ? 'export_ready' : 'export_failed',
            facts: { site: pending.domain, ...('bytes' in end ? { days: keptDays } : { reason: end.failure }) },
            link: `/s/${encodeURIComponent(pending.domain)}/exports`,
            organisationId: pending.organisation_id,
          });
        return true;
      }),

    /**
     * Takes the rows away whose time is over, but what a hold keeps (R9).
     * @returns those that are left, in every organisation, by their number
     */
    async sweep(): Promise<ReadonlyMap<number, { isPending: boolean }>> {
      const now = new Date(clock.now());
      const left = await everywhere(postgres, async (sql, organisationId) => {
        const over = await sql.query('SELECT 1 FROM exports WHERE expires_at <= $1 LIMIT 1', [now]);
        if (over.length > 0) {
          const { everything, siteIds } = await heldIn(sql, organisationId, 'exports');
          await removeNoted(
            sql,
            { line: 'exports', from: 'exports', organisationId, nowMs: now.getTime() },
            `DELETE FROM exports WHERE expires_at <= $1 AND NOT (state = 'done' AND ($2 OR site_id = ANY ($3)))
             RETURNING id::text AS key, finished_at AS since`,
            [now, everything, [...siteIds]],
          );
        }
        return sql.query<{ id: number; isPending: boolean }>(
          `SELECT id, state IN ('waiting', 'running') AS "isPending" FROM exports`,
        );
      });
      return new Map(left.map(({ id, isPending }) => [id, { isPending }]));
    },
  };
}

function answerOf({ domain }: Pick<Site, 'domain'>, row: Row): z.infer<typeof siteExport> {
  // It stands in a header, which takes plain signs only.
  const name = domain.replaceAll(/[^A-Za-z0-9.-]/g, '-');
  const span = `${row.first_day}_${row.last_day}`.replaceAll('-', '');
  return {
    ...row,
    file_name: `${name}-${row.format}-${span}.${formats[row.format].ending}`,
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
    expires_at: row.expires_at?.toISOString() ?? null,
  };
}
