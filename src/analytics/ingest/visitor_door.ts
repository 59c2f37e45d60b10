import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorCode, errorStatus } from '../../../contract/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { clientAddress } from '../../platform/http/address.ts';
import type { FastHandler } from '../../platform/http/server.ts';
import type { Log } from '../../platform/log.ts';
import type { SpoolUnavailable } from '../../platform/spool/index.ts';
import { type PurposeRefusal, saidOf } from '../../trust/consent/index.ts';
import type { Identified } from '../profiles/store.ts';
import { readTraits, type Traits } from '../profiles/traits.ts';
import type { SiteDirectory, SiteRecord } from '../sites.ts';
import { id64Text } from '../visits/visitor.ts';
import { consentText } from './consent.ts';
import { openHeaders } from './door.ts';
import type { DropCounts } from './drops.ts';
import type { Links } from './links.ts';
import { readPixelCalls } from './pixel_calls.ts';
import type { Places } from './place.ts';
import { readStoredId, storedVisitor } from './stored_id.ts';
import type { SiteThrottle } from './throttle.ts';
import { mayReadBrowser, type WatchDesk, type WatchedSite } from './watched.ts';

export type VisitorParts = {
  readonly sites: Pick<SiteDirectory, 'find'>;
  readonly places: Pick<Places, 'lookup'>;
  readonly throttle: SiteThrottle;
  readonly links: Pick<Links, 'make' | 'take'>;
  readonly identify: Identify;
  readonly drops: Pick<DropCounts, 'add'>;
  readonly watch: Pick<WatchDesk, 'sites' | 'watcher'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly trustedProxies: number;
  readonly log: Log;
};

/** Names the visitor of a stored id. */
export type Identify = (site: SiteRecord, visitor: string, traits: Traits) => Promise<Identified>;

type Answer = { readonly status: number; readonly body: object; readonly retryAfterSeconds?: number };
type Said = Readonly<Record<string, unknown>>;

/** The longest texts of consent that are read, and the rest. */
const bodyBytesMax = 32_768;
const hostCharsMax = 253;
const linkCharsMax = 200;

/**
 * `POST /api/visitor`: what the tracker's storage mode and its part for pixels ask, and nothing else does. One JSON object as text/plain.
 *
 *     {d, n: "region"}            {may}: may an id be kept on the device? (CON-01)
 *     {d, n: "link", h, v, s}     {v, s}: the parameters of a link to the host h (COL-06)
 *     {d, n: "linked", v, s}      {v, s}: the ids that such parameters carry, once (COL-08)
 *     {d, n: "identify", vi, id, email, name, avatar}   {}: who the visitor is, as the page says by explicit call (COL-17)
 *     {d, n: "pixels"}            {may, ids, calls, orders}: may ids of ad platforms be read here, whose, and calls of pixels be counted?
 *     {d, n: "calls", calls, near}   {}: which events pixels were called with, and with which ids
 *
 * Each takes `consent`, what the visitor has said, as an event does; the answer is that of the rule by which ingest decides about
 * the same words (src/trust/consent/rule.ts), so a browser keeps an id only where the desk would look at it. Who may not be known, or
 * sends Global Privacy Control or Do Not Track, gets none of the other three (COL-20). The last two are for visitors alone who have said
 * yes to ads. The address is looked up and gone with the request; of all this what identify says is stored, and counts of calls.
 */
export function answerVisitors(parts: VisitorParts): FastHandler {
  return (request, response) => {
    if (request.method !== 'POST') {
      request.resume();
      if (request.method === 'OPTIONS')
        return response
          .writeHead(204, [
            ...openHeaders,
            'access-control-allow-methods',
            'POST, OPTIONS',
            'access-control-max-age',
            '86400',
          ])
          .end();
      return send(response, refuse('method_not_allowed', 'This address answers POST and OPTIONS.'));
    }
    let body = '';
    let isTooLarge = false;
    request.setEncoding('utf8');
    request.on('data', (piece: string) => {
      isTooLarge ||= body.length + piece.length > bodyBytesMax;
      body = isTooLarge ? '' : body + piece;
    });
    request.on('end', () => {
      if (isTooLarge) return send(response, refuse('too_large', `The body is larger than ${bodyBytesMax} bytes.`));
      answer(parts, request, body).then(
        (given) => send(response, given),
        (error) => {
          parts.log.error('visitor_failed', {}, error);
          send(response, refuse('internal', 'This request met a fault of ours. It is in the log; try again.'));
        },
      );
    });
  };
}

async function answer(parts: VisitorParts, request: IncomingMessage, body: string): Promise<Answer> {
  const said = readSaid(body);
  if (said === undefined) return refuse('invalid_json', 'The body is not a JSON object.');
  const site = typeof said.d === 'string' ? parts.sites.find(said.d.split(',', 1)[0] as string) : undefined;
  if (site === undefined || site.stopped !== undefined) return refuse('not_found', 'No site here has this domain.');
  if (!parts.throttle.take(site.id, site.shields.rate))
    return refuse('rate_limited', 'This site sends more than its limit allows. Send again in a second.');
  const consent = consentOf(parts, request, said);
  if (said.n === 'pixels') return { status: 200, body: pixelsOf(parts, site, consent) };
  if (said.n === 'calls') return takeCalls(parts, site, consent, said);
  const refused = site.purposes.of(consent);
  if (said.n === 'region') return { status: 200, body: { may: refused.storage_measurement === undefined } };
  const why = refused.storage_measurement ?? (said.n === 'identify' ? refused.identity : undefined);
  if (why !== undefined) {
    if (said.n === 'identify') leaveOut(parts, site);
    return refuse('forbidden', sentences[why]);
  }
  if (said.n === 'link') return makeLink(parts, site, said);
  if (said.n === 'linked') return takeLink(parts, site, said, request.headers.origin);
  if (said.n === 'identify') return name(parts, site, said);
  return refuse('invalid_field', 'The "n" is region, link, linked, identify, pixels or calls.');
}

/** What a page with pixels may do: nothing where the site's switches are off, or its visitor has not said yes to ads. */
function pixelsOf({ watch }: VisitorParts, site: SiteRecord, consent: string) {
  const watched = watchedSite(watch, site);
  if (watched === undefined || !mayReadBrowser(site, consent)) return { may: false };
  const { browserIds, pixelCalls: calls } = watched;
  if (browserIds.size === 0 && !calls) return { may: false };
  return { may: true, ids: [...browserIds], calls, orders: site.revenue };
}

/** A site that moved belongs to others now, until the watcher has heard of it. */
function watchedSite(watch: VisitorParts['watch'], site: SiteRecord): WatchedSite | undefined {
  const watched = watch.sites.get(site.id);
  return watched?.organisationId === site.organisationId ? watched : undefined;
}

/** Answered when they are on disk, as events are. */
async function takeCalls(
  { watch, clock }: VisitorParts,
  site: SiteRecord,
  consent: string,
  { calls, near }: Said,
): Promise<Answer> {
  const read = readPixelCalls(calls, near);
  if (typeof read === 'string') return refuse('invalid_field', read);
  const { watcher } = watch;
  if (watcher === undefined || watchedSite(watch, site)?.pixelCalls !== true || !mayReadBrowser(site, consent))
    return refuse('forbidden', 'This site counts no calls of pixels, or not of this visitor.');
  const about = { siteId: site.id, organisationId: site.organisationId, atMs: clock.now() };
  const refusal = await new Promise<SpoolUnavailable | undefined>((done) =>
    watcher.keepCalls({ ...about, ...read }, done),
  );
  if (refusal === undefined) return { status: 200, body: {} };
  const { retryAfterSeconds } = refusal;
  return {
    ...refuse('spool_full', 'Nothing can be kept at the moment; the calls are not counted.'),
    retryAfterSeconds,
  };
}

async function name(parts: VisitorParts, site: SiteRecord, said: Said): Promise<Answer> {
  const visitor = readStoredId(said.vi);
  if (visitor === '') return refuse('invalid_field', 'The "vi" is an id of storage mode.');
  const traits = readTraits(said);
  if (typeof traits === 'string') return refuse('invalid_field', traits);
  const became = await parts.identify(site, id64Text(storedVisitor(site.id, visitor)), traits);
  if (became === 'refused') {
    leaveOut(parts, site);
    return refuse('forbidden', 'Whoever this is has refused to be known, or taken it back.');
  }
  if (became === 'other') return refuse('conflict', 'Another person is known by this id: make a new one.');
  if (became === 'full') return refuse('too_large', 'This site, or this person, has as many as there may be.');
  return { status: 200, body: {} };
}

/** Counted for the site to see, as what is left out of an event is. */
function leaveOut({ drops, clock }: VisitorParts, site: SiteRecord): void {
  drops.add(site.id, 'identity_no_consent', clock.now());
}

const sentences: Readonly<Record<PurposeRefusal, string>> = {
  signal: 'The browser asks for privacy, so nobody is recognised.',
  no_consent: 'The visitor has not agreed to be recognised.',
  off: 'This site recognises nobody in this region.',
};

/** The address is looked up here, and nowhere else. */
function consentOf(
  { places, trustedProxies }: VisitorParts,
  { socket, headers }: IncomingMessage,
  { consent }: Said,
): string {
  const address = clientAddress(socket.remoteAddress, headers['x-forwarded-for'], trustedProxies);
  return consentText(saidOf(consent), headers, places.lookup(address)?.country ?? '');
}

function makeLink({ links }: VisitorParts, site: SiteRecord, { h, v, s }: Said): Answer {
  const ids = { visitor: readStoredId(v), visit: readStoredId(s) };
  if (ids.visitor === '' || ids.visit === '')
    return refuse('invalid_field', 'The "v" and "s" are ids of storage mode.');
  if (typeof h !== 'string' || h === '' || h.length > hostCharsMax)
    return refuse('invalid_field', 'The "h" is the host that the link leads to.');
  return { status: 200, body: links.make(ids, { siteId: site.id, host: h.toLowerCase() }) };
}

/** A browser says in `Origin` which host asks; a link to another host does not open for it. */
async function takeLink(
  { links }: VisitorParts,
  site: SiteRecord,
  { v, s }: Said,
  origin: string | undefined,
): Promise<Answer> {
  const isText = [v, s].every((text) => typeof text === 'string' && text.length <= linkCharsMax);
  const host = hostOfOrigin(origin);
  const ids =
    isText && host !== ''
      ? await links.take({ v, s } as { v: string; s: string }, { siteId: site.id, host })
      : undefined;
  return ids === undefined
    ? refuse('link_expired', 'This link is not one of ours, is for another host, is over, or was used before.')
    : { status: 200, body: { v: ids.visitor, s: ids.visit } };
}

function hostOfOrigin(origin: string | undefined): string {
  return origin !== undefined && URL.canParse(origin) ? new URL(origin).hostname : '';
}

function readSaid(body: string): Said | undefined {
  try {
    const said: unknown = JSON.parse(body);
    return typeof said === 'object' && said !== null && !Array.isArray(said) ? (said as Said) : undefined;
  } catch {
    return undefined;
  }
}

function refuse(code: ErrorCode, message: string): Answer {
  return { status: errorStatus[code], body: { error: { code, message } } };
}

function send(response: ServerResponse, { status, body, retryAfterSeconds }: Answer): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response
    .writeHead(status, [
      ...openHeaders,
      ...['content-type', 'application/json; charset=utf-8', 'cache-control', 'no-store'],
      ...['content-length', String(Buffer.byteLength(text))],
      ...(retryAfterSeconds === undefined ? [] : ['retry-after', String(retryAfterSeconds)]),
    ])
    .end(text);
}
