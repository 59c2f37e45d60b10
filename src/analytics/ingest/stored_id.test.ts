import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { signalledPurposes } from '../../../contract/consent.ts';
import { openVisitorRule, shippedRule, visitorPurposes } from '../../trust/consent/rule.ts';
import { tcfPurposes } from '../../trust/consent/snapshot.ts';
import { berlin, browserHeaders, openRig, person, shop, shopKey } from './rig.ts';

const granted = { consent: { analytics_storage: 'granted' } };
const stored = { vi: 'a'.repeat(32), si: 'b'.repeat(32), ...granted };
const view = { n: 'pageview', u: 'https://shop.example/', d: 'shop.example' };
const day = 86_400_000;

describe('the id that a browser keeps in storage mode', () => {
  it('is the visitor on every day and from every address, of one site alone, and is itself not stored', () => {
    const rig = openRig({ sites: [shop, { ...shop, id: 2, domain: 'other.example' }] });
    rig.send({ ...view, ...stored });
    rig.clock.travel(3 * day);
    rig.send({ ...view, ...stored, si: 'c'.repeat(32) }, { address: '198.51.100.9' });
    rig.send({ ...view, ...stored, u: 'https://other.example/', d: 'other.example' });
    rig.send({ ...view, ...stored, vi: 'd'.repeat(32) });
    rig.send(view);
    const rows = rig.rows();
    expect(rows.map(({ stored_id }) => stored_id)).toEqual([1, 1, 1, 1, 0]);
    const [first, second, elsewhere, other, memory] = rows.map(({ visitor_id }) => visitor_id);
    expect(second).toBe(first);
    expect(new Set([first, elsewhere, other, memory]).size).toBe(4);
    expect(new Set(rows.map(({ visit_id }) => visit_id)).size).toBe(5);
    expect(rig.events.lines.join()).not.toContain('aaaaaaaa');
  });

  it.each([
    ['Sec-GPC', stored, { headers: { ...browserHeaders, 'sec-gpc': '1' } }],
    ['DNT', stored, { headers: { ...browserHeaders, dnt: '1' } }],
    ['a sender with a key, who cannot know', stored, { principal: shopKey }],
    ['an id of another shape', { ...granted, vi: 'A'.repeat(32), si: 'b' }, {}],
    ['an id that is no text', { ...granted, vi: { a: 1 }, si: 7 }, {}],
  ])('is not looked at with %s: the event is one of memory mode (COL-20)', (_, sent, sender) => {
    const rig = openRig();
    rig.send(view, person(sender));
    rig.send({ ...view, ...sent }, person(sender));
    const [memory, row] = rig.rows();
    expect(row).toMatchObject({ stored_id: 0, visitor_id: memory?.visitor_id, visit_id: memory?.visit_id });
  });

  it('goes on with the visit of another host of the site, and begins another when the counts of its day are closed', () => {
    const rig = openRig({ startMs: Date.UTC(2026, 5, 1, 23, 50) });
    rig.send({ ...view, ...stored });
    rig.send({ ...view, ...stored }, { address: '198.51.100.9' });
    rig.clock.travel(15 * 60_000);
    rig.send({ ...view, ...stored });
    rig.clock.travel(10 * 60_000);
    rig.send({ ...view, ...stored });
    const rows = rig.rows();
    expect(new Set(rows.slice(0, 3).map(({ visit_start }) => visit_start)).size).toBe(1);
    expect(rows[3]?.visit_start).not.toBe(rows[0]?.visit_start);
    expect(rows.map(({ id_day }) => id_day)).toEqual(['2026-06-01', '2026-06-01', '2026-06-01', '2026-06-02']);
  });
});

/** Where the visitor is, and what was said of consent, decide together with the bases of the site's organisation. */
describe('what a visitor allowed', () => {
  const strict = (basis: 'off' | 'consent') =>
    openVisitorRule(
      Object.fromEntries(
        visitorPurposes.map((purpose) => [
          purpose,
          { ...shippedRule.bases[purpose], ...(purpose === 'measurement' ? {} : { us: basis }) },
        ]),
      ) as typeof shippedRule.bases,
    );
  const yes = { analytics_storage: 'granted' };
  const no = { analytics_storage: 'denied' };
  const rows: [country: string, said: unknown, kept: boolean | string, rule?: typeof shippedRule][] = [
    ...['DE', 'IS', 'NO', 'LI', 'GB', 'CH', 'RE', '', 'A1', 'xx'].flatMap((country): typeof rows => [
      [country, undefined, 'storage_no_consent'],
      [country, yes, true],
    ]),
    ['DE', no, 'storage_no_consent'],
    ['DE', { ad_storage: 'granted' }, 'storage_no_consent'],
    ['DE', { tc: 'no TC string' }, 'storage_no_consent'],
    ['DE', { ...yes, tc: 'no TC string' }, 'storage_no_consent'],
    ['DE', { ...yes, gpc: true }, 'storage_signal'],
    ...['US', 'JP', 'TR', 'CA', 'SG'].map((country): [string, undefined, true] => [country, undefined, true]),
    ['US', no, 'storage_no_consent'],
    ['US', undefined, 'storage_no_consent', strict('consent')],
    ['US', yes, true, strict('consent')],
    ['US', yes, 'storage_off', strict('off')],
  ];

  it('decides whether the id is looked at; where it is not, the event is counted as in memory mode, and the site sees why (CON-01)', () => {
    for (const [country, consent, kept, purposes = shippedRule] of rows) {
      const what = JSON.stringify([country, consent, kept]);
      const rig = openRig({ sites: [{ ...shop, purposes }] });
      rig.desk.places = { lookup: () => (country === '' ? undefined : { ...berlin, country }) };
      rig.send(view);
      rig.send({ ...view, ...stored, consent });
      const [memory, row] = rig.rows();
      expect(row?.stored_id, what).toBe(kept === true ? 1 : 0);
      if (kept !== true) expect([row?.visitor_id, row?.visit_id], what).toEqual([memory?.visitor_id, memory?.visit_id]);
      expect(
        rig.dropRows().map(({ reason }) => reason),
        what,
      ).toEqual(kept === true ? [] : [kept]);
    }
  });

  it('is what the strings of consent tools say, each kept to and written on its event; without the vendors that were shown, torn or absent it is a no (CON-05)', () => {
    // Of the encoders of the IAB, with what their own decoders read (trust/consent/consent.test.ts).
    const file = new URL('../../trust/consent/vectors.json', import.meta.url);
    const { tc: strings } = JSON.parse(readFileSync(file, 'utf8')) as { tc: { text: string; purposes: number[] }[] };
    const rig = openRig();
    const wanted: [string, boolean][] = [];
    const say = (consent: object, states: string) => {
      rig.send({ ...view, ...stored, consent });
      wanted.push([states, states[0] === 'g']);
    };
    for (const { text, purposes } of strings) {
      const states = signalledPurposes
        .map((one) => (tcfPurposes[one].every((number) => purposes.includes(number)) ? 'g' : 'd'))
        .join('');
      say({ tc: text }, states);
      say({ gpp: `DBABMA~${text}` }, states);
      say({ tc: text.split('.')[0] }, 'dddd');
      say({ gpp: `DBABMA~${text.slice(0, 20)}` }, 'dddd');
      say({ ...yes, tc: `${text.slice(0, -1)}\n` }, 'dddd');
    }
    say({ gcs: 'G111' }, 'ggdd');
    say({ gcs: 'G110' }, 'dgdd');
    say({ gcd: '11t1r1n1v5' }, 'gggg');
    say({ gcd: '11p1p1p1p5' }, 'dddd');
    say({ gcs: 'G111', gcd: '11p1' }, 'dddd');
    say({}, 'dddd');
    const rows = rig.rows();
    expect(rows.map(({ consent, stored_id }) => [String(consent).slice(0, 4), stored_id === 1])).toEqual(wanted);
    expect(wanted.filter(([, kept]) => kept).length).toBeGreaterThan(5);
  });

  it('decides whether a visit is counted at all, where its organisation has set that, and nowhere as shipped', () => {
    const { measurement } = shippedRule.bases;
    const measuring = (eea: 'consent' | 'off') =>
      openVisitorRule({ ...shippedRule.bases, measurement: { ...measurement, eea } });
    const sent = (purposes: typeof shippedRule, consent?: object, headers = browserHeaders) => {
      const rig = openRig({ sites: [{ ...shop, purposes }] });
      rig.send({ ...view, consent }, { headers });
      return [rig.rows().length, rig.dropRows().map(({ reason }) => reason)];
    };
    expect(sent(shippedRule)).toEqual([1, []]);
    expect(sent(shippedRule, no, { ...browserHeaders, dnt: '1' } as typeof browserHeaders)).toEqual([1, []]);
    expect(sent(measuring('consent'))).toEqual([0, ['measuring_no_consent']]);
    expect(sent(measuring('consent'), yes)).toEqual([1, []]);
    expect(sent(measuring('off'), yes)).toEqual([0, ['measuring_off']]);
  });

  it('keeps the address of a clicked mail link in the same way, and the rest of the event', () => {
    const click = { ...view, n: 'Mailto: Click', p: { value: 'ada@mail.example' } };
    const sent = (consent?: object) => {
      const rig = openRig({ sites: [{ ...shop, contactClicks: true }] });
      rig.send({ ...click, consent });
      return [rig.rows()[0]?.contact !== '', rig.dropRows().map(({ reason }) => reason)];
    };
    expect(sent(yes)).toEqual([true, []]);
    expect(sent()).toEqual([false, ['contact_no_consent']]);
  });
});
