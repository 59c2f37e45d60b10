/**
 * How many conversions a second reach a platform, end to end in batches: rows are there, and from then on everything is
 * counted, until the row of each says that it was accepted. The platform is Meta's emulator in a process of its own.
 *   node bench/relay_deliver.ts [conversions] [--statements] [--credits]
 * With `--statements` each statement of the sender waits for the one before, and what it took of PostgreSQL's processor stands beside it.
 * With `--credits` each costs one, held and charged as on a desk whose operator has them on.
 * Target: 3,000 a second on 2 cores, emulator included. The load of the machine is said beside it.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { openMetaEmulator } from '../emulators/meta.ts';
import { changeCredits } from '../src/billing/credits/grants.ts';
import { sendingCosts } from '../src/billing/credits/sending.ts';
import { type Clock, systemClock } from '../src/platform/clock.ts';
import type { Prepared, Sql } from '../src/platform/postgres/index.ts';
import { systemRandom } from '../src/platform/random.ts';
import { openLanes } from '../src/relay/deliveries/lanes.ts';
import type { Senders } from '../src/relay/deliveries/parts.ts';
import { openSendingHouse } from '../test/relay/sending_house.ts';

const dataset = '1234567890';
const rounds = 3;
/** Looks for what is due when it is told to, so that nothing is sent before it is measured. */
const whenAsked: Clock = { ...systemClock, after: (ms, work) => systemClock.after(ms === 500 ? 1e9 : ms, work) };

if (process.argv[2] === 'platform') {
  const meta = await openMetaEmulator({
    ...{ now: () => systemClock.now(), chance: () => 0.5, datasets: [dataset], tokens: { token: 'valid' } },
  });
  process.stdout.write(meta.url);
  process.stdin.on('end', () => process.exit(0));
  process.stdin.on('data', () => {
    const { user, system } = process.cpuUsage();
    process.stdout.write(String(user + system));
  });
} else await measure(Number(process.argv[2] ?? 20_000), process.argv.includes('--statements'));

async function measure(conversions: number, isByStatement: boolean): Promise<void> {
  const platform = spawn(process.execPath, [process.argv[1] as string, 'platform'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [url] = (await once(platform.stdout, 'data')) as [Buffer];
  const house = await openSendingHouse({ clock: systemClock, baseUrls: { 'meta-capi': String(url) } });
  const byStatement = new Map<string, number>();
  const timed = timedPostgres(house.senders.postgres, byStatement);
  const isCosting = process.argv.includes('--credits');
  const costs = isCosting ? { credits: { ...sendingCosts({ clock: systemClock }), onAdded: () => () => {} } } : {};
  const postgres = isByStatement ? timed : house.senders.postgres;
  const isOwn = isByStatement || isCosting;
  const lanes = isOwn ? openLanes({ ...house.senders, ...costs, postgres, clock: whenAsked }) : house.lanes;
  if (isCosting)
    await changeCredits(
      {
        postgres: house.senders.postgres as never,
        ...{ audit: { record: async () => {} } as never, clock: systemClock, random: systemRandom },
      },
      house.organisation,
      { credits: conversions * rounds },
      { actor: { type: 'operator' } },
    );
  const rates: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const to = await house.addDestination('meta-capi', { dataset_id: dataset });
      for (let from = 0; from < conversions; from += 5_000)
        await house.add(
          [to],
          Array.from({ length: Math.min(5_000, conversions - from) }, (_, at) => ({ given: given(round, from + at) })),
        );
      const before = process.cpuUsage();
      const [ofServer, ofPlatform] = [await serverUs(house.store.postgres.directories), await askUs(platform)];
      const started = performance.now();
      byStatement.clear();
      let accepted = 0;
      while (accepted < conversions) {
        await lanes.idle();
        accepted = await house.inside(
          async (sql) =>
            (
              await sql.one<{ n: number }>(
                `SELECT count(*)::int AS n FROM relay_deliveries WHERE destination_id = $1 AND state = 'accepted'`,
                [to],
              )
            ).n,
        );
      }
      const seconds = (performance.now() - started) / 1_000;
      const used = process.cpuUsage(before);
      const each = (us: number) => `${(us / conversions).toFixed(0)} µs`;
      rates.push(conversions / seconds);
      for (const [text, us] of [...byStatement].sort(([, a], [, b]) => b - a)) console.log(`  ${each(us)}  ${text}`);
      console.log(
        `${Math.round(conversions / seconds)} a second; processor each: sender ${each(used.user + used.system)}, PostgreSQL ${each((await serverUs(house.store.postgres.directories)) - ofServer)}, platform ${each((await askUs(platform)) - ofPlatform)}; load ${loadavg()[0]?.toFixed(1)}; ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MB`,
      );
    }
    console.log(`median ${Math.round(rates.sort((a, b) => a - b)[rounds >> 1] as number)} a second`);
  } finally {
    await house.close();
    platform.stdin.end();
  }
}

/** Adds up what each statement took of the processor of its server process; Linux alone. */
function timedPostgres(postgres: Senders['postgres'], byStatement: Map<string, number>): Senders['postgres'] {
  const timed = (sql: Sql, pid: number): Sql => {
    const taking =
      <Args extends [text: string | Prepared, ...unknown[]], Said>(ask: (...args: Args) => Promise<Said>) =>
      async (...args: Args): Promise<Said> => {
        const before = await processUs(pid);
        const said = await ask(...args);
        const [text] = args;
        const name = (typeof text === 'string' ? text : text.text).replace(/\s+/g, ' ').slice(0, 90);
        byStatement.set(name, (byStatement.get(name) ?? 0) + (await processUs(pid)) - before);
        return said;
      };
    return {
      ...sql,
      query: taking(sql.query) as Sql['query'],
      one: taking(sql.one) as Sql['one'],
      maybe: taking(sql.maybe) as Sql['maybe'],
      run: taking(sql.run),
    };
  };
  return {
    ...postgres,
    tenant: (organisation, work) =>
      postgres.tenant(organisation, async (sql) => {
        const { pid } = await sql.one<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        return work(timed(sql, pid));
      }),
  };
}

async function processUs(pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/schedstat`, 'utf8')).split(' ')[0]) / 1_000;
}

async function askUs(platform: { stdin: NodeJS.WritableStream; stdout: NodeJS.ReadableStream }): Promise<number> {
  platform.stdin.write('?');
  const [us] = (await once(platform.stdout, 'data')) as [Buffer];
  return Number(String(us));
}

/** Processor time of the database server's processes so far, in microseconds; Linux alone, else 0. */
async function serverUs(directories: readonly string[]): Promise<number> {
  const pidFile = join(directories[1] ?? (directories[0] as string), 'cluster', 'postmaster.pid');
  const postmaster = (await readFile(pidFile, 'utf8')).split('\n')[0];
  let ticks = 0;
  for (const pid of await readdir('/proc').catch(() => [])) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (pid === postmaster || fields[1] === postmaster) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10_000;
}

function given(round: number, at: number): object {
  return {
    event_name: 'purchase',
    occurred_at: new Date(systemClock.now() - 60_000).toISOString(),
    ...{ value: '129.90', currency: 'EUR', order_id: `P-${round}-${at}`, page_url: 'https://shop.example/thanks' },
    action_source: 'website',
    consent: { ad_user_data: 'granted', ad_personalization: 'granted' },
    user: {
      ...{ email: `person.${at}@mail.example`, phone: `+1415555${String(at % 10_000).padStart(4, '0')}` },
      ...{ external_id: `C-${at}`, ip: '81.2.69.142', user_agent: 'Mozilla/5.0' },
    },
  };
}
