import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { diskOf, keptFreeBytes } from '../../platform/disk.ts';
import type { Gauge, House } from '../../platform/subject.ts';
import { isoDay } from '../../platform/zone.ts';
import type { SiteHistory } from '../history/index.ts';
import { eventsSql, visitsSql } from './pack.ts';
import type { PackedQuestion, PackedRows } from './question.ts';
import { rehearsalOf } from './rehearsal.ts';
import type { AskedDays } from './worker.ts';
import { Fault, openWorkers } from './workers.ts';

export const packedLimits = {
  /** Sites with fewer events in their frozen days are answered fast enough by the engine. */
  eventsMin: 1_000_000,
  /** A larger day would take more memory to pack than a small machine has; its site is then left to the engine. */
  eventsPerDayMax: 2_000_000,
} as const;

/** Days of one job of the rehearsal: about a tenth of a second of a processor, for which a reader's question may have to wait. */
const rehearsedDays = 4;
/** So many of the newest days are unpacked before somebody asks: ninety, and those that they are compared with. */
const expectedDays = 180;

/** Files of another form than this one are not read. */
const formEnding = '.2';

/** How long the engine may write the rows of one day. */
const seconds = 120;

/** Frozen days of large sites as columns of numbers, from which a question with a filter is counted (docs/decisions). */
export interface PackedDays {
  /** True when each of the days lies packed in the state that the register has it in. */
  has(siteId: number, days: Iterable<number>, revisions: ReadonlyMap<number, number>): boolean;
  /**
   * The rows of each list by thread: each has counted some of the days.
   * @throws NotHere's sentence, or what reading a file throws; the engine can answer the same question
   */
  count(siteId: number, days: readonly number[], question: PackedQuestion): Promise<PackedRows[][]>;
  /**
   * Somebody looks at this site and may filter next: threads that rest come back, have learned their work by then and have
   * unpacked the newest days.
   * Nothing waits for it.
   */
  expect(siteId: number): void;
  /** Days whose rows are as before got another revision. */
  carry(siteId: number, changes: readonly { day: number; from: number; to: number }[]): void;
  /** Packs what is not, and takes away what is no longer right. One at a time; a call during a run gets that run. */
  sweep(): Promise<{ packed: number; removed: number }>;
  /** Takes every file of a site away; a run of `sweep` is waited for. */
  forget(siteId: number): Promise<void>;
  gauges(): Gauge[];
  stop(): Promise<void>;
}

/** @param eventsMin see `packedLimits`; tests have smaller sites */
export function openPackedDays(
  {
    config,
    clock,
    log,
    warehouse,
  }: { config: Pick<House['config'], 'dataDir'>; warehouse: Pick<House['warehouse'], 'read' | 'writeFile'> } & Pick<
    House,
    'clock' | 'log'
  >,
  {
    sites,
    frozenDays,
    eventsMin = packedLimits.eventsMin,
  }: {
    sites: () => readonly number[];
    frozenDays: (siteId: number) => Promise<Pick<SiteHistory, 'revisions'>>;
    eventsMin?: number;
  },
): PackedDays {
  const folder = join(config.dataDir, 'packed');
  const workers = openWorkers(Math.max(1, Math.min(4, availableParallelism())), clock);
  /** Revision of each packed day, by site. */
  const packed = readFolder(folder);
  /** Questions of this turn, by site. */
  const asked = new Map<number, Waiting[]>();
  let running: Promise<{ packed: number; removed: number }> | undefined;
  let stopped = false;

  const fileOf = (siteId: number, day: number, revision: number) =>
    join(folder, String(siteId), `${day}-${revision}${formEnding}`);

  async function sweepOnce() {
    const done = { packed: 0, removed: 0 };
    const large = await largeSites();
    for (const siteId of new Set([...packed.keys(), ...large])) {
      const { revisions } = await frozenDays(siteId);
      const isLarge = large.has(siteId);
      for (const [day, revision] of packed.get(siteId) ?? [])
        if (!isLarge || revisions.get(day) !== revision) {
          packed.get(siteId)?.delete(day);
          await rm(fileOf(siteId, day, revision), { force: true });
          done.removed++;
        }
      if (!isLarge) {
        await rm(join(folder, String(siteId)), { recursive: true, force: true });
        packed.delete(siteId);
        continue;
      }
      // The newest first: they are asked about most.
      for (const [day, revision] of [...revisions].sort(([one], [other]) => other - one)) {
        if (stopped) return done;
        if (packed.get(siteId)?.get(day) === revision) continue;
        // Events come first: without room nothing is packed, and the engine answers.
        if (diskOf(folder).freeBytes < keptFreeBytes) break;
        // What stands against one day stands against most; the next sweep tries again.
        if (!(await pack(siteId, day, revision))) break;
        done.packed++;
      }
    }
    if (done.packed + done.removed > 0) log.info('packed_days.swept', done);
    return done;
  }

  /** Sites whose days are worth it, and none of them too large. */
  async function largeSites(): Promise<Set<number>> {
    const rows = await warehouse.read<{ site: string; events: string; largest: string }>(
      `SELECT site, sum(of_day) AS events, max(of_day) AS largest FROM (
        SELECT site_id AS site, id_day, sum(events) AS of_day FROM arrivals GROUP BY site_id, id_day
      ) GROUP BY site`,
      {},
      { purpose: 'packed_days', seconds },
    );
    const known = new Set(sites());
    return new Set(
      rows.flatMap(({ site, events, largest }) =>
        known.has(Number(site)) && Number(events) >= eventsMin && Number(largest) <= packedLimits.eventsPerDayMax
          ? [Number(site)]
          : [],
      ),
    );
  }

  async function pack(siteId: number, day: number, revision: number): Promise<boolean> {
    const own = join(folder, String(siteId));
    mkdirSync(own, { recursive: true, mode: 0o700 });
    const scratch = { visits: join(own, 'visits.rows'), events: join(own, 'events.rows') };
    const params = { site: siteId, day: isoDay(day) };
    try {
      await warehouse.writeFile(visitsSql, params, scratch.visits);
      await warehouse.writeFile(eventsSql, params, scratch.events);
      await workers.run({ kind: 'pack', ...scratch, file: fileOf(siteId, day, revision) }, workers.count - 1);
      // A row that came meanwhile has taken this revision away, and the file goes with the next sweep.
      const days = packed.get(siteId) ?? new Map<number, number>();
      packed.set(siteId, days.set(day, revision));
      return true;
    } catch (error) {
      if (!stopped)
        log.warn('packed_days.left', { site: siteId, day, why: error instanceof Fault ? error.message : 'store' });
      return false;
    } finally {
      await Promise.all(Object.values(scratch).map((file) => rm(file, { force: true })));
    }
  }

  async function countTogether(siteId: number, waiting: readonly Waiting[]) {
    const days = [...new Set(waiting.flatMap((one) => [...one.days]))].sort((one, other) => one - other);
    const file = (day: number): [number, string] => [day, fileOf(siteId, day, packed.get(siteId)?.get(day) ?? 0)];
    const questions = waiting.map(({ question, days }) => ({ question, days }));
    const shares = Array.from({ length: workers.count }, (_, at) =>
      days.filter((_, number) => number % workers.count === at),
    );
    try {
      const answers = await Promise.all(
        shares
          .filter((share) => share.length > 0)
          .map((share, at) => workers.run({ kind: 'count', questions, files: new Map(share.map(file)) }, at)),
      );
      for (const [at, { resolve, reject }] of waiting.entries()) {
        const rows: PackedRows[][] = [];
        let fault: string | undefined;
        for (const counted of answers.map((answer) => answer?.[at]))
          if (counted === undefined || 'fault' in counted) fault = counted?.fault ?? 'A thread gave no answer.';
          else rows.push(counted.rows);
        if (fault === undefined) resolve(rows);
        else {
          // The engine answers instead; for whoever wonders why that took its time.
          log.info('packed_days.not_counted', { site: siteId, why: fault });
          reject(new Fault(fault));
        }
      }
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  /** Job after job, until a reader asks this thread: the question then does the rest itself. */
  async function rehearse(siteId: number, days: readonly [day: number, revision: number][], thread: number) {
    for (let from = 0; from < days.length && !stopped && !workers.isAsked(thread); from += rehearsedDays) {
      const files = new Map(
        days
          .slice(from, from + rehearsedDays)
          .map(([day, revision]): [number, string] => [day, fileOf(siteId, day, revision)]),
      );
      const questions = rehearsalOf(files.keys()).map((question) => ({ question, days: new Set(files.keys()) }));
      await workers.run({ kind: 'count', questions, files }, thread);
    }
  }

  return {
    has(siteId, days, revisions) {
      const own = packed.get(siteId);
      if (own === undefined) return false;
      for (const day of days) {
        const revision = own.get(day);
        if (revision === undefined || revision !== revisions.get(day)) return false;
      }
      return true;
    },
    count(siteId, days, question) {
      return new Promise((resolve, reject) => {
        const waiting = { question, days: new Set(days), resolve, reject };
        const own = asked.get(siteId);
        if (own !== undefined) {
          own.push(waiting);
          return;
        }
        asked.set(siteId, [waiting]);
        // The questions of a batch come one after another within this turn, and most are about the same days.
        setImmediate(() => {
          const together = asked.get(siteId) ?? [];
          asked.delete(siteId);
          void countTogether(siteId, together);
        });
      });
    },
    expect(siteId) {
      // Asked after every question: what costs something comes last.
      if (stopped) return;
      if (!workers.resting()) {
        workers.stay();
        return;
      }
      const newest = [...(packed.get(siteId) ?? [])].sort(([one], [other]) => other - one);
      if (newest.length === 0) return;
      const expected = newest.slice(0, expectedDays);
      for (let at = 0; at < workers.count; at++)
        // A day that went meanwhile is a fault of its job alone.
        rehearse(
          siteId,
          expected.filter((_, number) => number % workers.count === at),
          at,
        ).catch(() => {});
    },
    carry(siteId, changes) {
      const days = packed.get(siteId);
      for (const { day, from, to } of changes) {
        if (days?.get(day) !== from) continue;
        renameSync(fileOf(siteId, day, from), fileOf(siteId, day, to));
        days.set(day, to);
      }
    },
    async forget(siteId) {
      await running?.catch(() => {});
      packed.delete(siteId);
      await rm(join(folder, String(siteId)), { recursive: true, force: true });
    },
    gauges: () => [
      {
        name: 'fairlead_packed_days',
        help: 'Closed days of large sites that questions with a filter are counted from.',
        kind: 'gauge',
        read: () => [...packed.values()].reduce((sum, days) => sum + days.size, 0),
      },
    ],
    sweep() {
      running ??= sweepOnce().finally(() => {
        running = undefined;
      });
      return running;
    },
    async stop() {
      stopped = true;
      await workers.stop();
      await running?.catch(() => {});
    },
  };
}

interface Waiting extends AskedDays {
  resolve(rows: PackedRows[][]): void;
  reject(error: unknown): void;
}

function readFolder(folder: string): Map<number, Map<number, number>> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const packed = new Map<number, Map<number, number>>();
  for (const site of readdirSync(folder)) {
    const days = new Map<number, number>();
    for (const name of readdirSync(join(folder, site))) {
      const [, day, revision] = name.endsWith(formEnding) ? (/^(\d+)-(\d+)\./.exec(name) ?? []) : [];
      // What a kill left half written, and files of an earlier form, whose days are packed again.
      if (day === undefined || days.has(Number(day))) rmSync(join(folder, site, name), { force: true });
      else days.set(Number(day), Number(revision));
    }
    packed.set(Number(site), days);
  }
  return packed;
}
