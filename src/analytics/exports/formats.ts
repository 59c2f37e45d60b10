import type { exportFormats } from '../../../contract/exports.ts';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import { eventLines } from './event_lines.ts';
import { dayLines, headerOf, plausibleTables, type SiteDay } from './plausible_tables.ts';
import type { Asked, WorkFolder } from './work_folder.ts';
import { writeZip } from './zip_writer.ts';

/** A way of writing a site down, day by day, into one or more files that become one. */
interface Format {
  /** The files that grow, with what they begin with. */
  readonly files: { readonly [file: string]: string };
  /** What a day adds to them. */
  readonly day: (
    warehouse: Pick<Warehouse, 'read'>,
    day: SiteDay,
  ) => AsyncGenerator<{ file: string; text: string; rows: number }>;
  /** Makes one file of them, and gives its name. */
  readonly whole: (work: Pick<WorkFolder, 'path'>, asked: Asked) => Promise<string>;
}

const eventsFile = 'events.ndjson';

export const formats: { readonly [Name in (typeof exportFormats)[number]]: Format } = {
  plausible: {
    files: Object.fromEntries(plausibleTables.map((table) => [`${table.name}.csv`, headerOf(table)])),
    async *day(warehouse, day) {
      for (const table of plausibleTables)
        for await (const lines of dayLines(warehouse, table, day)) yield { file: `${table.name}.csv`, ...lines };
    },
    async whole(work, { from, to }) {
      const span = `${from}_${to}`.replaceAll('-', '');
      const members = plausibleTables.map(({ name }) => ({
        name: `${name}_${span}.csv`,
        path: work.path(`${name}.csv`),
      }));
      await writeZip(work.path('export.zip'), members);
      return 'export.zip';
    },
  },
  ndjson: {
    files: { [eventsFile]: '' },
    async *day(warehouse, day) {
      for await (const lines of eventLines(warehouse, day)) yield { file: eventsFile, ...lines };
    },
    whole: async () => eventsFile,
  },
};
