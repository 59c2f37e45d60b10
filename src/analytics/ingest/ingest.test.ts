import { describe, expect, it } from 'vitest';
import type { EventRow } from '../event_row.ts';
import type { Shields, SiteRecord } from '../sites.ts';
import type { Sender, Taken } from './ingest.ts';
import { browserHeaders, chrome, noon, openRig, person, shop, shopKey } from './rig.ts';

const minute = 60_000;
const view = { n: 'pageview', u: 'https://shop.example/a', d: 'shop.example' };
const engagement = { ...view, n: 'engagement', e: 4_000, sd: 60 };

function shielded(shields: Partial<Shields>): SiteRecord {
  return { ...shop, shields: { ...shop.shields, ...shields } };
}

it('a page view becomes a row: what it said, what was found out, and nothing of who sent it', () => {
  const rig = openRig();
  rig.send({
    n: 'pageview',
    u: 'https://www.shop.example/shoes?utm_source=news&utm_medium=email&utm_campaign=june&token=secret#top',
    d: 'shop.example',
    r: 'https://www.google.com/search?q=secret',
    t: 'Shoes',
    sc: '1440x900',
    p: { plan: 'pro' },
    id: 'e-1',
  });
  expect(rig.rows()).toEqual([
    {
      site_id: 1,
      time: '2026-06-01 12:00:00.000',
      name: 'pageview',
      visitor_id: expect.stringMatching(/^\d{15,20}$/),
      visit_id: expect.stringMatching(/^\d{15,20}$/),
      id_day: '2026-06-01',
      visit_start: '2026-06-01 12:00:00.000',
      detached: 0,
      hostname: 'shop.example',
      pathname: '/shoes',
      title: 'Shoes',
      referrer: 'google.com/search',
      source: 'news',
      utm_source: 'news',
      utm_medium: 'email',
      utm_campaign: 'june',
      utm_term: '',
      utm_content: '',
      click_id: '',
      channel: 'Email',
      entry_hostname: 'shop.example',
      entry_page: '/shoes',
      browser: 'Chrome',
      browser_version: '140',
      os: 'Windows',
      os_version: expect.any(String),
      device: 'Desktop',
      screen: '1440x900',
      country: 'DE',
      region: 'Berlin',
      city: 'Berlin',
      latitude: 52.5,
      longitude: 13.4,
      props: { plan: 'pro' },
      revenue_amount: '0',
      revenue_currency: '',
      order_id: '',
      interactive: 1,
      scroll_depth: 255,
      engagement_ms: 0,
      import_id: 0,
      event_key: expect.stringMatching(/^\d{15,20}$/),
      contact: '',
      stored_id: 0,
      received: 0,
      consent: 'dddd rrrr eea',
    } satisfies EventRow,
  ]);
  const text = rig.events.lines.join();
  for (const secret of ['203.0.113.7', chrome, 'secret', 'e-1']) expect(text).not.toContain(secret);
});

it('an event carries what its visitor allowed, read from the payload and the head of the request, and no text of it', () => {
  const rig = openRig();
  const tc = 'CQgipwAQgipwACLABBENB4FgAPpgAAAAAAqIAAAAAAAA.IAePf_v_____9wAA';
  const yes = { ad_storage: 'granted', ad_user_data: 'granted' };
  rig.send({ ...view, consent: { tc } });
  rig.send({ ...view, consent: { ...yes, tc: tc.split('.')[0] } });
  rig.send({ ...view, consent: yes }, { headers: { ...browserHeaders, 'sec-gpc': '1' } });
  rig.send({ ...view, consent: [1, 'x'] });
  expect(rig.rows().map(({ consent }) => consent)).toEqual([
    'dggg tttt eea t',
    'dddd tttt eea Tm',
    'dddd ssss eea ms',
    'dddd mmmm eea M',
  ]);
  expect(rig.events.lines.join()).not.toContain(tc.slice(0, 20));
});

describe('an event that is not stored has a reason, which is counted', () => {
  type Case = [title: string, site: SiteRecord, event: object, sender: Partial<Sender>, reason: string, siteId: number];
  const crawler = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';
  const rows: Case[] = [
    ['an unknown site', shop, { ...view, d: 'nobody.example' }, {}, 'not_found', 0],
    ['an unknown host, no domain named', shop, { n: 'pageview', u: 'https://nobody.example/' }, {}, 'not_found', 0],
    ['a site that is being deleted', { ...shop, stopped: 'site_suspended' }, view, {}, 'site_suspended', 1],
    ['a suspended organisation', { ...shop, stopped: 'organisation_suspended' }, view, {}, 'organisation_suspended', 1],
    ['a robot', shop, view, { userAgent: crawler }, 'bot', 1],
    ['no agent and no headers', shop, view, { userAgent: '', headers: { host: 'desk.example' } }, 'bot', 1],
    ['engagement without a visit', shop, engagement, {}, 'no_session_for_engagement', 1],
    [
      'a hostname that may not send',
      shielded({ hostnames: ['*.shop.example'] }),
      view,
      {},
      'site_hostname_allowlist',
      1,
    ],
    ['a hostname that is blocked', shielded({ blockedHostnames: ['shop.*'] }), view, {}, 'site_hostname_blocklist', 1],
    [
      'a referrer under one on the list',
      shielded({ referrers: ['spam.example'] }),
      { ...view, r: 'https://www.A.spam.example:443/b?c' },
      {},
      'site_referrer_blocklist',
      1,
    ],
    [
      'one v6 address, spelt in another way',
      shielded({ addressDigests: ['digest of 1 2001:db8::7'] }),
      view,
      { address: '2001:DB8:0:0::7' },
      'site_ip_blocklist',
      1,
    ],
    [
      'the line of a v6 address',
      shielded({ addressDigests: ['digest of 1 2001:db8:0:0::/64'] }),
      view,
      { address: '2001:db8::abcd:7' },
      'site_ip_blocklist',
      1,
    ],
    ['a page that is not counted', shielded({ pages: ['/admin/**', '/a'] }), view, {}, 'site_page_blocklist', 1],
    ['a country', shielded({ countries: ['FR', 'DE'] }), view, {}, 'site_country_blocklist', 1],
    ['a network', shielded({ networks: ['203.0.113.0/24'] }), view, {}, 'site_ip_blocklist', 1],
    [
      'a v6 network',
      shielded({ networks: ['2001:db8::/32'] }),
      view,
      { address: '2001:db8:1::5' },
      'site_ip_blocklist',
      1,
    ],
    ['one address', shielded({ addressDigests: ['digest of 1 203.0.113.7'] }), view, {}, 'site_ip_blocklist', 1],
    [
      'Sec-GPC where the site drops',
      { ...shop, privacySignals: 'drop' },
      view,
      { headers: { ...browserHeaders, 'sec-gpc': '1' } },
      'privacy_signal',
      1,
    ],
    [
      'DNT where the site drops',
      { ...shop, privacySignals: 'drop' },
      view,
      { headers: { ...browserHeaders, dnt: '1' } },
      'privacy_signal',
      1,
    ],
    ['a missing url', shop, { n: 'pageview', d: 'shop.example' }, {}, 'invalid', 1],
    ['a missing url, of a site that is not here', shop, { n: 'pageview', d: 'none.example' }, {}, 'invalid', 0],
    ['a data: url', shop, { ...view, u: 'data:text/html,x' }, {}, 'invalid', 1],
    [
      'a path of 10,000 characters',
      shop,
      { ...view, u: `https://shop.example/${'x'.repeat(7_000)}` },
      {},
      'too_large',
      1,
    ],
  ];
  it.each(rows)('%s', (_title, site, event, sender, reason, siteId) => {
    const rig = openRig({ sites: [site] });
    const outcome = rig.send(event, sender) as Taken;
    expect(outcome).toMatchObject({ kind: 'taken', stored: 0, dropped: { [reason]: 1 } });
    expect(rig.rows()).toEqual([]);
    expect(rig.dropRows()).toEqual([{ site_id: siteId, minute: '2026-06-01 12:00:00', reason, events: 1 }]);
    expect(rig.desk.visits.count()).toBe(0);
  });

  const kept: [title: string, site: SiteRecord, event: object, sender: Partial<Sender>][] = [
    [
      'Sec-GPC and DNT change nothing in memory mode',
      shop,
      view,
      { headers: { ...browserHeaders, 'sec-gpc': '1', dnt: '1' } },
    ],
    ['DNT: 0 is no signal', { ...shop, privacySignals: 'drop' }, view, { headers: { ...browserHeaders, dnt: '0' } }],
    ['a host on the list', shielded({ hostnames: ['*.shop.example', 'shop.example'] }), view, {}],
    ['a referrer beside', shielded({ referrers: ['spam.example'] }), { ...view, r: 'https://notspam.example/' }, {}],
    [
      'a v6 line beside',
      shielded({ addressDigests: ['digest of 1 2001:db8:0:0::/64'] }),
      view,
      { address: '2001:db8:0:1::7' },
    ],
    ['a network beside', shielded({ networks: ['198.51.100.0/24'] }), view, {}],
    ["an address blocked on another's site", shielded({ addressDigests: ['digest of 2 203.0.113.7'] }), view, {}],
    ['no domain: the host of the page', shop, { n: 'pageview', u: 'https://www.shop.example/' }, {}],
  ];
  it.each(kept)('not stopped: %s', (_title, site, event, sender) => {
    const rig = openRig({ sites: [site] });
    expect(rig.send(event, sender)).toMatchObject({ stored: 1, dropped: {} });
  });

  it('a robot has a row of its own, with its rule and without itself', () => {
    const rig = openRig();
    rig.send({ ...view, r: 'https://news.example/x?y' }, { userAgent: crawler });
    expect(rig.botRows()).toEqual([
      {
        site_id: 1,
        time: '2026-06-01 12:00:00.000',
        rule: 'ua_pattern',
        agent: '',
        name: 'pageview',
        hostname: 'shop.example',
        pathname: '/a',
        referrer: 'news.example/x',
        country: 'DE',
      },
    ]);
  });

  it('drops of one minute, site and reason add up', () => {
    const rig = openRig();
    for (let i = 0; i < 3; i++) rig.send(engagement);
    rig.clock.travel(minute);
    rig.send(engagement);
    expect(rig.dropRows().map((row) => [row.minute, row.events])).toEqual([
      ['2026-06-01 12:00:00', 3],
      ['2026-06-01 12:01:00', 1],
    ]);
    expect(rig.drops.totals()).toEqual([{ labels: { reason: 'no_session_for_engagement' }, value: 4 }]);
  });

  it('a spam referrer', () => {
    expect(openRig().send({ ...view, r: 'https://www.semalt.com/x' })).toMatchObject({ dropped: { spam_referrer: 1 } });
  });
});

describe('visits', () => {
  /** Sends events at minutes and gives for each row which visit it is in, counted from 1. */
  function visitsOf(events: [atMinutes: number, event: object, sender?: Partial<Sender>][]) {
    const rig = openRig();
    for (const [at, event, sender] of events) {
      rig.clock.set(noon + at * minute);
      rig.send(event, sender);
    }
    const ids = [...new Set(rig.rows().map((row) => row.visit_id))];
    return { rows: rig.rows(), numbers: rig.rows().map((row) => ids.indexOf(row.visit_id) + 1) };
  }

  const rows: [title: string, events: Parameters<typeof visitsOf>[0], numbers: number[]][] = [
    [
      'go on after 30:59',
      [
        [0, view],
        [30 + 59 / 60, view],
      ],
      [1, 1],
    ],
    [
      'end after 31:00',
      [
        [0, view],
        [31, view],
      ],
      [1, 2],
    ],
    [
      'go on as long as each gap is short',
      [
        [0, view],
        [30, view],
        [60, view],
        [90, view],
      ],
      [1, 1, 1, 1],
    ],
    [
      'are prolonged by engagement',
      [
        [0, view],
        [25, engagement],
        [50, view],
      ],
      [1, 1, 1],
    ],
    [
      'are prolonged by events that are not interactive',
      [
        [0, view],
        [25, { ...view, n: 'tick', i: false }],
        [50, view],
      ],
      [1, 1, 1],
    ],
    [
      'are not begun by engagement',
      [
        [0, view],
        [31, engagement],
        [32, view],
      ],
      [1, 2],
    ],
    [
      'begin with a custom event too',
      [
        [0, { ...view, n: 'Signup' }],
        [1, view],
      ],
      [1, 1],
    ],
    [
      'a new source does not begin one',
      [
        [0, view],
        [1, { ...view, r: 'https://news.example/', u: 'https://shop.example/?utm_source=x' }],
      ],
      [1, 1],
    ],
    [
      'another address is another visitor',
      [
        [0, view],
        [1, view, { address: '203.0.113.8' }],
      ],
      [1, 2],
    ],
    [
      'another agent is another visitor',
      [
        [0, view],
        [1, view, { userAgent: `${chrome} X/1` }],
      ],
      [1, 2],
    ],
  ];
  it.each(rows)('%s', (_title, events, numbers) => {
    expect(visitsOf(events).numbers).toEqual(numbers);
  });

  it('the first event decides source, agent and place; the first page view the entry', () => {
    const { rows: seen } = visitsOf([
      [0, { ...view, n: 'Signup', u: 'https://shop.example/join?utm_source=news', sc: '100x100' }],
      [1, { ...view, u: 'https://shop.example/first?utm_source=other', r: 'https://google.com/', sc: '200x200' }],
      [2, { ...view, u: 'https://shop.example/second' }],
    ]);
    expect(seen.map((row) => [row.utm_source, row.referrer, row.screen, row.entry_page, row.pathname])).toEqual([
      ['news', '', '100x100', '', '/join'],
      ['news', '', '100x100', '/first', '/first'],
      ['news', '', '100x100', '/first', '/second'],
    ]);
    expect(new Set(seen.map((row) => row.visit_start))).toEqual(new Set(['2026-06-01 12:00:00.000']));
  });

  it('engagement carries its milliseconds and depth, and never counts against a bounce', () => {
    const { rows: seen } = visitsOf([
      [0, view],
      [1, engagement],
    ]);
    expect(seen[1]).toMatchObject({ name: 'engagement', engagement_ms: 4_000, scroll_depth: 60, interactive: 0 });
  });

  it('beyond the limit the oldest visit is closed and its next event begins another', () => {
    const rig = openRig({ visitsMax: 2 });
    for (const host of [1, 2, 3, 1]) rig.send(view, { address: `203.0.113.${host}` });
    expect(new Set(rig.rows().map((row) => row.visit_id)).size).toBe(4);
    expect(rig.desk.visits.closedEarly()).toBe(2);
  });

  it('the same event on several sites is a visit on each, under unlike ids (PSE-09)', () => {
    const rig = openRig({ sites: [shop, { ...shop, id: 2, domain: 'all.example' }] });
    const outcome = rig.send({ ...view, d: 'shop.example,all.example,nobody.example' });
    expect(outcome).toMatchObject({ stored: 2, dropped: { not_found: 1 } });
    expect(rig.rows().map((row) => row.site_id)).toEqual([1, 2]);
    expect(new Set(rig.rows().map((row) => row.visitor_id)).size).toBe(2);
  });
});

describe('midnight: a running visit goes on under its old id for ten minutes', () => {
  const midnight = Date.UTC(2026, 5, 2);
  function at(...offsets: number[]) {
    const rig = openRig();
    for (const offset of offsets) {
      rig.clock.set(midnight + offset);
      rig.send(view);
    }
    return rig.rows();
  }
  it('a hit in the grace stays in the visit', () => {
    const rows = at(-5 * minute, 9 * minute);
    expect(rows[1]).toMatchObject({
      visit_id: rows[0]?.visit_id,
      visitor_id: rows[0]?.visitor_id,
      id_day: '2026-06-01',
      visit_start: '2026-06-01 23:55:00.000',
    });
  });
  it('after the grace the visit is cut, and no row joins the two ids', () => {
    const rows = at(-5 * minute, 9 * minute, 10 * minute);
    expect(rows[2]).toMatchObject({ id_day: '2026-06-02', visit_start: '2026-06-02 00:10:00.000' });
    expect(rows[2]?.visitor_id).not.toBe(rows[0]?.visitor_id);
    expect(rows[2]?.visit_id).not.toBe(rows[0]?.visit_id);
  });
  it('a new visitor in the grace gets an id of the new day', () => {
    const rows = at(5 * minute, 9 * minute, 15 * minute);
    expect(rows.map((row) => row.id_day)).toEqual(['2026-06-02', '2026-06-02', '2026-06-02']);
    expect(new Set(rows.map((row) => row.visit_id)).size).toBe(1);
  });
  it('a visit that ended before midnight is not taken up', () => {
    expect(at(-30 * minute, 5 * minute)[1]?.id_day).toBe('2026-06-02');
  });
  it('engagement in the grace finds its visit', () => {
    const rig = openRig({ startMs: midnight - minute });
    rig.send(view);
    rig.clock.travel(2 * minute);
    rig.send(engagement);
    expect(rig.rows()[1]).toMatchObject({
      name: 'engagement',
      id_day: '2026-06-01',
      visit_id: rig.rows()[0]?.visit_id,
    });
  });
  it('one person on two days has no column in common beside coarse ones (PSE-05)', () => {
    const [first, second] = at(-12 * 60 * minute, 12 * 60 * minute).map((row) =>
      Object.values(row).map((value) => JSON.stringify(value)),
    );
    const shared = (first ?? []).filter((value) => (second ?? []).includes(value) && value.length > 14);
    // What was allowed is coarse: signs and a region, the same for everybody of a country who was not asked.
    expect(shared).toEqual(['"dddd rrrr eea"']);
  });
});

describe('an event id counts once in 24 hours', () => {
  const named = { ...view, id: 'e-1' };
  it('a repeat is answered as stored and counted as duplicate, and does not prolong the visit', () => {
    const rig = openRig();
    rig.send(named);
    rig.clock.travel(20 * minute);
    expect(rig.send(named)).toMatchObject({ stored: 0, duplicates: 1, dropped: { duplicate: 1 } });
    rig.clock.travel(15 * minute);
    rig.send(view);
    expect(rig.rows()).toHaveLength(2);
    expect(new Set(rig.rows().map((row) => row.visit_id)).size).toBe(2);
  });
  it('the same id on another site is another event; after a day it is too', () => {
    const rig = openRig({ sites: [shop, { ...shop, id: 2, domain: 'all.example' }] });
    rig.send({ ...named, d: 'shop.example,all.example' });
    expect(rig.rows()).toHaveLength(2);
    rig.clock.travel(24 * 60 * minute + 2 * minute);
    expect(rig.send(named)).toMatchObject({ stored: 1 });
  });
  it('twice in one batch counts once', () => {
    const rig = openRig();
    expect(rig.send([named, named, { ...view, id: 'e-2' }])).toMatchObject({ stored: 2, duplicates: 1 });
  });
  it('a dropped event does not use its id up', () => {
    const rig = openRig();
    rig.send({ ...engagement, id: 'e-1' });
    rig.send(view);
    expect(rig.send({ ...engagement, id: 'e-1' })).toMatchObject({ stored: 1 });
  });
  it('two at once share one fate: stored once', () => {
    const rig = openRig();
    const outcomes: unknown[] = [];
    rig.events.hold();
    for (let i = 0; i < 2; i++)
      rig.ingest.take(
        named,
        { address: '203.0.113.7', userAgent: chrome, headers: browserHeaders, principal: undefined },
        (o) => outcomes.push(o),
      );
    expect(outcomes).toEqual([]);
    rig.events.release();
    expect(outcomes).toMatchObject([{ stored: 1 }, { stored: 0, duplicates: 1 }]);
    expect(rig.rows()).toHaveLength(1);
  });
  it('two at once share one fate: neither is acknowledged when the disk refuses, and the id is free again', () => {
    const rig = openRig();
    const outcomes: unknown[] = [];
    rig.events.hold();
    rig.events.refuse(true);
    for (let i = 0; i < 2; i++)
      rig.ingest.take(
        named,
        { address: '203.0.113.7', userAgent: chrome, headers: browserHeaders, principal: undefined },
        (o) => outcomes.push(o),
      );
    rig.events.release();
    expect(outcomes).toEqual([
      { kind: 'unavailable', retryAfterSeconds: 5 },
      { kind: 'unavailable', retryAfterSeconds: 5 },
    ]);
    rig.events.refuse(false);
    rig.clock.travel(minute);
    expect(rig.send(named)).toMatchObject({ stored: 1 });
    // The visit that never was does not date the one that is.
    expect(rig.rows()[0]?.visit_start).toBe('2026-06-01 12:01:00.000');
  });
});

describe('an event of a visit whose first row is at the disk', () => {
  const second = { ...view, u: 'https://shop.example/b', id: 'second' };
  const first = { ...view, id: 'first' };
  const refused = { kind: 'unavailable', retryAfterSeconds: 5 };
  function openHeld() {
    const rig = openRig();
    const outcomes: unknown[] = [];
    rig.events.hold();
    const take = (payload: unknown) => rig.ingest.take(payload, person(), (outcome) => outcomes.push(outcome));
    take(first);
    rig.clock.travel(20);
    take(second);
    return { rig, outcomes, take };
  }

  it('is written behind it', () => {
    const { rig, outcomes } = openHeld();
    expect(rig.events.appends()).toBe(1);
    rig.events.release();
    expect(outcomes).toMatchObject([{ stored: 1 }, { stored: 1 }]);
    expect(rig.rows().map((row) => [row.pathname, row.visit_start.slice(-6)])).toEqual([
      ['/a', '00.000'],
      ['/b', '00.000'],
    ]);
  });
  it('is refused with it, although the disk has room again, and both begin the visit anew', () => {
    const { rig, outcomes } = openHeld();
    rig.events.refuse(true);
    rig.events.release();
    rig.events.refuse(false);
    expect(outcomes).toEqual([refused, refused]);
    expect([rig.events.appends(), rig.desk.visits.count()]).toEqual([1, 0]);
    rig.clock.travel(1_000);
    for (const event of [second, first]) expect(rig.send(event)).toMatchObject({ stored: 1, duplicates: 0 });
    expect(new Set(rig.rows().map((row) => `${row.visit_id} ${row.visit_start}`)).size).toBe(1);
    expect(rig.rows()[0]?.visit_start.slice(-6)).toBe('01.020');
  });
  it('waits in a batch too, and takes the batch with it', () => {
    const { rig, outcomes, take } = openHeld();
    take([{ ...view, u: 'https://shop.example/c', id: 'third' }, second]);
    rig.events.refuse(true);
    rig.events.release();
    expect(outcomes).toEqual([refused, refused, refused]);
    rig.events.refuse(false);
    expect(rig.send([first, second, { ...view, id: 'third' }])).toMatchObject({ stored: 3, duplicates: 0 });
  });
  it('waits for nothing once the row is there', () => {
    const { rig, take } = openHeld();
    rig.events.release();
    rig.events.hold();
    take({ ...view, id: 'later' });
    expect(rig.events.appends()).toBe(3);
  });
});

describe('revenue', () => {
  const order = { ...view, n: 'purchase', $: { amount: '19.99', currency: 'EUR', order_id: 'A-1' } };
  it('an order counts its revenue once per site', () => {
    const rig = openRig({ sites: [shop, { ...shop, id: 2, domain: 'all.example' }] });
    rig.send(order);
    rig.clock.travel(40 * 86_400_000);
    rig.send(order, { address: '203.0.113.9' });
    rig.send({ ...order, d: 'all.example' });
    expect(rig.rows().map((row) => [row.site_id, row.revenue_amount, row.revenue_currency, row.order_id])).toEqual([
      [1, '19.990', 'EUR', 'A-1'],
      [1, '0', 'EUR', 'A-1'],
      [2, '19.990', 'EUR', 'A-1'],
    ]);
  });
  it('an order that could not be stored counts when it comes again', () => {
    const rig = openRig();
    rig.events.refuse(true);
    rig.send(order);
    rig.events.refuse(false);
    rig.send(order);
    expect(rig.rows().map((row) => row.revenue_amount)).toEqual(['19.990']);
  });
  it('without an order id every purchase counts', () => {
    const rig = openRig();
    for (let i = 0; i < 2; i++) rig.send({ ...order, $: { amount: 5, currency: 'USD' } });
    expect(rig.rows().map((row) => row.revenue_amount)).toEqual(['5.000', '5.000']);
  });
  it('is dropped where the site keeps none (COL-16), the event is not', () => {
    const rig = openRig({ sites: [{ ...shop, revenue: false }] });
    rig.send(order);
    expect(rig.rows()[0]).toMatchObject({ name: 'purchase', revenue_amount: '0', revenue_currency: '', order_id: '' });
  });
});

it('titles stay away where the site has switched them off', () => {
  const rig = openRig({ sites: [{ ...shop, titles: false }] });
  rig.send({ ...view, t: 'Secret diagnosis' });
  expect(rig.rows()[0]?.title).toBe('');
});

describe('address, agent and time in a payload count only with an API key', () => {
  const claims = {
    ...view,
    ip: '198.51.100.20',
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    time: '2026-06-01T11:50:00Z',
  };
  it('without a key they are not read', () => {
    const rig = openRig();
    rig.send(claims);
    expect(rig.rows()[0]).toMatchObject({ browser: 'Chrome', country: 'DE', time: '2026-06-01 12:00:00.000' });
  });
  it('with one they are, and ten minutes late is a visit still', () => {
    const rig = openRig();
    rig.send(claims, { principal: shopKey, userAgent: 'server/1.0' });
    expect(rig.rows()[0]).toMatchObject({
      browser: 'Firefox',
      country: '',
      time: '2026-06-01 11:50:00.000',
      detached: 0,
    });
  });
  it('a key of another organisation, or of another site, learns nothing', () => {
    const rig = openRig();
    const foreign = { ...shopKey, can: () => false };
    const elsewhere = { ...shopKey, siteIds: [2] };
    expect(rig.send(claims, { principal: foreign })).toMatchObject({ dropped: { not_found: 1 } });
    expect(rig.send(claims, { principal: elsewhere })).toMatchObject({ dropped: { not_found: 1 } });
  });

  const times: [title: string, time: string, expected: Partial<EventRow>][] = [
    ['15 minutes late', '2026-06-01T11:45:00Z', { detached: 0, id_day: '2026-06-01' }],
    [
      'later than 15 minutes: by itself',
      '2026-06-01T11:44:59Z',
      { detached: 1, time: '2026-06-01 11:44:59.000', visit_start: '2026-06-01 11:44:59.000' },
    ],
    ['three days late', '2026-05-29T12:00:00Z', { detached: 1, id_day: '2026-05-29', time: '2026-05-29 12:00:00.000' }],
    ["a minute ahead is the sender's clock", '2026-06-01T12:01:00Z', { detached: 0, time: '2026-06-01 12:01:00.000' }],
    ['more than a minute ahead is now', '2026-06-01T12:01:01Z', { detached: 0, time: '2026-06-01 12:00:00.000' }],
    ['three days ahead is now', '2026-06-04T12:00:00Z', { detached: 0, time: '2026-06-01 12:00:00.000' }],
  ];
  it.each(times)('%s', (_title, time, expected) => {
    const rig = openRig();
    rig.send({ ...claims, time }, { principal: shopKey });
    expect(rig.rows()[0]).toMatchObject(expected);
    expect(rig.late).toHaveLength(expected.detached ?? 0);
  });
  it('a late event is in no visit and begins none', () => {
    const rig = openRig();
    rig.send(view);
    rig.send(
      { ...claims, ip: '203.0.113.7', user_agent: chrome, time: '2026-06-01T10:00:00Z' },
      { principal: shopKey },
    );
    expect(rig.rows()[1]?.visit_id).not.toBe(rig.rows()[0]?.visit_id);
    expect(rig.desk.visits.count()).toBe(1);
  });
  it.each([
    ['an ip that is none', { ip: '999.1.1.1' }, 'ip'],
    ['a time before anything is kept', { time: '2020-01-01' }, 'time'],
  ])('%s is refused', (_title, claim, field) => {
    const outcome = openRig().send({ ...claims, ...claim }, { principal: shopKey }) as Taken;
    expect(outcome.refused[0]?.refusal).toMatchObject({ field, reason: 'invalid' });
  });
});

describe('a batch', () => {
  it('takes what it can and says what became of the rest', () => {
    const rig = openRig();
    const outcome = rig.send([view, { ...view, d: 'nobody.example' }, { n: 'x' }, 'text', engagement]) as Taken;
    expect(outcome).toMatchObject({ stored: 2, dropped: { not_found: 1, invalid: 2 } });
    expect(outcome.refused.map(({ index, refusal }) => [index, refusal.field])).toEqual([
      [2, 'url'],
      [3, 'event'],
    ]);
  });
  it('of nothing is nothing', () => {
    expect(openRig().send([])).toMatchObject({ stored: 0, dropped: {} });
  });
  it('is refused whole when the disk refuses', () => {
    const rig = openRig();
    rig.events.refuse(true);
    expect(rig.send([view, view])).toEqual({ kind: 'unavailable', retryAfterSeconds: 5 });
    expect(rig.desk.visits.count()).toBe(0);
  });
  const props = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`k${n}`, 'x'.repeat(2_000)]));
  const large = (count: number) => Array.from({ length: count }, (_, n) => ({ ...view, p: props, id: `e${n}` }));
  it('of large events is one write, so that all of it is stored or nothing', () => {
    const rig = openRig();
    rig.events.hold();
    rig.ingest.take(large(60), person(), () => {});
    expect(rig.events.appends()).toBe(1);
    rig.events.release();
    expect(rig.rows()).toHaveLength(60);
  });
  it('that does not fit into one write is refused before anything of it counts', () => {
    const rig = openRig();
    expect(rig.send([...large(80), { n: 'nonsense' }])).toEqual({ kind: 'too_large', events: 80 });
    expect(rig.rows()).toEqual([]);
    expect(rig.desk.visits.count()).toBe(0);
    expect(rig.dropRows()).toContainEqual(expect.objectContaining({ site_id: 1, reason: 'too_large', events: 80 }));
    expect(rig.send(large(60))).toMatchObject({ stored: 60, duplicates: 0 });
  });
});

it('a site may send as many events a second as its limit says', () => {
  const rig = openRig({ siteRate: 5 });
  expect(rig.send(Array.from({ length: 8 }, () => view))).toMatchObject({ stored: 5, dropped: { throttle: 3 } });
  rig.clock.travel(400);
  expect(rig.send([view, view, view])).toMatchObject({ stored: 2, dropped: { throttle: 1 } });
});

it('a site may want fewer than the desk gives, and gets no more', () => {
  const own = openRig({ sites: [shielded({ rate: 2 })], siteRate: 5 });
  expect(own.send([view, view, view, view])).toMatchObject({ stored: 2, dropped: { throttle: 2 } });
  const alone = openRig({ sites: [shielded({ rate: 3 })] });
  expect(alone.send([view, view, view, view])).toMatchObject({ stored: 3, dropped: { throttle: 1 } });
  const lowered = openRig({ sites: [shielded({ rate: 50 })], siteRate: 1 });
  expect(lowered.send([view, view, view])).toMatchObject({ stored: 1, dropped: { throttle: 2 } });
});

it('the live view hears of an event when it is on disk, not before', () => {
  const rig = openRig();
  const heard: string[] = [];
  rig.live.listen((event) => heard.push(event.pathname));
  rig.live.listen(() => {
    throw new Error('a bad listener');
  });
  rig.events.hold();
  rig.ingest.take(
    view,
    { address: '203.0.113.7', userAgent: chrome, headers: browserHeaders, principal: undefined },
    () => {},
  );
  expect(heard).toEqual([]);
  rig.events.release();
  rig.send(view);
  expect(heard).toEqual(['/a', '/a']);
  expect(rig.live.latest(1)?.siteId).toBe(1);
});

it('a clock that is three days off, both ways, breaks nothing', () => {
  const rig = openRig();
  for (const days of [0, 3, -3, 0]) {
    rig.clock.set(noon + days * 86_400_000);
    expect(rig.send(view)).toMatchObject({ stored: 1 });
  }
  expect(rig.rows().every((row) => row.visit_start <= row.time || row.time < '2026-06-01')).toBe(true);
});
