import type { Site } from '../../../contract/api.ts';
import { type SiteContent, type SiteRemoval, siteLifeLimits } from '../../../contract/site_life.ts';
import { RequestError } from '../../platform/http/route.ts';
import { everywhere, type Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { holdOn, refuseWhileHeld } from '../../trust/windows/index.ts';
import { oneAtATime } from '../site_limit.ts';
import { siteTables } from './tables.ts';

type Whose = Pick<Site, 'id' | 'organisation_id' | 'domain'>;

/** Waiting for the spool, files, each table, what is kept beside them, the second reading. */
export const removalSteps = siteTables.length + 4;

/** An emptying or deletion that there is work in. */
export interface DueRemoval {
  id: number;
  organisation_id: number;
  site_id: number;
  domain: string;
  kind: SiteRemoval['kind'];
  state: SiteRemoval['state'];
  asked_at: Date;
  cut_at: Date | null;
  steps_done: number;
}

interface Row extends DueRemoval {
  due_at: Date;
  waits_for: SiteRemoval['waits_for'];
  removed: SiteContent[];
  rows_left: number | null;
  finished_at: Date | null;
}
const columns =
  'id, organisation_id, site_id, domain, kind, state, asked_at, due_at, cut_at, steps_done, waits_for, removed, rows_left, finished_at';

export function removalOf(row: Row): SiteRemoval {
  const { organisation_id: _, site_id: __, ...shown } = row;
  return {
    ...shown,
    steps: removalSteps,
    asked_at: row.asked_at.toISOString(),
    due_at: row.due_at.toISOString(),
    cut_at: row.cut_at?.toISOString() ?? null,
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}

/**
 * Refuses what would bring rows into a site that is being emptied or deleted. To be called in the transaction that begins it.
 * @throws RequestError conflict
 */
export async function refuseWhileRemoved(sql: Sql, siteId: number): Promise<void> {
  await oneAtATime(sql, `removal of site ${siteId}`);
  const open = await openRemoval(sql, siteId);
  if (open === undefined) return;
  throw new RequestError(
    'conflict',
    open.kind === 'emptying'
      ? 'This site is being emptied. Wait until that is done; GET /api/sites/:domain/life says how far it is.'
      : 'This site is going to be deleted. Take the deletion back first.',
  );
}

async function openRemoval(sql: Sql, siteId: number): Promise<Row | undefined> {
  return sql.maybe<Row>(`SELECT ${columns} FROM site_removals WHERE site_id = $1 AND state IN ('waiting', 'running')`, [
    siteId,
  ]);
}

/** The emptyings and deletions of all organisations, as PostgreSQL has them. */
export function openRemovals({ postgres, clock }: Pick<House, 'postgres' | 'clock'>) {
  async function begin(
    sql: Sql,
    site: Whose,
    { kind, dueMs, askedBy }: { kind: SiteRemoval['kind']; dueMs: number; askedBy: number | undefined },
  ): Promise<SiteRemoval> {
    await refuseWhileRemoved(sql, site.id);
    await refuseWhileHeld(sql, site.organisation_id, site.id);
    const row = await sql.one<Row>(
      `INSERT INTO site_removals (organisation_id, site_id, domain, kind, state, asked_by, asked_at, due_at)
       VALUES ($1, $2, $3, $4, 'waiting', $5, $6, $7) RETURNING ${columns}`,
      [
        ...[site.organisation_id, site.id, site.domain, kind],
        ...[askedBy ?? null, new Date(clock.now()), new Date(dueMs)],
      ],
    );
    return removalOf(row);
  }

  return {
    /**
     * From its cut on, which comes in whole seconds, what is collected stays.
     * @param cutMs far enough ahead that every process knows of it when it comes
     */
    async beginEmptying(sql: Sql, site: Whose, cutMs: number, askedBy: number | undefined): Promise<SiteRemoval> {
      const { id } = await begin(sql, site, { kind: 'emptying', dueMs: clock.now(), askedBy });
      await sql.run('UPDATE sites SET emptied_at = $2 WHERE id = $1', [site.id, new Date(cutMs)]);
      const row = await sql.one<Row>(`UPDATE site_removals SET cut_at = $2 WHERE id = $1 RETURNING ${columns}`, [
        ...[id, new Date(cutMs)],
      ]);
      return removalOf(row);
    },

    async beginDeletion(sql: Sql, site: Whose, askedBy: number | undefined): Promise<SiteRemoval> {
      const dueMs = clock.now() + siteLifeLimits.deletionDays * 86_400_000;
      const removal = await begin(sql, site, { kind: 'deletion', dueMs, askedBy });
      await sql.run("UPDATE sites SET state = 'deleting' WHERE id = $1", [site.id]);
      return removal;
    },

    /** @throws RequestError conflict when nothing waits, or it has begun */
    async takeBack(sql: Sql, siteId: number): Promise<SiteRemoval> {
      const row = await sql.maybe<Row>(
        `UPDATE site_removals SET state = 'taken_back', finished_at = $2
         WHERE site_id = $1 AND kind = 'deletion' AND state = 'waiting' AND due_at > $2 RETURNING ${columns}`,
        [siteId, new Date(clock.now())],
      );
      if (row === undefined)
        throw new RequestError(
          'conflict',
          'There is no deletion to take back: none was asked for, or its days are over and it has begun.',
        );
      await sql.run("UPDATE sites SET state = 'active' WHERE id = $1", [siteId]);
      return removalOf(row);
    },

    async latest(sql: Sql, siteId: number): Promise<SiteRemoval | null> {
      const row = await sql.maybe<Row>(
        `SELECT ${columns} FROM site_removals WHERE site_id = $1 ORDER BY id DESC LIMIT 1`,
        [siteId],
      );
      return row === undefined ? null : removalOf(row);
    },

    /** Of the whole organisation, newest first: what is left to read of sites that are gone. */
    async list(sql: Sql): Promise<SiteRemoval[]> {
      return (await sql.query<Row>(`SELECT ${columns} FROM site_removals ORDER BY id DESC LIMIT 200`)).map(removalOf);
    },

    /** Everything whose time has come and that no legal hold keeps, in every organisation, oldest first. */
    async due(): Promise<DueRemoval[]> {
      const found = await everywhere(postgres, async (sql) => {
        const rows = await sql.query<DueRemoval>(
          `SELECT ${columns} FROM site_removals WHERE state = 'running' OR (state = 'waiting' AND due_at <= $1)`,
          [new Date(clock.now())],
        );
        const free: DueRemoval[] = [];
        for (const row of rows) if ((await holdOn(sql, row.organisation_id, row.site_id)) === undefined) free.push(row);
        return free;
      });
      return found.sort((a, b) => a.id - b.id);
    },

    /** As it stands now; undefined when there is nothing to do in it any more. */
    again: ({ id, organisation_id }: DueRemoval) =>
      postgres.tenant(organisation_id, (sql) =>
        sql.maybe<DueRemoval>(
          `SELECT ${columns} FROM site_removals WHERE id = $1 AND (state = 'running' OR (state = 'waiting' AND due_at <= $2))`,
          [id, new Date(clock.now())],
        ),
      ),

    async run({ id, organisation_id }: DueRemoval): Promise<void> {
      await postgres.tenant(organisation_id, (sql) =>
        sql.run("UPDATE site_removals SET state = 'running', waits_for = NULL WHERE id = $1", [id]),
      );
    },

    /** What there was when it began. Work that is done again finds less, and does not say that there was no more. */
    async counted({ id, organisation_id }: DueRemoval, removed: readonly SiteContent[]): Promise<void> {
      await postgres.tenant(organisation_id, (sql) =>
        sql.run("UPDATE site_removals SET removed = $2 WHERE id = $1 AND removed = '[]'", [
          id,
          JSON.stringify(removed),
        ]),
      );
    },

    async step({ id, organisation_id }: DueRemoval, stepsDone: number): Promise<void> {
      await postgres.tenant(organisation_id, (sql) =>
        sql.run('UPDATE site_removals SET steps_done = $2, waits_for = NULL WHERE id = $1', [id, stepsDone]),
      );
    },

    async waits({ id, organisation_id }: DueRemoval, what: NonNullable<SiteRemoval['waits_for']>): Promise<void> {
      await postgres.tenant(organisation_id, (sql) =>
        sql.run('UPDATE site_removals SET waits_for = $2 WHERE id = $1', [id, what]),
      );
    },

    /** In the transaction of its end. */
    async finish(sql: Sql, { id }: DueRemoval): Promise<void> {
      await sql.run(
        "UPDATE site_removals SET state = 'done', steps_done = $2, rows_left = 0, waits_for = NULL, finished_at = $3 WHERE id = $1",
        [id, removalSteps, new Date(clock.now())],
      );
    },
  };
}
export type Removals = ReturnType<typeof openRemovals>;
