import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stillClock, systemClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import { seededRandom, systemRandom } from '../../platform/random.ts';
import { openSpool, type Spool } from '../../platform/spool/index.ts';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import type { EventRow } from '../event_row.ts';
import { openTestWarehouse } from '../query/rig.ts';
import { openSalts } from '../visits/salt.ts';
import type { Outcome, Sender } from './ingest.ts';
import { type Restored, restore } from './restore.ts';
import { browserHeaders, chrome, openRig, person, shop, shopKey } from './rig.ts';

/** Real spool, real salts, real engine: what a restart finds is what the last process left on the disk. */

const minute = 60_000;
/** Far ahead: the engine has a clock of its own, by which the event keys of yesterday and before are deleted. */
const noon = Date.UTC(2099, 5, 1, 12);
const other = { ...shop, id: 2, domain: 'other.example' };
let warehouse: Warehouse;
let closeWarehouse: () => Promise<void>;
let folder: string;
let tokens = 0;

beforeAll(async () => {
  const opened = await openTestWarehouse();
  warehouse = opened.warehouse;
  closeWarehouse = opened.close;
}, 60_000);
afterAll(() => closeWarehouse());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'restore-'));
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await warehouse.command('TRUNCATE TABLE events');
});

type Said = [atMinutes: number, event: object, sender?: Partial<Sender>];

const pages = { n: 'pageview', u: 'https://shop.example/a', d: 'shop.example' };
const ann = { address: '203.0.113.1' };
const ben = { address: '198.51.100.2' };
const cas = { address: '203.0.113.3', userAgent: `${chrome} Edg/140.0.0.0`, headers: browserHeaders };
const dot = { address: '203.0.113.4' };

/** Before the stop, stored in the warehouse. */
const loaded: Said[] = [
  [
    0,
    {
      ...pages,
      u: 'https://shop.example/in?utm_source=news&utm_medium=email&gclid=x',
      r: 'https://www.google.com/q',
      sc: '1440x900',
      id: 'a1',
    },
    ann,
  ],
  [1, { ...pages, n: 'Signup', u: 'https://shop.example/join', p: { plan: 'pro' } }, ben],
  [2, { ...pages, n: 'purchase', $: { amount: '19.99', currency: 'EUR', order_id: 'A-1' }, id: 'c1' }, cas],
  [3, { ...pages, d: 'shop.example,other.example' }, dot],
  [4, { ...pages, n: 'engagement', e: 4_000, sd: 40 }, ann],
  [5, { ...pages, ip: '203.0.113.9', user_agent: chrome, time: '2099-06-01T09:00:00Z' }, { principal: shopKey }],
];
/** Before the stop too, still in the spool when the process ends. */
const pending: Said[] = [
  [20, { ...pages, u: 'https://shop.example/b', id: 'a2' }, ann],
  [21, { ...pages, n: 'purchase', $: { amount: '5', currency: 'EUR', order_id: 'B-1' } }, ben],
  [22, { ...pages, u: 'https://shop.example/new' }, { address: '203.0.113.5' }],
];
/** After it: what each visitor does next shows whether anything was forgotten. */
const after: Said[] = [
  [32.9, { ...pages, u: 'https://shop.example/c' }, cas],
  [34.5, { ...pages, u: 'https://shop.example/too-late' }, dot],
  [40, { ...pages, id: 'a1' }, ann],
  [40.5, { ...pages, id: 'a2' }, ann],
  [45, { ...pages, n: 'engagement', e: 9_000, sd: 90 }, ann],
  [46, { ...pages, u: 'https://shop.example/entry-of-ben' }, ben],
  [47, { ...pages, n: 'purchase', $: { amount: '19.99', currency: 'EUR', order_id: 'A-1' } }, cas],
  [48, { ...pages, n: 'purchase', $: { amount: '5', currency: 'EUR', order_id: 'B-1' } }, cas],
  [49, { ...pages, n: 'purchase', $: { amount: '7', currency: 'EUR', order_id: 'C-1' } }, cas],
  [52.9, { ...pages, u: 'https://shop.example/again' }, { address: '203.0.113.5' }],
  [53, { ...pages, n: 'engagement', e: 1_000 }, { address: '203.0.113.99' }],
];

type Process = ReturnType<typeof openRig> & { spool: Spool; restored: Restored; end(): Promise<void> };

/** A process over what lies in the folder and the warehouse. */
async function start(atMs: number, random = seededRandom('ids'), startMs = noon): Promise<Process> {
  const spool = await openSpool({
    dir: folder,
    lanes: ['events', 'bots', 'drops'],
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
  const salts = openSalts({
    file: join(folder, 'keys', 'salts'),
    clock: stillClock(startMs),
    random: seededRandom('salt'),
    log: silentLog,
  });
  const rig = openRig({ sites: [shop, other], startMs: atMs, random, salts });
  const { visits, eventKeys, orderKeys } = rig.desk;
  const pendingRows = spool.pending('events');
  const restored = await restore({ warehouse, pending: pendingRows, visits, eventKeys, orderKeys, nowMs: atMs });
  // The rig's lane keeps the rows for the comparison, and the spool keeps them for the next process.
  const { append } = rig.events;
  rig.events.append = ((rows: string, done: (refusal?: never) => void) => {
    append(rows, () => {});
    spool.lane('events').append(rows, done as () => void);
  }) as typeof append;
  return { ...rig, spool, restored, end: () => spool.close() };
}

async function say(process: Process, events: readonly Said[], startMs = noon): Promise<void> {
  for (const [at, event, sender] of events) {
    process.clock.set(startMs + at * minute);
    await new Promise<Outcome>((resolve) => process.ingest.take(event, person(sender), resolve));
  }
}

/** What the loader does with a closed segment. */
function load(rows: readonly EventRow[]): Promise<void> {
  return warehouse.insert(
    'events',
    Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
    `restore-${tokens++}`,
  );
}

async function uninterrupted(): Promise<EventRow[]> {
  const process = await start(noon);
  await say(process, [...loaded, ...pending, ...after]);
  await process.end();
  // The second run begins as the first one did: with an empty folder, and so with the same draws.
  for (const part of ['spool', 'keys']) rmSync(join(folder, part), { recursive: true });
  return process.rows();
}

describe('a process that was stopped and one that was not write the same rows', () => {
  it.each([
    ['rows loaded, and rows still in the spool', false],
    ['rows in both, after a crash between the answer and the deletion', true],
  ])('%s', async (_title, alsoLoaded) => {
    const expected = await uninterrupted();
    const random = seededRandom('ids');

    const first = await start(noon, random);
    await say(first, loaded);
    await load(first.rows());
    await first.end();
    rmSync(join(folder, 'spool'), { recursive: true });

    const second = await start(noon + 10 * minute, random);
    await say(second, pending);
    if (alsoLoaded) await load(second.rows());
    await second.end();

    const third = await start(noon + 30 * minute, random);
    await say(third, after);
    await third.end();

    expect([...first.rows(), ...second.rows(), ...third.rows()]).toEqual(expected);
    // That the list above asks the right questions: visits that go on, one that is over, repeats, orders.
    expect(third.rows().map((row) => [row.pathname, row.visit_start.slice(11, 16), row.revenue_amount])).toEqual([
      ['/c', '12:02', '0'],
      ['/too-late', '12:34', '0'],
      ['/a', '12:00', '0'],
      ['/entry-of-ben', '12:01', '0'],
      ['/a', '12:02', '0'],
      ['/a', '12:02', '0'],
      ['/a', '12:02', '7.000'],
      ['/again', '12:22', '0'],
    ]);
    expect(third.rows()[3]?.entry_page).toBe('/entry-of-ben');
  });
});

it('a stop within the grace after midnight leaves the visit whole, under its old id', async () => {
  const midnight = Date.UTC(2099, 5, 2);
  const first = await start(midnight - 5 * minute, seededRandom('ids'), midnight - 5 * minute);
  await say(first, [[-5, pages, ann]], midnight);
  await first.end();
  const second = await start(midnight + 4 * minute, seededRandom('more'), midnight + 4 * minute);
  await say(second, [[5, { ...pages, u: 'https://shop.example/b' }, ann]], midnight);
  await second.end();
  const [before, next] = [first.rows()[0], second.rows()[0]];
  expect(next).toMatchObject({ visit_id: before?.visit_id, visitor_id: before?.visitor_id, id_day: '2099-06-01' });
});

it('imported rows and late ones are no running visits', async () => {
  const process = await start(noon);
  await say(process, [[0, pages, ann]]);
  await process.end();
  rmSync(join(folder, 'spool'), { recursive: true });
  const [row] = process.rows() as [EventRow];
  await load([
    { ...row, visit_id: '1', visitor_id: '1', import_id: 3 },
    { ...row, visit_id: '2', visitor_id: '2', detached: 1 },
    { ...row, visit_id: '3', visitor_id: '3' },
  ]);
  const next = await start(noon + minute);
  await next.end();
  expect(next.desk.visits.count()).toBe(1);
});

it('a damaged row in the spool keeps nobody from starting, and the rows around it count', async () => {
  const process = await start(noon);
  await say(process, [
    [0, { ...pages, id: 'd1' }, ann],
    [1, { ...pages, id: 'd2' }, ben],
  ]);
  await process.end();
  const lane = join(folder, 'spool', 'events');
  const [file = ''] = readdirSync(lane);
  const [first, second] = readFileSync(join(lane, file), 'utf8').split('\n');
  writeFileSync(join(lane, file), `${first}\n{"site_id":1,"ti\n{"site_id":1}\n${second}\n`);

  const next = await start(noon + 2 * minute);
  expect(next.restored).toMatchObject({ visits: 2, eventKeys: 2, pendingRows: 4, unreadableRows: 2 });
  await next.end();
});

it('event ids of the last 24 hours come back, older ones and other columns do not', async () => {
  const process = await start(noon);
  await say(process, [[0, { ...pages, id: 'e1' }, ann]]);
  await process.end();
  rmSync(join(folder, 'spool'), { recursive: true });
  await load(process.rows());
  for (const [hours, repeats] of [
    [1, 1],
    [23.9, 1],
    [24.1, 0],
  ] as const) {
    const next = await start(noon + hours * 60 * minute);
    await say(next, [[hours * 60, { ...pages, id: 'e1' }, ann]]);
    await next.end();
    rmSync(join(folder, 'spool'), { recursive: true });
    expect([hours, next.rows().length]).toEqual([hours, 1 - repeats]);
  }
});
