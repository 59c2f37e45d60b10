import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { CheckRun } from '../../contract/proof.ts';
import { systemClock } from '../platform/clock.ts';
import { type Config, ConfigError, isLoopback, readConfig } from '../platform/config.ts';
import { lockHolder } from '../platform/data_dir.ts';
import { diskOf } from '../platform/disk.ts';
import { volumeEncryption } from '../platform/volume.ts';
import { fieldSealed } from '../trust/classes/index.ts';
import { certificateFindings } from './certificate_findings.ts';
import { largestOf } from './disk_use.ts';
import { diskWarnShare, type Readiness } from './health.ts';
import { onDesk } from './with_desk.ts';

export type Finding = { what: string; state: 'ok' | 'look' | 'wrong'; fact: string; todo?: string };

/** `fairlead doctor`: one line per check, the worst decides the exit code. Works whether or not the server runs. */
export async function doctor(): Promise<number> {
  const findings: Finding[] = [];
  let config: Config;
  try {
    config = readConfig();
    findings.push({ what: 'settings', state: 'ok', fact: 'every variable can be read' });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { variable, problem, fix } of error.problems)
      findings.push({ what: variable, state: 'wrong', fact: problem, todo: fix });
    return report(findings);
  }
  const holder = lockHolder(config.dataDir);
  findings.push(
    disk(config),
    ...dataDirectory(config),
    ...keyFile(config),
    atRest(config),
    await port(config, holder),
    ...(await plainPort(config, holder)),
    ...(await stores(config)),
    ...clockCheck(),
    ...proxy(config),
    ...certificateFindings(config, systemClock.now()),
  );
  return report(findings);
}

/** What can be looked at without asking anybody; the desk looks at it once a day itself (live_checks.ts). */
export function standingFindings(config: Config): Finding[] {
  return [
    disk(config),
    ...dataDirectory(config),
    ...keyFile(config),
    atRest(config),
    ...clockCheck(),
    ...proxy(config),
    ...certificateFindings(config, systemClock.now()),
  ];
}

function report(findings: Finding[]): number {
  const words = { ok: 'ok   ', look: 'look ', wrong: 'WRONG' };
  for (const { what, state, fact, todo } of findings)
    process.stdout.write(`${words[state]}  ${what}: ${fact}${todo === undefined ? '' : `\n       → ${todo}`}\n`);
  return findings.some((finding) => finding.state === 'wrong') ? 1 : 0;
}

function disk(config: Config): Finding {
  const folder = existsSync(config.dataDir) ? config.dataDir : dirname(config.dataDir);
  const { usedShare: used, freeBytes } = diskOf(existsSync(folder) ? folder : '/');
  const freeGb = (freeBytes / 1e9).toFixed(1);
  const fact = `${Math.round(used * 100)} % used, ${freeGb} GB free at the data directory`;
  return used >= diskWarnShare
    ? {
        what: 'disk',
        state: used >= 0.95 ? 'wrong' : 'look',
        fact,
        todo: 'Make room or move FAIRLEAD_DATA_DIR; events are refused when it is full.',
      }
    : { what: 'disk', state: 'ok', fact };
}

function dataDirectory(config: Config): Finding[] {
  const what = 'data directory';
  if (!existsSync(config.dataDir)) return [];
  try {
    accessSync(config.dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    return [
      {
        what,
        state: 'wrong',
        fact: `this user may not use ${config.dataDir} (${(error as NodeJS.ErrnoException).code})`,
        todo: 'Give it to the user that runs Fairlead (chown -R), or run the doctor as that user.',
      },
    ];
  }
  const mode = statSync(config.dataDir).mode & 0o777;
  return (mode & 0o077) === 0
    ? [{ what, state: 'ok', fact: 'for its user alone' }]
    : [
        {
          what,
          state: 'look',
          fact: `others may look into it (mode ${mode.toString(8)})`,
          todo: `chmod 700 ${config.dataDir}`,
        },
      ];
}

function keyFile(config: Config): Finding[] {
  if (config.keySource !== undefined)
    return [{ what: 'key', state: 'ok', fact: `comes from ${config.keySource.variable}; no key file is read` }];
  if (!existsSync(config.keyFile))
    return [
      {
        what: 'key file',
        state: existsSync(`${config.dataDir}/key.fingerprint`) ? 'wrong' : 'look',
        fact: `there is none at ${config.keyFile}`,
        todo: 'The first start makes it. If there was one, put it back before starting.',
      },
    ];
  const mode = statSync(config.keyFile).mode & 0o777;
  const findings: Finding[] = [];
  if ((mode & 0o077) !== 0)
    findings.push({
      what: 'key file',
      state: 'wrong',
      fact: `others may read it (mode ${mode.toString(8)})`,
      todo: `chmod 600 ${config.keyFile}`,
    });
  if (existsSync(config.dataDir) && statSync(config.keyFile).dev === statSync(config.dataDir).dev)
    findings.push({
      what: 'key file',
      state: 'look',
      fact: 'it lies on the same disk as the data, so one stolen disk carries both',
      todo: 'Name a file on another disk in FAIRLEAD_KEY_FILE, and keep a copy of it away from the backups.',
    });
  return findings.length > 0 ? findings : [{ what: 'key file', state: 'ok', fact: 'private, on a disk of its own' }];
}

/**
 * What a stolen disk would give (CRY-06), in the words of the catalogue: the classes that are sealed field by field always
 * are, the others are as safe as the volume.
 */
function atRest(config: Config): Finding {
  const what = 'encryption at rest';
  const sealed = `${fieldSealed.join(', ')} are sealed field by field`;
  const folder = existsSync(config.dataDir) ? config.dataDir : dirname(config.dataDir);
  switch (volumeEncryption(folder)) {
    case 'dm-crypt':
      return { what, state: 'ok', fact: `${sealed}; the volume of the data directory is encrypted (dm-crypt)` };
    case 'none-seen':
      return {
        what,
        state: 'look',
        fact: `${sealed}; everything else lies in clear on a volume that this system does not encrypt`,
        todo: 'Put FAIRLEAD_DATA_DIR on an encrypted volume, unless the machine or its provider encrypts below.',
      };
    case 'unknown':
      return {
        what,
        state: 'look',
        fact: `${sealed}; whether the volume of the data directory is encrypted cannot be told from here`,
        todo: 'Ask whoever runs the machine. Everything else than the sealed fields is as safe as the volume.',
      };
  }
}

async function port(config: Config, holder: number | undefined): Promise<Finding> {
  if (holder !== undefined) {
    return (await answersAt(config.host, config.port))
      ? { what: 'server', state: 'ok', fact: `process ${holder} listens on port ${config.port}` }
      : {
          what: 'server',
          state: 'wrong',
          fact: `process ${holder} runs, but port ${config.port} does not answer`,
          todo: 'Is it starting, or started with another PORT? Look at its log.',
        };
  }
  const taken = await whyTaken(config.host, config.port);
  return taken === undefined
    ? { what: 'port', state: 'ok', fact: `${config.port} is free; no server runs on this data directory` }
    : {
        what: 'port',
        state: 'wrong',
        fact: `${config.port} cannot be used (${taken})`,
        todo: 'Stop the other program, or set PORT.',
      };
}

/** With ACME, port 80 sends people on to HTTPS and answers challenges; without it one way of proof is left. */
async function plainPort(config: Config, holder: number | undefined): Promise<Finding[]> {
  const port = config.acme?.httpPort ?? 0;
  if (port === 0) return [];
  const what = `port ${port}`;
  const todo = 'http:// addresses are not sent on, and names are proved on port 443 alone (docs/guides/https.md).';
  if (holder !== undefined)
    return [
      (await answersAt(config.host, port))
        ? { what, state: 'ok', fact: 'answers' }
        : { what, state: 'look', fact: 'does not answer, though the server runs', todo },
    ];
  const taken = await whyTaken(config.host, port);
  return [
    taken === undefined
      ? { what, state: 'ok', fact: 'is free for plain HTTP' }
      : { what, state: 'look', fact: `cannot be used (${taken})`, todo },
  ];
}

function answersAt(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: 2_000 }, () => resolve(socket.destroy() !== undefined));
    socket.on('error', () => resolve(false));
    socket.on('timeout', () => resolve(false));
  });
}

/** @returns undefined for a port that can be listened on, otherwise the system's code */
function whyTaken(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    probe.listen({ host, port }, () => probe.close(() => resolve(undefined)));
  });
}

/** Asks the stores, through the running server or by opening them, which brings their schemas up to date. */
async function stores(config: Config): Promise<Finding[]> {
  // A doctor that made databases and a key on a machine where nothing runs yet would not be looking but doing.
  if (!existsSync(join(config.dataDir, 'key.fingerprint')))
    return [
      {
        what: 'stores',
        state: 'look',
        fact: `nothing is stored in ${config.dataDir} yet`,
        todo: 'The first start makes them.',
      },
    ];
  try {
    const state = (await onDesk({ command: 'status' }, config)) as Readiness & { last_checks?: CheckRun };
    const lag = state.spool_lag_ms;
    return [
      ...lastChecks(state.last_checks),
      { what: 'disk by store', state: 'ok', fact: largestOf(state.disk_bytes) || 'each less than 0.1 GB' },
      state.postgres
        ? { what: 'postgres', state: 'ok', fact: 'answers' }
        : {
            what: 'postgres',
            state: 'wrong',
            fact: 'does not answer',
            todo: 'Look at the log; the embedded one is restarted by itself, an external one is named in DATABASE_URL.',
          },
      state.warehouse
        ? { what: 'warehouse', state: 'ok', fact: 'answers' }
        : {
            what: 'warehouse',
            state: 'wrong',
            fact: 'does not answer',
            todo: 'Events wait safely in the spool. Look at the log, or at CLICKHOUSE_URL.',
          },
      lag < 10_000
        ? { what: 'spool', state: 'ok', fact: `${lag} ms behind, ${state.spool_bytes} bytes` }
        : {
            what: 'spool',
            state: 'look',
            fact: `${Math.round(lag / 1000)} s behind`,
            todo: 'The warehouse is slow or away; nothing is lost while the disk has room.',
          },
    ];
  } catch (error) {
    return [{ what: 'stores', state: 'wrong', fact: (error as Error).message }];
  }
}

/** What the desk found when it looked at its own guards the last time. */
function lastChecks(last: CheckRun | undefined): Finding[] {
  const what = 'live checks';
  if (last === undefined) return [{ what, state: 'ok', fact: 'the first run comes ten minutes after a start' }];
  const bad = last.findings.filter(({ state }) => state === 'look' || state === 'wrong').map((finding) => finding.what);
  return [
    last.worst === 'wrong'
      ? { what, state: 'wrong', fact: `${last.made_at} found: ${bad.join(', ')}`, todo: 'Do as the lines here say.' }
      : { what, state: 'ok', fact: `${last.made_at}${bad.length === 0 ? '' : `, to look at: ${bad.join(', ')}`}` },
  ];
}

function clockCheck(): Finding[] {
  const year = new Date(systemClock.now()).getUTCFullYear();
  return year >= 2025 && year < 2100
    ? [
        {
          what: 'clock',
          state: 'ok',
          fact: `${new Date(systemClock.now()).toISOString()} (compare with another clock: days and visitor ids follow it)`,
        },
      ]
    : [
        {
          what: 'clock',
          state: 'wrong',
          fact: `it says the year ${year}`,
          todo: 'Set the clock, and keep it set with NTP.',
        },
      ];
}

function proxy(config: Config): Finding[] {
  const https = config.publicUrl.startsWith('https:');
  if (https && config.tls === undefined && config.acme === undefined && config.trustedProxies === 0)
    return [
      {
        what: 'proxy',
        state: 'wrong',
        fact: 'FAIRLEAD_PUBLIC_URL is https, but no proxy is trusted and no certificate is set: all visitors would share one address',
        todo: 'Set FAIRLEAD_TRUSTED_PROXIES=1 for one proxy in front (docs/guides/https.md).',
      },
    ];
  if (config.trustedProxies > 0 && !isLoopback(config.host))
    return [
      {
        what: 'proxy',
        state: 'look',
        fact: `${config.trustedProxies} proxy hop(s) are trusted while HOST is ${config.host}: whoever reaches the port directly can claim any address`,
        todo: 'Set HOST=127.0.0.1, or let a firewall pass only the proxy.',
      },
    ];
  return [
    {
      what: 'proxy',
      state: 'ok',
      fact:
        config.trustedProxies === 0 ? 'none; the address of the connection counts' : `${config.trustedProxies} hop(s)`,
    },
  ];
}
