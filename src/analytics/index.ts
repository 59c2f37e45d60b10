import { findSite, learnPlaces, onSitesChanged, openNotices } from '../accounts/index.ts';
import { repeat } from '../platform/clock.ts';
import { whyOf } from '../platform/http/route.ts';
import { defineSubject, type House, type RunningSubject } from '../platform/subject.ts';
import { onBasesChanged, onRefused } from '../trust/consent/index.ts';
import { annotationRoutes } from './annotations.ts';
import { contactRoutes } from './contact_clicks.ts';
import { contactHolder } from './contact_holder.ts';
import { openContactKeys } from './contact_keys.ts';
import { openContactUpkeep } from './contact_upkeep.ts';
import { exportCommands } from './exports/commands.ts';
import { openExportRecords } from './exports/records.ts';
import { exportRoutes } from './exports/routes.ts';
import { openExportRunner } from './exports/runner.ts';
import { searchedExports } from './exports/searched.ts';
import { firstRunRoutes } from './first_run.ts';
import { foreignIdRoutes } from './foreign_ids.ts';
import { goalRoutes, goalRules, listGoals } from './goals.ts';
import { aloneIn, openHistory } from './history/index.ts';
import { importCommands } from './imports/commands.ts';
import { openImporter } from './imports/importer.ts';
import { importedDataOf } from './imports/records.ts';
import { openReplay, type Replay } from './imports/replay.ts';
import { importRoutes } from './imports/routes.ts';
import { openImportRunner } from './imports/runner.ts';
import { openUploadRecords } from './imports/upload_records.ts';
import { openUploads, sealedUploads } from './imports/uploads.ts';
import { saltFileOf, startIngest } from './ingest/running.ts';
import type { WatchDesk, WatchedSite, Watcher } from './ingest/watched.ts';
import { ageingExecutors } from './life/ageing.ts';
import { openLife } from './life/index.ts';
import { missingRoutes } from './missing.ts';
import { openPackedDays } from './packed/index.ts';
import { openDeskPlaces } from './places_file.ts';
import { profileHolder } from './profiles/holder.ts';
import { profileRoutes } from './profiles/routes.ts';
import { openProfiles } from './profiles/store.ts';
import { qualityRoutes } from './quality.ts';
import {
  askOfSite,
  keptGauge,
  openKeptSums,
  type QueryDoors,
  type QuerySite,
  queryRoutes,
  sitesToWarm,
  warm,
} from './query/index.ts';
import { realtimeRoutes } from './realtime.ts';
import { openReports } from './reports/index.ts';
import { openShares } from './shares/index.ts';
import { shieldRoutes } from './shields.ts';
import { keepSiteDirectory } from './site_list.ts';
import { openSiteDirectory } from './sites.ts';
import { dayOf } from './visits/salt.ts';
import { saltCheck } from './visits/salt_check.ts';

export { openOrganisationArchives } from './archive/index.ts';
export { addGoal, listGoals } from './goals.ts';
export { hitsAnswer } from './ingest/explain.ts';
export type { PixelCalls } from './ingest/pixel_calls.ts';
export type { WatchedEvent, WatchedSite, Watcher } from './ingest/watched.ts';
export { emptyAgain, type RemovedSite, removeAgain, removedSites } from './life/again.ts';
export { openPlacesTable } from './places_file.ts';
export { withholdAgain } from './profiles/restricted.ts';

/** Closed days are looked for at the start and this often; a sweep that finds none costs one small read. */
const sweepMs = 5 * 60_000;

/** Only a demo's desk is in here: no other can be told that something came at another time than it did. */
const replays = new WeakMap<House, (presentFromMs: number) => Replay>();

/**
 * The way to fill a demo's desk with requests of the past.
 * @param presentFromMs visits that began later go on as running visits
 * @throws when the desk is no demo's
 */
export function replayOn(house: House, presentFromMs: number): Replay {
  const open = replays.get(house);
  if (open === undefined) throw new Error('Only the desk of a demo takes requests of the past.');
  return open(presentFromMs);
}

/** Where each desk of this process is watched. */
const watchDesks = new WeakMap<House, WatchDesk>();

/**
 * Hands events of some sites to somebody who makes something of them beside their rows: what is kept of them is on disk before the
 * rows are. Called again it takes over the new sites and settings, with the next event. Imports and demos are not handed over.
 */
export function watchStored(house: House, sites: ReadonlyMap<number, WatchedSite>, watcher: Watcher): void {
  watchDesks.get(house)?.watch(sites, watcher);
}

/** Web analytics: takes events, keeps visits, freezes closed days, answers questions. */
export const analytics = defineSubject({
  name: 'analytics',
  migrations: {
    warehouse: new URL('./migrations/warehouse/', import.meta.url),
    postgres: new URL('./profiles/migrations/', import.meta.url),
  },
  lanes: ['events', 'bots', 'drops'],
  async start(house): Promise<RunningSubject> {
    const { config, clock, log, postgres, warehouse, spool } = house;
    const directory = openSiteDirectory();
    const kept = openKeptSums();
    const contacts = openContactKeys(house);
    const profiles = openProfiles(house);
    function forgetMemory(siteId: number) {
      ingest.watch.clicks.forgetSites((one) => one === siteId);
      kept.forget(siteId);
      ingest.lastDrops.forget(siteId);
      ingest.live.forget(siteId);
    }
    const places = openDeskPlaces(config, house);
    const [list, history] = await Promise.all([
      keepSiteDirectory({
        ...{ directory, postgres, clock, log },
        onEmptied: (siteId) => forgetMemory(siteId),
        prepare: contacts.prepare,
      }),
      openHistory({
        warehouse,
        clock,
        log,
        async sites() {
          const goals = await goalRules(postgres);
          return [...directory.all()].map(({ id, timezone }) => ({ id, timezone, goals: goals.get(id) ?? [] }));
        },
        alone: aloneIn(postgres, clock),
        onGoals: (siteId, changes) => packed?.carry(siteId, changes),
        settledUntil: () => clock.now() - spool.lagMs(),
      }),
    ]);
    // Where several processes share a warehouse, each would pack the same days for itself.
    const packed =
      config.role === 'all'
        ? openPackedDays(house, {
            sites: () => [...directory.all()].map(({ id }) => id),
            frozenDays: history.frozenDays,
          })
        : undefined;
    const stopListening = [
      onSitesChanged(list.refresh),
      onBasesChanged(list.refresh),
      onRefused(profiles.forgetRefused),
    ];
    const forgetPlaces = learnPlaces(places.lookup);
    const ingest = startIngest({
      house,
      sealContact: contacts.seal,
      async identify(site, visitor, traits) {
        const became = await profiles.identify(site, visitor, traits);
        // To the page it is like any other call; the next event of this browser finds the new list.
        if (became === 'restricted') await list.refresh();
        return became === 'restricted' ? 'done' : became;
      },
      sites: directory,
      places,
      onLate: (siteId, day) =>
        void history.markDirty(siteId, [day], 'late').catch((error) => log.error('history.mark_failed', {}, error)),
    });
    if (config.demo)
      replays.set(house, (presentFromMs) =>
        openReplay({
          house,
          ingest,
          sites: directory,
          places,
          markDirty: (siteId, days) => history.markDirty(siteId, days, 'import'),
          presentFromMs,
        }),
      );
    watchDesks.set(house, ingest.watch);
    const doors: QueryDoors = {
      warehouse,
      kept,
      packed,
      clock,
      async findSite(wanted) {
        const site = await findSite(postgres, wanted);
        return site === undefined ? undefined : { ...site, organisationId: site.organisation_id };
      },
      goalsOf: (site) => postgres.tenant(site.organisationId, (sql) => listGoals(sql, site.id)),
      frozenDaysOf: (site) => history.frozenDays(site.id),
      importedOf: (site) => importedDataOf(postgres, { id: site.id, organisation_id: site.organisationId }),
    };
    const ask = (site: QuerySite & { organisation_id: number }, requests: readonly unknown[]) =>
      askOfSite(doors, { ...site, organisationId: site.organisation_id }, requests);
    const shares = openShares(house, ask);
    const reports = openReports(house, ask);
    // A file lies where it was written, so it is written where it is asked for.
    const hasFiles = config.role === 'all' || config.role === 'app';
    const told = { ...house, notices: openNotices(house) };
    const exports = hasFiles ? openExports() : undefined;
    function openExports() {
      const records = openExportRecords(told);
      return { records, runner: openExportRunner(house, records) };
    }
    const importer = openImporter({
      house,
      ingest,
      sites: directory,
      places,
      markDirty: (siteId, days) =>
        history.markDirty(
          siteId,
          days.map((day) => dayOf(Date.parse(day))),
          'import',
        ),
    });
    const imports = hasFiles ? openImportsOverHttp() : undefined;
    function openImportsOverHttp() {
      const files = { records: openUploadRecords(told), uploads: openUploads(house) };
      return { ...files, runner: openImportRunner({ house, importer, sites: directory, ...files }) };
    }
    const life = openLife(told, {
      begun: ingest.begun,
      aloneWithImports: importer.alone,
      forgetProfiles: profiles.forgetSite,
      forgetOrder: ingest.orderKeys.delete,
      forgetHistory: history.forget,
      async forgetKept(siteId) {
        forgetMemory(siteId);
        await packed?.forget(siteId);
      },
      forgetExport: async (id) => exports?.runner.forget(id),
      forgetImport: async (id) => imports?.uploads.remove(id),
    });
    const executors = ageingExecutors({
      house,
      countClosed: history.sweep,
      outlive: history.outlive,
      forgetOrder: ingest.orderKeys.delete,
      async forgetKept(siteId) {
        kept.forget(siteId);
        await packed?.forget(siteId);
      },
    });
    const works = config.role === 'all' || config.role === 'work';
    // Where collectors and pages have processes of their own, the one that works does this too.
    const upkeep = works
      ? openContactUpkeep({ house, keys: contacts, refresh: list.refresh, begun: ingest.begun })
      : undefined;
    const stopWaking = onSitesChanged(async () => upkeep?.wake());
    let isWarm = false;
    let isStopping = false;
    async function sweep() {
      if (!isWarm) await warmSites();
      const { days } = await history.sweep();
      if (days > 0) await warmSites();
      if (!isStopping) await packed?.sweep();
    }
    /** The first reader after a start or a midnight finds what the last one found. */
    async function warmSites() {
      try {
        for (const site of await sitesToWarm(warehouse))
          if (directory.byId(site) !== undefined)
            await warm(site, { frozenDays: await history.frozenDays(site), kept, warehouse });
        isWarm = true;
      } catch (error) {
        // Then the reader's question reads it.
        if (!isStopping) log.info('query.not_warmed', { why: whyOf(error) });
      }
    }
    const stopSweeping = works
      ? repeat(clock, sweepMs, sweep, {
          firstMs: 1_000,
          onError: (error) => log.error('history.sweep_failed', {}, error),
        })
      : () => {};

    return {
      routes: [
        ...queryRoutes(doors),
        ...shares.routes,
        ...reports.routes,
        ...goalRoutes(house, { frozenDaysOf: history.frozenDays }),
        ...annotationRoutes(house),
        ...contactRoutes(house, contacts),
        ...profileRoutes(house, profiles),
        ...missingRoutes(house, ingest.lastDrops),
        ...qualityRoutes(house),
        ...shieldRoutes(house),
        ...realtimeRoutes(house),
        ...foreignIdRoutes(house),
        ...life.routes,
        ...(exports === undefined ? [] : exportRoutes(house, exports)),
        ...(imports === undefined ? [] : importRoutes(house, imports)),
        ...firstRunRoutes({ house, ingest: ingest.ingest, live: ingest.live }),
      ],
      executors,
      holders: [contactHolder(house, contacts), profileHolder(house, profiles)],
      sealed: [
        ...(exports === undefined ? [] : [searchedExports(exports)]),
        ...(imports === undefined ? [] : [sealedUploads(imports)]),
      ],
      access: [shares.access],
      fast: ingest.fast,
      sinks: ingest.sinks,
      checks: [
        saltCheck({
          ...{ file: saltFileOf(config), dataDir: config.dataDir, clock },
          collects: config.role === 'all' || config.role === 'collect',
        }),
      ],
      gauges: [...ingest.gauges, ...reports.gauges, keptGauge(kept), ...(packed?.gauges() ?? [])],
      commands: {
        ...exportCommands(house),
        ...importCommands(house, importer, directory),
      },
      begin: ingest.begin,
      async stop() {
        isStopping = true;
        stopSweeping();
        shares.stop();
        reports.stop();
        await life.stop();
        await exports?.runner.stop();
        await imports?.runner.stop();
        stopWaking();
        await upkeep?.stop();
        for (const stop of stopListening) stop();
        list.stop();
        await ingest.stop();
        contacts.close();
        await history.stop();
        await packed?.stop();
        forgetPlaces();
        places.close();
      },
    };
  },
});
