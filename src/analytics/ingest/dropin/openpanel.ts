import type { IncomingHttpHeaders } from 'node:http';
import type { LeftOutReason } from '../../../../contract/drops.ts';
import type { ReadEvent } from '../ingest.ts';
import { readCurrency } from '../revenue.ts';
import {
  asObject,
  flatProps,
  isGiven,
  type OurWords,
  pageAddress,
  readOurWords,
  referrerOf,
  refuse,
  textOf,
} from './words.ts';

/** What the headers of a request say, before its body is read. */
export type OpenPanelClient = {
  /** The site's foreign name. */
  readonly name: string;
  /** ISO 4217, for revenue that comes without one. */
  readonly currency: string;
  /** Did the request prove by its secret that a server of the site sends it? */
  readonly isServer: boolean;
  readonly headers: IncomingHttpHeaders;
};

/** Calls about people and groups of people. */
const identityTypes = new Set(['identify', 'alias', 'increment', 'decrement', 'group', 'assign_group']);

/** Properties that OpenPanel gives a meaning; every other one is the site's own. */
const reserved = new Set([
  '__path',
  '__title',
  '__referrer',
  '__timestamp',
  '__ip',
  '__deviceId',
  '__identify',
  '__revenue',
]);

const theirNames = {
  url: 'properties.__path',
  props: 'properties',
  time: 'properties.__timestamp',
  ip: 'properties.__ip',
  'revenue.amount': 'properties.__revenue',
  'revenue.currency': 'properties.currency',
};

/**
 * `{type, payload}` of OpenPanel's packages, as `/track` takes it. `screen_view` is a page view. Profile, device and
 * group ids are left out. Address, agent and time of the visitor count from a server that sent the client's secret.
 */
export function openPanelReader(client: OpenPanelClient): ReadEvent {
  return (raw) => {
    const sent = asObject(raw);
    const payload = asObject(sent?.payload);
    if (sent === undefined || payload === undefined)
      return refuse('payload', 'Send {"type", "payload"}, with the payload as an object.');
    const { type } = sent;
    if (typeof type === 'string' && identityTypes.has(type)) return { unkept: 'identity', domains: client.name };
    if (type === 'replay') return { unkept: 'unsupported', domains: client.name };
    if (type !== 'track') return refuse('type', `The "type" is track, replay, ${[...identityTypes].join(', ')}.`);
    return readTrack(payload, client);
  };
}

function readTrack(payload: Record<string, unknown>, client: OpenPanelClient): ReturnType<ReadEvent> {
  if (payload.properties !== undefined && payload.properties !== null && asObject(payload.properties) === undefined)
    return refuse('properties', 'The "properties" are an object.');
  const said = asObject(payload.properties) ?? {};
  if (typeof payload.name !== 'string') return refuse('name', 'The event needs a "name" that is text.');
  const earned = readEarned(said, client.currency);
  if (earned !== undefined && 'refused' in earned) return earned;
  const kept = Object.entries(said).filter(
    ([key]) => !reserved.has(key) && !(earned !== undefined && key === 'currency'),
  );
  const isLink = payload.name === 'link_out';
  const words: OurWords = {
    name: payload.name === 'screen_view' ? 'pageview' : isLink ? 'Outbound Link: Click' : payload.name,
    url: pageAddress(originOf(client.headers), textOf(said.__path)),
    domain: client.name,
    referrer: referrerOf(said.__referrer),
    title: said.__title,
    props: isLink ? { url: said.href } : flatProps(Object.fromEntries(kept)),
    ...(earned === undefined ? {} : { revenue: earned }),
    ...(client.isServer
      ? { ip: isGiven(said.__ip) ? said.__ip : client.headers['x-client-ip'], time: said.__timestamp }
      : {}),
  };
  const leftOut: LeftOutReason[] = [];
  if ([payload.profileId, payload.groups, said.__deviceId, said.__identify].some(isGiven)) leftOut.push('identity_off');
  if (isLink && isGiven(said.text)) leftOut.push('text_off');
  const input = readOurWords(words, leftOut, theirNames);
  // A server's own agent ("node", a library's name) says nothing of the visitor, and is no reason to call it a robot.
  const isPassedOn = /^Mozilla\//.test(client.headers['user-agent'] ?? '');
  return client.isServer && !isPassedOn && !('refused' in input) && !('unkept' in input)
    ? { ...input, userAgent: '' }
    : input;
}

/** Pages of a browser name their site in `Origin`; a path alone is all that else is known. */
function originOf({ origin }: IncomingHttpHeaders): string {
  return origin?.startsWith('http') ? origin : '';
}

/** Revenue is a whole number of the currency's smallest unit. */
function readEarned(said: Record<string, unknown>, siteCurrency: string) {
  const amount = said.__revenue;
  if (!isGiven(amount)) return undefined;
  if (typeof amount !== 'number' || !Number.isSafeInteger(amount) || amount < 0)
    return refuse(
      'properties.__revenue',
      'The "__revenue" is a whole number of the smallest unit, such as 1999 cents.',
    );
  if (isGiven(said.currency) && readCurrency(said.currency) === undefined)
    return refuse('properties.currency', 'The "currency" is an ISO 4217 code such as EUR.');
  const currency = readCurrency(said.currency) ?? siteCurrency;
  return { amount: inUnits(amount, digitsOf(currency)), currency };
}

/** 1999 with two digits is '19.99'; made of text, so that no amount is rounded. */
function inUnits(minor: number, digits: number): string {
  const text = String(minor).padStart(digits + 1, '0');
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

function digitsOf(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
}
