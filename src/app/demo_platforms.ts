import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openAskSelf } from '../platform/http/ask_self.ts';

/** Doubles of the ad platforms, which stand in the repository and in no package. */
const emulators = fileURLToPath(new URL('../../emulators/all.ts', import.meta.url));

/** By kind of destination the name of its double. */
const doubles: Readonly<Record<string, string>> = {
  'meta-capi': 'meta',
  'google-data-manager': 'data_manager',
  tiktok: 'tiktok',
  linkedin: 'linkedin',
};
/** Where somebody signs in, by the setting that a real desk has for it. */
const logins: Readonly<Record<string, string>> = {
  FAIRLEAD_GOOGLE_OAUTH_URL: 'google_oauth',
  FAIRLEAD_GOOGLE_ADS_URL: 'google_ads',
  FAIRLEAD_META_URL: 'meta',
  FAIRLEAD_LINKEDIN_URL: 'linkedin',
  FAIRLEAD_TIKTOK_URL: 'tiktok',
};
/** The app that every double knows (docs/guides/emulators.md). */
const app = { id: '424242', secret: 'emulated-secret' };

export interface DemoPlatforms {
  /** By kind of destination: where its double listens. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Settings by which this desk is known to them. */
  readonly apps: Readonly<Record<string, string>>;
  /** Steers the double of a kind, or all of them: what it says from now on. */
  steer(kind: string | undefined, change: object): Promise<void>;
  /** What a browser is sent on to from this address of a double. */
  follow(url: string): Promise<URL>;
  stop(): void;
}

/**
 * Starts the doubles of a demo, on this machine alone and for as long as it runs; undefined where there are none.
 * @param publicUrl of the desk, which logins send somebody back to
 */
export async function startDemoPlatforms(publicUrl: string): Promise<DemoPlatforms | undefined> {
  if (!existsSync(emulators)) return undefined;
  const back = ['google', 'meta', 'linkedin', 'tiktok'].flatMap((provider) => [
    '--redirect',
    new URL(`/connect/${provider}`, publicUrl).href,
  ]);
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', emulators, ...back], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {},
  });
  const line = await firstLine(child);
  if (line === undefined) return undefined;
  const { admin, platforms } = JSON.parse(line) as { admin: string; platforms: Record<string, string> };
  const addressesOf = (names: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(names).flatMap(([name, double]) => {
        const address = platforms[double];
        return address === undefined ? [] : [[name, address] as const];
      }),
    );
  const addresses = addressesOf(doubles);
  const clients = ['GOOGLE', 'META', 'LINKEDIN', 'TIKTOK'].flatMap((name) => [
    [`FAIRLEAD_${name}_CLIENT_ID`, app.id] as const,
    [`FAIRLEAD_${name}_CLIENT_SECRET`, app.secret] as const,
  ]);
  return {
    ...{ addresses, apps: { ...addressesOf(logins), ...Object.fromEntries(clients) } },
    async steer(kind, change) {
      const at = kind === undefined ? admin : addresses[kind];
      if (at === undefined) return;
      const { status } = await asking(at)({
        ...{ method: 'POST', path: '/__admin/platform', body: JSON.stringify(change) },
        headers: { 'content-type': 'application/json' },
      });
      if (status !== 200) throw new Error(`The double of ${kind ?? 'all platforms'} answered ${status}.`);
    },
    async follow(url) {
      const { pathname, search } = new URL(url);
      const { status, headers } = await asking(url)({ method: 'GET', path: `${pathname}${search}` });
      if (headers.location === undefined) throw new Error(`A double asked for a login answered ${status}.`);
      return new URL(headers.location);
    },
    stop: () => void child.kill(),
  };
}

/** Doubles are on this machine, and nobody else is asked by it. */
function asking(url: string) {
  const { hostname, port, origin } = new URL(url);
  return openAskSelf({ host: hostname, port: Number(port), publicUrl: origin, tls: false });
}

function firstLine(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    if (child.stdout === null) return resolve(undefined);
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('error', () => resolve(undefined));
    child.once('exit', () => resolve(undefined));
  });
}
