import { statfsSync } from 'node:fs';

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
