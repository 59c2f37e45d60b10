import { expect, it } from 'vitest';
import { SpoolUnavailable } from '../../platform/spool/index.ts';
import { visitGapMsMax } from '../visits/live_visits.ts';
import { browserHeaders, openRig, person, shop } from './rig.ts';
import type { WatchedEvent, WatchedSite } from './watched.ts';

const other = { ...shop, id: 2, domain: 'other.example' };
const agreed = { ad_storage: 'granted', ad_user_data: 'granted' };
const event = (n: string, more: object = {}) => ({ n, d: 'shop.example', u: 'https://shop.example/', ...more });

/** A desk that is watched: what its watcher was told, and whether it keeps it. */
function openWatched(site: Partial<WatchedSite> = {}) {
  const rig = openRig({ sites: [shop, other] });
  const told: WatchedEvent[] = [];
  const log: string[] = [];
  let refusal: SpoolUnavailable | undefined;
  let held: (() => void)[] | undefined;
  rig.watch.watch(
    new Map([
      [
        1,
        {
          organisationId: 10,
          names: new Set(['Signup', 'Sale']),
          clickIds: true,
          network: true,
          browserIds: new Set(),
          pixelCalls: false,
          ...site,
        },
      ],
    ]),
    {
      keep(events, done) {
        told.push(...events);
        log.push(`kept before ${rig.rows().filter(({ name }) => name !== 'pageview').length} rows`);
        const answer = () => done(refusal);
        if (held === undefined) answer();
        else held.push(answer);
      },
      keepCalls: (_, done) => done(),
    },
  );
  return {
    ...{ ...rig, told, log },
    refuse(now: boolean) {
      refusal = now ? new SpoolUnavailable('full', 5) : undefined;
    },
    hold() {
      held = [];
    },
    release() {
      const answers = held ?? [];
      held = undefined;
      for (const answer of answers) answer();
    },
  };
}

it('hands over an event that is waited for before its row is on disk, and no other', () => {
  const { send, told, log } = openWatched();
  send(event('pageview'));
  send(event('Other'));
  send({ ...event('Signup'), d: 'other.example' });
  send(event('Signup', { id: 'e-1' }));
  expect(told.map(({ id, siteId, row }) => [id, siteId, row.name])).toEqual([['e-1', 1, 'Signup']]);
  // The third row is that of the other site.
  expect(log).toEqual(['kept before 2 rows']);
});

it('stores nothing of a request whose conversion is not kept, and the same event is no duplicate when it comes again', () => {
  const { send, told, refuse, rows } = openWatched();
  refuse(true);
  expect(send(event('Signup', { id: 'e-1' }))).toEqual({ kind: 'unavailable', retryAfterSeconds: 5 });
  expect(rows()).toEqual([]);
  refuse(false);
  expect(send(event('Signup', { id: 'e-1' }))).toMatchObject({ kind: 'taken', stored: 1, duplicates: 0 });
  expect(told.map(({ id }) => id)).toEqual(['e-1', 'e-1']);
  expect(send(event('Signup', { id: 'e-1' }))).toMatchObject({ stored: 0, duplicates: 1 });
  expect(told).toHaveLength(2);
});

it('answers a repetition only when the first one is on disk', () => {
  const { ingest, hold, release } = openWatched();
  const answers: string[] = [];
  hold();
  ingest.take(event('Signup', { id: 'e-1' }), person(), ({ kind }) => answers.push(`first ${kind}`));
  ingest.take(event('Signup', { id: 'e-1' }), person(), ({ kind }) => answers.push(`second ${kind}`));
  expect(answers).toEqual([]);
  release();
  expect(answers.sort()).toEqual(['first taken', 'second taken']);
});

it('keeps click ids for as long as the visit runs and no longer', () => {
  const { send, told, clock, desk, watch } = openWatched();
  send(event('pageview', { u: 'https://shop.example/?gclid=one', consent: agreed }));
  send(event('Signup', { consent: agreed }));
  expect(told[0]?.clicks?.ids).toEqual({ gclid: 'one' });
  clock.travel(visitGapMsMax);
  desk.visits.sweep(clock.now(), 100);
  expect(watch.clicks.count()).toBe(0);
  send(event('Signup', { consent: agreed }));
  expect(told[1]?.clicks).toBeUndefined();
});

it('gives nothing of the network and of clicks where nobody asked for it', () => {
  const { send, told, watch } = openWatched({ clickIds: false, network: false });
  send(event('pageview', { u: 'https://shop.example/?gclid=one', consent: agreed }));
  send(event('Signup', { u: 'https://shop.example/?gclid=one', consent: agreed }));
  expect([told[0]?.clicks, told[0]?.network, watch.clicks.count()]).toEqual([undefined, undefined, 0]);
});

it('gives them by what the visitor said: a yes in a region that asks, and no signal of the browser against it', () => {
  const { send, told } = openWatched();
  const u = 'https://shop.example/?gclid=one';
  send(event('Signup', { u, consent: agreed }));
  send(event('Signup', { u, consent: {} }));
  send(event('Signup', { u, consent: { ...agreed, ad_storage: 'denied' } }));
  send(event('Signup', { u, consent: agreed }), { headers: { ...browserHeaders, 'sec-gpc': '1' } });
  // A place that is not known counts as one that asks.
  send(event('Signup', { u }), { address: '198.51.100.7' });
  expect(told.map(({ clicks, network }) => [clicks?.ids.gclid, network?.address])).toEqual([
    ['one', '203.0.113.7'],
    ...Array.from({ length: 4 }, () => [undefined, undefined]),
  ]);
});

it('says what an event earned when its order is known already, since who watches tells orders apart by itself', () => {
  const { send, told, rows } = openWatched();
  const sale = (id: string) => event('Sale', { id, $: { amount: '12.5', currency: 'EUR', order_id: 'o-1' } });
  send(sale('a'));
  send(sale('b'));
  expect(told.map(({ revenue }) => revenue)).toEqual([
    { amount: '12.500', currency: 'EUR' },
    { amount: '12.500', currency: 'EUR' },
  ]);
  expect(rows().map(({ revenue_amount }) => revenue_amount)).toEqual(['12.500', '0']);
});

it('hands nothing over of a site that belongs to another organisation by now', () => {
  const { send, told } = openWatched({ organisationId: 11 });
  send(event('Signup', { consent: agreed }));
  expect(told).toEqual([]);
});

it('forgets click ids that are not asked for any more at once', () => {
  const { send, watch } = openWatched();
  send(event('pageview', { u: 'https://shop.example/?gclid=one', consent: agreed }));
  expect(watch.clicks.count()).toBe(1);
  watch.watch(new Map(), { keep: (_, done) => done(), keepCalls: (_, done) => done() });
  expect(watch.clicks.count()).toBe(0);
});
