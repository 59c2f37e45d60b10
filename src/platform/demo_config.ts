import { join, resolve } from 'node:path';
import { type Config, ConfigError, isLoopback, readConfig } from './config.ts';
import { readConnections } from './connection_config.ts';
import { readVersions } from './relay_config.ts';

/** What a demo takes of the environment: where it listens on this machine, and nothing of a real desk's. */
export interface DemoConfig {
  config: Config;
  /** Settings of a real desk that are set and have no part in this one. */
  unused: string[];
}

const defaultPort = '7171';

/**
 * A demo has stores, keys and a port of its own, so nothing that points at real ones is read.
 * @param options.folder everything of it lies below
 * @throws ConfigError when HOST is not this machine
 */
export function readDemoConfig(
  options: {
    folder: string;
    port?: string | undefined;
    /** By kind of destination of the relay: where its double listens on this machine. */
    platforms?: Readonly<Record<string, string>>;
    /** How it is known at the doubles, under the names of a real desk's settings (`connection_config.ts`). */
    apps?: Readonly<Record<string, string>>;
  },
  env: NodeJS.ProcessEnv = process.env,
): DemoConfig {
  const host = env.HOST?.trim() || '127.0.0.1';
  if (!isLoopback(host))
    throw new ConfigError([
      {
        variable: 'HOST',
        problem: `"${host}" is not this machine alone, and a demo is not for others: its way in is printed.`,
        fix: 'Leave HOST out.',
      },
    ]);
  const port = options.port ?? (env.PORT?.trim() || defaultPort);
  const folder = resolve(options.folder);
  const config = readConfig({
    HOST: host,
    PORT: port,
    // Cookies belong to a name whatever the port, so a real desk at localhost and a demo at 127.0.0.1 keep theirs apart.
    FAIRLEAD_PUBLIC_URL: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    FAIRLEAD_DATA_DIR: join(folder, 'data'),
    FAIRLEAD_KEY_FILE: join(folder, 'keys', 'demo.keys'),
  });
  const unused = Object.keys(env).filter(
    (name) =>
      /^(FAIRLEAD_|DATABASE_(MIGRATION_)?URL$|CLICKHOUSE_(URL|CLUSTER)$)/.test(name) &&
      !['FAIRLEAD_CHROMIUM', 'FAIRLEAD_CLOCK_OFFSET_MS'].includes(name) &&
      env[name]?.trim(),
  );
  const relay = options.platforms ?? {};
  const apps = options.apps ?? {};
  const addresses = [...Object.values(relay), ...Object.values(apps).filter((value) => URL.canParse(value))];
  const outboundAllow = [...new Set(addresses.map((address) => new URL(address).host))];
  const text = (name: string) => apps[name];
  const wrong = (name: string, problem: string) => {
    throw new Error(`${name}: ${problem}`);
  };
  const versions = readVersions({ text: () => undefined, wrong });
  const connections = readConnections({ text, wrong, isLoopback, versions });
  return { config: { ...config, demo: true, inbox: true, credits: true, relay, connections, outboundAllow }, unused };
}
