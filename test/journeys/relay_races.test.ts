import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { DeletionReceipt } from '../../contract/relay_reading.ts';
import { conversionHolder } from '../../src/relay/life/holder.ts';
import { continueDeletions } from '../../src/relay/reading/index.ts';
import { openTestDesk, type TestDesk } from './desk.ts';

/** What was acknowledged a moment ago belongs to what is deleted now, also while it is not stored yet. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 });
let desk: TestDesk;
let organisation: number;
let address: string;

const path = (rest: string) => `/api/organisations/${organisation}/relay${rest}`;
const sql = <Row extends object>(text: string, params: unknown[] = []) =>
  desk.server.desk.house.postgres.tenant(organisation, (one) => one.query<Row>(text, params));
async function send(order: string, more: object = {}): Promise<void> {
  const occurred_at = new Date(desk.server.desk.house.clock.now() - 60_000).toISOString();
  const body = { event_name: 'purchase', occurred_at, order_id: order, ...more };
  const answer = await desk.raw({
    ...{ path: new URL(address).pathname, headers: { 'content-type': 'application/json' } },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(202);
}
const orders = async () =>
  (await sql<{ order_id: string }>('SELECT order_id FROM relay_conversions ORDER BY order_id')).map(
    ({ order_id }) => order_id,
  );
const drained = (ms: number) => desk.server.desk.house.spool.drain(ms, ['conversions']);
/** Until the spool has come back from what it waited for. */
const settled = () => vi.waitFor(async () => expect(await drained(5_000)).toBe(true), 20_000);
async function remove(body: object): Promise<DeletionReceipt> {
  const answer = await desk.call('POST', path('/deletions'), body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body as unknown as DeletionReceipt;
}
const receipt = async (id: number) =>
  ((await desk.call('GET', path('/deletions'))).body.deletions as DeletionReceipt[]).find((one) => one.id === id);

/** While nothing is stored: a second telling of `order` waits for its conversion, and all that comes after waits behind it. */
async function whileNothingIsStored(order: string, work: () => Promise<void>): Promise<void> {
  const locked = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const holding = desk.server.desk.house.postgres.tenant(organisation, async (one) => {
    await one.query('SELECT FROM relay_conversions WHERE order_id = $1 FOR UPDATE', [order]);
    locked.resolve();
    await goOn.promise;
  });
  await locked.promise;
  try {
    await send(order);
    await work();
  } finally {
    goOn.resolve();
    await holding;
  }
}

beforeAll(async () => {
  desk = await openTestDesk(['shop.example']);
  const [row] = await desk.server.desk.house.postgres.system((one) =>
    one.query<{ organisation_id: number }>('SELECT organisation_id FROM lookup.every_organisation()'),
  );
  organisation = Number(row?.organisation_id);
  const made = await desk.call('POST', path('/sources'), { name: 'Shop', kind: 'http', preset: 'canonical' });
  address = String(made.body.address);
  await send('A-1');
  await settled();
});
afterAll(() => desk?.close());

it('a deletion by a filter is not done before what was acknowledged is stored, and takes that too', async () => {
  let id = 0;
  await whileNothingIsStored('A-1', async () => {
    await send('lead-1', { event_name: 'lead' });
    const first = await remove({ filter: { event: 'lead' } });
    expect(first).toMatchObject({ state: 'running', conversions: 0 });
    ({ id } = first);
  });
  await settled();
  expect(await orders()).toEqual(['A-1', 'lead-1']);
  // The timer that goes on with it, without its minute.
  const { house } = desk.server.desk;
  const clock = { ...house.clock, after: (_ms: number, work: () => void) => house.clock.after(10, work) };
  const stop = continueDeletions({ ...house, clock, settle: () => drained(5_000) });
  await vi.waitFor(async () => expect(await receipt(id)).toMatchObject({ state: 'done', conversions: 1 }), 10_000);
  stop();
  expect(await orders()).toEqual(['A-1']);
});

it('an erasure of somebody waits for what was acknowledged of them', async () => {
  const { house } = desk.server.desk;
  const holder = conversionHolder({ ...house, settle: () => drained(300) });
  const who = {
    organisationId: organisation,
    identifiers: [
      { kind: 'email' as const, digest: house.vault.subject(organisation, 'email', 'canary@person.example') },
    ],
  };
  const held = { siteIds: new Map(), personIds: new Map() };
  await whileNothingIsStored('A-1', async () => {
    await send('P-1', { user: { email: 'canary@person.example' } });
    await expect(holder.eraseBefore?.(who, held)).rejects.toThrow('are not stored yet');
  });
  await settled();
  expect(await holder.eraseBefore?.(who, held)).toEqual({ gone: [], kept: [] });
  await house.postgres.tenant(organisation, (one) => holder.erase?.(one, who, held) ?? Promise.reject());
  expect(await orders()).toEqual(['A-1']);
  expect(await holder.left(who, held)).toEqual([]);
});

it('takes the request of a conversion, which is otherwise kept a second later', async () => {
  await send('C-1');
  await settled();
  const [row] = await sql<{ id: string }>("SELECT id FROM relay_conversions WHERE order_id = 'C-1'");
  const gone = await remove({ ids: [row?.id] });
  expect(gone).toMatchObject({ state: 'done', conversions: 1, captures: 1 });
});

it('after a deletion of everything nothing that was acknowledged before is there, nor its request', async () => {
  for (let order = 0; order < 20; order++) await send(`E-${order}`, { user: { email: `e${order}@person.example` } });
  const all = await remove({ everything: true });
  expect(all).toMatchObject({ state: 'done', what: 'everything' });
  await settled();
  // Requests are kept once a second.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect([await orders(), await sql('SELECT FROM relay_captures')]).toEqual([[], []]);
  await send('N-1');
  await settled();
  expect(await orders()).toEqual(['N-1']);
});
