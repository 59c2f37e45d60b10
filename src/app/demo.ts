import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { DemoSite } from '../demo/index.ts';
import { systemClock } from '../platform/clock.ts';
import type { Config } from '../platform/config.ts';
import { lockHolder } from '../platform/data_dir.ts';
import { readDemoConfig } from '../platform/demo_config.ts';
import { everyOrganisation, everywhere, type Postgres, type Sql } from '../platform/postgres/index.ts';
import { makePrivateFolder } from '../platform/private_file.ts';
import { systemRandom } from '../platform/random.ts';
import { isoDay, localDay } from '../platform/zone.ts';
import { startDemoPlatforms } from './demo_platforms.ts';
import { demoUsage, readArgs, UsageError } from './usage.ts';
import { version } from './version.ts';

const daysDefault = 90;
const daysMax = 90;
const email = 'demo@example.com';
const organisation = 'Example Company';
/** Says that a folder was made by a demo, which alone may remove it. */
const markFile = 'made-by-fairlead-demo.json';
const goingEnd = '.going-';
/** The page reads it (web/src/shell/demo_banner.tsx) before it has asked anything. */
const head = '<meta name="fairlead-demo" content="yes" />';

/**
 * `fairlead demo`: a desk of its own, filled with made-up visitors, for this machine alone. Everything of it lies in
 * one folder that is made anew at each start and removed at the end; no real data, key or address is ever read.
 */
export async function runDemo(args: string[]): Promise<number> {
  const { values } = readArgs(
    args,
    { days: { type: 'string' }, port: { type: 'string' }, seed: { type: 'string' }, folder: { type: 'string' } },
    demoUsage,
  );
  const days = Number(values.days ?? daysDefault);
  if (!Number.isInteger(days) || days < 1 || days > daysMax)
    throw new UsageError(`--days: write a whole number from 1 to ${daysMax}.\nUsage: ${demoUsage}`);
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const folder = resolve(String(values.folder ?? 'demo-data'));
  const place = { folder, port: values.port as string | undefined };
  // Doubles send whoever signs in there back to the desk, and the desk knows where they are.
  const platforms = await startDemoPlatforms(readDemoConfig(place).config.publicUrl);
  process.once('exit', () => platforms?.stop());
  const { config, unused } = readDemoConfig({
    ...place,
    platforms: platforms?.addresses ?? {},
    apps: platforms?.apps ?? {},
  });
  for (const name of unused) say(`${name} is set and not used: a demo has everything of its own.`);
  const asked = new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => done());
  });
  await takeFolder(folder, config, say);
  // Loaded when nothing stands against a demo any more: a refusal comes at once.
  const [
    { startServer },
    { openScenario },
    { fillDesk },
    { setUpDesk },
    { signInRoute },
    { sitesChanged },
    { fillRelay },
  ] = await Promise.all([
    import('./serve.ts'),
    import('../demo/index.ts'),
    import('./demo_traffic.ts'),
    import('./set_up_desk.ts'),
    import('./demo_door.ts'),
    import('../accounts/index.ts'),
    import('./demo_relay.ts'),
  ]);
  const nowMs = systemClock.now();
  const code = systemRandom.bytes(16).toString('base64url');
  const server = await startServer(config, {
    say,
    isQuiet: true,
    head,
    routes: (desk) => [signInRoute(desk, { code, email })],
  });
  try {
    const scenario = openScenario({ seed: String(values.seed ?? 'fairlead'), nowMs });
    const password = systemRandom.bytes(12).toString('base64url');
    const { postgres } = server.desk.house;
    for (const site of scenario.sites) {
      const made = await setUpDesk(server.desk, {
        email,
        organisation,
        password,
        sites: [site.domain],
        timezone: site.timezone,
        currency: site.currency,
        goals: site.goals,
      });
      await postgres.tenant(made.organisation_id, (sql) => settle(sql, site, { days, nowMs }));
    }
    await sitesChanged();
    // A demo that runs for weeks must not close to its owner: there is nothing in it to protect.
    for (const id of await everyOrganisation(postgres))
      await postgres.tenant(id, (sql) => sql.run("UPDATE organisations SET second_factor = 'off' WHERE id = $1", [id]));
    const [shop] = await everySite(postgres);
    const stopRelay =
      shop === undefined
        ? undefined
        : await fillRelay(server, {
            ...{ seed: String(values.seed ?? 'fairlead'), nowMs, code, platforms },
            ...{ organisationId: shop.organisation_id, organisation: shop.slug, siteId: shop.id },
          });
    const traffic = await fillDesk({ desk: server.desk, scenario, days, nowMs, say, ended: asked });
    if (traffic !== undefined) {
      const address = server.desk.house.config.publicUrl.replace(/:0$/, `:${server.http.address.port}`);
      say(`The demo of Fairlead ${version} is running. Its visitors are made up; it sends nothing to anybody.

  Open this address; it signs you in as long as the demo runs:
  ${address}/demo?code=${code}

  Or sign in at ${address} as ${email} with the password ${password}

  Ctrl-C ends it and removes its data.
`);
      await asked;
      traffic.stop();
      stopRelay?.();
    }
    say('Stopping …');
  } finally {
    await server.stop();
    platforms?.stop();
  }
  await removeFolder(folder, config);
  say('The demo has ended and its data is removed.');
  return 0;
}

/**
 * Makes the folder, after removing what an earlier demo left in it.
 * @throws UsageError when it holds something else, or a demo that is running
 */
async function takeFolder(folder: string, config: Config, say: (line: string) => void): Promise<void> {
  const holder = lockHolder(config.dataDir);
  if (holder !== undefined)
    throw new UsageError(`A demo (process ${holder}) is running in ${folder}. Stop it, or name another --folder.`);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    if (!existsSync(join(folder, markFile)))
      throw new UsageError(`${folder} was not made by a demo and stays as it is. Name another --folder.`);
    say(`The demo of ${madeAt(folder)} is removed and made anew, so that its history ends now.`);
    await removeFolder(folder, config);
  }
  makePrivateFolder(folder);
  removeHalves(folder);
  writeFileSync(join(folder, markFile), `${JSON.stringify({ made_at: new Date(systemClock.now()).toISOString() })}\n`);
}

/** The sites of the demo's organisation, oldest first: its shop is the first. */
function everySite(postgres: Postgres): Promise<{ id: number; organisation_id: number; slug: string }[]> {
  return everywhere(postgres, (sql) =>
    sql.query<{ id: number; organisation_id: number; slug: string }>(
      'SELECT s.id, s.organisation_id, o.slug FROM sites s JOIN organisations o ON o.id = s.organisation_id ORDER BY s.id',
    ),
  );
}

/** What the people of a site have set, and what they wrote onto the days of its history. */
async function settle(sql: Sql, site: DemoSite, { days, nowMs }: { days: number; nowMs: number }): Promise<void> {
  await sql.run('UPDATE sites SET privacy_signals = $2, revenue = $3 WHERE domain = $1', [
    site.domain,
    site.dropsSignals ? 'drop' : 'ignore',
    site.earns,
  ]);
  const today = localDay(nowMs, site.timezone);
  for (const { daysAgo, note } of site.annotations.filter((one) => one.daysAgo < days))
    await sql.run(
      `INSERT INTO annotations (organisation_id, site_id, day, note, created_at)
       SELECT organisation_id, id, $2, $3, $4 FROM sites WHERE domain = $1`,
      [site.domain, isoDay(today - daysAgo), note, new Date(nowMs)],
    );
}

/** What removing left behind when it was cut off. One that is being removed at this moment is only removed sooner. */
function removeHalves(folder: string): void {
  for (const name of readdirSync(dirname(folder)))
    if (name.startsWith(`${basename(folder)}${goingEnd}`))
      rmSync(join(dirname(folder), name), { recursive: true, force: true, maxRetries: 3 });
}

function madeAt(folder: string): string {
  try {
    return String(JSON.parse(readFileSync(join(folder, markFile), 'utf8')).made_at).slice(0, 10);
  } catch {
    return 'an earlier day';
  }
}

async function removeFolder(folder: string, config: Config): Promise<void> {
  const { erasePlace } = await import('../platform/postgres/index.ts');
  await erasePlace(config.dataDir);
  // Taken out of the way whole: one that starts meanwhile finds a demo's folder or none, never the half of one.
  const going = `${folder}${goingEnd}${process.pid}`;
  try {
    renameSync(folder, going);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    // A folder that cannot be moved, such as the root of a disk, is emptied where it is.
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    return;
  }
  rmSync(going, { recursive: true, force: true, maxRetries: 3 });
}
