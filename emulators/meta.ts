import { type EmulatedAnswer, type EmulatedRequest, type EmulatorParts, objectOf, openEmulator } from './admin.ts';
import { type Counted, CountedOnce } from './counted.ts';
import { MetaLogin, type MetaLoginSettings } from './meta_login.ts';
import { MetaRefusal, refuseToken, type TokenState } from './meta_refusal.ts';
import { bearerOf } from './oauth.ts';

/**
 * Meta's Conversions API, after `reference/conversion-relay.md`: `POST /v25.0/{dataset}/events`, all or nothing per request,
 * events of one name and id within 48 hours are one. Numbers of errors that the reference does not name are recalled and
 * marked so. Of its numbers for a wrong event it says what one means (2804003, too old): every other fault is 2804001 here.
 *
 * Stricter than Meta in one thing: a token in the address is no token, since it would stand in logs.
 *
 * `POST /__admin/platform` takes `tokens` (`{"EAAB": "expired"}`), `transient` (so many answers are a passing fault), `usage`
 * (percent, of the headers), `regainMinutes`, and `rejects` (`{"order-7": "why"}`: the event of this id is a wrong one).
 * What `meta_login.ts` adds takes what `oauth.ts` takes.
 * `GET /__admin` tells the counts, the events that were counted once (`events`), and those of test codes (`tested`).
 */
export function openMetaEmulator(settings: MetaSettings & EmulatorParts) {
  return openEmulator(new Meta(settings), settings);
}

interface MetaSettings {
  /** By dataset, whatever may be sent to it. */
  datasets: string[];
  tokens: Record<string, TokenState>;
  /** Where tokens can be got as well, and what they are good for (`meta_login.ts`). */
  login?: MetaLoginSettings;
}

const versions = ['v24.0', 'v25.0'];
const eventsMax = 1_000;
const dayMs = 86_400_000;
const ageMsMax = 7 * dayMs;
/** Of code that was read, not of Meta's own pages. */
const storeAgeMsMax = 62 * dayMs;
const aheadMsMax = 60_000;
const sameMs = 48 * 3_600_000;
const sources = [
  ...['website', 'app', 'email', 'phone_call', 'chat', 'physical_store', 'system_generated', 'other'],
  'business_messaging',
];
const hashed = ['em', 'ph', 'fn', 'ln', 'ct', 'st', 'zp', 'country', 'db', 'ge', 'external_id'];
/** Recommended to be hashed, and not required to be. */
const hashedAtWill = ['external_id'];
const clear = [
  ...['fbc', 'fbp', 'client_ip_address', 'client_user_agent', 'lead_id', 'subscription_id', 'madid', 'fb_login_id'],
  ...['page_id', 'page_scoped_user_id', 'ctwa_clid', 'ig_account_id', 'ig_sid', 'anon_id'],
];

function wrongEvent(at: number, what: string, subcode = 2804001): never {
  const more = { is_transient: false, error_user_title: what, error_user_msg: `data[${at}]: ${what}` };
  throw new MetaRefusal('Invalid parameter', 100, subcode, more);
}

class Meta {
  readonly #settings: MetaSettings;
  readonly #login: MetaLogin;
  #tokens!: Map<string, TokenState>;
  readonly #counted = new CountedOnce(sameMs);
  #events!: Record<string, unknown>[];
  #tested!: Record<string, Record<string, unknown>[]>;
  #counts!: { requests: number; received: number; duplicates: number; refused: number };
  #transient!: number;
  #usage!: { percent: number; regainMinutes: number };
  #rejects!: Map<unknown, string>;

  constructor(settings: MetaSettings) {
    this.#settings = settings;
    this.#login = new MetaLogin(settings.login ?? { apps: [], accounts: [] });
    this.reset();
  }

  reset(): void {
    this.#login.reset();
    this.#tokens = new Map(Object.entries(this.#settings.tokens));
    this.#counted.clear();
    this.#events = [];
    this.#transient = 0;
    this.#tested = {};
    this.#counts = { requests: 0, received: 0, duplicates: 0, refused: 0 };
    this.#usage = { percent: 1, regainMinutes: 0 };
    this.#rejects = new Map();
  }

  set(change: Record<string, unknown>): void {
    const { tokens, transient, usage, regainMinutes, rejects } = change;
    this.#login.set(change);
    for (const [token, state] of Object.entries(objectOf(tokens))) this.#tokens.set(token, state as TokenState);
    if (typeof transient === 'number') this.#transient = transient;
    if (typeof usage === 'number') this.#usage.percent = usage;
    if (typeof regainMinutes === 'number') this.#usage.regainMinutes = regainMinutes;
    for (const [id, why] of Object.entries(objectOf(rejects))) this.#rejects.set(id, String(why));
  }

  state(): object {
    return { ...this.#counts, events: this.#events, tested: this.#tested, login: this.#login.state() };
  }

  counted(): readonly Counted[] {
    return this.#counted.all();
  }

  answer(request: EmulatedRequest, now: number): EmulatedAnswer {
    this.#counts.requests++;
    if (this.#transient > 0) {
      this.#transient--;
      const { error } = new MetaRefusal('Service temporarily unavailable', 2, undefined, { is_transient: true });
      return { status: 500, headers: this.#usageHeaders(), body: { error: { ...error, ...this.#trace() } } };
    }
    try {
      const dialog = this.#login.dialog(request, pathOf(request).path, now);
      return dialog ?? { status: 200, headers: this.#usageHeaders(), body: this.#take(request, now) };
    } catch (error) {
      if (!(error instanceof MetaRefusal)) throw error;
      this.#counts.refused++;
      const body = { error: { ...error.error, ...this.#trace() } };
      return { status: error.status, headers: this.#usageHeaders(), body };
    }
  }

  quota(): EmulatedAnswer {
    const error = new MetaRefusal('(#80004) There have been too many calls to this ad-account.', 80_004, 2446079, {
      is_transient: false,
    });
    const regainMinutes = this.#usage.regainMinutes || 5;
    return {
      status: 400,
      headers: this.#usageHeaders({ percent: 100, regainMinutes }),
      body: { error: { ...error.error, ...this.#trace() } },
    };
  }

  #trace() {
    return { fbtrace_id: `A${String(this.#counts.requests).padStart(22, '0')}` };
  }

  #usageHeaders({ percent, regainMinutes } = this.#usage): Record<string, string> {
    const load = { call_count: percent, total_cputime: percent, total_time: percent };
    const use = { type: 'ads_management', ...load, estimated_time_to_regain_access: regainMinutes };
    return {
      'x-app-usage': JSON.stringify(load),
      'x-business-use-case-usage': JSON.stringify({ '1001': [use] }),
    };
  }

  #take(request: EmulatedRequest, now: number): object {
    const { method, headers } = request;
    const said = objectOf(request.body);
    const { version, path } = pathOf(request);
    // Recalled: 2500 for an address that is none, 2635 for a version that is gone. A login works without a version.
    if (version === undefined && path !== 'oauth/access_token')
      throw new MetaRefusal(`Unknown path components: ${request.path}`, 2500);
    if (version !== undefined && !versions.includes(version))
      throw new MetaRefusal('(#2635) You are calling a deprecated version.', 2635);
    const login = this.#login.take(request, path, now);
    if (login !== undefined) return login;
    const [dataset = '', rest, ...more] = path.split('/');
    if (rest !== 'events' || more.length > 0) throw new MetaRefusal(`Unknown path components: ${request.path}`, 2500);
    this.#checkToken(bearerOf({ headers }) ?? said.access_token, now);
    if (!this.#settings.datasets.includes(dataset) || method !== 'POST')
      throw new MetaRefusal(`Unsupported ${method.toLowerCase()} request. Object does not exist.`, 100, 33);
    const { data, test_event_code: code } = said;
    if (!Array.isArray(data) || data.length === 0) throw new MetaRefusal('(#100) Param data must be an array.', 100);
    if (data.length > eventsMax) throw new MetaRefusal(`(#100) Too many events: ${data.length}`, 100);
    if (code !== undefined && (typeof code !== 'string' || code === ''))
      throw new MetaRefusal('(#100) Param test_event_code must be a string.', 100);
    const events = data.map(objectOf);
    events.forEach((event, at) => {
      checkEvent(event, at, now);
      const why = this.#rejects.get(event.event_id);
      if (why !== undefined) wrongEvent(at, why);
    });
    if (code !== undefined) this.#tested[code] = [...(this.#tested[code] ?? []), ...events];
    else for (const event of events) this.#keep(dataset, event, now);
    this.#counts.received += events.length;
    return { events_received: events.length, messages: [], ...this.#trace() };
  }

  /** A token that was pasted sends without any permission; one of the login needs one that writes. */
  #checkToken(given: unknown, now: number): void {
    const token = String(given);
    refuseToken(this.#tokens.get(token) ?? this.#login.tokenState(token, now) ?? 'invalid');
    this.#login.checkScope(token, now, 'ads_management', 'business_management');
  }

  /** An event without an id is never anybody's twin. After 48 hours an id counts once more. */
  #keep(dataset: string, event: Record<string, unknown>, now: number): void {
    const { event_name, event_id } = event;
    const id = typeof event_id === 'string' ? event_id : null;
    if (this.#counted.take({ to: dataset, event: String(event_name), id }, now))
      this.#events.push({ dataset, ...event });
    else this.#counts.duplicates++;
  }
}

function pathOf({ path }: EmulatedRequest): { version?: string; path: string } {
  const [, version, rest = ''] = /^\/(v\d+\.\d)\/(.+)$/.exec(path) ?? [];
  return version === undefined ? { path: path.slice(1) } : { version, path: rest };
}

function checkEvent(event: Record<string, unknown>, at: number, now: number): void {
  const { event_name, event_time, event_id, action_source, event_source_url, user_data } = event;
  if (typeof event_name !== 'string' || event_name === '') wrongEvent(at, 'event_name is missing');
  if (typeof event_time !== 'number' || !Number.isInteger(event_time)) wrongEvent(at, 'event_time is no whole number');
  if (event_id !== undefined && typeof event_id !== 'string') wrongEvent(at, 'event_id is no text');
  if (!sources.includes(String(action_source))) wrongEvent(at, 'action_source is unknown');
  const user = objectOf(user_data);
  if (Object.keys(user).length === 0) wrongEvent(at, 'user_data is missing');
  // Milliseconds are a time far ahead.
  const ageMs = now - event_time * 1000;
  if (ageMs < -aheadMsMax) wrongEvent(at, 'event_time is in the future');
  if (ageMs > (action_source === 'physical_store' ? storeAgeMsMax : ageMsMax))
    wrongEvent(at, 'event_time is too old', 2804003);
  if (action_source === 'website') {
    if (typeof event_source_url !== 'string' || !URL.canParse(event_source_url))
      wrongEvent(at, 'event_source_url is missing');
    if (typeof user.client_user_agent !== 'string' || user.client_user_agent === '')
      wrongEvent(at, 'client_user_agent is missing');
  }
  checkUser(user, at);
  const { value, currency } = objectOf(event.custom_data);
  if (value !== undefined && (typeof value !== 'number' || !Number.isFinite(value)))
    wrongEvent(at, 'value is no number');
  if (currency !== undefined && !/^[A-Za-z]{3}$/.test(String(currency))) wrongEvent(at, 'currency is no code');
}

function checkUser(user: Record<string, unknown>, at: number): void {
  for (const [name, value] of Object.entries(user)) {
    if (!hashed.includes(name) && !clear.includes(name)) wrongEvent(at, `user_data.${name} is unknown`);
    if (!hashed.includes(name) || hashedAtWill.includes(name)) continue;
    const values: unknown[] = Array.isArray(value) ? value : [value];
    if (!values.every((each) => typeof each === 'string' && /^[0-9a-f]{64}$/.test(each)))
      wrongEvent(at, `user_data.${name} is not hashed`);
  }
  for (const name of ['fbc', 'fbp'])
    if (user[name] !== undefined && !/^fb\.\d\.\d+\.\S+$/.test(String(user[name])))
      wrongEvent(at, `user_data.${name} has another form`);
}
