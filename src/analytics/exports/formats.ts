import type { ExportFormat } from '../../../contract/exports.ts';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import { eventLines, eventParquet } from './event_lines.ts';
import type { Form } from './form.ts';
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
    warehouse: Pick<Warehouse, 'read' | 'writeFile' | 'parquet'>,
    work: Pick<WorkFolder, 'append' | 'add' | 'path' | 'scratch' | 'form'>,
    day: SiteDay,
  ) => AsyncGenerator<number>;
  /** Makes one file of them, and gives its name: placed, where `ending` is a ZIP, or the one that grew. */
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
      for await (const { file, bytes, rows } of eventParquet(warehouse, day)) {
        await placeWhole(work.form, work.path(file), bytes);
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

async function placeWhole(form: Form, path: string, bytes: Buffer): Promise<void> {
  const file = await form.place(path);
  try {
    await file.write(bytes, 0);
    await file.end();
  } finally {
    await file.close();
  }
}

/** A growing file once more, as one that is read at any place. @returns its name */
export async function placed(
  work: Pick<WorkFolder, 'path' | 'form'>,
  name: string,
  signal?: AbortSignal,
): Promise<string> {
  const whole = `${name}.whole`;
  const file = await work.form.place(work.path(whole));
  try {
    let at = 0;
    for await (const piece of work.form.read(work.path(name))) {
      signal?.throwIfAborted();
      await file.write(piece, at);
      at += piece.length;
    }
    await file.end();
  } finally {
    await file.close();
  }
  return whole;
}
