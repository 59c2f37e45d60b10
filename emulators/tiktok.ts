import {
  type Emulated,
  type EmulatedAnswer,
  type EmulatedRequest,
  type EmulatorParts,
  objectOf,
  openEmulator,
  type Platform,
} from './admin.ts';
import type { Counted } from './counted.ts';
import { OAuth, type OAuthApp, OAuthRefusal } from './oauth.ts';
import { isAmount, isCurrency, isPastSecond, rawIn, Tally, unhashedIn } from './tally.ts';

/**
 * TikTok's Business API, after `reference/conversion-relay.md`: `POST /open_api/v1.3/event/track/` with the token in
 * `Access-Token`. Every answer is a 200, and says in `code` what it is: 0, or an error. 50 events of a request; one that is
 * wrong refuses all, and the message names its row.
 *
 * Not in the reference: the codes (40002 a parameter, 40100 too many, 40105 a token, 40001 what a token may not do: SleekFlow's
 * table), and the OAuth, whose tokens do not end by themselves: `/portal/auth` sends back `auth_code`,
 * `/open_api/v1.3/oauth2/access_token/` takes it as JSON, `/open_api/v1.3/oauth2/advertiser/get/` (TikTok's SDK),
 * `/open_api/v1.3/oauth2/revoke_token/` and `/open_api/v1.3/pixel/list/` (others' code). Recalled: that an event and its id are
 * one for 48 hours.
 *
 * `POST /__admin/platform` takes what `tally.ts` and `oauth.ts` take.
 */
export function openTikTokEmulator(settings: TikTokSettings & EmulatorParts): Promise<Emulated> {
  return openEmulator(new TikTok(settings), settings);
}

export interface TikTokSettings {
  /** Of Events Manager, good for every pixel. */
  tokens: string[];
  apps: OAuthApp[];
  advertisers: { id: string; name: string; pixels: { code: string; name: string }[] }[];
}

const api = '/open_api/v1.3';
const eventsMax = 50;
const sameMs = 48 * 3_600_000;
const sources = ['web', 'app', 'offline', 'crm'];
const hashed = ['email', 'phone', 'external_id'];

/** What a 200 says. */
class BodyRefusal extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

class TikTok implements Platform {
  readonly #settings: TikTokSettings;
  readonly #tally: Tally;
  readonly #oauth: OAuth;
  #requests = 0;

  constructor(settings: TikTokSettings) {
    this.#settings = settings;
    this.#tally = new Tally(settings.tokens, sameMs);
    this.#oauth = new OAuth(settings.apps, {
      ...{ name: 'TikTok', codeMs: 3_600_000, accessMs: Number.POSITIVE_INFINITY },
      ...{ idName: 'app_id', codeName: 'auth_code' },
    });
  }

  reset(): void {
    this.#tally.reset();
    this.#oauth.reset();
  }

  set(change: Record<string, unknown>): void {
    this.#tally.set(change);
    this.#oauth.set(change);
  }

  state(): object {
    return { ...this.#tally.state(), login: this.#oauth.state() };
  }

  counted(): readonly Counted[] {
    return this.#tally.counted();
  }

  quota(): EmulatedAnswer {
    return this.#answerOf(40_100, 'Too many requests. Please retry in some time.');
  }

  answer(request: EmulatedRequest, now: number): EmulatedAnswer {
    this.#tally.asked();
    if (request.path === '/portal/auth') return this.#oauth.authorise(request, now);
    try {
      return this.#answerOf(0, 'OK', this.#route(request, now));
    } catch (error) {
      if (error instanceof OAuthRefusal) return this.#answerOf(40_002, error.message);
      if (!(error instanceof BodyRefusal)) throw error;
      this.#tally.refused();
      return this.#answerOf(error.code, error.message);
    }
  }

  #answerOf(code: number, message: string, data: object = {}): EmulatedAnswer {
    const request_id = `2026113009000001${String(++this.#requests).padStart(16, '0')}`;
    return { status: 200, body: { code, message, request_id, data } };
  }

  #route(request: EmulatedRequest, now: number): object {
    const { method, path, body, query } = request;
    const said = objectOf(body);
    const asked = `${method} ${path.replace(/\/$/, '')}`;
    if (asked === `POST ${api}/event/track`) return this.#track(request, said, now);
    if (asked === `POST ${api}/oauth2/access_token`) return this.#token(said, now);
    if (asked === `POST ${api}/oauth2/revoke_token`) return this.#revoke(said);
    if (asked === `GET ${api}/oauth2/advertiser/get`) {
      this.#oauth.checkApp(query.get('app_id'), query.get('secret'));
      this.#checkToken(request, now);
      return { list: this.#settings.advertisers.map(({ id, name }) => ({ advertiser_id: id, advertiser_name: name })) };
    }
    if (asked !== `GET ${api}/pixel/list`) throw new BodyRefusal(40_404, 'No such path.');
    this.#checkToken(request, now);
    const owner = this.#settings.advertisers.find(({ id }) => id === query.get('advertiser_id'));
    if (owner === undefined) throw new BodyRefusal(40_001, 'No permission to operate on this advertiser.');
    const pixels = owner.pixels.map(({ code, name }) => ({ pixel_code: code, pixel_id: code, pixel_name: name }));
    return { pixels, page_info: { page: 1, page_size: 20, total_number: pixels.length, total_page: 1 } };
  }

  #checkToken({ headers }: EmulatedRequest, now: number): void {
    const token = headers['access-token'];
    if (token === undefined) throw new BodyRefusal(40_104, 'Access token is empty.');
    if (this.#tally.isToken(String(token)) || this.#oauth.scopesOf(String(token), now) !== undefined) return;
    throw new BodyRefusal(40_105, 'Access token is incorrect or has been revoked.');
  }

  #token({ app_id, secret, auth_code }: Record<string, unknown>, now: number): object {
    const app = this.#oauth.checkApp(app_id, secret);
    const code = { code: auth_code, redirectUri: undefined, verifier: undefined };
    const { accessToken } = this.#oauth.exchange(app, code, now, { isAddressDue: false });
    return { access_token: accessToken, advertiser_ids: this.#settings.advertisers.map(({ id }) => id), scope: [4] };
  }

  #revoke({ app_id, secret, access_token }: Record<string, unknown>): object {
    this.#oauth.checkApp(app_id, secret);
    const grant = this.#oauth.grantOf(String(access_token));
    if (grant === undefined) throw new BodyRefusal(40_105, 'Access token is incorrect or has been revoked.');
    grant.isRevoked = true;
    return {};
  }

  #track(request: EmulatedRequest, said: Record<string, unknown>, now: number): object {
    this.#checkToken(request, now);
    const { event_source, event_source_id: pixel, data, test_event_code } = said;
    if (!sources.includes(String(event_source))) throw wrong('event_source: not one of web, app, offline, crm.');
    if (!this.#settings.advertisers.some(({ pixels }) => pixels.some(({ code }) => code === pixel)))
      throw new BodyRefusal(40_001, 'No permission to operate on this pixel.');
    if (!Array.isArray(data) || data.length === 0) throw wrong('data: Missing data for required field.');
    if (data.length > eventsMax) throw wrong(`data: Longer than maximum length ${eventsMax}.`);
    const events = data.map(objectOf);
    events.forEach((event, at) => {
      const fault = this.#tally.rejectOf(event.event_id) ?? faultOf(event, now);
      if (fault !== undefined) throw wrong(`data.${at}.${fault}`);
    });
    if (test_event_code !== undefined) this.#tally.test(events);
    else for (const { event, event_id } of events) this.#tally.take(String(pixel), event, event_id, now);
    return {};
  }
}

function wrong(message: string): BodyRefusal {
  return new BodyRefusal(40_002, message);
}

function faultOf(event: Record<string, unknown>, now: number): string | undefined {
  const { event: name, event_time, event_id, user, properties, page } = event;
  if (typeof name !== 'string' || name === '') return 'event: Missing data for required field.';
  if (!isPastSecond(event_time, now)) return 'event_time: Not a second that has been.';
  if (event_id !== undefined && typeof event_id !== 'string') return 'event_id: Not a valid string.';
  const raw = unhashedIn(objectOf(user), hashed);
  if (raw !== undefined) return `user.${raw}: Not hashed.`;
  const clear = rawIn({ user, properties, page });
  if (clear !== undefined) return `${clear}: A mail address in clear.`;
  const { value, currency } = objectOf(properties);
  if (!isAmount(value)) return 'properties.value: Not a valid number.';
  return isCurrency(currency) ? undefined : 'properties.currency: Not a currency.';
}
