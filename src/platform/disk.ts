import { statfsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Events come first: what people ask for beside them leaves so much of the disk free. */
export const keptFreeBytes = 1024 ** 3;

/** For sentences about the disk. */
export function gigabytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

/** How full the disk of a folder is, and what is left on it for us. */
export function diskOf(folder: string): { usedShare: number; freeBytes: number } {
  const disk = statfsSync(folder);
  return { usedShare: 1 - disk.bavail / disk.blocks, freeBytes: disk.bavail * disk.bsize };
}

/** What the files of a folder take on the disk, which is not their length: PostgreSQL makes files ahead of use. */
export async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const own = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return bytesIn(path);
    // Files come and go under a running server.
    const found = await stat(path).catch(() => undefined);
    return (found?.blocks ?? 0) * 512;
  });
  return (await Promise.all(own)).reduce((total, bytes) => total + bytes, 0);
}
