import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Emulated } from '../../../emulators/admin.ts';
import { openMetaEmulator } from '../../../emulators/meta.ts';
import { openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { stillClock } from '../../platform/clock.ts';
import { order } from '../destinations/senders_fixture.ts';
import { conversionHolder } from '../life/holder.ts';
import { withholdRefused } from '../routing/withdrawn.ts';
import { openAccount } from './account.ts';
import { deliveryLimits } from './limits.ts';
import type { Account } from './parts.ts';
import { previewReplay } from './preview.ts';
import { replay } from './replays.ts';
import { take } from './take.ts';

/** Who said no after a conversion was taken, was refused, or was under way: nothing of theirs goes again. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });
const clock = stillClock(Date.parse('2026-11-30T09:00:00Z'));
let meta: Emulated;
let house: SendingHouse;
/** A platform that keeps its requests waiting until it is told what to say. */
let slow: Server;
const asked: { body: string; answer: ServerResponse }[] = [];
beforeAll(async () => {
  meta = await openMetaEmulator({
    ...{ now: () => clock.now(), chance: () => 0.5, datasets: ['1'], tokens: { token: 'valid' } },
  });
  slow = createServer((request, answer) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => asked.push({ body, answer }));
  });
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  const slowUrl = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
  house = await openSendingHouse({
    clock,
    baseUrls: { 'meta-capi': meta.url, snap: slowUrl, tiktok: slowUrl, ga4: slowUrl },
  });
});
afterAll(async () => {
  await Promise.all([meta.close(), house.close()]);
  slow.closeAllConnections();
  await new Promise((resolve) => slow.close(resolve));
});
beforeEach(() => {
  meta.admin('POST', '/reset', {});
  asked.length = 0;
});

let number = 0;
const orders = (count: number) =>
  Array.from({ length: count }, () => ({
    given: {
      ...{ ...order, order_id: `N-${++number}` },
      occurred_at: new Date(clock.now() - 60_000).toISOString(),
    },
  }));
const digestOf = (email: string) => house.vault.subject(house.organisation, 'email', email);
/** Whom conversions are about, one after the other, as the loader keeps it. */
const about = (conversions: readonly string[], emails: readonly string[]) =>
  house.inside((sql) =>
    sql.run(
      `INSERT INTO relay_subjects (organisation_id, digest, telling_id) SELECT t.organisation_id, u.digest, t.id
       FROM unnest($1::uuid[], $2::bytea[]) AS u(id, digest) JOIN relay_tellings t ON t.conversion_id = u.id`,
      [conversions, emails.map(digestOf)],
    ),
  );
/** A word on record, and what the relay hears of it in the same transaction. */
const says = (
  email: string,
  state: 'given' | 'withdrawn' | 'refused',
  purpose: 'ad_measurement' | 'ad_personalization',
) =>
  house.inside(async (sql) => {
    await sql.run(
      `INSERT INTO consent_records (organisation_id, subject_digest, purpose, state, region, text_version, text_digest, how, recorded_at, proof)
       VALUES ($1, $2, $3, $4, 'eea', '1', $5, 'banner', $6, $5)`,
      [house.organisation, digestOf(email), purpose, state, Buffer.alloc(32), new Date(clock.now())],
    );
    if (state !== 'given')
      await withholdRefused(sql, { organisationId: house.organisation, purpose, digest: digestOf(email) });
  });
/** An objection comes into force, as the register of requests writes it. */
const objects = (email: string) =>
  house.inside(async (sql) => {
    const at = new Date(clock.now());
    const digest = digestOf(email);
    const request = await sql.one<{ id: number }>(
      `INSERT INTO subject_requests (organisation_id, kind, received_on, due_on, warn_on, email_digest, email_sealed, entered_at, entered_by)
       VALUES ($1, 'objection', $2::date, $2::date, $2::date, $3, $3, $2, 1) RETURNING id`,
      [house.organisation, at, digest],
    );
    const { id } = await sql.one<{ id: number }>(
      `INSERT INTO restrictions (organisation_id, request_id, kind, began_at) VALUES ($1, $2, 'objection', $3) RETURNING id`,
      [house.organisation, request.id, at],
    );
    await sql.run(
      `INSERT INTO restricted_identifiers (organisation_id, restriction_id, kind, digest) VALUES ($1, $2, 'email', $3)`,
      [house.organisation, id, digest],
    );
    const who = { organisationId: house.organisation, identifiers: [{ kind: 'email' as const, digest }] };
    await conversionHolder({ postgres: house.store.postgres, vault: house.vault } as never).restrict?.(sql, who, id);
  });
const ends = async (to: number) =>
  (await house.rows(to)).map(({ state, reason, field }) => [state, reason, field] as const);
const again = async (to: number, more: object = {}) =>
  (await house.inside((sql) => replay(sql, house.organisation, { destination: to, ...more }, { now: clock.now() })))
    .deliveries;
const sent = () =>
  (meta.admin('GET', '') as { platform: { events: { event_id: string; opt_out?: boolean }[] } }).platform.events;
const refuseAll = { status: 400, body: { error: { code: 100, error_subcode: 2804016 } } };
const deniedMeasurement = ['withheld', 'consent_denied', 'consent.ad_user_data'];

it('what was set aside before somebody took consent back is not replayed, and others of the same turn are', async () => {
  const to = await house.addDestination('meta-capi', { dataset_id: '1' });
  await about(await house.add([to], orders(4)), ['ada@a.example', 'bo@a.example', 'cy@a.example', 'ada@a.example']);
  meta.admin('POST', '/next', Array(12).fill(refuseAll));
  await house.lanes.idle();
  expect((await ends(to)).map(([state]) => state)).toEqual(Array(4).fill('dead'));
  meta.admin('POST', '/reset', {});
  await says('ada@a.example', 'withdrawn', 'ad_measurement');
  // The last word counts: one that was taken back and given anew is a yes.
  await says('cy@a.example', 'refused', 'ad_measurement');
  await says('cy@a.example', 'given', 'ad_measurement');
  expect(await again(to)).toBe(4);
  await house.lanes.idle();
  const accepted = ['accepted', null, null];
  expect(await ends(to)).toEqual([deniedMeasurement, accepted, accepted, deniedMeasurement]);
  const rows = await house.rows(to);
  expect(sent().map((one) => one.event_id)).toEqual([rows[1]?.platform_id, rows[2]?.platform_id]);
  expect(await again(to, { ids: rows.map(({ id }) => Number(id)) })).toBe(2);
});

it('what was accepted before an objection is not sent again by anybody, wherever it went', async () => {
  const to = await house.addDestination('meta-capi', { dataset_id: '1' });
  const hook = await house.addDestination('webhook', { url: 'https://hook.example/' });
  await house.inside((sql) => sql.run(`UPDATE relay_destinations SET state = 'paused' WHERE id = $1`, [hook]));
  await about(await house.add([to, hook], orders(2)), ['eve@a.example', 'fay@a.example']);
  await house.lanes.idle();
  expect((await ends(to)).map(([state]) => state)).toEqual(['accepted', 'accepted']);
  await house.inside((sql) =>
    sql.run(`UPDATE relay_deliveries SET state = 'dead', settled_at = created_at WHERE destination_id = $1`, [hook]),
  );
  meta.admin('POST', '/reset', {});
  await objects('eve@a.example');
  expect(await again(to, { state: 'accepted' })).toBe(2);
  expect(await again(hook, { ids: [Number((await house.rows(hook))[0]?.id)] })).toBe(1);
  await house.inside((sql) => sql.run(`UPDATE relay_destinations SET state = 'active' WHERE id = $1`, [hook]));
  await house.lanes.idle();
  const restricted = ['withheld', 'restricted', 'user'];
  expect(await ends(to)).toEqual([restricted, ['accepted', null, null]]);
  expect((await ends(hook))[0]).toEqual(restricted);
  expect(sent()).toHaveLength(1);
});

it('what was being sent as they said so is not tried again, nor is what a killed process had', async () => {
  const to = await house.addDestination('snap', { pixel_id: 'a1' });
  await about(await house.add([to], orders(2)), ['gil@a.example', 'hal@a.example']);
  const round = house.lanes.idle();
  await vi.waitFor(() => expect(asked).toHaveLength(1), { timeout: 10_000, interval: 10 });
  await says('gil@a.example', 'withdrawn', 'ad_measurement');
  expect((await ends(to)).map(([state]) => state)).toEqual(['sending', 'sending']);
  asked[0]?.answer.writeHead(503).end();
  await round;
  expect((await ends(to)).map(([state]) => state)).toEqual(['waiting', 'waiting']);
  clock.travel(3_600_000);
  const taken = await account(to);
  // Whoever took them now dies: when the lease is over somebody else has them.
  expect((await take(house.senders, taken, { rows: 9, requests: 9 })).batches.map(({ ready }) => ready.length)).toEqual(
    [1],
  );
  expect((await ends(to)).map(([state]) => state)).toEqual(['withheld', 'sending']);
  expect((await ends(to))[0]).toEqual(deniedMeasurement);
  await says('hal@a.example', 'refused', 'ad_measurement');
  clock.travel(deliveryLimits.leaseMs + 1);
  await house.lanes.idle();
  expect(await ends(to)).toEqual([deniedMeasurement, deniedMeasurement]);
  expect(asked).toHaveLength(1);
});

it('what would be withheld or set aside is said before a replay, and that is what becomes of it', async () => {
  const to = await house.addDestination('meta-capi', { dataset_id: '1' });
  const other = await house.addDestination('ga4', { measurement_id: 'G-1' });
  const [sale, far, bad] = [`N-${++number}`, `N-${++number}`, `N-${++number}`];
  const of = (more: object) => ({ given: { ...orders(1)[0]?.given, ...more } });
  const refund = (order_id: string) =>
    of({ order_id: undefined, original: { order_id }, refund: true, items: undefined });
  const conversions = [
    ...[...orders(3), of({ user: undefined, click_ids: undefined }), of({ order_id: sale }), of({ order_id: far })],
    ...[refund(sale), refund(far), of({ order_id: bad }), refund(bad)],
  ];
  const added = await house.add([to, other], conversions);
  await about(added.slice(0, 3), ['jo@a.example', 'kim@a.example', 'lu@a.example']);
  await about(added.slice(8, 9), ['jo@a.example']);
  await house.inside((sql) =>
    sql.run(
      `UPDATE relay_deliveries SET state = 'dead', reason = 'was_down', settled_at = created_at WHERE destination_id = ANY ($1::bigint[])`,
      [[to, other]],
    ),
  );
  await says('jo@a.example', 'withdrawn', 'ad_measurement');
  await objects('kim@a.example');
  const before = await house.rows(to);
  // All but the purchase of the second refund, which stays where it is.
  const left = Number((await house.rows(other))[5]?.id);
  const ids = [...before, ...(await house.rows(other))].flatMap(({ id }) => (Number(id) === left ? [] : [Number(id)]));
  const said = await previewReplay(house.senders, house.organisation, { ids });
  expect(await house.rows(to)).toEqual(before);
  expect((await again(to, { ids })) + (await again(other, { ids }))).toBe(said.deliveries);
  const answering = setInterval(() => {
    for (const { answer } of asked.splice(0)) answer.writeHead(204).end();
  }, 20);
  await house.lanes.idle();
  // Refunds have looked for their purchases once more.
  clock.travel(deliveryLimits.purchaseLookMs + 1);
  await house.lanes.idle().finally(() => clearInterval(answering));
  const became = async (destination_id: number) =>
    (await house.rows(destination_id)).flatMap(({ id, state, reason, field }) =>
      (state === 'withheld' || state === 'dead') && Number(id) !== left
        ? [{ destination_id, state, reason, field }]
        : [],
    );
  const sorted = (all: object[]) => all.map((one) => JSON.stringify(one)).sort();
  const expected = said.aside.flatMap(({ deliveries, ...one }) => Array<typeof one>(deliveries).fill(one));
  expect(sorted(expected)).toEqual(sorted([...(await became(to)), ...(await became(other))]));
  expect(said).toMatchObject({ deliveries: 19, looked_at: 19, too_old: 0 });
  const [no, stays] = [{ state: 'withheld' }, { state: 'dead' }];
  const ofGa4 = said.aside.filter(({ destination_id }) => destination_id === other);
  expect(ofGa4.map(({ destination_id: _, ...one }) => one)).toEqual(
    expect.arrayContaining([
      { ...no, reason: 'consent_denied', field: 'consent.ad_user_data', deliveries: 2 },
      { ...no, reason: 'restricted', field: 'user', deliveries: 1 },
      { ...stays, reason: 'original_not_delivered', field: 'original', deliveries: 2 },
    ]),
  );
});

it('what needs no consent to the purpose that was refused goes on, and says so', async () => {
  const to = await house.addDestination('meta-capi', { dataset_id: '1' });
  const other = await house.addDestination('tiktok', { pixel_id: 'C4A1' });
  await about(await house.add([to, other], orders(1)), ['ida@a.example']);
  await house.inside((sql) =>
    sql.run(
      `UPDATE relay_deliveries SET state = 'dead', settled_at = created_at WHERE destination_id = ANY ($1::bigint[])`,
      [[to, other]],
    ),
  );
  await says('ida@a.example', 'withdrawn', 'ad_personalization');
  expect((await again(to)) + (await again(other))).toBe(2);
  await house.lanes.idle();
  expect(await ends(to)).toEqual([['accepted', null, null]]);
  expect(sent().map((one) => one.opt_out)).toEqual([true]);
  expect(await ends(other)).toEqual([['withheld', 'consent_denied', 'consent.ad_personalization']]);
  expect(asked).toEqual([]);
});

async function account(destinationId: number): Promise<Account> {
  const ready = await openAccount(house.senders, { organisationId: house.organisation, destinationId });
  if ('state' in ready) throw new Error(ready.state);
  return ready;
}
