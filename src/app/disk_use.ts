import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesIn } from '../platform/disk.ts';
import type { House } from '../platform/subject.ts';

/** Bytes on disk: `postgres`, `warehouse`, `spool`, and each other folder of the data directory by its name. */
export type DiskUse = Readonly<Record<string, number>>;

/** To walk the folders of ten million events takes some ten milliseconds; nobody needs it more often. */
const freshMs = 60_000;
const tellsItself = ['postgres', 'warehouse', 'spool', 'quarantine'];

export interface DiskReader {
  /** What was read last, at once; when that is a minute old it is read again meanwhile. Nothing before the first reading. */
  known(): DiskUse;
  /** The same, waited for. A store that does not answer in its time is left out. */
  read(): Promise<DiskUse>;
}

export function openDiskUse({
  config,
  clock,
  postgres,
  warehouse,
  spool,
}: Pick<House, 'config' | 'clock' | 'postgres' | 'warehouse' | 'spool'>): DiskReader {
  let reading: Promise<DiskUse> | undefined;
  let readAt = 0;
  let last: DiskUse = {};

  async function ask(): Promise<DiskUse> {
    const entries = await readdir(config.dataDir, { withFileTypes: true }).catch(() => []);
    const folders = entries.filter((entry) => entry.isDirectory() && !tellsItself.includes(entry.name));
    const own: [string, Promise<number | undefined>][] = [
      ['postgres', postgres.diskBytes().catch(() => undefined)],
      [
        'warehouse',
        warehouse.diskBytes().then(
          ({ total }) => total,
          () => undefined,
        ),
      ],
      ...folders.map(({ name }): [string, Promise<number>] => [name, bytesIn(join(config.dataDir, name))]),
    ];
    const use: Record<string, number> = { spool: spool.bytes() };
    for (const [name, bytes] of own) {
      const found = await bytes;
      if (found !== undefined) use[name] = found;
    }
    return use;
  }

  function fresh(): Promise<DiskUse> {
    if (reading === undefined || clock.monotonic() - readAt > freshMs) {
      readAt = clock.monotonic();
      reading = ask().then((use) => {
        last = use;
        return use;
      });
    }
    return reading;
  }

  return {
    read: fresh,
    known() {
      void fresh();
      return last;
    },
  };
}

/** "warehouse 1.2 GB, postgres 0.1 GB": the largest first, what takes less than a tenth of a gigabyte left out. */
export function largestOf(use: DiskUse): string {
  return Object.entries(use)
    .filter(([, bytes]) => bytes >= 5e7)
    .sort(([, one], [, other]) => other - one)
    .map(([name, bytes]) => `${name} ${(bytes / 1e9).toFixed(1)} GB`)
    .join(', ');
}
