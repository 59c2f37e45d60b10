import { describe, expect, it } from 'vitest';
import { answerClasses, type Conversion, conversionRefusals } from '../../../contract/conversion.ts';
import { destinationClickIds } from '../../../contract/destinations.ts';
import { type MatchKey, matchKeys, ofPeople } from '../../../contract/relay_reading.ts';
import { systemClock } from '../../platform/clock.ts';
import { readConfig } from '../../platform/config.ts';
import { silentLog } from '../../platform/log.ts';
import { providers } from '../../providers/index.ts';
import { openGate } from '../../trust/register/index.ts';
import { readConversion } from '../conversions/read.ts';
import { outwardOf } from '../deliveries/request.ts';
import { explainAnswer, explainConversion } from '../explain.ts';
import { SettingsProblem } from './destination.ts';
import { destinations } from './index.ts';

const now = Date.UTC(2026, 10, 30, 12);
const full = {
  event_id: 'e-1',
  event_name: 'purchase',
  occurred_at: '2026-11-30T09:15:00+01:00',
  value: '12.50',
  currency: 'EUR',
  order_id: 'A-1',
  action_source: 'website',
  page_url: 'https://shop.example/thanks?email=needle%40example.com',
  consent: { ad_user_data: 'granted', ad_personalization: 'granted' },
  click_ids: {
    ...{ gclid: 'Gc', fbclid: 'Fb', fbp: 'fb.1.1796000000000.1', ttclid: 'Tt', ttp: 'Tp', msclkid: 'Ms' },
    ...{ li_fat_id: 'Li', twclid: 'Tw', rdt_cid: 'Rd', sc_click_id: 'Sc', epik: 'Ep' },
    ...Object.fromEntries(destinationClickIds.map((name) => [name, `Own-${name}`])),
  },
  user: {
    ...{ email: 'needle@example.com', phone: '+18005550100', first_name: 'Needleada', last_name: 'Needlebyron' },
    ...{ city: 'Needletown', state: 'CA', zip: '94025', country: 'US', external_id: 'needle-7' },
    ...{
      ip: '8.8.8.8',
      user_agent: 'Mozilla/5.0',
      date_of_birth: '1990-01-31',
      gender: 'f',
      fingerprint: 'needleprint',
    },
  },
  items: [{ id: 'sku-1', quantity: 2, price: '6.25' }],
};
const deep = () => {
  let made: unknown = 'x';
  for (let at = 0; at < 5_000; at++) made = [{ made }];
  return made;
};
const hostile: [what: string, value: unknown][] = [
  ['two megabytes', 'x'.repeat(2_000_000)],
  ['half a character', 'a\ud800b\udfff'],
  ['nothing but spaces', '   '],
  ['signs of control', 'a\u0000\n\r\u2028"\\b'],
  ['markup', '"><script>alert(1)</script>'],
  ['a huge number', 1e308],
  ['a number below nothing', -1],
  ['no number', Number.NaN],
  ['yes', true],
  ['a list', ['a', null, {}]],
  ['an object', { toString: 'x', length: 3 }],
  [
    'what names a prototype',
    JSON.parse('{"__proto__":{"a":1},"constructor":{"prototype":{}},"toString":1,"valueOf":1}'),
  ],
  ['a deep object', deep()],
];

/** A conversion that these are not known of. */
function withoutKeys({ user, click_ids, ...rest }: typeof full, keys: readonly MatchKey[]): object {
  const gone: Partial<Record<MatchKey, readonly string[]>> = {
    ...{ name_address: ['first_name', 'last_name', 'city', 'state', 'zip'], ip_agent: ['ip', 'user_agent'] },
    fbc: ['fbclid'],
  };
  const names = keys.flatMap((key) => [key, ...(gone[key] ?? [])]);
  const left = (of: object) => Object.fromEntries(Object.entries(of).filter(([name]) => !names.includes(name)));
  return { ...rest, user: left(user), click_ids: left(click_ids) };
}

// What holds for every destination, whoever adds one: its file brings all that is asked here.
describe.each(destinations.map((destination) => ({ destination, id: destination.id })))(
  '$id',
  ({ destination, id }) => {
    const { settings } = destination.examples;
    const explain = (conversion: unknown, set: unknown = settings, at: number | string = now) =>
      explainConversion({ now: at, settings: set, conversion }, destination, 0);

    for (const { says, now: at, conversion, becomes } of destination.examples.sent ?? [])
      it(`sends as its document has it: ${says}`, () => {
        const said = explain(conversion, settings, at);
        if ('rejected' in becomes) expect(said).toEqual(becomes);
        else expect(said).toMatchObject(becomes);
      });
    for (const { says, answer, becomes } of destination.examples.read ?? [])
      it(`reads as its document has it: ${says}`, () => {
        expect(explainAnswer({ ...answer, headers: {} }, destination, now)).toMatchObject(becomes);
      });

    it('says who it is, and where its token comes from', () => {
      expect(id).toMatch(/^[a-z0-9-]{1,30}$/);
      const takesToken = destination.credential.kind !== 'none';
      expect(destination.secret !== undefined).toBe(takesToken);
      expect(providers.some(({ destinations: kinds }) => kinds.includes(id))).toBe(takesToken);
      for (const name of destination.clickIds ?? []) expect(destinationClickIds).toContain(name);
      // The tracker calls its pixel with the event's own id.
      if (destination.pixelEvent !== undefined) expect(destination.sharesPageId).toBe(true);
    });

    it('sends what the report of match quality counts for it, and none of the other click ids', () => {
      if (destination.matchesBy === undefined) return;
      const { matchesBy } = destination;
      const without = (...keys: MatchKey[]) => JSON.stringify(explain(withoutKeys(full, keys)));
      const ids = { ...full.click_ids, gbraid: 'Gb', wbraid: 'Wb', dclid: 'Dc' };
      const alone = (key?: MatchKey) =>
        JSON.stringify(
          explain(
            withoutKeys(
              { ...full, click_ids: ids },
              matchKeys.filter((one) => one !== key),
            ),
          ),
        );
      // Beside others or alone: Google takes one click id, and X an address beside something else.
      for (const key of matchesBy) expect([without(key), alone(key)], key).not.toEqual([without(), alone()]);
      const isOfPerson = (key: MatchKey) => (ofPeople as readonly string[]).includes(key);
      const ofClicks = matchKeys.filter((key) => !isOfPerson(key) && !matchesBy.includes(key));
      // `fbc` is made of it.
      for (const key of ofClicks.filter((one) => one !== 'fbclid')) expect(without(key), key).toBe(without());
    });

    it('makes a request of a full conversion, the same each time, without a secret and without what it hashes', () => {
      const said = explain({ ...full, user: full.user });
      expect(said).toHaveProperty('request');
      expect(explain(full)).toEqual(said);
      const text = JSON.stringify(said);
      expect(text).not.toMatch(/access_token|authorization|api_secret|bearer/i);
      // A webhook is the organisation's own system, which gets what it was sent.
      if (id !== 'webhook') expect(text).not.toMatch(/needle(?:@|%40|ada|byron|town|-7|print)/i);
      expect(text).not.toContain('needleprint');
    });

    it('leaves under a row of the register, to that host and to no other (REL-02)', async () => {
      const said = explain(full);
      const { host } = new URL('request' in said ? said.request.url : '');
      const { gate } = openGate({
        config: readConfig({ FAIRLEAD_DATA_DIR: '/tmp/nothing-is-kept-there' }),
        ...{ clock: systemClock, log: silentLog, postgres: {} as never },
      });
      expect(await gate({ ...outwardOf(destination), host })).toBeUndefined();
      // A webhook goes where its organisation says.
      const elsewhere = await gate({ ...outwardOf(destination), host: 'elsewhere.example' });
      expect(elsewhere).toBe(id === 'webhook' ? undefined : 'not_registered');
    });

    it('is asked for by the version that the operator sets, as its address or a header names one', () => {
      const { version } = destination;
      const said = explain(full);
      if (!('request' in said)) throw new Error('There is no request.');
      // What stands behind `v` in an address is one, and has to be said.
      expect(version === undefined && /\/v\d/.test(new URL(said.request.url).pathname)).toBe(false);
      if (version === undefined) return;
      const { standard, is } = version;
      const other = standard.replace(/\d$/, (digit) => (digit === '1' ? '2' : '1'));
      expect([is.test(standard), is.test(other)]).toEqual([true, true]);
      const line = { now, settings, conversion: full };
      const changed = explainConversion(line, destination, 0, { [id]: other });
      if (!('request' in changed)) throw new Error('There is no request.');
      const { body, ...named } = changed.request;
      expect(JSON.stringify(named)).toContain(other);
      expect(JSON.stringify(named).replaceAll(other, standard)).toBe(
        JSON.stringify({ ...said.request, body: undefined }),
      );
      expect(body).toEqual(said.request.body);
      // It stands there as it is: nothing goes through that would be more than a version.
      for (const wrong of [
        '',
        ' ',
        `${standard}/..`,
        `../${standard}`,
        `${standard} `,
        `${standard}\n`,
        `${standard}?`,
      ])
        expect(is.test(wrong), wrong).toBe(false);
      for (const wrong of [`${standard}#`, `${standard}@a.example`, `x${standard}`, 'latest', '9'.repeat(40)])
        expect(is.test(wrong), wrong).toBe(false);
    });

    it('needs nothing raw of a person once the conversion was taken', () => {
      const conversion = readConversion(full, now) as Conversion;
      const { user: _, ...rest } = conversion;
      const set = destination.settings(settings);
      const identifiers = destination.identify(conversion);
      const [one, other] = [conversion, rest].map((each) => ({ conversion: each, identifiers, id: 'A-1' }));
      if (one === undefined || other === undefined) throw new Error('two items');
      expect(destination.refuse(other, set, now)).toBeUndefined();
      expect(destination.build([other], set, now)).toEqual(destination.build([one], set, now));
    });

    it('withholds what somebody said no to', () => {
      if (!destination.purposes.includes('ad_user_data')) return;
      const consent = { ad_user_data: 'denied', ad_personalization: 'denied' };
      expect(explain({ ...full, consent })).toEqual({
        rejected: { reason: 'consent_denied', field: 'consent.ad_user_data' },
      });
    });

    const paths = [...Object.keys(full), ...Object.keys(full.user).map((name) => `user.${name}`), 'click_ids.fbclid'];
    it.each(hostile)('answers %s in any field with a request or a refusal that names it', (_, value) => {
      for (const path of [
        ...paths,
        'custom',
        'merchant',
        'original',
        'utm',
        'refund',
        'clicked_at',
        'consent.ad_user_data',
      ]) {
        const [first = '', second] = path.split('.');
        const part = (full as Record<string, unknown>)[first] as object;
        const conversion = { ...full, [first]: second === undefined ? value : { ...part, [second]: value } };
        const said = explain(conversion);
        const text = JSON.stringify(said);
        expect(text.isWellFormed(), path).toBe(true);
        expect(text, path).not.toMatch(/\\ud[89a-f]/i);
        if ('rejected' in said) expect(conversionRefusals, path).toContain(said.rejected.reason);
      }
      expect(({} as { a?: unknown }).a).toBeUndefined();
    });

    it.each(hostile)('takes no settings that are %s, and says so in a sentence', (_, value) => {
      for (const name of Object.keys(settings)) {
        const said = explain(full, { ...settings, [name]: value });
        expect(said).toMatchObject({ rejected: { reason: 'invalid', field: expect.stringMatching(/^settings/) } });
      }
      expect(explain(full, value)).toMatchObject({ rejected: { reason: 'invalid' } });
      expect(() => destination.settings({})).toThrow(SettingsProblem);
    });

    it('names its settings for a form: each that is needed is asked for, by the name under which it is missed', () => {
      const needed = Object.entries(destination.fields).filter(([, field]) => field.required === true);
      expect(needed.length).toBeGreaterThan(0);
      for (const [name] of needed) {
        const { [name]: _, ...rest } = settings as Record<string, unknown>;
        expect(explain(full, rest)).toEqual({ rejected: { reason: 'invalid', field: `settings.${name}` } });
      }
      for (const name of Object.keys(settings)) expect(Object.keys(destination.fields)).toContain(name);
      for (const { choices = [], is } of Object.values(destination.fields))
        for (const choice of choices) expect(choice).toMatch(is);
    });

    it('reads whatever comes back, gives nothing up that it does not know, and quotes nothing', () => {
      const bodies = [
        ...hostile.map(([, value]) => value),
        ...hostile.map(([, error]) => ({ error, code: error, message: 'needle@example.com', results: error })),
        ...hostile.map(([, details]) => ({ error: { code: details, status: details, details } })),
        ...hostile.map(([, value]) => ({
          partialFailureError: { details: value },
          requestStatusPerDestination: value,
        })),
        '<html>needle@example.com</html>',
        null,
      ];
      for (const status of [0, 100, 200, 204, 302, 400, 403, 500, 502, 599, 999])
        for (const body of bodies) {
          const headers = { 'retry-after': 'x'.repeat(100), date: '0' };
          const said = explainAnswer({ status, headers, body }, destination, now) as { class: string; reason: string };
          expect(answerClasses).toContain(said.class);
          expect(said.reason.length).toBeLessThanOrEqual(128);
          expect(JSON.stringify(said)).not.toContain('needle');
          if (status === 0 || status >= 500) expect(['retry', 'rate_limited']).toContain(said.class);
        }
      expect(explainAnswer({ status: 429, headers: {}, body: '' }, destination, now)).toMatchObject({
        class: 'rate_limited',
      });
    });

    it('says how old an event may be, and holds itself to it', () => {
      const ageMs = destination.ageMsMax?.(full as Conversion);
      if (ageMs === undefined) return;
      const at = (ms: number) => ({ ...full, occurred_at: new Date(now - ms).toISOString() });
      expect(explain(at(ageMs))).toHaveProperty('request');
      expect(explain(at(ageMs + 1))).toEqual({ rejected: { reason: 'too_old', field: 'occurred_at' } });
    });
  },
);
