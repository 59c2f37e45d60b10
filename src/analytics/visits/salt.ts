import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../platform/clock.ts';
import { crashPoint } from '../../platform/crash_point.ts';
import type { Log } from '../../platform/log.ts';
import { syncFolder, writePrivateFile } from '../../platform/private_file.ts';
import type { Random } from '../../platform/random.ts';

/**
 * The salt of the visitor ids: 32 random bytes per UTC day (PSE-02), never derived from a date or a key, so that with
 * its death yesterday's ids stop being anybody's, for us too (PSE-05, PSE-06). Both salts that may exist live in one
 * 0600 file outside database, logs and backups (PSE-07), and in this process's memory.
 */
export type Salts = {
  /** The salt of the day that `nowMs` is in; makes a new one when the day has changed. */
  current(nowMs: number): DaySalt;
  /** Yesterday's salt while it may still be used: for the first ten minutes of a day (PSE-03). */
  previous(nowMs: number): DaySalt | undefined;
  /**
   * A salt for events of another day that arrive late: random, one per day, in memory only, gone with the next
   * rotation. It makes ids that nothing else can meet.
   */
  late(day: number): DaySalt;
  /** Salts on disk that should be gone, because the disk refused: for a gauge. 0 when all is well. */
  overdue(): number;
  /** Stops the timer and overwrites the salts in memory; the file stays, for the next start today. */
  close(): void;
};

/** A salt and the UTC day, in days since the epoch, that it belongs to for ever. */
export type DaySalt = { readonly day: number; readonly salt: Buffer };

export const saltBytes = 32;
export const graceMs = 10 * 60_000;
export const dayMs = 86_400_000;
/** Late events of more different days than this, between two midnights, share nothing: the oldest salt is given up. */
const lateDaysMax = 800;
const checkMs = 1_000;
const retryMs = 30_000;

/**
 * Opens the file, or makes it. A salt in it counts only for its own day: after a restart within the grace both go on,
 * after a later one yesterday's is destroyed before anything else happens.
 * @param parts.file where both salts are kept; its folder is made with 0700
 */
export function openSalts(parts: { file: string; clock: Clock; random: Random; log: Log }): Salts {
  const { clock, random, log } = parts;
  const fresh = (day: number): DaySalt => ({ day, salt: random.bytes(saltBytes) });
  const store = openSaltFile(parts.file);

  const today = dayOf(clock.now());
  const kept = store.read();
  let now = kept.find((salt) => salt.day === today) ?? fresh(today);
  let before = isGrace(clock.now()) ? kept.find((salt) => salt.day === today - 1) : undefined;
  // The wall clock may be set back; the grace ends by the steady clock all the same.
  let graceEnd = clock.monotonic() + graceMs - (clock.now() - today * dayMs);
  for (const salt of kept) if (salt !== now && salt !== before) salt.salt.fill(0);
  const late = new Map<number, DaySalt>();
  let unwritten = false;
  let retryAt = 0;
  write();

  function write() {
    try {
      store.write(before === undefined ? [now] : [now, before]);
      unwritten = false;
    } catch (error) {
      // The salts go on in memory: visits stay whole until a restart. The gauge and the log say that the file is old.
      unwritten = true;
      retryAt = clock.monotonic() + retryMs;
      log.error('salt_file_not_written', {}, error);
    }
  }

  function turn(nowMs: number) {
    const day = dayOf(nowMs);
    if (day !== now.day) {
      // A clock that went back to a day whose salt is still there goes on with it inside the grace (see `current`);
      // any other day gets a new salt, for a salt is never used for a second day and never comes back.
      if (day === before?.day) {
        if (clock.monotonic() >= graceEnd) forgetPrevious();
        else return;
      }
      const yesterday = now.day === day - 1 && isGrace(nowMs) ? now : undefined;
      if (yesterday === undefined) now.salt.fill(0);
      before?.salt.fill(0);
      before = yesterday;
      now = fresh(day);
      graceEnd = clock.monotonic() + graceMs - (nowMs - day * dayMs);
      for (const salt of late.values()) salt.salt.fill(0);
      late.clear();
      write();
    } else if (before !== undefined && (!isGrace(nowMs) || clock.monotonic() >= graceEnd)) {
      forgetPrevious();
    } else if (unwritten && clock.monotonic() >= retryAt) write();
  }
  function forgetPrevious() {
    before?.salt.fill(0);
    before = undefined;
    write();
  }

  let stopTimer = clock.after(checkMs, tick);
  function tick() {
    turn(clock.now());
    stopTimer = clock.after(checkMs, tick);
  }

  return {
    current(nowMs) {
      if (dayOf(nowMs) !== now.day || before !== undefined) turn(nowMs);
      return before !== undefined && dayOf(nowMs) === before.day ? before : now;
    },
    previous(nowMs) {
      if (before === undefined) return undefined;
      turn(nowMs);
      return dayOf(nowMs) === now.day ? before : undefined;
    },
    late(day) {
      const known = late.get(day);
      if (known !== undefined) return known;
      if (late.size >= lateDaysMax) late.delete(late.keys().next().value as number);
      const salt = fresh(day);
      late.set(day, salt);
      return salt;
    },
    overdue: () => (unwritten ? 1 : 0),
    close() {
      stopTimer();
      for (const salt of [now, before, ...late.values()]) salt?.salt.fill(0);
    },
  };
}

export function dayOf(ms: number): number {
  return Math.floor(ms / dayMs);
}

/** Is this moment in the first ten minutes of its UTC day? */
export function isGrace(ms: number): boolean {
  return ms - dayOf(ms) * dayMs < graceMs;
}

/**
 * The file, written so that a crash at any point leaves either the old or the new pair, and no third copy of a salt.
 * The new file takes the place of the old one by rename; a second link keeps the old one reachable until its bytes
 * are overwritten. What an earlier crash left behind is overwritten at the next start. On a copy-on-write file system
 * or a flash disk the overwriting may not reach the old blocks: docs/guides says so.
 */
function openSaltFile(file: string) {
  const fresh = `${file}.new`;
  const old = `${file}.old`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (existsSync(fresh)) destroy(fresh);
  if (existsSync(old)) {
    // The same file under two names: the crash came before the rename, and these salts are still the ones in use.
    if (existsSync(file) && statSync(old).ino === statSync(file).ino) unlinkSync(old);
    else destroy(old);
  }
  return {
    read(): DaySalt[] {
      if (!existsSync(file)) return [];
      return readFileSync(file, 'utf8').split('\n').flatMap(readLine);
    },
    write(salts: readonly DaySalt[]): void {
      if (existsSync(fresh)) destroy(fresh);
      if (existsSync(old)) destroy(old);
      writePrivateFile(fresh, salts.map((salt) => `${salt.day} ${salt.salt.toString('hex')}\n`).join(''));
      crashPoint('salt.written');
      if (existsSync(file)) linkSync(file, old);
      renameSync(fresh, file);
      crashPoint('salt.renamed');
      syncFolder(dirname(file));
      if (existsSync(old)) destroy(old);
    },
  };
}

/** A line that was torn by a crash is no salt: its day gets a new one. */
function readLine(line: string): DaySalt[] {
  const parts = /^(\d{1,6}) ([0-9a-f]{64})$/.exec(line);
  return parts === null ? [] : [{ day: Number(parts[1]), salt: Buffer.from(parts[2] as string, 'hex') }];
}

function destroy(file: string): void {
  const fd = openSync(file, 'r+');
  try {
    writeSync(fd, Buffer.alloc(fstatSync(fd).size), 0, undefined, 0);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  unlinkSync(file);
  syncFolder(dirname(file));
}
