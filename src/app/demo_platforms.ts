import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Doubles of the ad platforms, which stand in the repository and in no package. */
const emulators = fileURLToPath(new URL('../../emulators/all.ts', import.meta.url));

/** By kind of destination the name of its double. */
const doubles: Readonly<Record<string, string>> = {
  'meta-capi': 'meta',
  'google-data-manager': 'data_manager',
  tiktok: 'tiktok',
  linkedin: 'linkedin',
};

export interface DemoPlatforms {
  /** By kind of destination: where its double listens. */
  readonly addresses: Readonly<Record<string, string>>;
  stop(): void;
}

/** Starts the doubles of a demo, on this machine alone and for as long as it runs; undefined where there are none. */
export async function startDemoPlatforms(): Promise<DemoPlatforms | undefined> {
  if (!existsSync(emulators)) return undefined;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', emulators], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {},
  });
  const line = await firstLine(child);
  if (line === undefined) return undefined;
  const { platforms } = JSON.parse(line) as { platforms: Record<string, string> };
  const addresses = Object.entries(doubles).flatMap(([kind, name]) => {
    const address = platforms[name];
    return address === undefined ? [] : [[kind, address] as const];
  });
  return { addresses: Object.fromEntries(addresses), stop: () => void child.kill() };
}

function firstLine(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    if (child.stdout === null) return resolve(undefined);
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('error', () => resolve(undefined));
    child.once('exit', () => resolve(undefined));
  });
}
