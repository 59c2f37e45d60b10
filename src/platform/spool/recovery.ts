import { join } from 'node:path';
import { crashPoint } from '../crash_point.ts';
import { type ClosedSegment, codeOf, readSegmentFile, type Surroundings } from './lane.ts';
import { Progress } from './progress.ts';
import { wholeRowsLength, writtenLength } from './rows.ts';

/**
 * Brings a lane's directory into order after any kind of end:
 * an open segment loses its torn tail (nothing in it was acknowledged) and is closed under its own name, an empty
 * one is removed, progress without a segment too. The rows of an open segment that nobody was told about yet are
 * delivered: they cannot be told from those whose answer was sent.
 */
export async function recoverLane(
  lane: string,
  directory: string,
  around: Surroundings,
): Promise<{ segments: ClosedSegment[]; nextSequence: number }> {
  const { files, clock, log, usage } = around;
  await files.mkdir(directory, 0o700);
  const found = (await files.readdir(directory)).map((file) => ({ file, ...readSegmentFile(file) }));
  const strangers = found.filter(({ state }) => state === undefined).length;
  if (strangers > 0) log.warn('spool_unknown_files', { lane, files: strangers });

  const segments: (ClosedSegment & { sequence: number })[] = [];
  for (const { file, name, sequence, state } of found) {
    if (name === undefined || sequence === undefined || (state !== 'open' && state !== 'closed')) continue;
    const path = state === 'open' ? await closeOpen(join(directory, file), lane, around) : join(directory, file);
    if (path === undefined) continue;
    const { size, mtimeMs } = await files.stat(path);
    const progress = new Progress(join(directory, `${name}.progress`), files);
    if (found.some((other) => other.name === name && other.state === 'progress')) await progress.load();
    const now = clock.monotonic();
    segments.push({
      ...{ lane, name, path, bytes: size, sequence, progress, uncut: false, confirmedBy: new Set<string>() },
      bornAt: now - Math.max(0, clock.now() - mtimeMs),
      closedAt: now,
    });
    usage.bytes += size;
  }
  segments.sort((a, b) => a.sequence - b.sequence);

  const names = new Set(segments.map(({ name }) => name));
  for (const { file, name, state } of found)
    if (state === 'progress' && !names.has(name as string)) await files.unlink(join(directory, file));
  if (segments.length > 0) crashPoint('spool.recovered');
  await files.syncDirectory(directory);

  if (segments.length > 0) {
    const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    log.info('spool_recovered', { lane, segments: segments.length, bytes });
  }
  return { segments, nextSequence: Math.max(0, ...found.map(({ sequence }) => sequence ?? 0)) + 1 };
}

/** Gives the path of the closed file, or undefined when there was nothing to keep. */
async function closeOpen(path: string, lane: string, around: Surroundings): Promise<string | undefined> {
  const { files, log } = around;
  const bytes = await files.readFile(path);
  const whole = wholeRowsLength(bytes);
  const torn = writtenLength(bytes) - whole;
  if (torn > 0) log.warn('spool_torn_tail_cut', { lane, bytes: torn });
  if (whole === 0) {
    await files.unlink(path);
    return undefined;
  }
  if (whole < bytes.length) {
    const descriptor = await files.open(path, 'r+', 0o600);
    try {
      await files.ftruncate(descriptor, whole);
      await files.fdatasync(descriptor);
    } finally {
      await files.close(descriptor);
    }
  }
  crashPoint('spool.recover');
  const closedPath = path.replace(/\.open$/, '.closed');
  try {
    await files.rename(path, closedPath);
    return closedPath;
  } catch (error) {
    // It can be read under its old name as well, and the next start finds it again.
    log.warn('spool_close_failed', { lane, code: codeOf(error) });
    return path;
  }
}
