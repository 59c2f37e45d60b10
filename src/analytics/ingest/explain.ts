import type { DropReason } from '../../../contract/drops.ts';
import { plainAddress } from '../../platform/http/address.ts';
import type { LineAnswer } from '../../platform/ndjson.ts';
import { type AgentHeaders, readAgent } from './agent.ts';
import { detectBot } from './bots.ts';
import { channelOf } from './channel.ts';
import { type Page, readPage } from './page.ts';
import { readEvent } from './payload.ts';
import type { Places } from './place.ts';
import { readSource } from './source.ts';
import { isSpamReferrer } from './spam.ts';
import { hostOf } from './steps.ts';

/** What a hit would become, without its visitor: null is unknown or absent, and a direct visit's source. */
export type ExplainedEvent = {
  name: string;
  hostname: string;
  pathname: string;
  title: string | null;
  referrer: string | null;
  source: string | null;
  medium: string | null;
  campaign: string | null;
  utm_source: string | null;
  utm_medium: string | null;
  utm_campaign: string | null;
  utm_term: string | null;
  utm_content: string | null;
  click_id: string | null;
  channel: string;
  browser: string | null;
  browser_version: string | null;
  os: string | null;
  os_version: string | null;
  device: string | null;
  screen: string | null;
  country: string | null;
  region: string | null;
  city: string | null;
  latitude: number | null;
  longitude: number | null;
  props: Record<string, string>;
  revenue: { amount: string; currency: string; order_id: string | null } | null;
  interactive: boolean;
  scroll_depth: number | null;
  engagement_ms: number | null;
  time: string | null;
};

export type Explanation =
  | { readonly event: ExplainedEvent }
  | { readonly stopped: DropReason; readonly field?: string; readonly message?: string };

export type ExplainParts = { readonly places: Pick<Places, 'lookup'> | undefined };

/**
 * What becomes of a hit `{url, referrer, user_agent, ip, headers, name, props, time}`, by the same readers that the
 * pipeline uses, without a site, a visitor or a store: site settings, shields and visits play no part.
 *
 * @example explainHit({ url: 'https://shop.example/', user_agent: 'curl/8.0' }, { places: undefined }) // { stopped: 'bot' }
 */
export function explainHit(hit: unknown, parts: ExplainParts): Explanation {
  const given = typeof hit === 'object' && hit !== null && !Array.isArray(hit) ? (hit as Record<string, unknown>) : {};
  const input = readEvent({ ...given, name: given.name ?? given.n ?? 'pageview' });
  if ('refused' in input) return { stopped: input.reason, field: input.field, message: input.message };
  const page = readPage(input.url, input.hashMode);
  if ('refused' in page) return { stopped: page.reason, field: page.field, message: page.message };
  const headers = readHeaders(given.headers);
  const userAgent = input.userAgent ?? headers?.['user-agent'] ?? '';
  if (detectBot({ userAgent, headers, screen: input.screen }) !== undefined) return { stopped: 'bot' };
  if (input.referrer !== '' && isSpamReferrer(hostOf(input.referrer))) return { stopped: 'spam_referrer' };
  return { event: explainEvent(input, page, userAgent, headers, parts) };
}

function explainEvent(
  input: Exclude<ReturnType<typeof readEvent>, { refused: true }>,
  page: Page,
  userAgent: string,
  headers: Record<string, string> | undefined,
  parts: ExplainParts,
): ExplainedEvent {
  const source = readSource({ page, referrer: input.referrer, siteHostnames: [page.hostname] });
  const agent = readAgent(userAgent, headers as AgentHeaders | undefined);
  const address = plainAddress(input.address ?? '');
  const place = address === undefined ? undefined : parts.places?.lookup(address);
  return {
    name: input.name,
    hostname: page.hostname,
    pathname: page.pathname,
    title: orNull(input.title),
    referrer: orNull(source.referrer),
    source: orNull(source.source),
    medium: orNull(source.medium),
    campaign: orNull(source.campaign),
    utm_source: orNull(source.utm_source),
    utm_medium: orNull(source.utm_medium),
    utm_campaign: orNull(source.utm_campaign),
    utm_term: orNull(source.utm_term),
    utm_content: orNull(source.utm_content),
    click_id: orNull(source.click_id),
    channel: channelOf(source),
    browser: orNull(agent.browser),
    browser_version: orNull(agent.browser_version),
    os: orNull(agent.os),
    os_version: orNull(agent.os_version),
    device: orNull(agent.device),
    screen: orNull(input.screen),
    country: orNull(place?.country ?? ''),
    region: orNull(place?.region ?? ''),
    city: orNull(place?.city ?? ''),
    latitude: place?.latitude ?? null,
    longitude: place?.longitude ?? null,
    props: JSON.parse(input.props) as Record<string, string>,
    revenue:
      input.revenue === undefined
        ? null
        : { amount: input.revenue.amount, currency: input.revenue.currency, order_id: orNull(input.orderId) },
    interactive: input.interactive === 1,
    scroll_depth: input.scrollDepth === 255 ? null : input.scrollDepth,
    engagement_ms: input.engagementMs === 0 ? null : input.engagementMs,
    time: input.timeMs === undefined ? null : new Date(input.timeMs).toISOString(),
  };
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}

/** Header names in lower case, text values only. Absent means that nothing is known of the request. */
function readHeaders(value: unknown): Record<string, string> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const headers: Record<string, string> = Object.create(null);
  for (const [name, said] of Object.entries(value)) if (typeof said === 'string') headers[name.toLowerCase()] = said;
  return headers;
}

/** The command `explain hits`: what is said to a line of NDJSON. */
export function hitsAnswer(parts: ExplainParts): LineAnswer {
  return (line) => explainLine(line, parts);
}

export function explainLine(line: string, parts: ExplainParts): Explanation {
  let hit: unknown;
  try {
    hit = JSON.parse(line);
  } catch {
    return { stopped: 'invalid' };
  }
  return explainHit(hit, parts);
}
