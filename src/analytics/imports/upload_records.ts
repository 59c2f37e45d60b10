import type { z } from 'zod';
import type { Site } from '../../../contract/api.ts';
import type { ImportReportBody, NewImport, SiteImport, siteImport } from '../../../contract/imports.ts';
import { uploadLimits } from '../../../contract/limits.ts';
import type { Notices } from '../../accounts/index.ts';
import { everywhere, type Sql } from '../../platform/postgres/index.ts';
import { noteRemovedFiles } from '../../platform/removed.ts';
import type { House } from '../../platform/subject.ts';
import { refuseWhileRemoved } from '../life/index.ts';
import { oneAtATime } from '../site_limit.ts';
import type { ImportOutcome } from './importer.ts';
import { stoppedIn } from './report.ts';
import { reportBody } from './report_body.ts';

type Whose = Pick<Site, 'id' | 'organisation_id'>;

/** An import that the desk has to do something about, with what it needs for that. */
export interface PendingImport {
  id: number;
  organisation_id: number;
  site_id: number;
  domain: string;
  kind: SiteImport['kind'];
  state: SiteImport['state'];
  size: number | null;
  tries: number;
  /** What the dry run has read. */
  checked: number | null;
}

const columns =
  'id, kind, file_name, state, size, received, progress, rows_read, rows_stored, rows_dropped, first_day, last_day, report, failure, created_by AS started_by, created_at, finished_at, undone_at, expires_at';

type Row = Omit<SiteImport, 'created_at' | 'finished_at' | 'undone_at' | 'expires_at' | 'next_part'> & {
  created_at: Date;
  finished_at: Date | null;
  undone_at: Date | null;
  expires_at: Date | null;
};

interface Ended {
  organisation_id: number;
  domain: string;
  started_by: number | null;
}
const returningEnded =
  'RETURNING organisation_id, created_by AS started_by, (SELECT s.domain FROM sites s WHERE s.id = site_id) AS domain';

const unfinished = "('uploading', 'checking', 'ready', 'running', 'undoing')";
const withFile = "('uploading', 'checking', 'ready', 'running')";

export type UploadRecords = ReturnType<typeof openUploadRecords>;

/** Imports whose file comes over HTTP, as PostgreSQL has them, and those of the command line beside them. */
export function openUploadRecords({
  postgres,
  clock,
  notices,
}: Pick<House, 'postgres' | 'clock'> & { notices: Pick<Notices, 'tell'> }) {
  const one = async (site: Whose, sql: string, values: unknown[]): Promise<SiteImport | undefined> =>
    postgres.tenant(site.organisation_id, async (tenant) => {
      const row = await tenant.maybe<Row>(sql, values);
      return row === undefined ? undefined : answerOf(row);
    });

  /** Whoever sent the file hears what became of it, in the transaction that writes it down. */
  async function tell(
    sql: Sql,
    { organisation_id: organisationId, domain, started_by }: Ended,
    failure?: string,
  ): Promise<void> {
    if (started_by === null) return;
    await notices.tell(sql, started_by, {
      name: failure === undefined ? 'import_done' : 'import_failed',
      facts: { site: domain, ...(failure === undefined ? {} : { reason: failure }) },
      link: `/s/${encodeURIComponent(domain)}/imports`,
      organisationId,
    });
  }

  return {
    /** @returns undefined while another import of the site is not finished */
    begin: (site: Whose, { kind, name, size }: NewImport, startedBy: number | undefined) =>
      postgres.tenant(site.organisation_id, async (sql) => {
        // One at a time: two that begin at the same moment would both find none.
        await oneAtATime(sql, `upload ${site.id}`);
        await refuseWhileRemoved(sql, site.id);
        const [other] = await sql.query(
          `SELECT 1 FROM imports WHERE site_id = $1 AND size IS NOT NULL AND state IN ${unfinished}`,
          [site.id],
        );
        if (other !== undefined) return undefined;
        const now = clock.now();
        const row = await sql.one<Row>(
          `INSERT INTO imports (organisation_id, site_id, kind, file_name, state, size, created_by, created_at, expires_at)
           VALUES ($1, $2, $3, $4, 'uploading', $5, $6, $7, $8) RETURNING ${columns}`,
          [
            ...[site.organisation_id, site.id, kind, name, size, startedBy ?? null, new Date(now)],
            new Date(now + uploadLimits.keptDays * 86_400_000),
          ],
        );
        return answerOf(row);
      }),

    list: (site: Whose) =>
      postgres.tenant(site.organisation_id, async (sql) => {
        const rows = await sql.query<Row>(
          `SELECT ${columns} FROM imports WHERE site_id = $1 ORDER BY id DESC LIMIT 1000`,
          [site.id],
        );
        return rows.map(answerOf);
      }),

    find: (site: Whose, id: number) =>
      one(site, `SELECT ${columns} FROM imports WHERE id = $1 AND site_id = $2`, [id, site.id]),

    /** @returns undefined when it is no longer being sent */
    receive: (site: Whose, id: number, bytes: number) =>
      one(
        site,
        `UPDATE imports SET received = greatest(received, $3) WHERE id = $1 AND site_id = $2 AND state = 'uploading' RETURNING ${columns}`,
        [id, site.id, bytes],
      ),

    /** From one of some states to another. @returns undefined when it was in none of them */
    move: (
      site: Whose,
      id: number,
      from: readonly SiteImport['state'][],
      to: SiteImport['state'],
      note?: (sql: Sql) => Promise<void>,
    ) =>
      postgres.tenant(site.organisation_id, async (sql) => {
        const row = await sql.maybe<Row>(
          `UPDATE imports SET state = $3, progress = NULL, failure = NULL WHERE id = $1 AND site_id = $2 AND state = ANY ($4) RETURNING ${columns}`,
          [id, site.id, to, from],
        );
        if (row !== undefined) await note?.(sql);
        return row === undefined ? undefined : answerOf(row);
      }),

    /** @returns whether there was one in one of these states */
    remove: (site: Whose, id: number, states: readonly SiteImport['state'][], note: (sql: Sql) => Promise<void>) =>
      postgres.tenant(site.organisation_id, async (sql) => {
        const removed = await sql.run('DELETE FROM imports WHERE id = $1 AND site_id = $2 AND state = ANY ($3)', [
          ...[id, site.id, states],
        ]);
        if (removed > 0) await note(sql);
        return removed > 0;
      }),

    /** What there is to do, in every organisation, oldest first. */
    async pending(): Promise<PendingImport[]> {
      const found = await everywhere(postgres, (sql) =>
        sql.query<PendingImport>(
          `SELECT ${pendingColumns} FROM imports i JOIN sites s ON s.id = i.site_id
           WHERE i.state = 'undoing' OR (i.size IS NOT NULL AND i.state IN ('checking', 'running'))`,
        ),
      );
      return found.sort((a, b) => a.id - b.id);
    },

    again: (pending: PendingImport) =>
      postgres.tenant(pending.organisation_id, (sql) =>
        sql.maybe<PendingImport>(
          `SELECT ${pendingColumns} FROM imports i JOIN sites s ON s.id = i.site_id WHERE i.id = $1`,
          [pending.id],
        ),
      ),

    countTry: (pending: PendingImport) =>
      postgres.tenant(pending.organisation_id, (sql) =>
        sql.run('UPDATE imports SET tries = tries + 1, progress = 0, rows_read = 0 WHERE id = $1', [pending.id]),
      ),

    /** @returns false when the import is not wanted any more: it was cancelled, or its row has gone */
    progress: (pending: PendingImport, rows: number, share: number) =>
      postgres.tenant(
        pending.organisation_id,
        async (sql) =>
          (await sql.run('UPDATE imports SET rows_read = $2, progress = $3 WHERE id = $1 AND state = $4', [
            ...[pending.id, rows, Math.min(Math.max(share, 0), 1), pending.state],
          ])) > 0,
      ),

    /** @returns false when the import is not wanted any more */
    end: (pending: PendingImport, state: 'ready' | 'done', { report, days, holds }: ImportOutcome) =>
      postgres.tenant(pending.organisation_id, async (sql) => {
        const isDone = state === 'done';
        const ended = await sql.maybe<Ended>(
          `UPDATE imports SET state = $2, progress = NULL, rows_read = $3, rows_stored = $4, rows_dropped = $5, first_day = $6,
             last_day = $7, report = $8, days = $9, holds = $10, finished_at = $11,
             expires_at = CASE WHEN $2 = 'done' THEN NULL ELSE expires_at END WHERE id = $1 AND state = $12 ${returningEnded}`,
          [
            ...[pending.id, state, report.lines, isDone ? report.stored : 0, stoppedIn(report)],
            ...[report.days?.first ?? null, report.days?.last ?? null, JSON.stringify(reportBody(report, days))],
            ...[isDone ? days : [], JSON.stringify(isDone ? (holds ?? {}) : {})],
            ...[isDone ? new Date(clock.now()) : null, pending.state],
          ],
        );
        if (ended !== undefined && isDone) await tell(sql, ended);
        return ended !== undefined;
      }),

    fail: (pending: Pick<PendingImport, 'id' | 'organisation_id'>, failure: string) =>
      postgres.tenant(pending.organisation_id, async (sql) => {
        const ended = await sql.maybe<Ended>(
          `UPDATE imports SET state = 'failed', progress = NULL, failure = $2, finished_at = $3, expires_at = NULL
           WHERE id = $1 AND state IN ${withFile} ${returningEnded}`,
          [pending.id, failure, new Date(clock.now())],
        );
        if (ended !== undefined) await tell(sql, ended, failure);
      }),

    undone: (pending: PendingImport) =>
      postgres.tenant(pending.organisation_id, (sql) =>
        sql.run(
          "UPDATE imports SET state = 'undone', progress = NULL, undone_at = $2, expires_at = NULL WHERE id = $1 AND state = 'undoing'",
          [pending.id, new Date(clock.now())],
        ),
      ),

    /** How long the file of one is, whosever it is or of one organisation's alone; undefined for one of no row, or another's. */
    async sizeForScan(id: number, organisationId?: number): Promise<number | undefined> {
      const found = (sql: Sql) =>
        sql.query<{ size: number | null }>(
          `SELECT size FROM imports WHERE id = $1 AND size IS NOT NULL AND state IN ${withFile} AND received = size`,
          [id],
        );
      const [row] =
        organisationId === undefined ? await everywhere(postgres, found) : await postgres.tenant(organisationId, found);
      return row?.size ?? undefined;
    },

    /** Gives up what nobody went on with. @returns those that are not finished, in every organisation, by their number */
    async sweep(): Promise<ReadonlyMap<number, { isPending: boolean }>> {
      const now = new Date(clock.now());
      const left = await everywhere(postgres, async (sql, organisationId) => {
        const failure = `Nobody went on with it within ${uploadLimits.keptDays} days, so its file was deleted. Nothing of it was stored; send it again.`;
        const ended = await sql.query<Ended & { id: number; created_at: Date }>(
          `UPDATE imports SET state = 'failed', failure = $2, finished_at = $1, expires_at = NULL
           WHERE expires_at <= $1 AND state IN ('uploading', 'ready') ${returningEnded}, id, created_at`,
          [now, failure],
        );
        for (const one of ended) await tell(sql, one, failure);
        // Its row stays, as the history of the site; its file goes with this turn.
        await noteRemovedFiles(
          sql,
          { line: 'uploads', from: 'imports', organisationId, nowMs: now.getTime() },
          ended.map(({ id, created_at }) => ({ name: String(id), sinceMs: created_at.getTime() })),
        );
        return sql.query<{ id: number; isPending: boolean }>(
          `SELECT id, state IN ('checking', 'running', 'undoing') AS "isPending" FROM imports
           WHERE state = 'undoing' OR (size IS NOT NULL AND state IN ${withFile})`,
        );
      });
      return new Map(left.map(({ id, isPending }) => [id, { isPending }]));
    },
  };
}

const pendingColumns =
  "i.id, i.organisation_id, i.site_id, s.domain, i.kind, i.state, i.size, i.tries, (i.report->>'rows')::bigint AS checked";

function answerOf(row: Row): z.infer<typeof siteImport> {
  const isPartial = row.state === 'uploading' && row.size !== null && row.received < row.size;
  return {
    ...row,
    report: row.report as ImportReportBody | null,
    next_part: isPartial ? Math.floor(row.received / uploadLimits.partBytes) : null,
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
    undone_at: row.undone_at?.toISOString() ?? null,
    expires_at: row.expires_at?.toISOString() ?? null,
  };
}
