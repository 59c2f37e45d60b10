import type { Site } from '../../../contract/api.ts';
import type { ImportKind, SiteImport } from '../../../contract/imports.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import type { Atom } from '../facts.ts';
import { refuseWhileRemoved } from '../life/index.ts';
import { type DayKindName, dayKinds } from './kinds.ts';
import { type ImportReport, stoppedIn } from './report.ts';

export type ImportState = SiteImport['state'];

/** One import, as the registry has it. */
export interface ImportRecord {
  id: number;
  kind: ImportKind;
  file_name: string;
  state: ImportState;
  /** Bytes of the file that came over HTTP; null when the command line read it. */
  size: number | null;
  rows_read: number;
  rows_stored: number;
  rows_dropped: number;
  first_day: string | null;
  last_day: string | null;
  created_at: Date;
  finished_at: Date | null;
  undone_at: Date | null;
}

/** What the finished imports of a site hold, for questions about it. */
export interface ImportedData {
  /** Days with imported numbers, of events and of tables, 'YYYY-MM-DD'. */
  days: ReadonlySet<string>;
  /** Numbers of the imports of tables of days. */
  ids: readonly number[];
  /** The tables that these have, each with the numbers that all of them know. */
  holds: ReadonlyMap<DayKindName, ReadonlySet<Atom>>;
}

const columns =
  'id, kind, file_name, state, size, rows_read, rows_stored, rows_dropped, first_day, last_day, created_at, finished_at, undone_at';

type Tenant = House['postgres'];
type Whose = Pick<Site, 'id' | 'organisation_id'>;

/** The registry of imports in PostgreSQL. */
export function openRecords(postgres: Pick<Tenant, 'tenant'>, clock: Pick<Clock, 'now'>) {
  return {
    async begin(
      site: Whose,
      kind: ImportKind,
      fileName: string,
      note: (sql: Sql, id: number) => Promise<void>,
    ): Promise<number> {
      return postgres.tenant(site.organisation_id, async (sql) => {
        await refuseWhileRemoved(sql, site.id);
        const { id } = await sql.one<{ id: number }>(
          "INSERT INTO imports (organisation_id, site_id, kind, file_name, state, created_at) VALUES ($1, $2, $3, $4, 'running', $5) RETURNING id",
          [site.organisation_id, site.id, kind, fileName, new Date(clock.now())],
        );
        await note(sql, id);
        return id;
      });
    },
    async finish(
      site: Whose,
      id: number,
      state: 'done' | 'failed',
      end: { report: ImportReport; days: readonly string[]; holds?: object } | undefined,
    ): Promise<void> {
      const report = end?.report;
      await postgres.tenant(site.organisation_id, (sql) =>
        sql.run(
          'UPDATE imports SET state = $2, rows_read = $3, rows_stored = $4, rows_dropped = $5, first_day = $6, last_day = $7, finished_at = $8, days = $9, holds = $10 WHERE id = $1',
          [
            id,
            state,
            report?.lines ?? 0,
            report?.stored ?? 0,
            stoppedIn(report),
            report?.days?.first ?? null,
            report?.days?.last ?? null,
            new Date(clock.now()),
            end?.days ?? [],
            JSON.stringify(end?.holds ?? {}),
          ],
        ),
      );
    },
    async setState(
      site: Whose,
      id: number,
      state: 'undoing' | 'undone',
      note?: (sql: Sql) => Promise<void>,
    ): Promise<void> {
      await postgres.tenant(site.organisation_id, async (sql) => {
        await sql.run('UPDATE imports SET state = $2, undone_at = $3 WHERE id = $1', [
          id,
          state,
          state === 'undone' ? new Date(clock.now()) : null,
        ]);
        await note?.(sql);
      });
    },
    find: (site: Whose, id: number): Promise<ImportRecord | undefined> =>
      postgres.tenant(site.organisation_id, (sql) =>
        sql.maybe<ImportRecord>(`SELECT ${columns} FROM imports WHERE id = $1 AND site_id = $2`, [id, site.id]),
      ),
    /** Newest first. */
    list: (site: Whose): Promise<ImportRecord[]> =>
      postgres.tenant(site.organisation_id, (sql) =>
        sql.query<ImportRecord>(`SELECT ${columns} FROM imports WHERE site_id = $1 ORDER BY id DESC LIMIT 1000`, [
          site.id,
        ]),
      ),
    /** Imports of this file by the command line that did not come to their end. */
    unfinished: (site: Whose, fileName: string): Promise<ImportRecord[]> =>
      postgres.tenant(site.organisation_id, (sql) =>
        sql.query<ImportRecord>(
          `SELECT ${columns} FROM imports WHERE site_id = $1 AND file_name = $2 AND size IS NULL AND state IN ('running', 'failed', 'undoing') ORDER BY id`,
          [site.id, fileName],
        ),
      ),
    held: (site: Whose): Promise<ImportedData> => readHeld(postgres, site),
  };
}

/** Two imports may hold the same table with different numbers; what one of them lacks cannot be answered from it. */
async function readHeld(postgres: Pick<Tenant, 'tenant'>, site: Whose): Promise<ImportedData> {
  const rows = await postgres.tenant(site.organisation_id, (sql) =>
    sql.query<{ id: number; days: string[]; holds: { [kind: string]: Atom[] } }>(
      "SELECT id, days, holds FROM imports WHERE site_id = $1 AND state = 'done'",
      [site.id],
    ),
  );
  const holds = new Map<DayKindName, ReadonlySet<Atom>>();
  const ofDays = rows.filter((row) => Object.keys(row.holds).length > 0);
  for (const { holds: own } of ofDays)
    for (const kind of Object.keys(dayKinds) as DayKindName[]) {
      const atoms = own[kind];
      const known = holds.get(kind);
      if (atoms !== undefined)
        holds.set(kind, new Set(known === undefined ? atoms : atoms.filter((atom) => known.has(atom))));
    }
  return { days: new Set(rows.flatMap((row) => row.days)), ids: ofDays.map((row) => row.id), holds };
}

/** What finished imports hold, as the query engine asks for it. */
export function importedDataOf(postgres: Pick<Tenant, 'tenant'>, site: Whose): Promise<ImportedData> {
  return readHeld(postgres, site);
}
