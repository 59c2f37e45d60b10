import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ofPeople } from '../../../contract/relay_reading.ts';
import {
  type AllEmulators,
  emulatedAccounts as accounts,
  type EmulatedPlatform,
  emulatedPlatforms,
  openAllEmulators,
} from '../../../emulators/all.ts';
import type { Counted } from '../../../emulators/counted.ts';
import type { Credential, Item, OutgoingRequest, RowVerdict, Verdict } from './destination.ts';
import { destinations } from './index.ts';
import { itemOf, now, order } from './senders_fixture.ts';

/** Every destination against a server that knows the platform and not the sender: bad days, and each conversion there once. */
let seed = 20_261_130;
/** The same numbers in each run (Numerical Recipes). */
function chance(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}
let all: AllEmulators;
beforeAll(async () => {
  all = await openAllEmulators({ now: () => now, chance, redirectUris: [] });
});
afterAll(() => all.close());

interface Row {
  platform: EmulatedPlatform;
  settings: object;
}
const { customer, manager, conversionAction } = accounts.google;
const google = { customer_id: customer, login_customer_id: manager, conversion_action_id: conversionAction };
/** Those whose platform is called otherwise there, or knows one account alone. */
const rows: Readonly<Record<string, Row>> = {
  'meta-capi': { platform: 'meta', settings: { dataset_id: accounts.meta.dataset } },
  'google-data-manager': { platform: 'data_manager', settings: google },
  'google-ads-upload': { platform: 'google_ads', settings: google },
  ga4: { platform: 'ga4', settings: { measurement_id: accounts.ga4.measurementId } },
  tiktok: { platform: 'tiktok', settings: { pixel_id: accounts.tiktok.pixel } },
  microsoft: { platform: 'microsoft', settings: { tag_id: accounts.microsoft.tag } },
  linkedin: { platform: 'linkedin', settings: { conversion_id: accounts.linkedin.rule } },
  pinterest: { platform: 'pinterest', settings: { ad_account_id: accounts.pinterest } },
  snap: { platform: 'snap', settings: { pixel_id: accounts.snap } },
  reddit: { platform: 'reddit', settings: { account_id: accounts.reddit } },
  x: { platform: 'x', settings: { pixel_id: accounts.x, event_id: `tw-${accounts.x}-o87ne` } },
};
/** A destination that nobody has written a double of is held to its own examples alone (every.test.ts). */
const emulated = destinations.flatMap((destination) => {
  const row = rows[destination.id] ?? { platform: destination.id, settings: destination.examples.settings };
  const isThere = (emulatedPlatforms as readonly string[]).includes(row.platform);
  return isThere ? [{ id: destination.id, destination, ...(row as Row) }] : [];
});

/** The secret where it belongs, as `deliveries/request.ts` adds it. */
function signed(
  credential: Credential,
  request: OutgoingRequest,
  text: string,
): { headers?: Record<string, string>; query?: string } {
  switch (credential.kind) {
    case 'none':
      return {};
    case 'bearer':
      return { headers: { authorization: 'Bearer token' } };
    case 'header':
      return { headers: { [credential.name]: 'token' } };
    case 'query': {
      const secret = credential.name === 'api_secret' ? accounts.ga4.secret : 'token';
      return { query: `${request.url.includes('?') ? '&' : '?'}${credential.name}=${secret}` };
    }
    case 'signature':
      return { headers: { [credential.header]: credential.sign(request, text, [accounts.webhook]) } };
  }
}

describe.each(emulated)('$id', ({ id, destination, platform, settings: given }) => {
  const settings = destination.settings(given);
  const admin = (path: string, body?: object) =>
    all.platforms[platform].admin(body === undefined ? 'GET' : 'POST', path, body) as Record<string, never>;
  const counted = () => (admin('/counted') as unknown as { counted: Counted[] }).counted;
  const itemsOf = (ids: string[]) => ids.map((each) => itemOf(destination, { ...order, order_id: each }, each));

  beforeEach(() => {
    // Whatever stands before it in the list.
    seed = 20_261_130;
    admin('/reset', {});
    admin('/platform', { isAllowlisted: true });
  });

  /** As `outbound` does it: the operator's base address in place of the platform's, and the secret where it belongs. */
  async function send(items: Item[], change: (text: string) => string = (text) => text): Promise<Verdict> {
    const request = destination.build(items, settings, now);
    const { pathname, search } = new URL(request.url);
    const text = request.body === undefined ? undefined : change(JSON.stringify(request.body));
    const { headers = {}, query = '' } = signed(destination.credential, request, text ?? '');
    const asked = { sent: items.length, now };
    try {
      const answer = await fetch(`${all.platforms[platform].url}${pathname}${search}${query}`, {
        ...{ method: request.method, headers: { ...request.headers, ...headers } },
        ...(text === undefined ? {} : { body: text }),
        signal: AbortSignal.timeout(10_000),
      });
      const said = await answer.text();
      const body: unknown = /^[{[]/.test(said) ? JSON.parse(said) : said;
      return destination.read({ status: answer.status, headers: Object.fromEntries(answer.headers), body }, asked);
    } catch {
      return destination.read({ status: 0, headers: {}, body: '' }, asked);
    }
  }

  /** What became of each item. */
  function outcomes(items: Item[], { rows: own = [], ...whole }: Verdict): Pick<RowVerdict, 'class' | 'reason'>[] {
    return items.map((_, at) => own.find(({ index }) => index === at) ?? whole);
  }

  it('is accepted in a batch as large as it may be, each conversion counted once', async () => {
    const items = itemsOf(Array.from({ length: destination.batchMax }, (_, at) => `A-${at}`));
    for (const item of items) expect(destination.refuse(item, settings, now)).toBeUndefined();
    expect(await send(items)).toMatchObject({ class: 'accepted' });
    expect(counted()).toHaveLength(destination.batchMax);
  });

  it('has each of 200 conversions there once, where four of ten answers go wrong', async () => {
    admin('/chaos', { share: 0.4, ms: 1 });
    const items = itemsOf(Array.from({ length: 200 }, (_, at) => `A-${at}`));
    const classes = new Set<string>();
    const size = Math.min(destination.batchMax, 5);
    for (let at = 0; at < items.length; at += size) {
      let left = items.slice(at, at + size);
      for (let tries = 0; left.length > 0; tries++) {
        if (tries === 30) throw new Error('thirty tries');
        const said = outcomes(left, await send(left));
        for (const { class: each, reason } of said) {
          classes.add(each);
          if (!['accepted', 'treat_as_delivered', 'retry', 'rate_limited'].includes(each))
            throw new Error(`${each}: ${reason}`);
        }
        left = left.filter((_, place) => said[place]?.class === 'retry' || said[place]?.class === 'rate_limited');
      }
    }
    expect([...classes]).toEqual(expect.arrayContaining(['accepted', 'retry']));
    const there = counted();
    const expected = items.map(({ id: each }) => each);
    if (id === 'webhook' || destination.countsDoubles === true)
      expect(new Set(there.map((each) => each.id)).size).toBe(200);
    else expect(there.map((each) => each.id)).toEqual(expected);
    if (destination.countsDoubles !== true) expect(there).toHaveLength(200);
    expect(there.reduce((sum, each) => sum + each.received, 0)).toBeGreaterThan(200);
    const { requests, total } = admin('/received') as unknown as { requests: object[]; total: number };
    expect(requests).toHaveLength(total);
    expect(JSON.stringify(requests)).not.toMatch(/alexz|800.{0,6}555.{0,3}0100|C-77|\bAna\b/i);
  });

  it('has nothing there that should have been hashed and was not', async () => {
    // It gets nothing of a person that could be.
    if (destination.matchesBy?.some((key) => (ofPeople as readonly string[]).includes(key)) === false) return;
    const hash = /(?<=")[0-9a-f]{64}(?=")/;
    const verdict = await send(itemsOf(['A-1']), (text) => {
      expect(text).toMatch(hash);
      return text.replace(hash, 'alexz@example.com');
    });
    expect(counted()).toEqual([]);
    // GA4 says nothing of it.
    const [outcome] = outcomes(itemsOf(['A-1']), verdict);
    expect(outcome?.class).toBe(id === 'ga4' ? 'accepted' : 'permanent');
  });
});
