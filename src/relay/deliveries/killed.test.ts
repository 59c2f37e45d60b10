import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Emulated } from '../../../emulators/admin.ts';
import { openDataManagerEmulator } from '../../../emulators/data_manager.ts';
import { openMetaEmulator } from '../../../emulators/meta.ts';
import { fastClock } from '../../../test/relay/fast_clock.ts';
import { openSendingHouse, root, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { brokenRules } from '../../billing/credits/check.ts';
import { changeCredits } from '../../billing/credits/grants.ts';
import { systemRandom } from '../../platform/random.ts';
import { order } from '../destinations/senders_fixture.ts';

/**
 * The acceptance of the reference on small data: 2,000 conversions to 3 accounts, a fifth of all answers wrong, and the process
 * that sends killed three times. An hour is over in a minute, for senders and platforms alike.
 */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });
const conversions = 2_000;
const speed = 60;
const startMs = performance.timeOrigin + performance.now();
const clock = fastClock(startMs, speed);
let seed = 11;
function chance(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}
let meta: Emulated;
let google: Emulated;
let house: SendingHouse;
let child: ChildProcess | undefined;
const children: ChildProcess[] = [];
let said = '';
const dataset = '1234567890';
beforeAll(async () => {
  const parts = { now: () => clock.now(), chance };
  meta = await openMetaEmulator({ ...parts, datasets: [dataset, '22'], tokens: { token: 'valid' } });
  google = await openDataManagerEmulator({
    ...parts,
    tokens: { token: ['https://www.googleapis.com/auth/datamanager'] },
    accounts: { '1234567890': ['555'] },
  });
  house = await openSendingHouse({ clock, baseUrls: {} });
});
afterAll(async () => {
  for (const one of children) one.kill('SIGKILL');
  await Promise.all([meta.close(), google.close(), house.close()]);
});

async function begin(): Promise<void> {
  const [own, server = own] = house.store.postgres.directories as [string, string?];
  const { app } = JSON.parse(await readFile(join(own, 'credentials.json'), 'utf8')) as { app: string };
  const login = { host: join(server, 'socket'), user: 'fairlead_login', password: app, database: 'fairlead' };
  const told = {
    ...{ login, root: root.toString('hex'), startMs, speed },
    baseUrls: { 'meta-capi': meta.url, 'google-data-manager': google.url },
  };
  const file = fileURLToPath(new URL('../../../test/relay/send_forever.ts', import.meta.url));
  child = spawn(process.execPath, [file, JSON.stringify(told)], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece) => (said += piece));
}
async function kill(): Promise<void> {
  const ended = child === undefined ? undefined : once(child, 'exit');
  child?.kill('SIGKILL');
  await ended;
}

const accepted = () =>
  house.inside(async (sql) => {
    const { n } = await sql.one<{ n: number }>(
      `SELECT count(*)::int AS n FROM relay_deliveries WHERE state = 'accepted'`,
    );
    return n;
  });

it('each delivery ends once and each platform counts each conversion once, through chaos and kill -9, and each is charged once (BIL-03)', async () => {
  await changeCredits(
    {
      postgres: house.senders.postgres as never,
      audit: { record: async () => {} } as never,
      clock,
      random: systemRandom,
    },
    house.organisation,
    { credits: 20_000 },
    { actor: { type: 'operator' } },
  );
  const to = [
    await house.addDestination('meta-capi', { dataset_id: dataset }),
    await house.addDestination('meta-capi', { dataset_id: '22' }),
    await house.addDestination('google-data-manager', { customer_id: '1234567890', conversion_action_id: '555' }),
  ];
  const occurred_at = new Date(clock.now() - 3_600_000).toISOString();
  const given = (place: number) => ({ given: { ...order, order_id: `K-${place}`, occurred_at } });
  // In waves, so that there is something to send when a process is killed.
  const wave = (from: number) =>
    house.add(
      to,
      Array.from({ length: conversions / 4 }, (_, place) => given(from + place)),
    );
  for (const each of [meta, google]) {
    each.admin('POST', '/chaos', {
      ...{ share: 0.2, ms: 20 },
      modes: ['latency', 'reset_mid_body', 'html_502', 'duplicate_answer', 'drop_answer', 'quota', 'repeated_request'],
    });
    // Once for certain, whatever chance has: taken, and never answered.
    each.admin('POST', '/next', [{ chaos: 'drop_answer' }]);
  }
  for (let kills = 0; kills < 3; kills++) {
    await wave((kills * conversions) / 4);
    const before = await accepted();
    await begin();
    await vi.waitFor(async () => expect(await accepted()).toBeGreaterThan(before), { timeout: 60_000, interval: 20 });
    await kill();
  }
  await wave((3 * conversions) / 4);
  // Two at once take nothing from each other.
  await Promise.all([begin(), begin()]);
  await vi.waitFor(async () => expect(await accepted()).toBe(conversions * to.length), {
    timeout: 240_000,
    interval: 200,
  });

  const expected = new Set(Array.from({ length: conversions }, (_, place) => `K-${place}`));
  for (const [emulator, accounts] of [
    [meta, [dataset, '22']],
    [google, ['1234567890/555']],
  ] as const) {
    const { counted } = emulator.admin('GET', '/counted') as {
      counted: { to: string; id: string; received: number }[];
    };
    for (const account of accounts) {
      const ids = counted.filter((one) => one.to === account).map(({ id }) => id);
      expect([ids.length, new Set(ids)]).toEqual([conversions, expected]);
    }
    // Chaos and kills have had their part: some came more than once.
    expect(counted.some(({ received }) => received > 1)).toBe(true);
  }
  const left = await house.inside(async (sql) => ({
    states: await sql.query('SELECT state, count(*)::int AS n FROM relay_deliveries GROUP BY state'),
    open: await sql.one('SELECT count(*)::int AS n FROM relay_conversions WHERE settled_at IS NULL'),
    answers: await sql.query('SELECT answer, reason FROM relay_attempts'),
    died: await sql.one<{ n: number }>('SELECT count(*)::int AS n FROM relay_attempts WHERE ms IS NULL'),
  }));
  expect(left).toMatchObject({ states: [{ state: 'accepted', n: conversions * to.length }], open: { n: 0 } });
  const ledger = await house.inside(async (sql) => ({
    account: await sql.one('SELECT consumed FROM credit_accounts'),
    charged: await sql.one('SELECT count(*)::int AS n, count(DISTINCT delivery_id)::int AS of FROM credit_charges'),
    broken: await brokenRules(sql, house.organisation, clock.now()),
  }));
  const all = conversions * to.length;
  expect(ledger).toEqual({ account: { consumed: all * 1_000_000 }, charged: { n: all, of: all }, broken: [] });
  // Nothing raw of anybody went out, was written down, or was said.
  const bodies = [meta, google].map((each) => JSON.stringify(each.admin('GET', '/received')));
  for (const text of [...bodies, JSON.stringify(left), said]) expect(text).not.toMatch(/alexz|8005550100|C-77/i);
  for (const text of [JSON.stringify(left), said]) expect(text).not.toMatch(/[0-9a-f]{64}|81\.2\.69|Bearer|Mozilla/);
});
