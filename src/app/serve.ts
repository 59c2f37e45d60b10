import { existsSync, readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { whoseOf } from '../accounts/index.ts';
import { repeat, systemClock } from '../platform/clock.ts';
import { type Config, isLoopback } from '../platform/config.ts';
import { type ControlServer, openControl } from '../platform/control.ts';
import { controlSocketPath } from '../platform/data_dir.ts';
import { diskOf } from '../platform/disk.ts';
import { type AccessLog, accessLogDir, openAccessLog } from '../platform/http/access_log.ts';
import { type AskSelf, openAskSelf } from '../platform/http/ask_self.ts';
import { openPolicyReports } from '../platform/http/policy_reports.ts';
import type { Route } from '../platform/http/route.ts';
import { type FastHandler, type HttpServer, openHttp } from '../platform/http/server.ts';
import { openStaticFiles } from '../platform/http/static.ts';
import { type LogFields, openLog } from '../platform/log.ts';
import { openReports } from '../platform/outbound/index.ts';
import { letEventLoopGoFirst, letSessionGoFirst } from '../platform/priority.ts';
import { systemRandom } from '../platform/random.ts';
import { accessLogRoutes } from './access_log.ts';
import { documentRoutes } from './api_document.ts';
import { scheduleBackups } from './backup_desk.ts';
import { backupRoutes } from './backup_routes.ts';
import { controlCommands } from './commands.ts';
import { type Desk, openDesk } from './desk.ts';
import { diskWarnShare, healthHandlers } from './health.ts';
import { noteFiles } from './note_files.ts';
import { watchProduct } from './product_events.ts';
import { openProver, scheduleProof } from './prove.ts';
import { proofRoutes } from './prove_routes.ts';
import { openLogShipping } from './ship_logs.ts';
import type { Certificates } from './tls.ts';
import { version } from './version.ts';

const dashboardFolder = new URL('../../web/dist/', import.meta.url).pathname;
const trackerFolder = new URL('../../sdk/dist/', import.meta.url);
/** Requests that are under way at a stop get this long to finish. */
const finishMs = 10_000;
const diskLookMs = 60_000;

export interface RunningServer {
  desk: Desk;
  http: HttpServer;
  /** Every call that it answers, and the exact paths of the collection and health planes. */
  routes: Route[];
  fastPaths: string[];
  /** Who asked the account plane. */
  accessLog: AccessLog;
  /** The address to print: with a set-up code while there is no owner. */
  address: string;
  stop(): Promise<void>;
}

/** Opens the desk, listens, and resolves when events are taken without waiting. Used by `fairlead serve` and by the tests, which give their own config. */
export async function startServer(
  config: Config,
  options: {
    say?: (line: string) => void;
    /** Logs warnings and errors alone. */
    isQuiet?: boolean;
    /** Calls beyond those of the desk's parts. */
    routes?: (desk: Desk) => Route[];
    /** What goes into the head of every page. */
    head?: string;
    /** Called as soon as it listens, with the address; what the last process knew is read back after that. */
    onListening?: (address: string) => void;
  } = {},
): Promise<RunningServer> {
  const say = options.say ?? (() => {});
  const shipping = openLogShipping({ config, clock: systemClock });
  const plainLog = openLog(systemClock, (line) => {
    process.stderr.write(line);
    shipping.take('desk', line);
  });
  let reports: ReturnType<typeof openReports> | undefined;
  // Every fault that is logged is reported too, if the operator has named a place for reports (R15).
  const log = {
    ...plainLog,
    ...(options.isQuiet === true ? { info() {} } : {}),
    error(event: string, fields?: LogFields, cause?: unknown) {
      plainLog.error(event, fields, cause);
      if (cause !== undefined) reports?.error(event, cause);
    },
  };
  const desk = await openDesk({
    config,
    clock: systemClock,
    random: systemRandom,
    log,
    onStep: (step) => say(`${step} …`),
    ...(config.logs === undefined ? {} : { onAct: (line: string) => shipping.take('audit', line) }),
    onLastAct: () => shipping.close(),
  });
  const { outbound } = desk.house;
  shipping.begin(outbound);
  reports = openReports({ config, clock: systemClock, random: systemRandom, outbound, version });
  let control: ControlServer | undefined;
  let http: HttpServer | undefined;
  let accessLog: AccessLog | undefined;
  let certificates: Certificates | undefined;
  let stopLooking: (() => void) | undefined;
  let stopAuditing: (() => void) | undefined;
  let stopTelling: (() => void) | undefined;
  let stopBackups: (() => void) | undefined;
  async function stop() {
    stopTelling?.();
    stopLooking?.();
    stopAuditing?.();
    stopBackups?.();
    await certificates?.stop();
    await control?.close();
    await http?.close(finishMs);
    await accessLog?.close();
    await desk.close();
  }
  try {
    // Most desks have a proxy in front of them and need neither certificate files nor ACME.
    if (config.tls !== undefined || config.acme !== undefined)
      certificates = (await import('./tls.ts')).openCertificates(
        desk.house,
        [...desk.parts.flatMap((part) => Object.keys(part.fast ?? {})), ...Object.keys(trackerFiles())],
        say,
      );
    // A split desk: collectors take events and serve the tracker, apps answer people, workers only say how they are.
    const policyReports = openPolicyReports({ clock: systemClock, publicUrl: config.publicUrl });
    const written = openAccessLog({
      ...{ dir: accessLogDir(config.dataDir), isOn: config.accessLog && showsPages(config) },
      ...{ clock: systemClock, log, onRemoved: noteFiles(desk.house, 'access-log', 'access') },
      onLine: (line) => shipping.take('access', line),
    });
    accessLog = written;
    let askSelf: AskSelf = async () => {
      throw new Error('The desk does not listen yet.');
    };
    const prover = openProver(desk.house, desk.parts, desk.accounts.notices, (question) => askSelf(question));
    const parts = [
      ...desk.parts,
      policyReports,
      {
        routes: [...accessLogRoutes(desk.house), ...proofRoutes(prover), ...backupRoutes(desk)],
        gauges: [...written.gauges, ...shipping.gauges],
      },
    ];
    const calls = [...parts.flatMap((part) => part.routes ?? []), ...(options.routes?.(desk) ?? [])];
    const routes = showsPages(config) ? [...calls, ...documentRoutes(calls, config)] : [];
    desk.operations.know(routes);
    const fast: Record<string, FastHandler> = {
      ...(collects(config) ? Object.assign({}, ...desk.parts.map((part) => part.fast ?? {})) : {}),
      ...healthHandlers(desk, [...parts, certificates ?? {}], () => http?.counts() ?? []),
    };
    http = await openHttp({
      host: config.host,
      port: config.port,
      publicUrl: config.publicUrl,
      hosts: config.hosts,
      keyRate: config.keyRate,
      trustedProxies: config.trustedProxies,
      tls: certificates?.tls,
      routes,
      fast,
      fastUnder: collects(config) ? Object.assign({}, ...desk.parts.map((part) => part.fastUnder ?? {})) : {},
      files: openStaticFiles(
        showsPages(config) ? dashboardFolder : undefined,
        collects(config) ? trackerFiles() : {},
        options.head,
        // The page of a desk for development alone (docs/guides/mail.md).
        config.inbox ? [] : ['/dev/inbox'],
      ),
      authenticate: desk.accounts.authenticate,
      hasNews: (personId) => desk.accounts.notices.news.has(personId),
      whose: (params) => whoseOf(desk.house.postgres, params),
      onAnswer(answered) {
        written.write(answered);
        desk.operations.answered(answered);
        desk.usage.answered(answered);
      },
      clock: systemClock,
      random: systemRandom,
      log,
    });
    askSelf = openAskSelf({
      ...{ host: config.host, port: http.address.port, publicUrl: config.publicUrl },
      tls: certificates !== undefined,
    });
    await certificates?.begin((context) => http?.renewTls(context));
    control = await openControl(controlSocketPath(config.dataDir), controlCommands(desk, prover));
    stopLooking = watchDisk(desk);
    // On a desk of several processes one of them looks: they would compare their machines with each other.
    if (config.role === 'all' || config.role === 'work') stopAuditing = scheduleProof(desk.house, prover);
    stopBackups = scheduleBackups(desk);
    const shown = config.port === 0 ? config.publicUrl.replace(/:0$/, `:${http.address.port}`) : config.publicUrl;
    // Where no page can take it, a new code would only kill the one that the app has printed.
    const code = showsPages(config)
      ? await desk.accounts.setUp.newCode({ isShared: config.role !== 'all' })
      : undefined;
    reports.event('server_started', {
      start_ms: Math.round(systemClock.monotonic()),
      embedded_postgres: config.databaseUrl === undefined ? 1 : 0,
      embedded_warehouse: config.clickhouseUrl === undefined ? 1 : 0,
    });
    stopTelling = watchProduct({ house: desk.house, reports });
    log.info('listening', { port: http.address.port, version, role: config.role });
    const address = code === undefined ? shown : `${shown}/setup#code=${code}`;
    options.onListening?.(address);
    await desk.begin();
    return { desk, http, routes, fastPaths: Object.keys(fast), accessLog: written, stop, address };
  } catch (error) {
    await stop();
    throw error;
  }
}

function collects(config: Config): boolean {
  return config.role === 'all' || config.role === 'collect';
}

function showsPages(config: Config): boolean {
  return config.role === 'all' || config.role === 'app';
}

/** `fairlead serve`: runs until a signal asks it to stop. Progress and the address go to standard output. */
export async function serve(config: Config): Promise<void> {
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  // Listened to from the first moment: a signal that comes while the stores open must not leave them running.
  const asked = new Promise<string>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve(signal));
  });
  const server = await startServer(config, {
    say,
    onListening(address) {
      say(`Fairlead ${version} is running.`);
      const isNew = address.includes('#code=');
      say(isNew ? `\n  Open this address to create the owner (it works once):\n  ${address}\n` : `\n  ${address}\n`);
    },
  });
  letEventLoopGoFirst();
  letSessionGoFirst(systemClock);
  // Otherwise written at an orderly end only, and the next start after a kill would be as slow as the first.
  flushCompileCache();
  if (!isLoopback(config.host) && config.tls === undefined && config.acme === undefined && config.trustedProxies === 0)
    say('  It listens beyond this machine without HTTPS, so signing in is off. See docs/guides/https.md.\n');
  const signal = await asked;
  server.desk.house.log.info('stopping', { signal });
  say('Stopping: waiting for open requests and for events on their way to the stores …');
  await server.stop();
}

/** The tracker as every site loads it, and its parts for storage mode and for pixels: cached for an hour, usable from any origin. */
function trackerFiles(): Record<string, { body: Buffer; type: string; headers: Record<string, string> }> {
  const files = ['fairlead.js', 'fairlead-storage.js', 'fairlead-pixels.js'].map((name) => ({
    name,
    file: new URL(name, trackerFolder),
  }));
  return Object.fromEntries(
    files
      .filter(({ file }) => existsSync(file))
      .map(({ name, file }) => [
        `/js/${name}`,
        {
          body: readFileSync(file),
          type: 'text/javascript; charset=utf-8',
          headers: {
            'cache-control': 'public, max-age=3600',
            'access-control-allow-origin': '*',
            'cross-origin-resource-policy': 'cross-origin',
            'x-content-type-options': 'nosniff',
          },
        },
      ]),
  );
}

/** Says once in the log that the disk is nearly full, and once that it is not any more. */
function watchDisk(desk: Desk): () => void {
  const { log, config } = desk.house;
  let warned = false;
  const look = async () => {
    const { usedShare } = diskOf(config.dataDir);
    const isFull = usedShare >= diskWarnShare;
    if (isFull !== warned)
      log[isFull ? 'warn' : 'info'](isFull ? 'disk.nearly_full' : 'disk.has_room', {
        used_share: Math.round(usedShare * 1000) / 1000,
      });
    warned = isFull;
  };
  return repeat(systemClock, diskLookMs, look, { onError: (error) => log.error('disk.look_failed', {}, error) });
}
