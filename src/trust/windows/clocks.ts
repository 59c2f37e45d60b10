import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Due, Executor } from '../../platform/executor.ts';
import { everywhere, type Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs } from '../../platform/zone.ts';
import { heldIn } from './holds.ts';

/**
 * What goes by a clock of its own that is finer than a night. That notes what it removes (platform/removed.ts), and the night
 * makes a receipt of it and looks whether any is left: a timer that has stopped is seen the next morning. What is younger than `graceMs` beyond its window waits for that timer's next turn.
 */
const graceMs = 2 * 3_600_000;

export function clockExecutors({ postgres, config }: Pick<House, 'postgres' | 'config'>): Executor[] {
  const ofDesk = { of: 'desk', works: 'by itself' } as const;

  const tables = (line: string): Executor => ({
    ...{ line, ...ofDesk },
    async due({ nowMs }) {
      const { rows, oldest } = await postgres.retention((sql) =>
        sql.one<{ rows: number; oldest: Date | null }>('SELECT * FROM retention.past_due($1, $2)', [
          new Date(nowMs - graceMs),
          line,
        ]),
      );
      return rows === 0 ? [] : [{ table: line, rows, oldestMs: oldest?.getTime() ?? null }];
    },
  });

  const minutes = (line: string, table: 'sign_in_steps' | 'taken_links'): Executor => ({
    ...{ line, ...ofDesk },
    async due({ nowMs }) {
      const { rows, oldest } = await postgres.system((sql) =>
        sql.one<{ rows: number; oldest: Date | null }>(
          `SELECT count(*) AS rows, min(expires_at) AS oldest FROM ${table} WHERE expires_at < $1`,
          [new Date(nowMs - graceMs)],
        ),
      );
      return rows === 0 ? [] : [{ table, rows, oldestMs: oldest?.getTime() ?? null }];
    },
  });

  const files = (line: string, folder: string, days: number, end = ''): Executor => ({
    ...{ line, ...ofDesk },
    async due({ nowMs }) {
      const found = await agesIn(join(config.dataDir, folder), end);
      return old(folder, found, nowMs - days * dayMs - graceMs);
    },
  });

  /** The list of an organisation's files: what of it is over and still there. The files themselves are the desk's to look at. */
  const listed = async (sql: Sql, table: 'exports' | 'organisation_archives' | 'imports', nowMs: number) => {
    const { rows, oldest } = await sql.one<{ rows: number; oldest: Date | null }>(
      `SELECT count(*) AS rows, min(created_at) AS oldest FROM ${table}
       WHERE expires_at < $1${table === 'imports' ? " AND state IN ('uploading', 'ready')" : ''}`,
      [new Date(nowMs - graceMs)],
    );
    return rows === 0 ? [] : [{ table, rows, oldestMs: oldest?.getTime() ?? null }];
  };
  const filesAndList = (line: string, folder: string, table: 'imports'): Executor => ({
    ...files(line, folder, 7),
    of: 'both',
    due: (ask) =>
      ask.organisationId === null
        ? files(line, folder, 7).due(ask)
        : postgres.tenant(ask.organisationId, (sql) => listed(sql, table, ask.nowMs)),
  });

  const archives: Executor = {
    ...{ line: 'organisation-archives', of: 'both', works: 'by itself' },
    async due({ organisationId, nowMs, holds }) {
      if (organisationId !== null) {
        const over = await postgres.tenant(organisationId, (sql) => listed(sql, 'organisation_archives', nowMs));
        return holds.everything ? over.map((one) => ({ ...one, isHeld: true })) : over;
      }
      const held = await everywhere(postgres, async (sql, organisation) =>
        (await heldIn(sql, organisation, 'organisation-archives')).everything
          ? sql.query<{ id: number }>('SELECT id FROM organisation_archives')
          : [],
      );
      return heldApart('archives', new Set(held.map(({ id }) => String(id))), nowMs);
    },
  };
  /** Files past their seven days; those that a hold keeps stand apart. */
  async function heldApart(folderName: string, names: ReadonlySet<string>, nowMs: number): Promise<Due[]> {
    const folder = join(config.dataDir, folderName);
    const beforeMs = nowMs - 7 * dayMs - graceMs;
    const [kept, others] = [
      await agesIn(folder, '', (name) => names.has(name)),
      await agesIn(folder, '', (name) => !names.has(name)),
    ];
    return [
      ...old(folderName, others, beforeMs),
      ...old(folderName, kept, beforeMs).map((one) => ({ ...one, isHeld: true })),
    ];
  }

  const exports: Executor = {
    ...{ line: 'exports', of: 'both', works: 'by itself' },
    async due({ organisationId, nowMs, holds }) {
      if (organisationId !== null) {
        // What a hold keeps of one site is told of by its files.
        if (holds.everything || holds.siteIds.size > 0) return [];
        return postgres.tenant(organisationId, (sql) => listed(sql, 'exports', nowMs));
      }
      // A row that outlives its day is one that a hold keeps, and its file is named by its number.
      const held = await everywhere(postgres, async (sql, organisation) => {
        const { everything, siteIds } = await heldIn(sql, organisation, 'exports');
        return sql.query<{ id: number }>(
          "SELECT id FROM exports WHERE state = 'done' AND expires_at <= $1 AND ($2 OR site_id = ANY ($3))",
          [new Date(nowMs), everything, [...siteIds]],
        );
      });
      return heldApart('exports', new Set(held.map(({ id }) => String(id))), nowMs);
    },
  };

  const accessLog: Executor = {
    ...{ line: 'access-log', ...ofDesk },
    async due({ nowMs }) {
      // By the day in its name: a file that is copied or restored is as old as what is in it.
      const names = await readdir(join(config.dataDir, 'access')).catch(nothing);
      const days = names.flatMap((name) => {
        const at = Date.parse(name.slice(0, 10));
        return Number.isNaN(at) ? [] : [at];
      });
      return old('access', days, nowMs - 91 * dayMs - graceMs);
    },
  };

  return [
    ...['sessions', 'links', 'devices', 'sign-up-invitations', 'throttles'].map(tables),
    minutes('sign-in-steps', 'sign_in_steps'),
    minutes('visitor-links', 'taken_links'),
    accessLog,
    files('quarantine', 'quarantine', 7, '.ndjson'),
    exports,
    archives,
    filesAndList('uploads', 'imports', 'imports'),
    // While a database is away, what is acknowledged waits here and nowhere else: a day of it is worth a look.
    files('spool', 'spool', 1, '.closed'),
  ];
}

function old(table: string, ages: readonly number[], beforeMs: number): Due[] {
  const past = ages.filter((at) => at < beforeMs);
  return past.length === 0 ? [] : [{ table, rows: past.length, oldestMs: Math.min(...past) }];
}

/** When each file below a folder was last written; one that goes meanwhile is none. */
async function agesIn(folder: string, end: string, isOne: (name: string) => boolean = () => true): Promise<number[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(nothing);
  const ages = await Promise.all(
    entries
      .filter((entry) => typeof entry !== 'string' && entry.isFile() && entry.name.endsWith(end) && isOne(entry.name))
      .map((entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          ({ mtimeMs }) => mtimeMs,
          () => undefined,
        ),
      ),
  );
  return ages.filter((at) => at !== undefined);
}

function nothing(error: unknown): never[] {
  if ((error as { code?: string }).code === 'ENOENT') return [];
  throw error;
}
