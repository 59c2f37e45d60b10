import type { ExportFormat } from '../../../contract/exports.ts';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import { eventLines, eventParquet } from './event_lines.ts';
import { dayLines, headerOf, plausibleTables, type SiteDay } from './plausible_tables.ts';
import type { Asked, WorkFolder } from './work_folder.ts';
import { writeZip } from './zip_writer.ts';

/** A way of writing a site down, day by day, into one or more files that become one. */
interface Format {
  /** What its file is called behind the last dot, and what it is. */
  readonly ending: 'zip' | 'ndjson';
  readonly type: string;
  /** The files that are there from the start and grow, with what they begin with. */
  readonly files: { readonly [file: string]: string };
  /** Writes a day into the work folder, and says how many rows each portion of it had. */
  readonly day: (
    warehouse: Pick<Warehouse, 'read' | 'writeFile'>,
    work: Pick<WorkFolder, 'append' | 'add' | 'path' | 'scratch'>,
    day: SiteDay,
  ) => AsyncGenerator<number>;
  /** Makes one file of them, and gives its name. */
  readonly whole: (
    work: Pick<WorkFolder, 'path' | 'files' | 'form'>,
    asked: Asked,
    signal?: AbortSignal,
  ) => Promise<string>;
}

const eventsFile = 'events.ndjson';

export const formats: { readonly [Name in ExportFormat]: Format } = {
  plausible: {
    ending: 'zip',
    type: 'application/zip',
    files: Object.fromEntries(plausibleTables.map((table) => [`${table.name}.csv`, headerOf(table)])),
    async *day(warehouse, work, day) {
      for (const table of plausibleTables)
        for await (const { text, rows } of dayLines(warehouse, work.scratch, table, day)) {
          await work.append(`${table.name}.csv`, text);
          yield rows;
        }
    },
    async whole(work, { from, to }, signal) {
      const span = `${from}_${to}`.replaceAll('-', '');
      const members = plausibleTables.map(({ name }) => ({
        name: `${name}_${span}.csv`,
        path: work.path(`${name}.csv`),
      }));
      await writeZip(work.path('export.zip'), members, { signal, form: work.form });
      return 'export.zip';
    },
  },
  ndjson: {
    ending: 'ndjson',
    type: 'application/x-ndjson',
    files: { [eventsFile]: '' },
    async *day(warehouse, work, day) {
      for await (const { text, rows } of eventLines(warehouse, work.scratch, day)) {
        await work.append(eventsFile, text);
        yield rows;
      }
    },
    whole: async () => eventsFile,
  },
  parquet: {
    ending: 'zip',
    type: 'application/zip',
    files: {},
    async *day(warehouse, work, day) {
      for await (const { file, rows } of eventParquet(warehouse, day, work.path)) {
        work.add(file);
        yield rows;
      }
    },
    async whole(work, _asked, signal) {
      const members = work.files().map((name) => ({ name, path: work.path(name), isPacked: true }));
      await writeZip(work.path('export.zip'), members, { signal, form: work.form });
      return 'export.zip';
    },
  },
};
