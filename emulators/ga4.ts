import {
  type EmulatedAnswer,
  type EmulatedRequest,
  type EmulatorParts,
  objectOf,
  openEmulator,
  type Platform,
} from './admin.ts';
import type { Counted } from './counted.ts';
import { isHash, rawIn, Tally } from './tally.ts';

/**
 * GA4's Measurement Protocol, after `reference/conversion-relay.md`: `POST /mp/collect` answers 204 whatever was sent, and
 * drops what is wrong without a word; `POST /debug/mp/collect` says what is wrong and keeps nothing. 25 events of a request,
 * 72 hours back. `GET /__admin` tells what was `dropped`, and why.
 *
 * Recalled: names of validation codes, 25 parameters, names of 40 characters and values of 100, reserved names, and that a
 * purchase under the same `transaction_id` counts once; nothing else has an id by which a double is known.
 */
export function openGa4Emulator(settings: Ga4Settings & EmulatorParts) {
  return openEmulator(new Ga4(settings), settings);
}

interface Ga4Settings {
  /** By measurement id its secrets. */
  streams: Record<string, string[]>;
}

interface Message {
  fieldPath: string;
  description: string;
  validationCode: string;
}

const eventsMax = 25;
const backMs = 72 * 3_600_000;
const limits = { parameters: 25, name: 40, value: 100 };
const reservedNames = ['ad_click', 'app_remove', 'error', 'first_visit', 'session_start', 'user_engagement'];
const reservedPrefix = /^(?:_|firebase_|ga_|google_|gtag\.)/;

class Ga4 implements Platform {
  readonly #settings: Ga4Settings;
  readonly #tally = new Tally([]);
  #dropped: Message[] = [];

  constructor(settings: Ga4Settings) {
    this.#settings = settings;
  }

  reset(): void {
    this.#tally.reset();
    this.#dropped = [];
  }

  set(change: Record<string, unknown>): void {
    this.#tally.set(change);
  }

  state(): object {
    return { ...this.#tally.state(), dropped: this.#dropped };
  }

  counted(): readonly Counted[] {
    return this.#tally.counted();
  }

  /** It says of none; what stands before it may have enough. */
  quota(): EmulatedAnswer {
    return { status: 503, headers: { 'content-type': 'text/html' }, body: '<html><h1>503</h1></html>' };
  }

  answer(request: EmulatedRequest, now: number): EmulatedAnswer {
    this.#tally.asked();
    const { method, path, query, body } = request;
    if (method !== 'POST' || !/^(?:\/debug)?\/mp\/collect$/.test(path)) return { status: 404, body: 'Not found' };
    const messages = messagesOf(body, now);
    if (path.startsWith('/debug')) return { status: 200, body: { validationMessages: messages } };
    const id = query.get('measurement_id') ?? '';
    if (this.#settings.streams[id]?.includes(query.get('api_secret') ?? '') !== true)
      this.#dropped.push(message('measurement_id', 'VALUE_INVALID', 'No stream has this id and secret.'));
    else if (messages.length > 0) this.#dropped.push(...messages);
    else this.#take(id, objectOf(body), now);
    return { status: 204, body: '' };
  }

  #take(stream: string, said: Record<string, unknown>, now: number): void {
    for (const { name, params } of (said.events as unknown[]).map(objectOf)) {
      const { transaction_id: id } = objectOf(params);
      this.#tally.take(stream, name, name === 'purchase' ? id : undefined, now);
    }
  }
}

function message(fieldPath: string, validationCode: string, description: string): Message {
  return { fieldPath, description, validationCode };
}

function messagesOf(body: unknown, now: number): Message[] {
  const said = objectOf(body);
  const { client_id, events, consent, user_data, timestamp_micros } = said;
  const found: Message[] = [];
  const say = (field: string, code: string, what: string) => found.push(message(field, code, what));
  if (typeof client_id !== 'string' || client_id === '') say('client_id', 'VALUE_REQUIRED', 'A client is missing.');
  for (const [name, word] of Object.entries(objectOf(consent)))
    if (!['ad_user_data', 'ad_personalization'].includes(name) || !['GRANTED', 'DENIED'].includes(String(word)))
      say(`consent.${name}`, 'VALUE_INVALID', 'GRANTED or DENIED.');
  for (const [name, value] of Object.entries(objectOf(user_data)))
    if (name.startsWith('sha256_') && !(Array.isArray(value) ? value : [value]).every(isHash))
      say(`user_data.${name}`, 'VALUE_INVALID', 'No hash.');
  const raw = rawIn(said);
  if (raw !== undefined) say(raw, 'VALUE_INVALID', 'A mail address in clear.');
  if (timestamp_micros !== undefined) checkTime(timestamp_micros, 'timestamp_micros', now, say);
  if (!Array.isArray(events) || events.length === 0) say('events', 'VALUE_REQUIRED', 'Nothing was sent.');
  else if (events.length > eventsMax) say('events', 'EXCEEDED_MAX_ENTITIES', `More than ${eventsMax} events.`);
  else
    events.map(objectOf).forEach((event, at) => {
      checkEvent(event, `events[${at}]`, now, say);
    });
  return found;
}

type Say = (field: string, code: string, what: string) => void;

function checkEvent(
  { name, params, timestamp_micros }: Record<string, unknown>,
  at: string,
  now: number,
  say: Say,
): void {
  if (!isName(name)) say(`${at}.name`, 'NAME_INVALID', 'No name of an event.');
  else if (reservedNames.includes(String(name)) || reservedPrefix.test(String(name)))
    say(`${at}.name`, 'NAME_RESERVED', 'A reserved name.');
  const given = objectOf(params);
  if (Object.keys(given).length > limits.parameters)
    say(`${at}.params`, 'EXCEEDED_MAX_ENTITIES', `More than ${limits.parameters} parameters.`);
  for (const [parameter, value] of Object.entries(given)) {
    if (!isName(parameter)) say(`${at}.params.${parameter}`, 'NAME_INVALID', 'No name of a parameter.');
    else if (reservedPrefix.test(parameter)) say(`${at}.params.${parameter}`, 'NAME_RESERVED', 'A reserved name.');
    // A page's address may be longer than what people name.
    const max = parameter === 'page_location' ? 1_000 : limits.value;
    if (typeof value === 'string' && value.length > max)
      say(`${at}.params.${parameter}`, 'VALUE_OUT_OF_BOUNDS', `More than ${max} characters.`);
  }
  const { value, currency } = given;
  if (value !== undefined && typeof value !== 'number') say(`${at}.params.value`, 'VALUE_INVALID', 'No number.');
  if (value !== undefined && !/^[A-Z]{3}$/.test(String(currency)))
    say(`${at}.params.currency`, 'VALUE_REQUIRED', 'A value has a currency.');
  if (timestamp_micros !== undefined) checkTime(timestamp_micros, `${at}.timestamp_micros`, now, say);
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.length <= limits.name && /^[A-Za-z]\w*$/.test(value);
}

function checkTime(micros: unknown, field: string, now: number, say: Say): void {
  const at = Number(micros) / 1_000;
  // Milliseconds are a time long ago.
  if (!Number.isFinite(at) || now - at > backMs || at > now + 60_000)
    say(field, 'VALUE_OUT_OF_BOUNDS', 'Not within the last 72 hours.');
}
