import type { Site } from '../../../contract/api.ts';
import type { ExportFormat } from '../../../contract/exports.ts';
import { crashPoint } from '../../platform/crash_point.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs, dayOf, isoDay, localDay, startOfDay, zoneOrUtc } from '../../platform/zone.ts';
import { today } from '../imports/occupied.ts';
import { importedDataOf } from '../imports/records.ts';
import { restrictedVisitors } from '../profiles/restricted.ts';
import type { Form } from './form.ts';
import { formats, placed } from './formats.ts';
import { type Asked, openWorkFolder } from './work_folder.ts';

type ExportedSite = Pick<Site, 'id' | 'organisation_id'>;

export interface ExportProgress {
  /** The day that has been written, 'YYYY-MM-DD'. */
  day: string;
  done: number;
  days: number;
  rows: number;
  /** Bytes of its files so far. */
  bytes: number;
}

/**
 * Writes the days of a site into the file `out`, which appears when it is whole. One that was cut off, by a stop or a
 * kill, goes on behind its last whole day when it is asked for again.
 * @returns how many rows the file has
 * @throws the reason of `signal`, and whatever `onDay` throws
 */
export async function writeExport(
  { postgres, warehouse }: Pick<House, 'postgres' | 'warehouse'>,
  site: ExportedSite,
  asked: Asked & { format: ExportFormat },
  {
    out,
    onResume,
    onDay,
    signal,
    form,
    isPlaced = false,
  }: {
    out: string;
    /** How its files lie on the disk meanwhile and in the end; as they are unless given. */
    form?: Form;
    /** The file is to be read at any place in the end (`readPlaced`); else lines are a growing one (`read`). */
    isPlaced?: boolean;
    onResume?: (day: string) => void;
    onDay(progress: ExportProgress): void | Promise<void>;
    signal?: AbortSignal;
  },
): Promise<number> {
  const imported = await importedDataOf(postgres, site);
  const restricted = await postgres.tenant(site.organisation_id, (sql) => restrictedVisitors(sql, site.id));
  const from = dayOf(asked.from) ?? 0;
  const to = dayOf(asked.to) ?? 0;
  const { files, day: writeDay, whole, ending } = formats[asked.format];
  const work = await openWorkFolder(out, asked, Object.keys(files), form);
  try {
    let { rows } = work;
    const begun = work.done === '' ? from : (dayOf(work.done) ?? from) + 1;
    if (begun > from) onResume?.(work.done);
    else for (const [file, head] of Object.entries(files)) await work.append(file, head);
    const hasEvents = await daysWithEvents(warehouse, site.id);
    for (let day = begun; day <= to; day++) {
      const instants = { from: startOfDay(day, asked.timezone), to: startOfDay(day + 1, asked.timezone) };
      const importIds = imported.days.has(isoDay(day)) ? imported.ids : [];
      const siteDay = { siteId: site.id, day: isoDay(day), importIds, restricted, ...instants };
      // Ten questions a day, for years in which nobody came, would be most of the work.
      if (importIds.length > 0 || hasEvents(instants))
        for await (const more of writeDay(warehouse, work, siteDay)) {
          rows += more;
          signal?.throwIfAborted();
        }
      await work.endDay(isoDay(day), rows);
      crashPoint('export.day');
      await onDay({ day: isoDay(day), done: day - from + 1, days: to - from + 1, rows, bytes: work.bytes });
      signal?.throwIfAborted();
    }
    const file = await whole(work, asked, signal);
    const last = isPlaced && ending !== 'zip' ? await placed(work, file, signal) : file;
    crashPoint('export.packed');
    await work.finish(last);
    return rows;
  } finally {
    await work.close();
  }
}

/** Tells of a stretch whether a UTC day that it touches has events of the site. */
async function daysWithEvents(
  warehouse: Pick<House['warehouse'], 'read'>,
  siteId: number,
): Promise<(stretch: { from: number; to: number }) => boolean> {
  const found = await warehouse.read<{ day: number }>(
    'SELECT DISTINCT toUInt32(toUInt16(toDate(e.time))) AS day FROM events AS e WHERE e.site_id = {site:UInt64}',
    { site: siteId },
    { purpose: 'export', seconds: 120 },
  );
  const days = new Set(found.map(({ day }) => Number(day)));
  return ({ from, to }) => {
    for (let day = Math.floor(from / dayMs); day * dayMs < to; day++) if (days.has(day)) return true;
    return false;
  };
}

/** The zone of a site's days. */
export function zoneOf(site: Pick<Site, 'timezone'>): string {
  return zoneOrUtc(site.timezone);
}

/**
 * The days of a site that can be exported, as their numbers: from the first with numbers to yesterday, since today is
 * not over. `first` is undefined for a site without numbers, and may be later than `last`.
 */
export async function knownDays(
  { postgres, warehouse, clock }: Pick<House, 'postgres' | 'warehouse' | 'clock'>,
  site: ExportedSite & Pick<Site, 'timezone'>,
): Promise<{ first: number | undefined; last: number }> {
  const zone = zoneOf(site);
  const [imported, rows] = await Promise.all([
    importedDataOf(postgres, site),
    warehouse.read<{ first: string; visits: string }>(
      'SELECT toString(toUnixTimestamp64Milli(min(started))) AS first, count() AS visits FROM visits WHERE site_id = {site:UInt64}',
      { site: site.id },
      { purpose: 'export', seconds: 60 },
    ),
  ]);
  const days = [...imported.days].map((day) => dayOf(day) ?? Number.POSITIVE_INFINITY);
  const [row] = rows;
  if (row !== undefined && row.visits !== '0') days.push(localDay(Number(row.first), zone));
  return { first: days.length === 0 ? undefined : Math.min(...days), last: (dayOf(today(clock.now(), zone)) ?? 0) - 1 };
}
