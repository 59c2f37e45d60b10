import { relayUploadLimits as limits } from '../../../contract/relay.ts';
import type {
  NewRelayUpload,
  RelayUpload,
  UploadFormat,
  UploadReport,
  UploadState,
} from '../../../contract/relay_uploads.ts';
import { RequestError } from '../../platform/http/route.ts';
import { everywhere, type Sql } from '../../platform/postgres/index.ts';
import { type Random, uuidOf } from '../../platform/random.ts';
import { removeNoted } from '../../platform/removed.ts';
import type { House } from '../../platform/subject.ts';
import { heldIn, refuseLineWhileHeld } from '../../trust/windows/index.ts';
import { isKept, siteBySource } from '../life/kept.ts';
import type { ReadRow } from './rows.ts';

const dayMs = 86_400_000;

/** Whose an upload is, and of which source. */
export interface Whose {
  readonly organisation: number;
  readonly source: number;
}

/** An upload that the desk has something to do with, with what it needs for that. */
export interface PendingUpload {
  readonly id: number;
  readonly organisation_id: number;
  readonly source_id: number;
  readonly request_id: string;
  readonly state: 'checking' | 'running' | 'cancelling';
  readonly size: number;
  readonly format: UploadFormat;
  readonly mapping_version: number;
  readonly last_row: number;
  readonly rows_read: number;
  readonly tries: number;
  /** What the dry run has read. */
  readonly checked: number | null;
  readonly started_at: Date | null;
}

/** One whose every part is here. */
export type Unsettled = Pick<PendingUpload, 'id' | 'organisation_id' | 'source_id' | 'size'>;

interface Row {
  id: number;
  source_id: number;
  file_name: string;
  size: number;
  received: number;
  state: UploadState;
  format: UploadFormat | null;
  mapping_version: number | null;
  in_force: number;
  progress: number | null;
  report: UploadReport | null;
  rows_read: number;
  rows_fresh: number;
  rows_double: number;
  rows_wrong: number;
  rows_ignored: number;
  problems_listed: number;
  problems_beyond: number;
  same: RelayUpload['same_file_as'];
  failure: string | null;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  expires_at: Date;
}

const select = `SELECT u.id, u.source_id, u.file_name, u.size, u.received, u.state, u.format, u.mapping_version,
    s.mapping_version AS in_force, u.progress, u.report, u.rows_read, u.rows_fresh, u.rows_double, u.rows_wrong, u.rows_ignored,
    u.problems_listed, u.problems_beyond, u.failure, u.created_at, u.started_at, u.finished_at, u.expires_at,
    (SELECT json_build_object('id', o.id, 'file_name', o.file_name, 'mapping_version', o.mapping_version)
      FROM relay_uploads o WHERE o.source_id = u.source_id AND o.file_digest = u.file_digest AND o.id < u.id
        AND o.state IN ('running', 'done', 'cancelled') ORDER BY o.id DESC LIMIT 1) AS same
  FROM relay_uploads u JOIN relay_sources s ON s.id = u.source_id`;

/** The site that an upload `u` belongs to. */
export const siteOfUpload = siteBySource('u');

const unfinished = "('uploading', 'uploaded', 'checking', 'checked', 'running', 'cancelling')";

const pendingSelect = `SELECT id, organisation_id, source_id, request_id, state, size, format, mapping_version, last_row, rows_read,
    tries, (report->>'rows')::int AS checked, started_at FROM relay_uploads`;

/** What became of a part of a file. */
export interface TakenRows {
  readonly lastRow: number;
  /** Numbers of the tellings that it brought. */
  readonly tellings: readonly string[];
  readonly rows: readonly ReadRow[];
}

export type UploadStore = ReturnType<typeof openUploadStore>;

/** Uploads as PostgreSQL has them. */
export function openUploadStore({ postgres, clock, random }: Pick<House, 'postgres' | 'clock'> & { random: Random }) {
  const found = async (sql: Sql, { source }: Whose, id: number): Promise<RelayUpload | undefined> => {
    const row = await sql.maybe<Row>(`${select} WHERE u.id = $1 AND u.source_id = $2`, [id, source]);
    return row && answerOf(row);
  };
  /** Changes one where it is in one of some states. @returns undefined where it is in none of them */
  const change = (
    whose: Whose,
    id: number,
    set: string,
    from: readonly UploadState[],
    values: readonly unknown[] = [],
    note?: (sql: Sql) => Promise<void>,
  ) =>
    postgres.tenant(whose.organisation, async (sql) => {
      const changed = await sql.run(
        `UPDATE relay_uploads SET ${set} WHERE id = $1 AND source_id = $2 AND state = ANY ($3)`,
        [id, whose.source, from, ...values],
      );
      if (changed === 0) return undefined;
      await note?.(sql);
      return found(sql, whose, id);
    });
  const ofPending = <T>({ organisation_id }: Pick<PendingUpload, 'organisation_id'>, work: (sql: Sql) => Promise<T>) =>
    postgres.tenant(organisation_id, work);

  return {
    /** @throws RequestError conflict where another upload of the source is not finished */
    begin: (whose: Whose, { name, size }: NewRelayUpload, by: number | null) =>
      postgres.tenant(whose.organisation, async (sql) => {
        // Two that begin at the same moment would both find none.
        await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('relay uploads', $1))", [whose.organisation]);
        const { count, open } = await sql.one<{ count: number; open: number }>(
          `SELECT count(*)::int AS count, (count(*) FILTER (WHERE source_id = $1 AND state IN ${unfinished}))::int AS open FROM relay_uploads`,
          [whose.source],
        );
        if (open > 0)
          throw new RequestError(
            'conflict',
            'Another upload of this source is not finished. Go on with it, cancel it, or wait for its end.',
          );
        if (count >= limits.uploadsMax)
          throw new RequestError(
            'conflict',
            `An organisation has at most ${limits.uploadsMax} uploads in its lists. Remove one, or wait: each goes after ${limits.days} days.`,
          );
        const now = clock.now();
        const { id } = await sql.one<{ id: number }>(
          `INSERT INTO relay_uploads (organisation_id, source_id, request_id, file_name, size, created_at, created_by, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`,
          [
            ...[whose.organisation, whose.source, uuidOf(random), name, size],
            ...[new Date(now), by, new Date(now + limits.days * dayMs)],
          ],
        );
        return (await found(sql, whose, id)) as RelayUpload;
      }),

    list: ({ organisation, source }: Whose) =>
      postgres.tenant(organisation, async (sql) => {
        const rows = await sql.query<Row>(`${select} WHERE u.source_id = $1 ORDER BY u.id DESC`, [source]);
        return rows.map(answerOf);
      }),

    find: (whose: Whose, id: number) => postgres.tenant(whose.organisation, (sql) => found(sql, whose, id)),

    received: (whose: Whose, id: number, bytes: number) =>
      change(whose, id, 'received = greatest(received, $4)', ['uploading'], [bytes]),

    whole: (whose: Whose, id: number, format: UploadFormat, digest: Buffer) =>
      change(
        whose,
        id,
        "state = 'uploaded', format = $4, file_digest = $5",
        ['uploading'],
        [JSON.stringify(format), digest],
      ),

    /** By the mapping in force. What an earlier dry run found goes. */
    check: (whose: Whose, id: number, format: UploadFormat) =>
      change(
        whose,
        id,
        `state = 'checking', format = $4, report = NULL, progress = NULL, failure = NULL,
         mapping_version = (SELECT s.mapping_version FROM relay_sources s WHERE s.id = source_id)`,
        ['uploaded', 'checked'],
        [JSON.stringify(format)],
      ),

    /** Only by the mapping by which it was checked. */
    start: (whose: Whose, id: number, note: (sql: Sql) => Promise<void>) =>
      change(
        whose,
        id,
        `state = CASE WHEN mapping_version = (SELECT s.mapping_version FROM relay_sources s WHERE s.id = source_id)
           THEN 'running' ELSE state END, progress = NULL, started_at = $4`,
        ['checked'],
        [new Date(clock.now())],
        note,
      ),

    cancel: (whose: Whose, id: number, note: (sql: Sql) => Promise<void>) =>
      change(whose, id, "state = 'cancelling', progress = NULL", ['running'], [], note),

    /** @throws RequestError conflict where a legal hold keeps it */
    remove: (whose: Whose, id: number, note: (sql: Sql) => Promise<void>) =>
      postgres.tenant(whose.organisation, async (sql) => {
        const upload = await sql.maybe<{ site: number | null }>(
          `SELECT ${siteOfUpload} AS site FROM relay_uploads u WHERE u.id = $1 AND u.source_id = $2`,
          [id, whose.source],
        );
        if (upload !== undefined) await refuseLineWhileHeld(sql, whose.organisation, 'relay-uploads', upload.site);
        const gone = await sql.run(
          "DELETE FROM relay_uploads WHERE id = $1 AND source_id = $2 AND state NOT IN ('running', 'cancelling')",
          [id, whose.source],
        );
        if (gone > 0) await note(sql);
        return gone > 0;
      }),

    /** What is the matter with its rows, in their order. */
    problems: ({ organisation }: Whose, id: number) =>
      postgres.tenant(organisation, (sql) =>
        sql.query<{ row: number; field: string; reason: string; is_taken: boolean }>(
          'SELECT row, field, reason, is_taken FROM relay_upload_problems WHERE upload_id = $1 ORDER BY row, field, reason',
          [id],
        ),
      ),

    /** What there is to do, in every organisation, oldest first. */
    async pending(): Promise<PendingUpload[]> {
      const all = await everywhere(postgres, (sql) =>
        sql.query<PendingUpload>(`${pendingSelect} WHERE state IN ('checking', 'running', 'cancelling')`),
      );
      return all.sort((a, b) => a.id - b.id);
    },
    /** Those that came whole and of which nobody has looked what they are: the desk was ended just then. */
    unsettled: () =>
      everywhere(postgres, (sql) =>
        sql.query<Unsettled>(
          "SELECT id, organisation_id, source_id, size FROM relay_uploads WHERE state = 'uploading' AND received = size",
        ),
      ),
    again: (pending: PendingUpload) =>
      ofPending(pending, (sql) =>
        sql.maybe<PendingUpload>(`${pendingSelect} WHERE id = $1 AND state IN ('checking', 'running', 'cancelling')`, [
          pending.id,
        ]),
      ),
    /** Begun, and not got on since: what was noted before each end of the desk begins the count anew. */
    countTry: (pending: PendingUpload) =>
      ofPending(pending, (sql) => sql.run('UPDATE relay_uploads SET tries = tries + 1 WHERE id = $1', [pending.id])),

    /** @returns false where nobody wants it any more */
    progress: (pending: PendingUpload, share: number) =>
      ofPending(
        pending,
        async (sql) =>
          (await sql.run('UPDATE relay_uploads SET progress = $2 WHERE id = $1 AND state = $3', [
            ...[pending.id, Math.min(Math.max(share, 0), 1), pending.state],
          ])) > 0,
      ),

    checked: (pending: PendingUpload, report: UploadReport) =>
      ofPending(
        pending,
        async (sql) =>
          (await sql.run(
            "UPDATE relay_uploads SET state = 'checked', progress = NULL, tries = 0, report = $2 WHERE id = $1 AND state = 'checking'",
            [pending.id, JSON.stringify(report)],
          )) > 0,
      ),

    /** Identities of those that a conversion has which is there, in hex. */
    known: (pending: PendingUpload, digests: readonly string[]) =>
      ofPending(pending, async (sql) => {
        const rows = await sql.query<{ identity: string }>(
          `SELECT encode(identity, 'hex') AS identity FROM relay_identities
           WHERE organisation_id = current_organisation() AND identity = ANY ($1::bytea[])`,
          [digests.map((digest) => Buffer.from(digest, 'hex'))],
        );
        return new Set(rows.map(({ identity }) => identity));
      }),

    /**
     * Writes down that rows are taken, with what is the matter with some of them, in one transaction: whoever goes on after a
     * kill begins behind them. @returns false where nobody wants it any more; what was taken is counted all the same
     */
    advance: (pending: PendingUpload, taken: TakenRows, share: number) =>
      ofPending(pending, (sql) => advance(sql, pending, taken, share)),

    end: (pending: PendingUpload, state: 'done' | 'cancelled') =>
      ofPending(pending, (sql) =>
        sql.run(`UPDATE relay_uploads SET state = $2, progress = NULL, finished_at = $3 WHERE id = $1 AND state = $4`, [
          pending.id,
          state,
          new Date(clock.now()),
          pending.state,
        ]),
      ),

    /** How many conversions it told of so far, and how many rows had a problem. */
    taken: (pending: Pick<PendingUpload, 'id' | 'organisation_id'>) =>
      ofPending(pending, (sql) =>
        sql.one<{ conversions: number; problems: number }>(
          `SELECT rows_fresh + rows_double AS conversions, problems_listed + problems_beyond AS problems
           FROM relay_uploads WHERE id = $1`,
          [pending.id],
        ),
      ),

    fail: (pending: Pick<PendingUpload, 'id' | 'organisation_id'>, failure: string) =>
      ofPending(pending, (sql) =>
        sql.run(
          `UPDATE relay_uploads SET state = 'failed', progress = NULL, failure = $2, finished_at = $3 WHERE id = $1 AND state IN ${unfinished}`,
          [pending.id, failure.slice(0, 500), new Date(clock.now())],
        ),
      ),

    /** How long the file of one is that is here whole, whosever it is or of one organisation's alone. */
    async sizeForScan(id: number, organisationId?: number): Promise<number | undefined> {
      const sized = (sql: Sql) =>
        sql.query<{ size: number }>(
          `SELECT size FROM relay_uploads WHERE id = $1 AND received = size AND state IN ${unfinished}`,
          [id],
        );
      const [row] =
        organisationId === undefined ? await everywhere(postgres, sized) : await postgres.tenant(organisationId, sized);
      return row?.size;
    },

    /** Names of files that a legal hold keeps. */
    heldFiles: (organisationId: number): Promise<ReadonlySet<string>> =>
      postgres.tenant(organisationId, (sql) => heldUploads(sql, organisationId)),

    /** Takes lines away whose time is over, but for those that a legal hold keeps. @returns those whose file is needed, in every organisation */
    async sweep(): Promise<ReadonlySet<number>> {
      const nowMs = clock.now();
      const left = await everywhere(postgres, async (sql, organisationId) => {
        const { everything, siteIds } = await heldIn(sql, organisationId, 'relay-uploads');
        await removeNoted(
          sql,
          { line: 'relay-uploads', from: 'relay_uploads', organisationId, nowMs },
          `DELETE FROM relay_uploads u WHERE u.expires_at <= $1 AND u.state NOT IN ('running', 'cancelling')
             AND NOT ${isKept(siteOfUpload, 2)}
           RETURNING u.id::text AS key, u.created_at AS since`,
          [new Date(nowMs), everything, [...siteIds]],
        );
        return sql.query<{ id: number }>(`SELECT id FROM relay_uploads WHERE state IN ${unfinished}`);
      });
      return new Set(left.map(({ id }) => id));
    },
  };
}

/** Ends those that run, but for those of these sites, which a legal hold keeps. Whoever works on one hears of it at its next rows. */
export async function endUploads(sql: Sql, heldSites: ReadonlySet<number>): Promise<void> {
  await sql.run(
    `UPDATE relay_uploads u SET state = 'cancelling', progress = NULL
     WHERE u.organisation_id = current_organisation() AND u.state = 'running' AND NOT ${isKept(siteOfUpload, 1)}`,
    [false, [...heldSites]],
  );
}

/** Numbers of uploads whose file is here or comes, and that a legal hold keeps: of everything, of the class, or of their source's site. */
export async function heldUploads(sql: Sql, organisationId: number): Promise<ReadonlySet<string>> {
  const { everything, siteIds } = await heldIn(sql, organisationId, 'relay-uploads');
  const rows = await sql.query<{ id: string }>(
    `SELECT u.id::text AS id FROM relay_uploads u WHERE u.state IN ${unfinished} AND ${isKept(siteOfUpload, 1)}`,
    [everything, [...siteIds]],
  );
  return new Set(rows.map(({ id }) => id));
}

async function advance(
  sql: Sql,
  { id }: PendingUpload,
  { lastRow, tellings, rows }: TakenRows,
  share: number,
): Promise<boolean> {
  // What is told of a conversion that was there has the conversion's number and one of its own.
  const { told, fresh } = await sql.one<{ told: number; fresh: number }>(
    `SELECT count(*)::int AS told, (count(*) FILTER (WHERE conversion_id = id))::int AS fresh FROM relay_tellings
     WHERE organisation_id = current_organisation() AND id = ANY ($1::uuid[])`,
    [tellings],
  );
  const problems = rows.flatMap(({ row, problems: all, conversions }) =>
    all.map((one) => ({ row, ...one, isTaken: conversions.length > 0 })),
  );
  const { listed } = await sql.one<{ listed: number }>(
    'SELECT problems_listed AS listed FROM relay_uploads WHERE id = $1 FOR UPDATE',
    [id],
  );
  const kept = problems.slice(0, Math.max(0, limits.problemsMax - listed));
  const written =
    kept.length === 0
      ? 0
      : await sql.run(
          `INSERT INTO relay_upload_problems (organisation_id, upload_id, row, field, reason, is_taken)
           SELECT current_organisation(), $1, p.row, p.field, p.reason, p.taken
           FROM unnest($2::int[], $3::text[], $4::text[], $5::boolean[]) AS p(row, field, reason, taken)
           ON CONFLICT DO NOTHING`,
          [
            ...[id, kept.map(({ row }) => row), kept.map(({ field }) => field.slice(0, 300))],
            ...[kept.map(({ reason }) => reason), kept.map(({ isTaken }) => isTaken)],
          ],
        );
  const ignored = rows.filter(({ isIgnored }) => isIgnored).length;
  const wrong = rows.filter(({ isIgnored, conversions }) => !isIgnored && conversions.length === 0).length;
  const { state } = await sql.one<{ state: UploadState }>(
    `UPDATE relay_uploads SET last_row = $2, rows_read = rows_read + $3, rows_fresh = rows_fresh + $4,
       rows_double = rows_double + $5, rows_wrong = rows_wrong + $6, rows_ignored = rows_ignored + $7,
       problems_listed = problems_listed + $8, problems_beyond = problems_beyond + $9, tries = 0,
       progress = CASE WHEN state = 'running' THEN $10::real END
     WHERE id = $1 RETURNING state`,
    [
      ...[id, lastRow, rows.length, fresh, told - fresh, wrong, ignored, written],
      ...[problems.length - kept.length, Math.min(share, 1)],
    ],
  );
  return state === 'running';
}

function answerOf(row: Row): RelayUpload {
  const isPartial = row.state === 'uploading' && row.received < row.size;
  const isOpen = ['checked', 'uploaded', 'checking'].includes(row.state);
  return {
    ...{ id: row.id, source_id: row.source_id, file_name: row.file_name, size: row.size, received: row.received },
    next_part: isPartial ? Math.floor(row.received / limits.partBytes) : null,
    ...{ state: row.state, format: row.format, mapping_version: row.mapping_version },
    is_mapping_old: isOpen && row.mapping_version !== null && row.mapping_version !== row.in_force,
    ...{ progress: row.progress, report: row.report },
    rows: {
      ...{ read: row.rows_read, fresh: row.rows_fresh, doubles: row.rows_double },
      ...{ wrong: row.rows_wrong, ignored: row.rows_ignored },
    },
    problems: { listed: row.problems_listed, beyond: row.problems_beyond },
    same_file_as: row.same,
    failure: row.failure,
    created_at: row.created_at.toISOString(),
    started_at: row.started_at?.toISOString() ?? null,
    finished_at: row.finished_at?.toISOString() ?? null,
    expires_at: row.expires_at.toISOString(),
  };
}
