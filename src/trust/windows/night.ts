import type { Due, Ended, Executor, WindowAsk } from '../../platform/executor.ts';
import { whyOf } from '../../platform/http/route.ts';
import { aloneIn, everyOrganisation, type Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs, utcDay } from '../../platform/zone.ts';
import { heldOf, holdsInForce } from './holds.ts';
import { earlier, type Line, lineOf, sizeOf, spanWords } from './lines.ts';
import { firstPolicy, readPolicy, windowOf } from './policy.ts';

export type NightHouse = Pick<House, 'postgres' | 'clock' | 'log' | 'audit' | 'config'>;

/** One line, as it stands in one organisation now. */
export interface Look {
  line: Line;
  kept: string;
  keptFrom: string;
  cutMs: number;
  due: Due[];
  /** Numbers of the holds that match the line. */
  holds: number[];
  /** It could not be looked at: a word of the code. */
  problem: string | undefined;
}

interface Turn {
  executor: Executor;
  line: Line;
  ask: WindowAsk;
  kept: string;
  keptFrom: string;
  holds: number[];
  /** A timer of the line's own has removed something since the last night. */
  isTimed: boolean;
}

/** Of one line of one organisation: rows that went, and that are left and should not be. */
interface Outcome {
  gone: number;
  pastDue: number;
  isRed: boolean;
}
const nothing: Outcome = { gone: 0, pastDue: 0, isRed: false };

/** After more days without a night the clock may be wrong, and somebody hears of it a day before anything goes. */
const awayDaysMax = 7;

export interface Night {
  /**
   * What the next run would do with an organisation's rows, by the code that does it; nothing is changed.
   * @param organisationId null for what belongs to the desk itself
   */
  preview(organisationId: number | null): Promise<Look[]>;
  /** What an organisation has of each line that the night ends: rows, and the oldest, whatever their age. */
  stored(organisationId: number): Promise<Map<string, { rows: number; oldestMs: number | null }>>;
  /**
   * Runs when the hour has come and the day has had no run yet. By a clock that has moved more than a week since the last
   * night nothing is removed yet: the day's run is put off to the next, which is written down and told.
   * @returns true when it ran
   */
  runIfDue(): Promise<boolean>;
  /** Runs now, unless another process does or the day is done. */
  run(): Promise<boolean>;
}

/**
 * The nightly run: once a UTC day, one process at a time. Every line whose window is over is ended through its executor,
 * leaves a receipt, and is read once more. A run that is killed is begun again and finds the rest; a second one of the same
 * day, or of a day before the newest (a clock that was set back), does nothing.
 */
export function openNight(house: NightHouse, executors: readonly Executor[]): Night {
  const { postgres, clock, log, audit, config } = house;
  const alone = aloneIn(postgres, clock);
  const scope = <T>(organisationId: number | null, work: (sql: Sql) => Promise<T>): Promise<T> =>
    organisationId === null ? postgres.system(work) : postgres.tenant(organisationId, work);

  async function turnsOf(organisationId: number | null, nowMs: number): Promise<Turn[]> {
    const { policy, holds, noted } = await scope(organisationId, async (sql) => ({
      policy: organisationId === null ? firstPolicy : await readPolicy(sql, organisationId),
      holds: organisationId === null ? [] : await holdsInForce(sql, organisationId),
      noted: await sql.query<{ line: string }>('SELECT line FROM retention_removals'),
    }));
    const timed = new Set(noted.map((one) => one.line));
    return executors
      .filter(({ of }) => of === 'both' || (of === 'desk') === (organisationId === null))
      .map((executor) => {
        const line = lineOf(executor.line);
        const window = windowOf(line, policy);
        const held = heldOf(line, holds);
        const months = window !== undefined && 'months' in window.kept ? sizeOf(window.kept) : undefined;
        return {
          ...{ executor, line, holds: held.ids, isTimed: timed.has(line.name) },
          kept: window === undefined ? (line.until ?? '') : spanWords(window.kept),
          keptFrom:
            window === undefined
              ? 'ledger'
              : window.from === 'policy'
                ? `policy, version ${policy.version}`
                : window.from,
          ask: {
            ...{ organisationId, nowMs, holds: held.scope },
            cutMs: window === undefined ? nowMs : earlier(nowMs, window.kept),
            siteCutMs: (own) => earlier(nowMs, { months: Math.min(own, months ?? own) }),
          },
        };
      });
  }

  async function preview(organisationId: number | null): Promise<Look[]> {
    const looks: Look[] = [];
    for (const { executor, line, ask, kept, keptFrom, holds } of await turnsOf(organisationId, clock.now())) {
      const look = { line, kept, keptFrom, cutMs: ask.cutMs, holds };
      try {
        looks.push({ ...look, due: await executor.due(ask), problem: undefined });
      } catch (error) {
        looks.push({ ...look, due: [], problem: whyOf(error) });
      }
    }
    return looks;
  }

  async function stored(organisationId: number): Promise<Map<string, { rows: number; oldestMs: number | null }>> {
    const found = new Map<string, { rows: number; oldestMs: number | null }>();
    // Whole days are the unit of some: up to the end of today.
    const endMs = (Math.floor(clock.now() / dayMs) + 1) * dayMs;
    for (const { executor, line, ask } of await turnsOf(organisationId, clock.now())) {
      if (executor.works === 'by itself') continue;
      const all = await executor.due({ ...ask, cutMs: endMs, siteCutMs: () => endMs });
      const oldest = all.flatMap(({ oldestMs }) => oldestMs ?? []);
      found.set(line.name, {
        rows: all.reduce((rows, one) => rows + one.rows, 0),
        oldestMs: oldest.length === 0 ? null : Math.min(...oldest),
      });
    }
    return found;
  }

  /** @returns how much went, and how much is left that should not be */
  async function takeTurn(night: string, turn: Turn): Promise<Outcome> {
    const begun = await beginTurn(night, turn);
    if ('outcome' in begun) return begun.outcome;
    const { id } = begun;
    const { executor, ask } = turn;
    return guarded(night, turn, id, async () => {
      if (executor.works === 'in the transaction')
        return scope(ask.organisationId, async (sql) => writeGoneIn(sql, id, turn, await executor.end(ask, sql)));
      return writeGone(id, turn, executor.works === 'before it' ? await executor.end(ask) : []);
    });
  }

  /** One executor's turns of all organisations: their rows go at once, each leaves its own receipt. */
  async function takeTogether(
    night: string,
    executor: Extract<Executor, { works: 'together' }>,
    turns: readonly Turn[],
  ): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    const begun: { turn: Turn; id: number }[] = [];
    for (const turn of turns) {
      const one = await beginTurn(night, turn);
      if ('outcome' in one) outcomes.push(one.outcome);
      else begun.push({ turn, id: one.id });
    }
    if (begun.length === 0) return outcomes;
    const removal = executor.end(begun.map(({ turn }) => turn.ask));
    for (const [at, { turn, id }] of begun.entries())
      outcomes.push(await guarded(night, turn, id, async () => writeGone(id, turn, (await removal)[at] ?? [])));
    return outcomes;
  }

  /** Looks, and opens a receipt where something has to go; else it is the outcome of the turn already. */
  async function beginTurn(night: string, turn: Turn): Promise<{ id: number } | { outcome: Outcome }> {
    let id: number | undefined;
    try {
      const due = await turn.executor.due(turn.ask);
      const [pastDue, held] = [sum(due, false), sum(due, true)];
      if (pastDue + held === 0 && !turn.isTimed) return { outcome: nothing };
      id = await begin(night, turn);
      if (turn.executor.works !== 'by itself' && pastDue > 0) return { id };
      const gone = turn.isTimed ? await writeGone(id, turn, []) : 0;
      await finish(id, turn, { pastDue, held });
      return { outcome: { gone, pastDue, isRed: pastDue > 0 } };
    } catch (error) {
      return { outcome: await failed(night, turn, id, error) };
    }
  }

  /** Removes, and looks once more. */
  async function guarded(night: string, turn: Turn, id: number, removal: () => Promise<number>): Promise<Outcome> {
    try {
      const gone = await removal();
      const after = await turn.executor.due(turn.ask);
      const pastDue = sum(after, false);
      await finish(id, turn, { pastDue, held: sum(after, true) });
      return { gone, pastDue, isRed: pastDue > 0 };
    } catch (error) {
      return failed(night, turn, id, error);
    }
  }

  async function failed(night: string, turn: Turn, id: number | undefined, error: unknown): Promise<Outcome> {
    log.error('retention.line_failed', { line: turn.line.name, why: whyOf(error) }, error);
    await finish(id ?? (await begin(night, turn)), turn, { pastDue: 0, held: 0, problem: whyOf(error) });
    return { gone: 0, pastDue: 0, isRed: true };
  }

  function begin(night: string, { ask, line, kept, keptFrom, holds }: Turn): Promise<number> {
    return scope(ask.organisationId, async (sql) => {
      const { id } = await sql.one<{ id: number }>(
        `INSERT INTO retention_receipts (organisation_id, night, line, class, kept, kept_from, cut_off, state, began_at, held)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'running', $8, $9) RETURNING id`,
        [
          ...[ask.organisationId, night, line.name, line.class, kept, keptFrom],
          ...[new Date(ask.cutMs), new Date(clock.now()), JSON.stringify(holds)],
        ],
      );
      return id;
    });
  }

  function writeGone(id: number, turn: Turn, ended: readonly Ended[]): Promise<number> {
    return scope(turn.ask.organisationId, (sql) => writeGoneIn(sql, id, turn, ended));
  }

  /**
   * Rows of PostgreSQL went in this transaction, of the receipt and the act; others before it, so that neither says too much.
   * What timers have noted since the last night goes into it, and is noted no more.
   */
  async function writeGoneIn(sql: Sql, id: number, turn: Turn, removed: readonly Ended[]): Promise<number> {
    const { ask, line, kept } = turn;
    const noted = await sql.query<Omit<Ended, 'oldestMs'> & { oldest: Date | null }>(
      `DELETE FROM retention_removals WHERE line = $1
       RETURNING from_table AS table, rows, oldest, lpad(to_hex(digest), 16, '0') AS digest`,
      [line.name],
    );
    const ended = [...removed, ...noted.map((one) => ({ ...one, oldestMs: one.oldest?.getTime() ?? null }))];
    const rows = ended.reduce((all, one) => all + one.rows, 0);
    await sql.run('UPDATE retention_receipts SET gone = $2, rows_gone = $3 WHERE id = $1', [
      ...[id, JSON.stringify(ended.map(shown)), rows],
    ]);
    if (rows > 0)
      await audit.record(sql, ask.organisationId ?? 'desk', {
        action: 'retention.removed',
        actor: { type: 'system' },
        targets: [{ type: 'receipt', id, label: line.name }],
        details: { line: line.name, rows, window: kept, cut_off: new Date(ask.cutMs).toISOString() },
      });
    return rows;
  }

  async function finish(
    id: number,
    { ask, line }: Turn,
    seen: { pastDue: number; held: number; problem?: string },
  ): Promise<void> {
    const isRed = seen.pastDue > 0 || seen.problem !== undefined;
    await scope(ask.organisationId, async (sql) => {
      await sql.run(
        `UPDATE retention_receipts SET state = $2, ended_at = $3, rows_past_due = $4, rows_held = $5, problem = $6 WHERE id = $1`,
        [
          ...[id, isRed ? 'red' : 'done', new Date(clock.now()), seen.pastDue, seen.held],
          seen.problem === undefined ? null : `It could not be done (${seen.problem}). The next night tries again.`,
        ],
      );
      // accounts/watch.ts reads the trail and tells the owners, or who runs the desk.
      if (isRed)
        await audit.record(sql, ask.organisationId ?? 'desk', {
          action: 'retention.failed',
          actor: { type: 'system' },
          targets: [{ type: 'receipt', id, label: line.name }],
          outcome: 'failed',
          details: { line: line.name, past_due: seen.pastDue },
        });
    });
  }

  /** What a killed run had begun is not gone on with: its rows are found again, under a receipt of their own. */
  async function interrupt(organisationId: number | null): Promise<void> {
    await scope(organisationId, (sql) =>
      sql.run(
        "UPDATE retention_receipts SET state = 'interrupted', ended_at = $1 WHERE state = 'running' AND organisation_id IS NOT DISTINCT FROM $2",
        [new Date(clock.now()), organisationId],
      ),
    );
  }

  /** A clock that was ahead has left nights that nobody has to wait for. */
  async function forgetNightsTooFarAhead(nowMs: number): Promise<void> {
    await postgres.system((sql) =>
      sql.run('DELETE FROM retention_nights WHERE night > $1', [utcDay(nowMs + awayDaysMax * dayMs)]),
    );
  }

  async function isDone(night: string): Promise<boolean> {
    const [newest] = await postgres.system((sql) =>
      sql.query<{ night: string; state: string }>(
        'SELECT night, state FROM retention_nights ORDER BY night DESC LIMIT 1',
      ),
    );
    return newest !== undefined && (newest.night > night || (newest.night === night && newest.state !== 'running'));
  }

  async function runAlone(held: () => boolean): Promise<boolean> {
    const nowMs = clock.now();
    const night = utcDay(nowMs);
    await forgetNightsTooFarAhead(nowMs);
    if (await isDone(night)) return false;
    await postgres.system((sql) =>
      sql.run(
        `INSERT INTO retention_nights (night, state, began_at) VALUES ($1, 'running', $2)
         ON CONFLICT (night) DO UPDATE SET began_at = $2, tries = retention_nights.tries + 1`,
        [night, new Date(nowMs)],
      ),
    );
    const ids = [null, ...(await everyOrganisation(postgres))];
    const outcomes: Outcome[] = [];
    for (const organisationId of ids) {
      await interrupt(organisationId);
      for (const turn of await turnsOf(organisationId, nowMs)) {
        // Another process may begin: it finds what is left.
        if (!held()) return false;
        if (turn.executor.works !== 'together') outcomes.push(await takeTurn(night, turn));
      }
    }
    for (const executor of executors) {
      if (executor.works !== 'together') continue;
      const turns: Turn[] = [];
      for (const organisationId of ids)
        turns.push(...(await turnsOf(organisationId, nowMs)).filter((turn) => turn.executor === executor));
      if (!held()) return false;
      outcomes.push(...(await takeTogether(night, executor, turns)));
    }
    const total = (of: 'gone' | 'pastDue') => outcomes.reduce((all, one) => all + one[of], 0);
    const all = {
      ...{ lines: outcomes.length, gone: total('gone'), pastDue: total('pastDue') },
      isRed: outcomes.some(({ isRed }) => isRed),
    };
    await postgres.system((sql) =>
      sql.run(
        `UPDATE retention_nights SET state = $2, ended_at = $3, lines = $4, rows_gone = $5, rows_past_due = $6 WHERE night = $1`,
        [night, all.isRed ? 'red' : 'clean', new Date(clock.now()), all.lines, all.gone, all.pastDue],
      ),
    );
    log.info('retention.night', { lines: all.lines, gone: all.gone, past_due: all.pastDue });
    return true;
  }

  /** @returns true when this day's run waits for the next */
  async function putOff(): Promise<boolean> {
    const nowMs = clock.now();
    const night = utcDay(nowMs);
    return postgres.system(async (sql) => {
      const [newest] = await sql.query<{ night: string }>(
        'SELECT night FROM retention_nights WHERE night <= $1 ORDER BY night DESC LIMIT 1',
        [night],
      );
      const days = newest === undefined ? 0 : Math.round((Date.parse(night) - Date.parse(newest.night)) / dayMs);
      if (days <= awayDaysMax) return false;
      const problem = `The clock stands ${days} days after the last night, so this one removed nothing. Where the clock is right the next night goes on; where it is wrong, set it right before.`;
      const written = await sql.query(
        `INSERT INTO retention_nights (night, state, began_at, ended_at, problem) VALUES ($1, 'red', $2, $2, $3)
         ON CONFLICT (night) DO NOTHING RETURNING night`,
        [night, new Date(nowMs), problem],
      );
      if (written.length > 0)
        await audit.record(sql, 'desk', {
          action: 'retention.put_off',
          actor: { type: 'system' },
          outcome: 'failed',
          details: { days },
        });
      return true;
    });
  }

  const run = async () => (await alone('retention', runAlone)) ?? false;
  return {
    preview,
    stored,
    run,
    async runIfDue() {
      if (new Date(clock.now()).getUTCHours() < config.retentionHour || (await putOff())) return false;
      return run();
    },
  };
}

function sum(due: readonly Due[], isHeld: boolean): number {
  return due.reduce((all, one) => all + ((one.isHeld ?? false) === isHeld ? one.rows : 0), 0);
}

function shown({ table, rows, oldestMs, digest }: Ended) {
  return { table, rows, oldest: oldestMs === null ? null : new Date(oldestMs).toISOString(), digest };
}
