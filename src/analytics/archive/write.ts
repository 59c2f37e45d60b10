import { createHash } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Site } from '../../../contract/api.ts';
import type { ArchiveManifest } from '../../../contract/organisation_archives.ts';
import { crashPoint } from '../../platform/crash_point.ts';
import type { House } from '../../platform/subject.ts';
import { isoDay, localDay } from '../../platform/zone.ts';
import type { Form } from '../exports/form.ts';
import { linesThrough } from '../exports/rows_file.ts';
import { type ExportProgress, knownDays, writeExport, zoneOf } from '../exports/write_export.ts';
import { writeZip } from '../exports/zip_writer.ts';
import { importedDataOf } from '../imports/records.ts';
import { siteTables } from '../life/tables.ts';
import { archivePage } from './page.ts';
import { leftOut, tablesOfArchive, writeTable } from './tables.ts';

export type ArchiveHouse = Pick<House, 'postgres' | 'warehouse' | 'clock' | 'vault'>;

/** Tables of the warehouse that are written in another form, and why. */
export const otherwiseWritten: Readonly<Record<string, string>> = {
  events: 'is in events.ndjson of each site, without ids of visitors',
  visits: 'is worked out of the events, and made anew when they are imported',
  arrivals: 'says how many events of a day have come in',
};

/** What is written, by its name in the archive. */
interface Part {
  name: string;
  path: string;
  what: string;
  rows: number;
  isPacked?: boolean;
}

export interface ArchivedOrganisation {
  id: number;
  name: string;
  slug: string;
}

/**
 * Writes everything of an organisation into `folder`, and packs it into one ZIP there, all of it in the given form. A run
 * that was killed is gone on with: the events of a site behind its last whole day, whatever was whole is left as it is; rows are read anew.
 * @returns the file
 */
export async function writeArchive(
  house: ArchiveHouse,
  { organisation, sites, madeAt }: { organisation: ArchivedOrganisation; sites: readonly Site[]; madeAt: Date },
  {
    folder,
    form,
    signal,
    auditLines,
    onDay,
    onSite,
  }: {
    folder: string;
    form: Form;
    signal: AbortSignal;
    auditLines(organisationId: number): AsyncIterable<string>;
    onDay(progress: ExportProgress): Promise<void>;
    onSite(done: number): void;
  },
): Promise<{ file: string; rows: number }> {
  const parts: Part[] = [];
  for (const [at, site] of sites.entries()) {
    parts.push(
      ...(await writeSite(house, site, {
        folder: join(folder, 'sites', String(site.id)),
        form,
        madeAt,
        signal,
        onDay,
      })),
    );
    onSite(at + 1);
    crashPoint('archive.site');
  }
  const { tables, forgotten } = await house.postgres.tenant(organisation.id, tablesOfArchive);
  if (forgotten.length > 0)
    throw new Error(`Nobody says what becomes of ${forgotten.join(', ')} in the archive of an organisation.`);
  const columnsLeftOut: Record<string, string[]> = {};
  const counts: Record<string, number> = {};
  let unopened = 0;
  for (const table of tables) {
    signal.throwIfAborted();
    if (table.columnsLeftOut.length > 0) columnsLeftOut[table.table] = table.columnsLeftOut;
    const name = `${table.isOfDesk ? 'desk' : 'organisation'}/${table.table}.ndjson`;
    const path = join(folder, name);
    const written = await into(form, path, (append) => writeTable(house, organisation.id, table, append));
    unopened += written.unopened;
    counts[table.table] = written.rows;
    if (written.rows > 0)
      parts.push({ name, path, rows: written.rows, what: `rows of the table ${table.table}, one a line` });
  }
  parts.push(await writeAudit({ folder, form }, auditLines(organisation.id)));
  const files = [];
  for (const part of parts) {
    const { name, what, rows } = part;
    files.push({ name, what, rows, ...(await digestOf(form, part, signal)) });
  }
  const manifest: ArchiveManifest = {
    archive: 'fairlead organisation 1',
    organisation,
    made_at: madeAt.toISOString(),
    files,
    tables: counts,
    left_out: [...Object.entries(leftOut), ...Object.entries(otherwiseWritten)].map(([table, why]) => ({ table, why })),
    columns_left_out: columnsLeftOut,
    unopened,
  };
  const index = join(folder, 'index.html');
  const list = join(folder, 'manifest.json');
  await into(form, index, (append) => append(archivePage(manifest)));
  await into(form, list, (append) => append(JSON.stringify(manifest, null, 2)));
  const file = join(folder, 'archive');
  const whole: Omit<Part, 'what' | 'rows'>[] = [
    { name: 'index.html', path: index },
    { name: 'manifest.json', path: list },
    ...parts,
  ];
  await writeZip(file, whole, { signal, form });
  crashPoint('archive.packed');
  return { file, rows: parts.reduce((sum, { rows }) => sum + rows, 0) };
}

async function writeSite(
  { postgres, warehouse, clock }: ArchiveHouse,
  site: Site,
  {
    folder,
    form,
    madeAt,
    signal,
    onDay,
  }: { folder: string; form: Form; madeAt: Date; signal: AbortSignal; onDay(progress: ExportProgress): Promise<void> },
): Promise<Part[]> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const parts: Part[] = [];
  const named = `sites/${site.domain.replaceAll(/[^A-Za-z0-9.-]/g, '-')}`;
  const { first } = await knownDays({ postgres, warehouse, clock }, site);
  const zone = zoneOf(site);
  // To the day on which it was begun, so that one that is gone on with tomorrow is the same.
  const to = localDay(madeAt.getTime(), zone);
  const imported = await importedDataOf(postgres, site);
  const formats = imported.ids.length > 0 ? (['ndjson', 'plausible'] as const) : (['ndjson'] as const);
  for (const format of first === undefined || first > to ? [] : formats) {
    const path = join(folder, format === 'ndjson' ? 'events.ndjson' : 'plausible.zip');
    const asked = { site: site.domain, timezone: zone, format, from: isoDay(first ?? to), to: isoDay(to) };
    const noted = `${path}.rows`;
    if (!existsSync(path)) {
      await rm(noted, { force: true });
      const rows = await writeExport({ postgres, warehouse }, site, asked, { out: path, form, signal, onDay });
      await writeFile(`${noted}.new`, form.kept(String(rows)), { mode: 0o600 });
      await rename(`${noted}.new`, noted);
    }
    parts.push({
      ...{ name: `${named}/${format === 'ndjson' ? 'events.ndjson' : 'plausible.zip'}`, path },
      isPacked: format === 'plausible',
      rows: await rowsOf(form, { noted, path, format }),
      what:
        format === 'ndjson'
          ? `events of ${site.domain}, to be imported again with import events`
          : `days of ${site.domain} with what was imported, to be imported again with import plausible`,
    });
  }
  for (const { table } of siteTables.filter((one) => !(one.table in otherwiseWritten))) {
    signal.throwIfAborted();
    const path = join(folder, `${table}.ndjson`);
    const newest = table === 'frozen_days' ? ' FINAL' : '';
    const statement = {
      sql: `SELECT * FROM ${table}${newest} WHERE site_id = {site:UInt64} ORDER BY ALL`,
      params: { site: site.id },
    };
    const rows = await into(form, path, async (append) => {
      let count = 0;
      for await (const lines of linesThrough(warehouse, { path: join(folder, 'scratch'), form }, statement)) {
        signal.throwIfAborted();
        count += lines.length;
        await append(`${lines.join('\n')}\n`);
      }
      return count;
    });
    if (rows > 0) parts.push({ name: `${named}/${table}.ndjson`, path, rows, what: `${table} of ${site.domain}` });
  }
  return parts;
}

async function writeAudit(
  { folder, form }: { folder: string; form: Form },
  lines: AsyncIterable<string>,
): Promise<Part> {
  const name = 'audit/audit.ndjson';
  const path = join(folder, name);
  const rows = await into(form, path, async (append) => {
    let count = 0;
    for await (const piece of lines) {
      count += piece.split('\n').length - 1;
      await append(piece);
    }
    return count;
  });
  return { name, path, rows, what: 'the audit log with its checkpoints; audit verify --file verifies it' };
}

async function into<T>(
  form: Form,
  path: string,
  work: (append: (text: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'w', 0o600);
  try {
    return await work(async (text) => void (await file.appendFile(form.kept(text))));
  } finally {
    await file.close();
  }
}

/** A kill between the file and its note leaves only the file. */
async function rowsOf(
  form: Form,
  { noted, path, format }: { noted: string; path: string; format: 'ndjson' | 'plausible' },
): Promise<number> {
  if (existsSync(noted)) return Number(form.opened(await readFile(noted)).toString('utf8'));
  let lines = 0;
  if (format === 'ndjson')
    for await (const piece of form.read(path)) for (const byte of piece) if (byte === 10) lines += 1;
  return lines;
}

async function digestOf(
  form: Form,
  { path, isPacked }: Part,
  signal: AbortSignal,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of isPacked ? form.readPlaced(path) : form.read(path)) {
    signal.throwIfAborted();
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}
