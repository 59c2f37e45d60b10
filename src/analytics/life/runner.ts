import type { SiteContent } from '../../../contract/site_life.ts';
import { type Notices, sitesChanged } from '../../accounts/index.ts';
import { pause, repeat } from '../../platform/clock.ts';
import { crashPoint } from '../../platform/crash_point.ts';
import { whyOf } from '../../platform/http/route.ts';
import { PostgresAway } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { WarehouseUnavailable } from '../../platform/warehouse/index.ts';
import { aloneIn } from '../history/index.ts';
import type { Id64 } from '../visits/live_visits.ts';
import { contentsOf, endAccess, isOfSite } from './contents.ts';
import { siteDeletedMail, siteEmptiedMail, tellOwners } from './mails.ts';
import { lifePage, tellMembers } from './notices.ts';
import type { DueRemoval, Removals } from './removals.ts';
import { type Cut, eachOrder, emptyTable, ordersOf, rowsLeft, siteTables } from './tables.ts';

/** How often it is looked for deletions whose days are over, and for what a kill or another process left. */
const lookMs = 60_000;
/** What had to wait for a store, the spool or an import is tried again so soon. */
const againMs = 2_000;
/** Counts of drops are written once a second: what was counted before the cut is in the spool by then. */
const settleMs = 1_500;
const drainMs = 30_000;

/** The parts of the desk that keep something of a site outside of both databases, or hold back what would be in the way. */
export interface RemovalParts {
  house: Pick<House, 'config' | 'clock' | 'log' | 'postgres' | 'warehouse' | 'spool' | 'audit' | 'mail' | 'vault'> & {
    notices: Notices;
  };
  removals: Removals;
  /** No import of the site runs meanwhile; undefined at once when one does. */
  aloneWithImports<T>(siteId: number, work: (held: () => boolean) => Promise<T>): Promise<T | undefined>;
  /** Ingest has read back what the last process knew. */
  begun: Promise<void>;
  forgetOrder(key: Id64): void;
  /** Reads the days of the site live from now on. */
  forgetHistory(siteId: number): void;
  /** Memory and files that were made from its rows. */
  forgetKept(siteId: number): Promise<void>;
  forgetExport(id: number): Promise<void>;
  forgetImport(id: number): Promise<void>;
}

export interface RemovalRunner {
  /** Something waits. */
  wake(): void;
  stop(): Promise<void>;
}

/** The work has to wait, or the desk stops. */
class Waits extends Error {
  readonly what: 'spool' | 'import' | undefined;
  constructor(what: Waits['what']) {
    super('A removal waits.');
    this.what = what;
  }
}

/**
 * Empties and deletes sites, one after another. Every step may be done twice, and is written down after it is done: a kill
 * or a store that is away costs at most the step it came in. At the end everything is read once more, and only a reading
 * that finds nothing ends the work.
 */
export function openRemovalRunner(parts: RemovalParts): RemovalRunner {
  const { house, removals } = parts;
  const { clock, log, postgres, warehouse, spool } = house;
  const alone = aloneIn(postgres, clock);
  const stopping = new AbortController();
  let working: Promise<void> | undefined;
  let isWoken = false;
  let callOff = () => {};

  async function work() {
    do {
      isWoken = false;
      let hasWaited = false;
      for (const due of await removals.due()) {
        if (stopping.signal.aborted) return;
        if (!(await tryOne(due))) hasWaited = true;
      }
      if (hasWaited) {
        callOff();
        callOff = clock.after(againMs, wake);
      }
    } while (isWoken && !stopping.signal.aborted);
  }

  /** @returns false when it has to be tried again */
  async function tryOne(due: DueRemoval): Promise<boolean> {
    try {
      const done = await alone(`removal:${due.site_id}`, async (held) => {
        const now = await removals.again(due);
        if (now === undefined) return true;
        const withImports = await parts.aloneWithImports(now.site_id, async (imports) => {
          await removeOne(now, () => held() && imports());
          return true;
        });
        if (withImports !== true) throw new Waits('import');
        return true;
      });
      // Another process is at it.
      return done === true;
    } catch (error) {
      if (stopping.signal.aborted) return true;
      const what =
        error instanceof Waits
          ? error.what
          : error instanceof WarehouseUnavailable
            ? ('warehouse' as const)
            : undefined;
      if (what !== undefined) await removals.waits(due, what).catch(() => {});
      else if (!(error instanceof Waits) && !(error instanceof PostgresAway))
        log.error('site_removal.failed', { removal: due.id, organisation: due.organisation_id }, error);
      log.info('site_removal.waits', { removal: due.id, why: what ?? whyOf(error) });
      return false;
    }
  }

  async function removeOne(due: DueRemoval, held: () => boolean) {
    const began = clock.monotonic();
    await parts.begun;
    if (due.state === 'waiting') await removals.run(due);
    crashPoint('removal.begun');
    const cut: Cut = { siteId: due.site_id, beforeMs: due.cut_at?.getTime() };
    const steps: (() => Promise<void>)[] = [
      () => settle(due),
      () => removeFiles(due),
      ...siteTables.map((table) => async () => {
        if (table.table === 'frozen_days') parts.forgetHistory(due.site_id);
        const orders = table.table === 'events' ? await ordersOf(warehouse, cut) : [];
        await emptyTable(warehouse, table, cut);
        await eachOrder(orders, parts.forgetOrder);
        crashPoint('removal.table');
      }),
      () => forgetBeside(due),
    ];
    // History counts closed days into two of the tables: it leaves this site alone until the end.
    const ended = await alone(`history:${due.site_id}`, async (historyHeld) => {
      for (let at = due.steps_done; at < steps.length; at++) {
        if (stopping.signal.aborted || !held() || !historyHeld()) throw new Waits(undefined);
        await steps[at]?.();
        await removals.step(due, at + 1);
      }
      await end(due, cut);
      return true;
    });
    if (ended !== true) throw new Waits(undefined);
    await sitesChanged();
    log.info('site_removal.done', {
      ...{ removal: due.id, organisation: due.organisation_id, kind: due.kind },
      ms: Math.round(clock.monotonic() - began),
    });
  }

  /** What was acknowledged before the cut is on its way; afterwards nothing of it is, and all of it can be counted. */
  async function settle(due: DueRemoval) {
    // A site that is being deleted leaves the list of those that collect, here at once.
    await sitesChanged();
    const ready = Math.max(due.cut_at?.getTime() ?? 0, clock.now()) + settleMs;
    await pause(clock, ready - clock.now(), stopping.signal);
    if (stopping.signal.aborted) throw new Waits(undefined);
    // One that is away is the reason why the spool keeps what it has; it says so at once.
    await warehouse.read('SELECT 1', {}, { purpose: 'site_removal' });
    if (!(await spool.drain(drainMs))) throw new Waits('spool');
    await removals.counted(due, await contentsOf(house, { id: due.site_id, organisation_id: due.organisation_id }));
  }

  async function removeFiles(due: DueRemoval) {
    const read = (table: 'exports' | 'imports') =>
      postgres.tenant(due.organisation_id, (sql) =>
        sql.query<{ id: number }>(`SELECT id FROM ${table} WHERE site_id = $1`, [due.site_id]),
      );
    const [exports, imports] = [await read('exports'), await read('imports')];
    for (const { id } of exports) await parts.forgetExport(id);
    for (const { id } of imports) await parts.forgetImport(id);
    crashPoint('removal.files');
    await postgres.tenant(due.organisation_id, async (sql) => {
      await sql.run('DELETE FROM exports WHERE site_id = $1', [due.site_id]);
      await sql.run('DELETE FROM imports WHERE site_id = $1', [due.site_id]);
      await sql.run('DELETE FROM site_days WHERE site_id = $1', [due.site_id]);
    });
  }

  async function forgetBeside(due: DueRemoval) {
    parts.forgetHistory(due.site_id);
    await parts.forgetKept(due.site_id);
    // Those of a deleted site go with its row.
    await postgres.tenant(due.organisation_id, (sql) =>
      sql.run('DELETE FROM profiles WHERE site_id = $1 AND first_seen < $2', [
        due.site_id,
        due.cut_at ?? new Date(clock.now()),
      ]),
    );
    await spool.forgetQuarantined(isOfSite(due.site_id));
  }

  /** Reads everything once more; only where nothing is left, it is over. */
  async function end(due: DueRemoval, cut: Cut) {
    const left = (await rowsLeft(warehouse, cut)) + (await spool.quarantinedOf(isOfSite(due.site_id)));
    if (left > 0) {
      log.warn('site_removal.left', { removal: due.id, rows: left });
      await removals.step(due, 0);
      throw new Waits(undefined);
    }
    crashPoint('removal.checked');
    await postgres.tenant(due.organisation_id, async (sql) => {
      const { removed } = await sql.one<{ removed: SiteContent[] }>('SELECT removed FROM site_removals WHERE id = $1', [
        due.id,
      ]);
      const events = removed
        .filter(({ kind }) => kind === 'events' || kind === 'imported_events')
        .reduce((sum, { rows }) => sum + rows, 0);
      await removals.finish(sql, due);
      await tellMembers(
        house,
        sql,
        { organisationId: due.organisation_id, siteId: due.site_id, by: undefined },
        due.kind === 'deletion'
          ? { name: 'site_deleted', facts: { site: due.domain } }
          : { name: 'site_emptied', facts: { site: due.domain }, link: lifePage(due.domain) },
      );
      if (due.kind === 'deletion') {
        await endAccess(sql, due.site_id, new Date(clock.now()));
        await sql.run('DELETE FROM sites WHERE id = $1', [due.site_id]);
      }
      if (due.kind === 'deletion')
        await tellOwners(house, sql, due.organisation_id, siteDeletedMail, { site: due.domain, events });
      else
        await tellOwners(house, sql, due.organisation_id, siteEmptiedMail, {
          ...{ site: due.domain, events },
          link: house.mail.link(lifePage(due.domain)),
        });
      await house.audit.record(sql, due.organisation_id, {
        action: due.kind === 'deletion' ? 'site.deleted' : 'site.emptied',
        actor: { type: 'system' },
        targets: [{ type: 'site', id: due.site_id, label: due.domain }],
        details: { events, rows_left: 0, removal: due.id },
      });
    });
  }

  function wake() {
    isWoken = true;
    working ??= work()
      .catch((error) => {
        log.warn('site_removal.waits', { why: whyOf(error) });
        callOff();
        callOff = clock.after(againMs, wake);
      })
      .finally(() => {
        working = undefined;
        if (isWoken && !stopping.signal.aborted) wake();
      });
  }

  const stopLooking = repeat(clock, lookMs, async () => wake(), {
    firstMs: 500,
    onError: (error) => log.error('site_removal.look_failed', {}, error),
  });

  return {
    wake,
    async stop() {
      stopLooking();
      callOff();
      stopping.abort();
      await working;
    },
  };
}
