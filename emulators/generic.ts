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
import { type Dialect, dialects } from './generic_dialects.ts';
import { rawIn, Tally } from './tally.ts';

/**
 * One emulator for platforms that are asked alike: Pinterest, Snap, Reddit, X, postbacks and the signed webhook, one to a server. It
 * checks the token, how many events a request may have, hashes where they are due and mail addresses in clear anywhere;
 * what differs is in `generic_dialects.ts` and `postbacks.ts`. An id is one for its account and event, for good.
 *
 * `POST /__admin/platform` takes what `tally.ts` takes.
 */
export function openGenericEmulator(settings: GenericSettings & EmulatorParts): Promise<Emulated> {
  return openEmulator(new Generic(settings), settings);
}

export interface GenericSettings {
  platform: keyof typeof dialects;
  /** Accounts or pixels that events may be for; a webhook has none. */
  accounts: string[];
  /** Of a webhook its secrets, with `whsec_`. */
  tokens: string[];
}

class Generic implements Platform {
  readonly #settings: GenericSettings;
  readonly #dialect: Dialect;
  readonly #tally: Tally;

  constructor(settings: GenericSettings) {
    this.#settings = settings;
    this.#dialect = dialects[settings.platform];
    this.#tally = new Tally(settings.tokens, this.#dialect.sameMs);
  }

  reset(): void {
    this.#tally.reset();
  }

  set(change: Record<string, unknown>): void {
    this.#tally.set(change);
  }

  state(): object {
    return { platform: this.#settings.platform, ...this.#tally.state() };
  }

  counted(): readonly Counted[] {
    return this.#tally.counted();
  }

  quota(): EmulatedAnswer {
    return { ...this.#dialect.refused('quota', 'Too many requests.'), headers: { 'retry-after': '30' } };
  }

  answer(request: EmulatedRequest, now: number): EmulatedAnswer {
    this.#tally.asked();
    const answer = this.#take(request, now);
    if (answer.status >= 300) this.#tally.refused();
    return answer;
  }

  #take(request: EmulatedRequest, now: number): EmulatedAnswer {
    const {
      method = 'POST',
      path,
      refused,
      eventsOf,
      eventsMax,
      faultOf,
      idOf,
      nameOf,
      isTest,
      keeps,
      taken,
    } = this.#dialect;
    const [, account = ''] = path.exec(request.path) ?? [undefined, ''];
    if (!path.test(request.path) || request.method !== method) return refused('path', 'No such path.');
    const isGood = this.#dialect.isSigned(request, (token) => this.#tally.isToken(token), {
      now,
      tokens: this.#settings.tokens,
    });
    if (!isGood) return refused('token', 'The token or signature is no good.');
    if (account !== '' && !this.#settings.accounts.includes(account)) return refused('account', 'Not of this token.');
    const given = eventsOf(method === 'GET' ? Object.fromEntries(request.query) : objectOf(request.body));
    if (!Array.isArray(given) || given.length === 0) return refused('events', 'No events.');
    if (given.length > eventsMax) return refused('events', `More than ${eventsMax} events.`);
    const events = given.map(objectOf);
    const faults = events.map(
      (event) => this.#tally.rejectOf(idOf(event, request)) ?? faultOf(event, now) ?? clear(event),
    );
    const wrong = faults.findIndex((fault) => fault !== undefined);
    if (wrong >= 0 && keeps === 'all or none') return refused('events', `[${wrong}] ${faults[wrong]}`, faults);
    const right = events.filter((_, at) => faults[at] === undefined);
    if (isTest(request)) this.#tally.test(right);
    else for (const event of right) this.#tally.take(account, nameOf(event), idOf(event, request), now);
    return taken(faults);
  }
}

function clear(event: Record<string, unknown>): string | undefined {
  const path = rawIn(event);
  return path === undefined ? undefined : `${path}: a mail address in clear`;
}
