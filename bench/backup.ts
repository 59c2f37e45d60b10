import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ask, type DeskFolder, fairlead, lastDays, postgresFolder, type Running, startDesk } from './desk.ts';

/**
 * A backup of the running desk, and a restore on what is an empty machine but for the processor: both as whole commands,
 * from their start to their end. Then both desks are asked the same questions.
 */
export async function measureBackup(desk: DeskFolder, running: Running, say: (line: string) => void) {
  const folder = await mkdtemp(join(dirname(desk.folder), 'fairlead-restored-'));
  const backups = join(desk.folder, 'backups');
  const restored: DeskFolder = { ...desk, folder };
  try {
    let told = '';
    await fairlead(desk, ['backup', 'new-key'], { says: (text) => (told += text) });
    const key = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){13}/.exec(told)?.[0];
    if (key === undefined) throw new Error(`No recovery key was printed: ${told}`);
    say('Making a backup of the running desk …');
    const made = await timed(() => fairlead(desk, ['backup']));
    const { bytes } = JSON.parse(made.out) as { bytes: number };
    say('Restoring it …');
    const back = await timed(() => fairlead(restored, ['restore', '--from', backups], { input: key }));
    const other = await startDesk(restored);
    try {
      say('Asking both …');
      const unequal = await compare([desk, running], [restored, other]);
      return {
        ...{ backupSeconds: made.seconds, restoreSeconds: back.seconds, megabytes: bytes / 1e6 },
        ...{ asked: questions(desk).length, unequal },
      };
    } finally {
      await other.stop();
    }
  } finally {
    await rm(backups, { recursive: true, force: true });
    await rm(postgresFolder(restored), { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

async function timed(work: () => Promise<string>): Promise<{ out: string; seconds: number }> {
  const began = performance.now();
  const out = await work();
  return { out, seconds: (performance.now() - began) / 1000 };
}

/** Totals, series and lists, with and without a filter: frozen days, cut days and days that are read from visits and events. */
function questions(desk: DeskFolder): Record<string, unknown>[] {
  const metrics = ['visitors', 'visits', 'pageviews', 'bounce_rate', 'visit_duration'];
  const lists = ['visit:source', 'event:page', 'visit:entry_page', 'visit:country', 'visit:browser', 'visit:device'];
  const filters = [undefined, [['is', 'visit:country', ['DE']]], [['contains', 'event:page', ['/blog/']]]];
  return desk.sites.slice(0, 2).flatMap(({ domain }) =>
    filters.flatMap((filter) =>
      [[], ['time:day'], ...lists.map((one) => [one])].map((dimensions) => ({
        ...{ site_id: domain, metrics, dimensions, date_range: lastDays(desk, 170), pagination: { limit: 200 } },
        ...(filter !== undefined && { filters: filter }),
      })),
    ),
  );
}

async function compare(...desks: [DeskFolder, Running][]): Promise<string[]> {
  const unequal: string[] = [];
  for (const question of questions(desks[0]?.[0] as DeskFolder)) {
    const answers: string[] = [];
    for (const [desk, running] of desks) {
      const { results } = await ask<{ results: unknown }>(desk, running, '/api/v2/query', question);
      answers.push(JSON.stringify(results));
    }
    if (new Set(answers).size > 1 || answers[0] === '[]') unequal.push(JSON.stringify(question));
  }
  return unequal;
}
