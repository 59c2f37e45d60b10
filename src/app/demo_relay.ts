import { madeConversion, madeFile, madeOrder, madeRefund, madeUnmapped } from '../demo/index.ts';
import { pause, repeat } from '../platform/clock.ts';
import { openAskSelf } from '../platform/http/ask_self.ts';
import { type DemoRelay, openDemoRelay } from '../relay/index.ts';
import { type DemoOwner, openDemoOwner } from './demo_owner.ts';
import type { DemoPlatforms } from './demo_platforms.ts';
import type { RunningServer } from './serve.ts';

const dayMs = 86_400_000;
/** Meta takes nothing that is older than seven days. */
const pastDays = 6;
const perDay = 40;
/** A purchase every few seconds while somebody looks. */
const nowEveryMs = 4_000;
/** More than the demo sends in two months. */
const credits = 5_000_000;
/** Every so many purchases one is told twice, as shops do that got no answer in time. */
const toldTwiceEvery = 15;
const lookMs = 250;
const waitMsMax = 60_000;
/** A till that was offline sends what is too old for Meta and not for the others. */
const lateDays = [8, 8, 9, 11, 12, 12, 13];

interface Given {
  readonly seed: string;
  readonly organisationId: number;
  readonly organisation: string;
  readonly siteId: number;
  /** Of the address that signs in. */
  readonly code: string;
  readonly nowMs: number;
  readonly platforms: DemoPlatforms | undefined;
}

/** Looks until it is so, for a minute at most. @returns false where it is not, or the demo has ended */
type Until = (isSo: () => Promise<boolean>) => Promise<boolean>;

/**
 * Fills a demo's relay with a week of purchases, and lets further ones come by themselves. What takes a while (sending, a file, a
 * replay) goes on beside what comes next. @returns what ends it
 */
export async function fillRelay(server: RunningServer, given: Given): Promise<() => void> {
  const { house } = server.desk;
  const { seed, nowMs, platforms } = given;
  const { host, port } = server.http.address;
  const ask = openAskSelf({ host, port, publicUrl: house.config.publicUrl, tls: false });
  const owner = await openDemoOwner(ask, given.code, given.organisationId);
  await addCredits(server, given.organisation);
  const connections = platforms === undefined ? new Map<string, number>() : await connectAll(owner, platforms);
  const relay = await openDemoRelay(house, {
    ...{ organisationId: given.organisationId, siteId: given.siteId },
    ...{ kinds: Object.keys(platforms?.addresses ?? {}), connections },
  });
  await platforms?.steer('meta-capi', refusals(seed, refusedBy.meta, 'This dataset does not know the catalogue.'));
  await platforms?.steer('tiktok', refusals(seed, refusedBy.tiktok, 'The pixel is being set up.'));
  await relay.takePast(pastOf(seed, nowMs));
  const send = async (body: object | string) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    await ask({ method: 'POST', path: relay.path, body: text, headers: { 'content-type': 'application/json' } });
  };
  const ended = new AbortController();
  const until: Until = async (isSo) => {
    for (let waited = 0; waited < waitMsMax && !ended.signal.aborted; waited += lookMs) {
      if (await isSo()) return true;
      await pause(house.clock, lookMs, ended.signal);
    }
    return false;
  };
  const rest = async () => {
    await sendOdd(send, given);
    if (!(await uploadFile(owner, relay, given, until))) return;
    await until(async () => (await relay.waiting()) === 0);
    if (ended.signal.aborted) return;
    const tiktok = relay.destinations.get('tiktok');
    await platforms?.steer('tiktok', refusals(seed, refusedBy.tiktok, null));
    if (tiktok !== undefined) await owner.call('POST', '/relay/replays', { destination: tiktok });
    await deleteOne(owner);
    await relay.datePast(nowMs);
    await server.desk.connections.remind();
    await relay.remind();
  };
  rest().catch((error) => house.log.error('demo.relay_not_filled', {}, error));
  let next = pastDays * perDay + lateDays.length;
  const stop = repeat(
    house.clock,
    nowEveryMs,
    async () => {
      const { body } = madeConversion(seed, next, house.clock.now() - 1_000);
      next += 1;
      await send(body);
      if (next % toldTwiceEvery === 0) await send(body);
    },
    { onError: (error) => house.log.error('demo.conversion_failed', {}, error) },
  );
  return () => {
    ended.abort();
    stop();
  };
}

/** Sending costs what the operator of a desk for others would charge, so that the page of credits has something to show. */
async function addCredits({ desk }: RunningServer, organisation: string): Promise<void> {
  const command = desk.parts.flatMap(({ commands }) => commands?.credits ?? [])[0];
  const nothing = (async function* () {})();
  const args = new URLSearchParams({ organisation, credits: String(credits), reference: 'Demo' });
  await command?.(args, nothing, () => {});
}

const logins = [
  ['google-data-manager', 'google', ['datamanager', 'adwords']],
  ['meta-capi', 'meta', ['ads_read', 'ads_management']],
  ['linkedin', 'linkedin', ['rw_conversions', 'r_ads']],
] as const;

/** Google goes on by itself, Meta for two months; LinkedIn gives an app like this one no more than some days, which is told ahead. */
async function connectAll(owner: DemoOwner, platforms: DemoPlatforms): Promise<Map<string, number>> {
  await platforms.steer(undefined, { consent: 'allow' });
  await platforms.steer('linkedin', { accessDays: 12, isPartner: false });
  const label = 'Shop account';
  const connections = new Map<string, number>();
  for (const [kind, provider, scopes] of logins)
    connections.set(kind, await owner.connect(platforms, { provider, scopes, label }));
  // Whoever looks around is asked by the platform's page.
  await platforms.steer(undefined, { consent: 'ask' });
  return connections;
}

function pastOf(seed: string, nowMs: number): { body: object; atMs: number }[] {
  const count = pastDays * perDay;
  const week = Array.from({ length: count }, (_, n) => {
    const atMs = nowMs - Math.round(((count - n) / count) * pastDays * dayMs);
    const came = { body: madeConversion(seed, n, atMs).body, atMs: atMs + 2_000 };
    return n % toldTwiceEvery === 0 ? [came, { ...came, atMs: came.atMs + 8_000 }] : [came];
  });
  const late = lateDays.map((days, at) => {
    const cameMs = nowMs - (at + 1) * 3_600_000;
    return { body: madeConversion(seed, count + at, cameMs - days * dayMs).body, atMs: cameMs };
  });
  return [...week.flat(), ...late];
}

/** Some orders are refused by the platforms themselves: Meta's for good, TikTok's until they are sent again. */
const refusedBy = { meta: [60, 91, 122, 153], tiktok: [100, 125, 150, 175, 200] } as const;
function refusals(seed: string, orders: readonly number[], why: string | null): object {
  return { rejects: Object.fromEntries(orders.map((n) => [madeOrder(seed, n), why])) };
}

/** What comes beside conversions: what is none, what cannot be read, and an order that is taken back. */
async function sendOdd(send: (body: object | string) => Promise<void>, { seed, nowMs }: Given): Promise<void> {
  for (let n = 0; n < 6; n++) await send(madeUnmapped(n));
  for (const wrong of ['{"order_id": "D-', 'order_id=D-1']) await send(wrong);
  for (const back of [11, 37]) await send(madeRefund(seed, pastDays * perDay - back, nowMs - 60_000));
}

/** A file of offline conversions, looked through and taken as somebody would in the page. @returns false when it was given up */
async function uploadFile(
  owner: DemoOwner,
  relay: DemoRelay,
  { seed, siteId, nowMs }: Given,
  until: Until,
): Promise<boolean> {
  const { source } = await owner.call<{ source: { id: number } }>('POST', '/relay/sources', {
    ...{ name: 'Till, offline sales', kind: 'upload', preset: 'google-ads-file', site_id: siteId },
  });
  const to = relay.destinations.get('google-data-manager');
  if (to !== undefined) await owner.call('POST', '/relay/routes', { source_id: source.id, destination_id: to });
  const file = madeFile(seed, nowMs);
  const uploads = `/relay/sources/${source.id}/uploads`;
  const { id } = await owner.call<{ id: number }>('POST', uploads, { name: 'offline-sales.csv', size: file.length });
  await owner.call('PUT', `${uploads}/${id}/parts/0`, file);
  for (const [step, end] of [
    ['check', 'checked'],
    ['start', 'done'],
  ] as const) {
    await owner.call('POST', `${uploads}/${id}/${step}`, {});
    let state = '';
    await until(async () => {
      ({ state } = await owner.call<{ state: string }>('GET', `${uploads}/${id}`));
      return state === end || state === 'failed';
    });
    if (state !== end) return false;
  }
  return true;
}

/** Somebody asked for it: a conversion goes, with a receipt of what went. */
async function deleteOne(owner: DemoOwner): Promise<void> {
  const { conversions } = await owner.call<{ conversions: { id: string }[] }>('GET', '/relay/conversions?limit=50');
  const last = conversions.at(-1);
  if (last !== undefined) await owner.call('POST', '/relay/deletions', { ids: [last.id] });
}
