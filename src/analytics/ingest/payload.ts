import type { DropReason, LeftOutReason } from '../../../contract/drops.ts';
import { ingestLimits } from '../../../contract/limits.ts';
import { type Said, saidOf } from '../../trust/consent/index.ts';
import { bareRelative, bareText, withoutEmails } from './bare.ts';
import { type BrowserIds, readBrowserIds } from './browser_ids.ts';
import { contactOf, holdsContact, isContactClick, isContactLink } from './contact.ts';
import { type Revenue, readAmount, readCurrency } from './revenue.ts';
import { readStoredId } from './stored_id.ts';
import { cleanText, cutText } from './text.ts';

/** One event as it was sent, read into precise types. What it says is the sender's word; nothing is looked up yet. */
export type EventInput = {
  readonly name: string;
  readonly url: string;
  /** Of the page's path: a longer one refuses the event. */
  readonly pathCharsMax: number;
  readonly hashMode: boolean;
  /** As sent: one or several, separated by commas; '' = the host of the page. */
  readonly domains: string;
  readonly referrer: string;
  readonly title: string;
  readonly screen: string;
  /** JSON text of an object of strings, ready for the row. */
  readonly props: string;
  /** The address or number of a mail or phone link, taken out of the props (R12); '' = none. */
  readonly contact: string;
  readonly revenue: Revenue | undefined;
  readonly orderId: string;
  readonly interactive: 0 | 1;
  readonly scrollDepth: number;
  readonly engagementMs: number;
  /** The sender's own id of the event; '' = none. */
  readonly id: string;
  /** What the browser keeps in storage mode, 32 hex digits each; '' = memory mode. */
  readonly visitor: string;
  readonly visit: string;
  /** Of ad platforms, where the tracker read them; only who watches the site for them looks at it. */
  readonly browserIds: BrowserIds | undefined;
  /** These three count only with an API key, and in imports. */
  readonly address: string | undefined;
  readonly userAgent: string | undefined;
  readonly timeMs: number | undefined;
  /** What the sender says of the visitor's consent, as it came; '' = nothing. */
  readonly consent: Said;
  /** What its reader left out of it already. */
  readonly leftOut: readonly LeftOutReason[];
};

/** A call that makes no event: what it carries is not kept, whatever the site's settings. */
export type Unkept = {
  readonly unkept: DropReason & ('identity' | 'unsupported');
  /** As in an event: the site that the call was meant for. */
  readonly domains: string;
};

export type Refusal = {
  readonly refused: true;
  readonly reason: DropReason & ('invalid' | 'too_large');
  /** The member of the payload at fault, by its long name. */
  readonly field: string;
  readonly message: string;
};

/** No percentage was sent. */
export const noScrollDepth = 255;
/** `0x0` is kept: it is what a browser without a screen says, and evidence against it. */
const screenPattern = /^\d{1,5}x\d{1,5}$/;
const engagementMsMax = 24 * 3_600_000;

/**
 * Reads one event of a payload, in Plausible's words (long and short) and ours. Unknown members are ignored, as
 * Plausible does, so that newer trackers work with older servers.
 * @param limits of names and paths; those of other products' trackers may be longer
 */
export function readEvent(
  raw: unknown,
  limits: { readonly nameCharsMax: number; readonly pathCharsMax: number } = ingestLimits,
): EventInput | Refusal {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    return invalid('event', 'An event is a JSON object.');
  const sent = raw as Record<string, unknown>;
  const name = sent.n ?? sent.name;
  if (typeof name !== 'string' || name.trim() === '') return invalid('name', 'The event needs a "name" that is text.');
  if (name.length > limits.nameCharsMax) return tooLarge('name', limits.nameCharsMax);
  const url = sent.u ?? sent.url;
  if (typeof url !== 'string' || url === '') return invalid('url', 'The event needs the "url" of its page, as text.');
  if (url.length > ingestLimits.urlCharsMax) return tooLarge('url', ingestLimits.urlCharsMax);
  const domains = sent.d ?? sent.domain ?? '';
  if (typeof domains !== 'string') return invalid('domain', 'The "domain" is text.');
  const id = sent.id ?? '';
  if (typeof id !== 'string') return invalid('id', 'The "id" is text.');
  if (id.length > ingestLimits.idCharsMax) return tooLarge('id', ingestLimits.idCharsMax);
  const trimmed = bareText(cleanText(name.trim()));
  const props = readProps(sent.m ?? sent.meta ?? sent.p ?? sent.props, trimmed);
  if ('refused' in props) return props;
  const earned = readRevenue(sent.$ ?? sent.revenue);
  if ('refused' in earned) return earned;
  const time = readTime(sent.time ?? sent.timestamp);
  if (time === null) return invalid('time', 'The "time" is ISO 8601 text, or milliseconds since 1970.');
  const isEngagement = trimmed === 'engagement';
  return {
    name: trimmed,
    url,
    pathCharsMax: limits.pathCharsMax,
    hashMode: isOn(sent.h ?? sent.hashMode),
    domains,
    referrer: cutText(textOf(sent.r ?? sent.referrer), ingestLimits.urlCharsMax),
    title: readTitle(textOf(sent.t ?? sent.title)),
    screen: readScreen(sent.sc ?? sent.screen),
    props: props.text,
    contact: props.contact,
    revenue: earned.revenue,
    orderId: earned.orderId,
    interactive: isEngagement || isOff(sent.i ?? sent.interactive) ? 0 : 1,
    scrollDepth: readWhole(sent.sd ?? sent.scroll_depth, 100) ?? noScrollDepth,
    engagementMs: readWhole(sent.e ?? sent.engagement_ms, engagementMsMax) ?? 0,
    id,
    visitor: readStoredId(sent.vi),
    visit: readStoredId(sent.si),
    browserIds: readBrowserIds(sent.bi),
    address: optionalText(sent.ip),
    userAgent: optionalText(sent.user_agent),
    timeMs: time,
    consent: saidOf(sent.consent),
    leftOut: nothingLeftOut,
  };
}

/** The site that an event names, of one that cannot be read otherwise: the first where it names several. */
export function domainSaid(raw: unknown): string | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const { d, domain } = raw as Record<string, unknown>;
  const said = d ?? domain;
  return typeof said === 'string' && said.length <= domainCharsMax ? said.split(',', 1)[0] : undefined;
}

/** The longest name that DNS knows, and room for several. */
const domainCharsMax = 1_000;

const nothingLeftOut: readonly LeftOutReason[] = [];

function invalid(field: string, message: string): Refusal {
  return { refused: true, reason: 'invalid', field, message };
}
function tooLarge(field: string, charsMax: number): Refusal {
  return { refused: true, reason: 'too_large', field, message: `The "${field}" has at most ${charsMax} characters.` };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
function isOn(value: unknown): boolean {
  return value === true || value === 1 || value === '1' || value === 'true';
}
function isOff(value: unknown): boolean {
  return value === false || value === 0 || value === '0' || value === 'false';
}

/** Titles carry addresses: a mail program's names its owner, and a page without one may show its own address. */
function readTitle(text: string): string {
  const { titleCharsMax } = ingestLimits;
  // Cut only afterwards to its length: half an e-mail address would not be known as one.
  const bare = withoutEmails(bareText(cleanText(cutText(text.trim(), titleCharsMax * 2))));
  return cutText(bare, titleCharsMax);
}

function readScreen(value: unknown): string {
  return typeof value === 'string' && value.length <= ingestLimits.screenCharsMax && screenPattern.test(value)
    ? value
    : '';
}

/** A number is brought into 0…max; anything else is absent. */
function readWhole(value: unknown, max: number): number | undefined {
  return typeof value === 'number' && value >= 0 ? Math.round(Math.min(value, max)) : undefined;
}

/** Properties that hold an address of a page by their name, so that a path in them is one too. */
const addressKey = /^(?:url|uri|href|path|pathname|page|link|location|referr?er|target|src|action|to|from)$/i;

/** Addresses in properties lose what the page's own address loses (COL-19). */
function propertyText(key: string, value: string): string {
  if (value.includes('://')) return bareText(value);
  return value.startsWith('/') && addressKey.test(key) ? bareRelative(value) : value;
}

type Props = { readonly text: string; readonly contact: string };

const noProps: Props = { text: '{}', contact: '' };

/**
 * Custom properties as the JSON text of the row. Plausible's rules: an object, or JSON text of one; values that are
 * lists, objects, null or '' are left out, the others become text. The text is built key by key and no object of ours
 * ever gets a sender's key, so `__proto__` is a name like others. The value of a mail or phone link is taken out.
 */
function readProps(value: unknown, eventName: string): Props | Refusal {
  if (value === undefined) return noProps;
  const props = typeof value === 'string' ? parseObject(value) : value;
  if (typeof props !== 'object' || props === null || Array.isArray(props)) return noProps;
  const isClick = isContactClick(eventName);
  let text = '{';
  let contact = '';
  let count = 0;
  for (const key of Object.keys(props)) {
    const said = (props as Record<string, unknown>)[key];
    if (said === null || said === '' || typeof said === 'object') continue;
    if (++count > ingestLimits.propsMax)
      return tooMany('props', `An event has at most ${ingestLimits.propsMax} props.`);
    if (key.length > ingestLimits.propKeyCharsMax)
      return tooMany('props', `The name of a property has at most ${ingestLimits.propKeyCharsMax} characters.`);
    const worth = propertyText(key, String(said));
    if (worth.length > ingestLimits.propValueCharsMax)
      return tooMany('props', `A property has at most ${ingestLimits.propValueCharsMax} characters.`);
    if (isClick ? key === 'value' || holdsContact(worth) || holdsContact(key) : isContactLink(worth)) {
      if (contact === '' || key === 'value') contact = contactOf(worth);
      continue;
    }
    text += `${text === '{' ? '' : ','}${JSON.stringify(bareText(cleanText(key)))}:${JSON.stringify(cleanText(worth))}`;
  }
  return { text: `${text}}`, contact: cleanText(contact) };
}

function tooMany(field: string, message: string): Refusal {
  return { refused: true, reason: 'too_large', field, message };
}

function parseObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const nothingEarned = { revenue: undefined, orderId: '' } as const;

/**
 * Revenue that cannot be read refuses the event instead of being left out: a shop must hear of it on the first day,
 * not from its totals at the end of the month.
 */
function readRevenue(value: unknown): { revenue: Revenue | undefined; orderId: string } | Refusal {
  if (value === undefined || value === null) return nothingEarned;
  const sent = typeof value === 'string' ? parseObject(value) : value;
  if (typeof sent !== 'object' || sent === null) return invalid('revenue', 'The "revenue" is {currency, amount}.');
  const { amount: amountSent, currency: currencySent, order_id: order } = sent as Record<string, unknown>;
  const currency = readCurrency(currencySent);
  if (currency === undefined) return invalid('revenue.currency', 'The "currency" is an ISO 4217 code such as EUR.');
  const amount = readAmount(amountSent);
  if (amount === undefined)
    return invalid('revenue.amount', 'The "amount" is a number from 0 on, in units of the currency, such as 19.99.');
  if (order !== undefined && order !== null && typeof order !== 'string' && typeof order !== 'number')
    return invalid('revenue.order_id', 'The "order_id" is text.');
  const orderId = cleanText(String(order ?? '').trim());
  if (orderId.length > ingestLimits.orderIdCharsMax) return tooLarge('revenue.order_id', ingestLimits.orderIdCharsMax);
  return { revenue: { amount, currency }, orderId };
}

const zonePattern = /(?:Z|[+-]\d{2}:?\d{2})$/i;

/** Undefined = none was sent, null = it cannot be read. Text without a zone is UTC. */
function readTime(value: unknown): number | undefined | null {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') {
    if (!/^\d{4}-\d{2}-\d{2}/.test(value)) return null;
    const text = value.trim().replace(' ', 'T');
    const ms = Date.parse(text.length <= 10 || zonePattern.test(text.slice(10)) ? text : `${text}Z`);
    return Number.isNaN(ms) ? null : ms;
  }
  return typeof value === 'number' && Number.isFinite(value) && value > 1e11 && value < 1e13 ? Math.floor(value) : null;
}
