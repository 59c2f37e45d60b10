import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Alone } from '../../platform/postgres/index.ts';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import { dayMs } from '../../platform/zone.ts';
import { freeze, freezeGoals } from './freeze.ts';
import { mergeDaily, mergeVisits } from './merge.ts';
import { historySeconds } from './read_limit.ts';
import { type GoalRule, goalKey, recipe } from './recipe.ts';
import { type DayChange, readDays, writeDays } from './register.ts';

/** What history needs to know of a site. */
export interface HistorySite {
  id: number;
  /** IANA name. */
  timezone: string;
  goals: readonly GoalRule[];
}

/** Days are UTC day numbers: whole days since 1970-01-01. */
export interface SiteHistory {
  /** Days whose exact counts are in `daily`, for the site's present timezone. */
  frozen: ReadonlySet<number>;
  /** Days that were frozen once and are being counted again: read live meanwhile, and said so on the page. */
  rebuilding: ReadonlySet<number>;
  /** What a reader must know of each frozen day. */
  days: ReadonlyMap<number, FrozenDay>;
  /** Number of each frozen day's state: as long as it is the same, nothing about the day has changed. */
  revisions: ReadonlyMap<number, number>;
}

/**
 * The pieces of a frozen day, and what of it cannot be read from `daily`.
 *
 * A range takes, for each day of identity: the rows of the whole day (`local_day` = 1970-01-01) when all of its pieces
 * are inside, the rows of the one piece when exactly one is, nothing when none is. It has to read the day live when it
 * cuts a piece, or has several of them and not all.
 */
export interface FrozenDay {
  /** Local day numbers on which its events fell, ascending. */
  pieces: readonly number[];
  /** Dimensions that had too many values to be frozen that day; read them live. */
  leftOut: ReadonlySet<string>;
  /** Keys of the goals that it answers for (`goalKey`); read the others live. */
  goals: ReadonlySet<string>;
}

/** Stands where else the reason for a further count stands: the events are gone, and these counts are what is left. */
const outlived = 'outlived';
/** Recipe of a day that was marked before it was ever counted. */
const neverCounted = 0;

/** Why a day has to be counted again. */
export type DirtyReason = 'late' | 'import' | 'erasure' | 'timezone' | 'recipe';

export interface History {
  /** From memory; costs a read of the warehouse at most every few seconds, and only where others write it too. */
  frozenDays(siteId: number): Promise<SiteHistory>;
  /**
   * Says that rows of these days have come, gone or changed. From the moment it resolves these days are read live, and none is
   * counted before it has been quiet for a while, nor is a count of it that is under way believed. Call it before rows change
   * and once more after.
   * @param days UTC day numbers of `id_day`
   */
  markDirty(siteId: number, days: readonly number[] | 'all', reason: DirtyReason): Promise<void>;
  /**
   * Its events before a day are about to go, because their window is over: what was counted of these days stays as it is,
   * in the zone it was counted in, and is never counted again. What came for them a moment ago is counted first, without
   * the quiet time. To be called in the turn of `history:<site>`.
   * @throws Error when a day that is over could not be counted
   */
  outlive(siteId: number, beforeDay: number): Promise<void>;
  /** Reads all days of a site live from now on: its counts are being removed. */
  forget(siteId: number): void;
  /**
   * Finds closed days that are not frozen, or no longer right, and counts them. Runs one at a time; a call during a run
   * gets the promise of that run.
   * @returns how many days of how many sites it froze
   */
  sweep(): Promise<{ sites: number; days: number }>;
  /** Lets a sweep in progress end after the statement it is at; days that are left are counted after the next start. */
  stop(): Promise<void>;
}

export const historyLimits = {
  /** A day is closed so long after its end: ten minutes of grace, half an hour of a running visit, and some air. */
  closedAfterMs: 3_600_000,
  /**
   * A dirty day is counted again only after so long without a further mark. Longer than any question may run, so that
   * one which began while the day was still frozen has ended before its rows are replaced; and several marks in a row
   * (an import) cost one count.
   */
  quietMs: 60_000,
  /** Events in one INSERT … SELECT; bounds its memory. */
  eventsPerBuild: 1_000_000,
  /** How long another process's changes may stay unseen. The embedded warehouse has no other process. */
  sharedForMs: 5_000,
} as const;

/**
 * Keeps closed days frozen: exact counts per dimension in `daily`, and in `frozen_days` which days have them.
 *
 * The register lies beside the counts, in the warehouse, rather than in Postgres: a backup or a restore then takes
 * both or neither, and a register that says "frozen" over counts that are not there cannot come about.
 *
 * @param settledUntil Milliseconds since the epoch; every event acknowledged before is in the warehouse (the spool's
 *   oldest row that is not loaded, or now).
 */
export async function openHistory(house: {
  warehouse: Warehouse;
  clock: Clock;
  log: Log;
  sites: () => Promise<readonly HistorySite[]>;
  settledUntil: () => number;
  /** Days got goals counted beside what they had, which is the same under another revision. */
  onGoals?: (siteId: number, changes: readonly { day: number; from: number; to: number }[]) => void;
  /** Two processes that count the same day would each add their rows to it. Absent: there is no other process. */
  alone?: Alone;
}): Promise<History> {
  const { warehouse, clock, log, sites, settledUntil, onGoals, alone = (_name, work) => work(() => true) } = house;
  /** The newest row of each day, by site. */
  let register = await readDays(warehouse);
  let readAt = clock.monotonic();
  let zones = new Map<number, string>();
  let lastVersion = 0;
  const openedAt = clock.monotonic();
  /** When this process last marked days of a site, by the clock that nobody sets. */
  const markedAt = new Map<number, number>();
  /** Days that are being counted at this moment, by site. */
  const counting = new Map<number, ReadonlySet<number>>();
  const views = new Map<number, SiteHistory>();

  /** Grows even when the wall clock is set back; of two processes the one whose change came later wins. */
  function nextVersion(): number {
    lastVersion = Math.max(lastVersion + 1, clock.now() * 10, newest() + 1);
    return lastVersion;
  }

  function newest(): number {
    let version = 0;
    for (const days of register.values()) for (const day of days.values()) version = Math.max(version, day.version);
    return version;
  }

  async function write(siteId: number, changes: readonly DayChange[]): Promise<void> {
    if (changes.length === 0) return;
    await writeDays(warehouse, siteId, changes);
    const days = register.get(siteId) ?? new Map<number, DayChange>();
    register.set(siteId, days);
    for (const change of changes) {
      const known = days.get(change.day);
      if (known === undefined || known.version <= change.version) days.set(change.day, change);
    }
    views.delete(siteId);
  }

  async function refresh(): Promise<void> {
    if (warehouse.mode === 'embedded' || clock.monotonic() - readAt < historyLimits.sharedForMs) return;
    readAt = clock.monotonic();
    await readAgain();
  }

  /** Reads the register, or one site's part of it. What is being written meanwhile is newer in memory, and stays. */
  async function readAgain(site?: number): Promise<void> {
    const read = await readDays(warehouse, site);
    for (const [siteId, days] of read)
      for (const [day, row] of days) {
        const known = register.get(siteId)?.get(day);
        if (known !== undefined && known.version > row.version) days.set(day, known);
      }
    // Marks of days that were never counted are here alone.
    for (const [siteId, days] of register) {
      if (site !== undefined && site !== siteId) continue;
      const found = read.get(siteId) ?? new Map<number, DayChange>();
      for (const row of days.values()) if (row.recipe === neverCounted && !found.has(row.day)) found.set(row.day, row);
      if (found.size > 0) read.set(siteId, found);
    }
    if (site === undefined) {
      register = read;
      views.clear();
    } else {
      register.set(site, read.get(site) ?? new Map());
      views.delete(site);
    }
  }

  function viewOf(siteId: number): SiteHistory {
    const known = views.get(siteId);
    if (known !== undefined) return known;
    const zone = zones.get(siteId);
    const days = new Map<number, FrozenDay>();
    const revisions = new Map<number, number>();
    const rebuilding = new Set<number>();
    for (const [number, day] of register.get(siteId) ?? []) {
      const isOfToday = day.recipe === recipe && (zone === undefined || day.timezone === zone);
      if (day.state === 'frozen' && (isOfToday || day.reason === outlived)) {
        days.set(number, { pieces: day.pieces, leftOut: new Set(day.leftOut), goals: new Set(day.goals) });
        revisions.set(number, day.version);
      } else if (day.recipe !== neverCounted) rebuilding.add(number);
    }
    const view = { frozen: new Set(days.keys()), rebuilding, days, revisions };
    views.set(siteId, view);
    return view;
  }

  async function frozenDays(siteId: number): Promise<SiteHistory> {
    await refresh();
    const view = viewOf(siteId);
    const open = closedBefore(clock.now());
    // A clock that was ahead and set back since closed days that are not over: what comes for them is of today, not late.
    const early = [...view.frozen].filter((day) => day >= open);
    if (early.length === 0) return view;
    await markDirty(siteId, early, 'late');
    return viewOf(siteId);
  }

  async function markDirty(siteId: number, days: readonly number[] | 'all', reason: DirtyReason): Promise<void> {
    const known = register.get(siteId) ?? new Map<number, DayChange>();
    const underWay = counting.get(siteId) ?? new Set<number>();
    const wanted = days === 'all' ? [...new Set([...known.keys(), ...underWay])] : days;
    const version = nextVersion();
    markedAt.set(siteId, clock.monotonic());
    const changes = wanted.flatMap((day) => {
      const row = known.get(day) ?? uncounted(day);
      return row.reason === outlived ? [] : [{ ...row, state: 'dirty' as const, reason, version }];
    });
    // Whoever counts in another process reads of it in the register; what comes late for an open day is not worth a row each.
    const isShared = warehouse.mode !== 'embedded';
    const told = changes.filter((change) => change.recipe !== neverCounted || !isShared || reason !== 'late');
    // In memory first: a question asked while the row is being written must not use the counts any more.
    for (const change of told) known.set(change.day, change);
    if (known.size > 0) register.set(siteId, known);
    views.delete(siteId);
    // A day that nobody has counted is not in the register, and its mark matters to this process alone: unless a count of it is under
    // way, which is about to write what it found before this mark.
    await write(
      siteId,
      told.filter(({ day, recipe: by }) => by !== neverCounted || isShared || underWay.has(day)),
    );
  }

  async function outlive(siteId: number, beforeDay: number): Promise<void> {
    await readAgain(siteId);
    const { dues, settled } = await lookedAt(Number.NEGATIVE_INFINITY);
    // Once to mark what is wrong, once to count it, whenever it was marked.
    for (let times = 0; times < 2; times += 1) {
      const [due] = await dues(siteId);
      if (due === undefined) break;
      const isEnding = ({ day }: { day: number }) => day < beforeDay;
      await freezeSite(
        {
          ...due,
          stale: new Map([...due.stale].map(([reason, all]) => [reason, all.filter((day) => day < beforeDay)])),
          ...{ fresh: due.fresh.filter(isEnding), lacking: due.lacking.filter(isEnding) },
        },
        () => !stopped,
      );
    }
    const [left] = await dues(siteId);
    const waiting = new Set((left?.fresh ?? []).flatMap(({ day }) => (day < beforeDay ? [day] : [])));
    for (const { day, state, recipe: by } of register.get(siteId)?.values() ?? [])
      if (day < beforeDay && day < closedBefore(settled) && state !== 'frozen' && by !== neverCounted) waiting.add(day);
    if (waiting.size > 0) throw new Error(`${waiting.size} days of site ${siteId} could not be counted.`);
    const version = nextVersion();
    const days = [...(register.get(siteId)?.values() ?? [])].filter(
      ({ day, state, reason }) => day < beforeDay && state === 'frozen' && reason !== outlived,
    );
    await write(
      siteId,
      days.map((day) => ({ ...day, reason: outlived, version })),
    );
  }

  let running: Promise<{ sites: number; days: number }> | undefined;
  let stopped = false;

  function sweep(): Promise<{ sites: number; days: number }> {
    running ??= sweepOnce().finally(() => {
      running = undefined;
    });
    return running;
  }

  /** @param quietMs so long after something came for a closed day that day is counted again */
  async function lookedAt(quietMs: number): Promise<{ dues: (site?: number) => Promise<Due[]>; settled: number }> {
    const present = await sites();
    const moved = new Map(present.map((site) => [site.id, site.timezone]));
    for (const [id, zone] of moved) if (zones.get(id) !== zone) views.delete(id);
    zones = moved;
    const settled = Math.min(clock.now(), settledUntil());
    // Rows that the last process acknowledged are not all there yet, and what it had marked may be known to nobody.
    const isCatchingUp = quietMs > 0 && clock.now() - settled > clock.monotonic() - openedAt;
    const goals = new Map(present.map((site) => [site.id, site.goals]));
    const isQuiet = (siteId: number, marked: DayChange | undefined) => {
      if (isCatchingUp) return false;
      if (marked === undefined) return true;
      const { version } = marked;
      // A version is ten times the wall clock of the mark. One from far ahead is of a clock that was set back since.
      const markedMs = version / 10;
      if (markedMs <= clock.now() + historyLimits.quietMs) return settled - markedMs >= quietMs;
      return clock.monotonic() - (markedAt.get(siteId) ?? Number.NEGATIVE_INFINITY) >= quietMs;
    };
    return { settled, dues: (site) => findDue({ warehouse, register, zones, goals, settled, isQuiet, site }) };
  }

  async function sweepOnce(): Promise<{ sites: number; days: number }> {
    const { dues: look } = await lookedAt(historyLimits.quietMs);
    await readAgain();
    const done = { sites: 0, days: 0 };
    for (const { siteId } of await look()) {
      if (stopped) break;
      const days = await alone(`history:${siteId}`, async (held) => {
        // Another process may have done some of it since, and what it did is in the register.
        await readAgain(siteId);
        const [due] = await look(siteId);
        return due === undefined ? 0 : freezeSite(due, () => held() && !stopped);
      });
      if (days === undefined || days === 0) continue;
      done.sites++;
      done.days += days;
    }
    return done;
  }

  /** @returns how many days were frozen or got goals */
  async function freezeSite(due: Due, goesOn: () => boolean): Promise<number> {
    const { siteId, timezone, goals, stale, fresh, lacking } = due;
    let done = 0;
    // What has just been found wrong is only marked; it is counted after the quiet time.
    for (const [reason, days] of stale) await markDirty(siteId, days, reason);
    if (fresh.length > 0) {
      const began = clock.monotonic();
      await mergeVisits(
        warehouse,
        fresh.map((day) => day.day),
      );
      for (const chunk of chunksOf(fresh)) {
        if (!goesOn()) break;
        done += await countDays({ siteId, timezone, version: nextVersion(), days: chunk, goals });
      }
      await mergeDaily(
        warehouse,
        fresh.map((day) => day.day),
      );
      log.info('history.frozen', { site: siteId, days: fresh.length, ms: Math.round(clock.monotonic() - began) });
    }
    for (const days of Map.groupBy(lacking, (day) => day.missing.map(goalKey).join('\n')).values()) {
      const wanted = days[0]?.missing ?? [];
      for (const chunk of chunksOf(days)) {
        if (!goesOn()) break;
        done += await addGoals({ siteId, timezone, version: nextVersion(), days: chunk, goals: wanted });
      }
    }
    return done;
  }

  /** A day that is marked meanwhile keeps its mark, whose version is the later one, and is counted again. */
  async function countDays(build: Parameters<typeof freeze>[1]): Promise<number> {
    const { siteId, timezone, version, days } = build;
    counting.set(siteId, new Set(days.map(({ day }) => day)));
    try {
      const counts = await freeze(warehouse, build);
      await write(
        siteId,
        counts.map((day) => ({ ...day, state: 'frozen', reason: '', timezone, recipe, version })),
      );
    } finally {
      counting.delete(siteId);
    }
    return days.length;
  }

  /** Days stay frozen while they get goals. One that was marked meanwhile keeps its mark, and is counted whole later. */
  async function addGoals(build: Parameters<typeof freezeGoals>[1]): Promise<number> {
    const { siteId, version } = build;
    const before = new Map(build.days.map(({ day }) => [day, register.get(siteId)?.get(day)?.version]));
    await freezeGoals(warehouse, build);
    const changes = build.days.flatMap(({ day }) => {
      const row = register.get(siteId)?.get(day);
      if (row === undefined || row.version !== before.get(day)) return [];
      return [{ ...row, goals: [...row.goals, ...build.goals.map(goalKey)], version }];
    });
    await write(siteId, changes);
    onGoals?.(
      siteId,
      changes.map(({ day }) => ({ day, from: before.get(day) ?? 0, to: version })),
    );
    log.info('history.goals_frozen', { site: siteId, days: changes.length, goals: build.goals.length });
    return changes.length;
  }

  return {
    frozenDays,
    markDirty,
    outlive,
    forget(siteId) {
      register.delete(siteId);
      views.delete(siteId);
      markedAt.delete(siteId);
    },
    sweep,
    async stop() {
      stopped = true;
      await running?.catch(() => {});
    },
  };
}

/** Days to count in one statement: as many as their events allow, but at least one. */
function* chunksOf(days: readonly { day: number; arrivals: number }[]) {
  let chunk: { day: number; arrivals: number }[] = [];
  let events = 0;
  for (const day of days) {
    if (chunk.length > 0 && events + day.arrivals > historyLimits.eventsPerBuild) {
      yield chunk;
      chunk = [];
      events = 0;
    }
    chunk.push(day);
    events += day.arrivals;
  }
  if (chunk.length > 0) yield chunk;
}

interface Due {
  siteId: number;
  timezone: string;
  goals: readonly GoalRule[];
  /** Frozen, but no longer right. */
  stale: Map<DirtyReason, number[]>;
  /** To be counted now. */
  fresh: { day: number; arrivals: number }[];
  /** Frozen and right, but without these goals. */
  lacking: { day: number; arrivals: number; missing: readonly GoalRule[] }[];
}

/** Days before this one are over everywhere, and what came for them has arrived. */
const closedBefore = (settled: number) => Math.floor((settled - historyLimits.closedAfterMs) / dayMs);

/** Compares what has come in with what was frozen. Sites that are no longer there are nobody's work here. */
async function findDue(parts: {
  warehouse: Warehouse;
  register: ReadonlyMap<number, ReadonlyMap<number, DayChange>>;
  zones: ReadonlyMap<number, string>;
  goals: ReadonlyMap<number, readonly GoalRule[]>;
  settled: number;
  /** Has nothing more come for this day since a while? Of one that was never marked: may it be counted? */
  isQuiet: (siteId: number, day: DayChange | undefined) => boolean;
  /** Absent: every site. */
  site: number | undefined;
}): Promise<Due[]> {
  const { warehouse, register, zones, goals, settled, isQuiet, site } = parts;
  const rows = await warehouse.read<{ site: string; day: number; events: string }>(
    `SELECT site_id AS site, toUInt16(id_day) AS day, sum(events) AS events
     FROM arrivals WHERE id_day < toDate({before:UInt16})${site === undefined ? '' : ' AND site_id = {site:UInt64}'}
     GROUP BY site_id, id_day ORDER BY site_id, id_day`,
    { before: closedBefore(settled), ...(site === undefined ? {} : { site }) },
    { purpose: 'history', seconds: historySeconds },
  );
  const due = new Map<number, Due>();
  for (const row of rows) {
    const siteId = Number(row.site);
    const timezone = zones.get(siteId);
    if (timezone === undefined) continue;
    const arrivals = Number(row.events);
    const known = register.get(siteId)?.get(row.day);
    if (known?.reason === outlived) continue;
    const work: Due = due.get(siteId) ?? {
      ...{ siteId, timezone, goals: goals.get(siteId) ?? [] },
      ...{ stale: new Map(), fresh: [], lacking: [] },
    };
    due.set(siteId, work);
    const wrong = known === undefined ? undefined : reasonOf(known, { timezone, arrivals });
    if (known === undefined || known.state === 'dirty') {
      if (isQuiet(siteId, known)) work.fresh.push({ day: row.day, arrivals });
    } else if (wrong !== undefined) work.stale.set(wrong, [...(work.stale.get(wrong) ?? []), row.day]);
    else {
      const missing = work.goals.filter((goal) => !known.goals.includes(goalKey(goal)));
      if (missing.length > 0) work.lacking.push({ day: row.day, arrivals, missing });
    }
  }
  return [...due.values()].filter(({ stale, fresh, lacking }) => stale.size + fresh.length + lacking.length > 0);
}

/** A day of which nothing is known but that it was marked. */
function uncounted(day: number): DayChange {
  return {
    ...{ day, version: 0, state: 'dirty', reason: '', timezone: '', recipe: neverCounted, arrivals: 0 },
    ...{ pieces: [], leftOut: [], goals: [] },
  };
}

function reasonOf(day: DayChange, now: { timezone: string; arrivals: number }): DirtyReason | undefined {
  if (day.recipe !== recipe) return 'recipe';
  if (day.timezone !== now.timezone) return 'timezone';
  return day.arrivals === now.arrivals ? undefined : 'late';
}
