import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { type CrashPoint, crashPoints } from '../../src/platform/crash_point.ts';
import { seededRandom } from '../../src/platform/random.ts';
import { folderSink } from '../../src/platform/spool/folder_sink.ts';
import { startChild } from './drivers/child.ts';
import { type Tally, tally } from './drivers/tally.ts';

const script = fileURLToPath(new URL('./drivers/spool_child.ts', import.meta.url));
const perLife = 300;
// Five at a time on a machine that is full: each has as long as all of them took one after the other.
vi.setConfig({ testTimeout: 120_000 });
/** Lives wait for the disk most of the time, so those of several directories go on at once. */
const folder = mkdtempSync(join(tmpdir(), 'fairlead-kill-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Lets one process after the other live and die on the same directory; the last one may end in peace. */
async function livesOf(
  deaths: (string | number)[],
  sabotage: string[] = [],
): Promise<{ killed: number; strict: Tally; plain: Tally; dir: string }> {
  const dir = mkdtempSync(join(folder, 'lives-'));
  const acknowledged: string[] = [];
  let killed = 0;
  for (const [life, death] of [...deaths, ''].entries()) {
    const child = startChild(script, {
      args: [dir, String(life * perLife), String(perLife), ...sabotage],
      env: typeof death === 'number' || death === '' ? {} : { FAIRLEAD_CRASH_POINT: death },
    });
    if (typeof death === 'number') {
      await child.says(/^ack /);
      await new Promise((resolve) => setTimeout(resolve, death));
      await child.kill();
    }
    const end = await child.ended;
    expect(['SIGKILL', 0]).toContain(end);
    if (end === 'SIGKILL') killed++;
    else expect(child.lines.at(-1)).toBe('done');
    acknowledged.push(...child.lines.filter((line) => line.startsWith('ack ')).map((line) => line.slice(4)));
  }
  const idsOf = (rows: string[]) => rows.map((row) => String((JSON.parse(row) as { id: number }).id));
  const idsIn = (name: string) => idsOf(folderSink(join(dir, name), { name }).rows());
  return {
    killed,
    strict: tally(acknowledged, [...idsIn('strict'), ...idsOf(quarantined(dir))]),
    plain: tally(acknowledged, idsIn('plain')),
    dir,
  };
}

function quarantined(dir: string): string[] {
  const directory = join(dir, 'quarantine', 'events');
  return readdirSync(directory).flatMap((file) =>
    readFileSync(join(directory, file), 'utf8')
      .split('\n')
      .filter((line, i) => i % 2 === 1 && line !== ''),
  );
}

describe.concurrent('kill -9 at every step of the spool: acknowledged means stored, once, in every store', () => {
  const points = crashPoints.filter((point): point is CrashPoint => /^(spool|quarantine)\./.test(point));
  const ofRefusedRows: CrashPoint[] = ['spool.split', 'spool.part', 'quarantine.write', 'spool.quarantine'];
  it.each(points)('%s', async (point) => {
    // A start has something to put in order only after a death in the middle of a segment.
    const isInStart = point === 'spool.recover' || point === 'spool.recovered';
    const { killed, strict, plain, dir } = await livesOf(
      isInStart ? ['spool.sync:5', `${point}:1`, `${point}:1`] : [`${point}:1`, `${point}:2`, `${point}:5`],
    );
    expect(killed).toBeGreaterThanOrEqual(ofRefusedRows.includes(point) ? 2 : 3);
    for (const store of [strict, plain]) {
      expect(store).toMatchObject({ lost: [], duplicated: [] });
      expect(store.acknowledged).toBeGreaterThanOrEqual(perLife);
    }
    expect(readdirSync(join(dir, 'spool', 'events'))).toEqual([]);
  });

  it('and at any other moment', async () => {
    const random = seededRandom('moments');
    const deaths = Array.from({ length: 8 }, () => random.bytes(1).readUInt8() / 4);
    const { strict, plain } = await livesOf(deaths);
    for (const store of [strict, plain]) expect(store).toMatchObject({ lost: [], duplicated: [] });
  });
});

describe.concurrent('the proof fails when the guard is taken away', () => {
  it('answers that do not wait for the disk: acknowledged rows are lost', async () => {
    const { plain } = await livesOf(['spool.take:1', 'spool.take:2'], ['early']);
    expect(plain.lost.length).toBeGreaterThan(0);
  });
  it('another token each time: rows are stored twice', async () => {
    const { plain } = await livesOf(['spool.confirm:2', 'spool.confirm:3', 'spool.delete:1'], ['token']);
    expect(plain.duplicated.length).toBeGreaterThan(0);
  });
});
