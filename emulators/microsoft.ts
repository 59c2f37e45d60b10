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
import { answerOfOAuth, bearerOf, fieldsOf, OAuth, type OAuthApp, OAuthRefusal, tokensFor } from './oauth.ts';
import { isAmount, isCurrency, isPastSecond, rawIn, Tally, unhashedIn } from './tally.ts';

/**
 * Microsoft's Conversions API, after `reference/conversion-relay.md`: `POST /v1/{tag}/events`, each tag with a token of its
 * own, for accounts that are in the pilot; up to 1,000 events of a request, and rows that are wrong stand in
 * `error.details[]`, refusing all. `eventId` is one for its tag and event.
 *
 * Not in the reference: Microsoft's OAuth at `/{tenant}/oauth2/v2.0/authorize` and `/token`, which wants the `scope` each
 * time, gives refresh tokens of 90 days, and has no address to take a token back at: whoever gave it does that in the
 * account; accounts and tags (`/CustomerManagement/v13/User/Query`, `/Accounts/Search`,
 * `/CampaignManagement/v13/UetTags/QueryByIds`) and their `Errors` (Microsoft's Advertising documents). Names of members and
 * codes of the Conversions API are from public connectors.
 *
 * `POST /__admin/platform` takes what `tally.ts` and `oauth.ts` take (`tokens` do not belong to a tag), and `isPilot`.
 */
export function openMicrosoftEmulator(settings: MicrosoftSettings & EmulatorParts): Promise<Emulated> {
  return openEmulator(new Microsoft(settings), settings);
}

export interface MicrosoftSettings {
  /** By tag its token. */
  tags: Record<string, string>;
  apps: OAuthApp[];
  accounts: { id: string; name: string; currency: string; customer: string; tags: { id: string; name: string }[] }[];
}

const manage = 'https://ads.microsoft.com/msads.manage';
const eventsMax = 1_000;
const scopes = ['openid', 'profile', 'email', 'offline_access', manage];

interface Detail {
  index: number;
  errorCode: string;
  propertyName: string;
  errorMessage: string;
  isWarning: boolean;
}

class MicrosoftRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Detail[];
  constructor(status: number, code: string, message: string, details: Detail[] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

class Microsoft implements Platform {
  readonly #settings: MicrosoftSettings;
  readonly #tally = new Tally([]);
  readonly #oauth: OAuth;
  #isPilot = true;

  constructor(settings: MicrosoftSettings) {
    this.#settings = settings;
    this.#oauth = new OAuth(settings.apps, {
      ...{ name: 'Microsoft', scopes, codeMs: 600_000, accessMs: 3_600_000, refreshMs: 90 * 86_400_000 },
      ...{ rotates: true, prefix: 'EwB' },
    });
  }

  reset(): void {
    this.#tally.reset();
    this.#oauth.reset();
    this.#isPilot = true;
  }

  set(change: Record<string, unknown>): void {
    this.#tally.set(change);
    this.#oauth.set(change);
    if (typeof change.isPilot === 'boolean') this.#isPilot = change.isPilot;
  }

  state(): object {
    return { ...this.#tally.state(), isPilot: this.#isPilot, login: this.#oauth.state() };
  }

  counted(): readonly Counted[] {
    return this.#tally.counted();
  }

  quota(): EmulatedAnswer {
    const answer = answerOf(new MicrosoftRefusal(429, 'TooManyRequests', 'Too many requests.'));
    return { ...answer, headers: { 'retry-after': '30' } };
  }

  answer(request: EmulatedRequest, now: number): EmulatedAnswer {
    this.#tally.asked();
    try {
      return this.#route(request, now);
    } catch (error) {
      if (error instanceof OAuthRefusal) return answerOfOAuth(error);
      if (!(error instanceof MicrosoftRefusal)) throw error;
      this.#tally.refused();
      return answerOf(error);
    }
  }

  #route(request: EmulatedRequest, now: number): EmulatedAnswer {
    const { method, path } = request;
    const [, step] = /^\/[\w.-]+\/oauth2\/v2\.0\/(authorize|token)$/.exec(path) ?? [];
    if (step === 'authorize') return this.#oauth.authorise(request, now);
    if (step === 'token' && method === 'POST') {
      if (String(fieldsOf(request).scope ?? '').trim() === '')
        throw new OAuthRefusal('invalid_request', 'The request body must contain the following parameter: scope.');
      const isRefreshable = ({ scopes: granted }: { scopes: string[] }) => granted.includes('offline_access');
      const { accessToken, refreshToken, grant, expiresInSeconds } = tokensFor(
        this.#oauth,
        request,
        now,
        isRefreshable,
      );
      const given = { token_type: 'Bearer', scope: grant.scopes.join(' '), expires_in: expiresInSeconds };
      const refresh = refreshToken === undefined ? {} : { refresh_token: refreshToken };
      return { status: 200, body: { ...given, access_token: accessToken, ...refresh } };
    }
    const [, what] = /^\/(?:CustomerManagement|CampaignManagement)\/v13\/(\w+\/\w+)$/.exec(path) ?? [];
    if (what !== undefined && method === 'POST') return this.#read(request, what, now);
    const [, tag] = /^\/v1\/(\d+)\/events$/.exec(path) ?? [];
    if (tag === undefined || method !== 'POST') throw new MicrosoftRefusal(404, 'NotFound', 'No such path.');
    return { status: 200, body: this.#take(request, tag, now) };
  }

  /** Numbers are text in its JSON. A token that is no good is a 401 with a list of errors. */
  #read(request: EmulatedRequest, what: string, now: number): EmulatedAnswer {
    if (this.#oauth.scopesOf(bearerOf(request) ?? '', now)?.includes(manage) !== true) {
      const Errors = [{ Code: 105, ErrorCode: 'InvalidCredentials', Message: 'Authentication failed.' }];
      return { status: 401, body: { Errors, TrackingId: 'emulator' } };
    }
    const { accounts } = this.#settings;
    if (what === 'User/Query') return { status: 200, body: { User: { Id: '1001' }, CustomerRoles: [] } };
    if (what === 'Accounts/Search') {
      const { Index = 0, Size = 100 } = objectOf(objectOf(request.body).PageInfo);
      const page = accounts.slice(Number(Index) * Number(Size), (Number(Index) + 1) * Number(Size));
      const Accounts = page.map(({ id, name, currency, customer }) => ({
        ...{ Id: id, Name: name, Number: `X${id}`, CurrencyCode: currency, ParentCustomerId: customer },
        ...{ AccountLifeCycleStatus: 'Active', TimeZone: 'AmsterdamBerlinBernRomeStockholmVienna' },
      }));
      return { status: 200, body: { Accounts } };
    }
    if (what !== 'UetTags/QueryByIds') throw new MicrosoftRefusal(404, 'NotFound', 'No such path.');
    const account = accounts.find(({ id }) => id === request.headers.customeraccountid);
    if (account === undefined) throw new MicrosoftRefusal(400, 'InvalidAccountId', 'CustomerAccountId is none.');
    const UetTags = account.tags.map(({ id, name }) => ({ Id: id, Name: name, TrackingStatus: 'Active' }));
    return { status: 200, body: { UetTags, PartialErrors: [] } };
  }

  #take(request: EmulatedRequest, tag: string, now: number): object {
    const token = bearerOf(request);
    if (token === undefined || (this.#settings.tags[tag] !== token && !this.#tally.isToken(token)))
      throw new MicrosoftRefusal(401, 'Unauthorized', 'The token is not of this tag.');
    if (!this.#isPilot) throw new MicrosoftRefusal(403, 'Forbidden', 'The account is not in the pilot.');
    const { data } = objectOf(request.body);
    if (!Array.isArray(data) || data.length === 0) throw new MicrosoftRefusal(400, 'BadRequest', 'data is missing.');
    if (data.length > eventsMax) throw new MicrosoftRefusal(400, 'BadRequest', `More than ${eventsMax} events.`);
    const events = data.map(objectOf);
    const details = events.flatMap((event, index): Detail[] => {
      const scripted = this.#tally.rejectOf(event.eventId);
      const fault = scripted === undefined ? faultOf(event, now) : { propertyName: 'eventId', errorCode: scripted };
      if (fault === undefined) return [];
      const errorMessage = `${fault.propertyName} is refused.`;
      return [{ index, ...fault, errorMessage, isWarning: false }];
    });
    if (details.length > 0) throw new MicrosoftRefusal(400, 'InvalidRequest', 'Some events are wrong.', details);
    for (const { eventName, eventId } of events) this.#tally.take(tag, eventName, eventId, now);
    return { eventsReceived: events.length };
  }
}

function answerOf({ status, code, message, details }: MicrosoftRefusal): EmulatedAnswer {
  return { status, body: { error: { code, message, ...(details.length > 0 && { details }) } } };
}

function faultOf(event: Record<string, unknown>, now: number): Pick<Detail, 'propertyName' | 'errorCode'> | undefined {
  const { eventType, eventName, eventTime, eventId, adStorageConsent, userData, customData } = event;
  const wrong = (propertyName: string, errorCode = 'InvalidValue') => ({ propertyName, errorCode });
  if (!['pageLoad', 'custom'].includes(String(eventType))) return wrong('eventType');
  if (eventType === 'custom' && typeof eventName !== 'string') return wrong('eventName', 'MissingValue');
  if (!isPastSecond(eventTime, now)) return wrong('eventTime');
  if (eventId !== undefined && typeof eventId !== 'string') return wrong('eventId');
  if (adStorageConsent !== undefined && !['G', 'D'].includes(String(adStorageConsent)))
    return wrong('adStorageConsent');
  const raw = unhashedIn(objectOf(userData), ['em', 'ph', 'externalId']);
  if (raw !== undefined) return wrong(`userData.${raw}`, 'NotHashed');
  const clear = rawIn({ userData, customData, eventSourceUrl: event.eventSourceUrl });
  if (clear !== undefined) return wrong(clear, 'PersonalData');
  const { value, currency } = objectOf(customData);
  if (!isAmount(value)) return wrong('customData.value');
  return isCurrency(currency) ? undefined : wrong('customData.currency');
}
