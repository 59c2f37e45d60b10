import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DeskFolder, postgresFolder, type Running } from './desk.ts';

/**
 * Megabytes of memory of the desk's processes, each page counted by its share (PSS): the server, and the Postgres
 * that it started, which is a session of its own. Linux only.
 */
export function memoryMb(desk: DeskFolder, running: Running): { server: number; postgres: number; total: number } {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parents = new Map(pids.map((pid) => [pid, parentOf(pid)]));
  const pidFile = join(postgresFolder(desk), 'cluster', 'postmaster.pid');
  const postmaster = readFileSync(pidFile, 'utf8').split('\n')[0];
  const own = pids.filter((pid) => pid === postmaster || parents.get(pid) === postmaster);
  const postgres = own.reduce((sum, pid) => sum + pssMb(pid), 0);
  const server = pssMb(String(running.process.pid));
  return { server, postgres, total: server + postgres };
}

function parentOf(pid: string): string | undefined {
  return /^PPid:\s+(\d+)/m.exec(fileOf(pid, 'status'))?.[1];
}

function pssMb(pid: string): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(fileOf(pid, 'smaps_rollup'))?.[1] ?? 0) / 1024;
}

/** Empty for a process that has ended since it was listed. */
function fileOf(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
