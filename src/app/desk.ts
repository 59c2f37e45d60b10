import {
  type Accounts,
  accountsMigrations,
  agreeOnKey,
  concernLimits,
  openAccounts,
  requestLimits,
  sealAddresses,
  sitesChanged,
} from '../accounts/index.ts';
import { analytics, openOrganisationArchives } from '../analytics/index.ts';
import { billingMigrations, openBilling } from '../billing/index.ts';
import type { Audit } from '../platform/audit.ts';
import type { Clock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import { takeDataDir } from '../platform/data_dir.ts';
import type { Log } from '../platform/log.ts';
import { mailExecutor, mailMigrations, openMail, registeredTransport } from '../platform/mail/index.ts';
import { openOutbound } from '../platform/outbound/index.ts';
import { openPostgres } from '../platform/postgres/index.ts';
import type { Random } from '../platform/random.ts';
import { openDiskThread, openSpool } from '../platform/spool/index.ts';
import type { House, RunningSubject, Subject } from '../platform/subject.ts';
import { migrateWarehouse, openWarehouse, type WarehouseMigrations } from '../platform/warehouse/index.ts';
import { type Connections, connectionMigrations, openConnections } from '../providers/index.ts';
import { relay } from '../relay/index.ts';
import { accessMigrations, openAccessReviews } from '../trust/access/index.ts';
import { auditMigrations, openAudit, openTrail } from '../trust/audit/index.ts';
import { backupListExecutor, backupMigrations, refuseHalfRestored } from '../trust/backup/index.ts';
import { consentMigrations, openConsent } from '../trust/consent/index.ts';
import { documentMigrations, openDocuments, readFoot } from '../trust/documents/index.ts';
import { incidentMigrations, openIncidents } from '../trust/incidents/index.ts';
import { openKeyRing } from '../trust/keys/index.ts';
import { type OperationsLog, openOperations, operationMigrations } from '../trust/operations/index.ts';
import { selfAuditExecutor } from '../trust/proof/index.ts';
import { openGate, openRegister, registerMigrations } from '../trust/register/index.ts';
import { openRequests, type Requests, requestMigrations } from '../trust/requests/index.ts';
import { openTransfers, transferMigrations } from '../trust/transfers/index.ts';
import { openUsage, type Usage, usageMigrations } from '../trust/usage/index.ts';
import { openVault, refuseMissingRoots, type VaultKeeper, vaultMigrations } from '../trust/vault/index.ts';
import { openWindows, type Windows, windowMigrations } from '../trust/windows/index.ts';
import { type Backups, type By, openBackups } from './backup_desk.ts';
import { tellOfBackup } from './backup_notice.ts';
import { type DiskReader, openDiskUse } from './disk_use.ts';
import { noteFiles } from './note_files.ts';
import { alsoTold } from './ship_logs.ts';
import { version } from './version.ts';

/** Adding a capability is its folder and one line here. */
export const subjects: Subject[] = [analytics, relay];

/** Folders of dated SQL files of both databases. */
export const postgresFolders: readonly URL[] = [
  accountsMigrations,
  auditMigrations,
  vaultMigrations,
  windowMigrations,
  incidentMigrations,
  operationMigrations,
  requestMigrations,
  registerMigrations,
  documentMigrations,
  transferMigrations,
  consentMigrations,
  accessMigrations,
  usageMigrations,
  connectionMigrations,
  billingMigrations,
  mailMigrations,
  backupMigrations,
  ...subjects.flatMap((subject) => subject.migrations?.postgres ?? []),
];
export const warehouseFolders: readonly WarehouseMigrations[] = subjects.flatMap(({ name, migrations }) =>
  migrations?.warehouse === undefined ? [] : [{ subject: name, directory: migrations.warehouse }],
);

/** All parts of one desk, open: what the server, the command line and the tests work with. */
export interface Desk {
  house: House;
  accounts: Accounts;
  /** What else of the desk sends with tokens of connected platforms asks here. */
  connections: Connections;
  windows: Windows;
  requests: Requests;
  parts: RunningSubject[];
  keeper: VaultKeeper;
  backups: Backups;
  operations: OperationsLog;
  usage: Usage;
  /** Lets the mail of a restored desk go, from now on. @returns false when nothing was held back */
  releaseMail(by: By): Promise<boolean>;
  /**
   * Reads back what the last process knew, then loads what is on disk into the stores. A desk that listens does so first:
   * what comes meanwhile waits. Once, however often it is called.
   */
  begin(): Promise<void>;
  /** Has `begin` ended? */
  hasBegun(): boolean;
  /** What each store takes on the disk. */
  diskUse: DiskReader;
  /** Drains the spool into the stores within the deadline, then closes everything in reverse order of opening. */
  close(): Promise<void>;
}

/** How long a stop waits for acknowledged events to reach the stores; what is left stays in the spool for the next start. */
const drainMs = 15_000;

/**
 * Opens the stores, brings their schemas up to date and starts every subject; `begin` is for the caller to call. What was
 * opened is closed again when a later part refuses.
 * @throws DataDirTaken, KeyFileError, PostgresRefused and the warehouse's refusals, each with a sentence for the operator.
 */
export async function openDesk(parts: {
  config: Config;
  clock: Clock;
  random: Random;
  log: Log;
  onStep?: (step: string) => void;
  /** Told of each act of the audit log, as a line without names. */
  onAct?: (line: string) => void;
  /** At the close, when the last act is written and requests still go out. */
  onLastAct?: () => Promise<void>;
}): Promise<Desk> {
  const { config, clock, random } = parts;
  const operations = openOperations(parts);
  const log = operations.telling(parts.log);
  const step = parts.onStep ?? (() => {});
  const undo: (() => void | Promise<void>)[] = [];
  async function close() {
    for (const part of undo.reverse()) {
      try {
        await part();
      } catch (error) {
        log.error('close_failed', {}, error);
      }
    }
    undo.length = 0;
  }
  try {
    refuseHalfRestored(config.dataDir);
    const dataDir = takeDataDir(config.dataDir);
    undo.push(() => dataDir.release());
    const keys = openKeyRing({ keyFile: config.keyFile, dataDir: config.dataDir, random, source: config.keySource });

    step('Opening the stores');
    const begun = Promise.withResolvers<void>();
    const opening = openPostgres({
      config,
      migrations: postgresFolders,
      random,
      clock,
      log,
      onBegun: begun.resolve,
    });
    // The embedded engine holds this thread while it opens, so the database server first becomes a process, which comes
    // up on another core meanwhile.
    await Promise.race([begun.promise, opening.catch(() => {})]);
    const [postgres, warehouse] = await bothOrNone(opening, openWarehouse({ config, clock, log }));
    undo.push(() => postgres.close());
    undo.push(() => operations.stop());
    undo.push(() => warehouse.close());
    const keyName = config.keySource?.variable ?? `the key file ${config.keyFile}`;
    await agreeOnKey({ postgres, clock, keys, keyName });
    await refuseMissingRoots({ postgres, keys, keyName });
    await migrateWarehouse(warehouse, warehouseFolders, { clock, log });
    const disk = openDiskThread();
    undo.push(() => disk.end());
    const spool = await openSpool({
      fs: disk.files,
      dir: config.dataDir,
      lanes: subjects.flatMap((subject) => subject.lanes ?? []),
      clock,
      random,
      log,
      onRemoved: noteFiles({ postgres, clock }, 'quarantine', 'quarantine'),
    });
    undo.push(() => spool.close());
    const register = openGate({ config, clock, log, postgres });
    const outbound = openOutbound({
      ...{ config, clock, log, gate: register.gate },
      onFailure: ({ purpose, host, reason, ms }) =>
        operations.note({
          ...{ kind: 'call', action: purpose, outcome: 'failed', code: reason, ms },
          object: host === undefined ? undefined : { kind: 'host', id: host },
        }),
    });
    undo.push(() => outbound.close());
    undo.push(() => parts.onLastAct?.());

    step('Starting');
    const vault = openVault({ keys, postgres, clock, random, audit: () => audit });
    undo.push(() => vault.close());
    const sealed = await sealAddresses({ postgres, vault, keys, clock });
    if (sealed > 0) log.info('accounts.addresses_sealed', { addresses: sealed });
    const keeper = vault.keeper(keys, config.databaseUrl !== undefined);
    const kept = openAudit({ vault, clock, random });
    const audit: Audit = parts.onAct === undefined ? kept : alsoTold(kept, clock, parts.onAct);
    const trail = openTrail({ postgres, keys, vault, audit, clock, log, config });
    // Closed after everything that writes acts.
    undo.push(() => trail.stop?.());
    const mail = openMail({
      ...{ config, clock, random, log, postgres, keys, vault, audit },
      transport: (server) => registeredTransport(server, register.mail),
      foot: readFoot,
    });
    undo.push(() => mail.stop());
    const foundation = { config, clock, random, log, postgres, warehouse, spool, outbound, keys, vault, audit, mail };
    const accounts = openAccounts(foundation, { version });
    undo.push(() => accounts.stop?.());
    const backups = openBackups({ ...foundation }, (problem) => tellOfBackup(foundation, accounts.notices, problem));
    async function releaseMail(by: By) {
      const released = await backups.release(by);
      if (released && hasBegun) mail.start();
      return released;
    }
    const connections = openConnections(foundation, accounts.notices);
    const billing = openBilling(foundation, accounts.notices);
    undo.push(() => billing.stop?.());
    const house: House = {
      ...foundation,
      authenticate: accounts.authenticateHeader,
      connections,
      isOutwardHeld: () => backups.isHeld(),
      ...(billing.credits === undefined ? {} : { credits: billing.credits }),
    };
    undo.push(() => connections.stop?.());
    const running: RunningSubject[] = [];
    for (const subject of subjects) {
      const part = await subject.start(house);
      running.push(part);
      undo.push(() => part.stop?.());
    }
    const requests = openRequests(house, accounts.notices, {
      holders: () => opened.flatMap((part) => (part === requests ? [] : (part.holders ?? []))),
      sealed: () => opened.flatMap((part) => part.sealed ?? []),
      onErased: () => backups.forgetErased(),
      async onRestricted() {
        await sitesChanged();
        await backups.forgetErased();
      },
      limits: requestLimits(foundation),
    });
    undo.push(() => requests.stop?.());
    const incidents = openIncidents(house, accounts.notices, concernLimits(foundation));
    undo.push(() => incidents.stop?.());
    const archives = openOrganisationArchives(house, accounts.notices, trail.bundle);
    undo.push(() => archives.stop?.());
    const documents = openDocuments(house, accounts.notices);
    undo.push(() => documents.stop?.());
    const transfers = openTransfers(house, accounts.notices, documents.renewal);
    undo.push(() => transfers.stop?.());
    const reviews = openAccessReviews(house, accounts.notices, () =>
      [accounts, connections, ...running].flatMap((part) => part.access ?? []),
    );
    undo.push(() => reviews.stop?.());
    const usage = openUsage(house);
    undo.push(() => usage.stop());
    const opened = [
      ...[accounts, trail, requests, incidents, documents, openRegister(house, register), operations.open(house)],
      ...[openConsent(house), usage, reviews, archives, transfers, connections, billing],
      ...running,
    ];
    const executors = [
      ...[mailExecutor(postgres), backupListExecutor(postgres), selfAuditExecutor(postgres)],
      ...opened.flatMap((part) => part.executors ?? []),
    ];
    const windows = openWindows(house, executors, accounts.notices);
    undo.push(() => windows.stop?.());
    let readingBack: Promise<void> | undefined;
    let hasBegun = false;
    async function readBack() {
      for (const part of running) await part.begin?.();
      // A restored desk shows first what it would send: what was waiting at the backup may have gone out since.
      if (await backups.isHeld()) log.warn('mail.held_after_restore');
      else mail.start();
      await trail.begin?.();
      await windows.begin?.();
      await requests.begin?.();
      await incidents.begin?.();
      await documents.begin?.();
      await transfers.begin?.();
      await reviews.begin?.();
      await connections.begin?.();
      spool.startLoading(running.flatMap((part) => part.sinks ?? []));
      undo.push(async () => {
        if (!(await spool.drain(drainMs))) log.warn('stop.spool_left', { bytes: spool.bytes() });
      });
      hasBegun = true;
    }
    function begin() {
      readingBack ??= readBack();
      return readingBack;
    }
    return {
      house,
      accounts,
      connections,
      windows,
      requests,
      parts: [...opened, windows, { checks: backups.checks }],
      keeper,
      backups,
      operations,
      usage,
      releaseMail,
      begin,
      hasBegun: () => hasBegun,
      diskUse: openDiskUse(house),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens two things at once; when one refuses the other is closed again before the refusal is passed on. */
async function bothOrNone<A extends { close(): Promise<void> }, B extends { close(): Promise<void> }>(
  first: Promise<A>,
  second: Promise<B>,
): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return [a.value, b.value];
  if (a.status === 'fulfilled') await a.value.close();
  if (b.status === 'fulfilled') await b.value.close();
  throw a.status === 'rejected' ? a.reason : (b as PromiseRejectedResult).reason;
}
