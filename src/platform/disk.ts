import { statfsSync } from 'node:fs';

/** How full the disk of a folder is, and what is left on it for us. */
export function diskOf(folder: string): { usedShare: number; freeBytes: number } {
  const disk = statfsSync(folder);
  return { usedShare: 1 - disk.bavail / disk.blocks, freeBytes: disk.bavail * disk.bsize };
}
