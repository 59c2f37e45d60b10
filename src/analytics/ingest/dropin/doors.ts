import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { errorStatus } from '../../../../contract/errors.ts';
import type { Principal } from '../../../platform/http/route.ts';
import type { FastHandler } from '../../../platform/http/server.ts';
import type { Random } from '../../../platform/random.ts';
import { readForeignId, type SecretDigest } from '../../foreign_ids.ts';
import { foreignName, type SiteDirectory, type SiteRecord } from '../../sites.ts';
import { type CollectParts, collectEvents } from '../collect.ts';
import type { Door } from '../door.ts';
import type { ReadEvent, Taken } from '../ingest.ts';
import { openPanelReader } from './openpanel.ts';
import { readRybbit, readRybbitIdentity } from './rybbit.ts';
import { readUmami } from './umami.ts';

export type DropInParts = {
  readonly collect: CollectParts;
  readonly sites: Pick<SiteDirectory, 'find'>;
  readonly secretDigest: SecretDigest;
  readonly random: Random;
};

/**
 * The endpoints of other products, so that a site moves in by changing a host name. Each reads its product's payload and
 * answers in its product's shape; the ids in an answer are drawn anew for each one and kept nowhere.
 */
export function openDropIns(parts: DropInParts): Record<string, FastHandler> {
  const { collect, random } = parts;
  const openPanel = collectEvents(collect, openPanelDoor(parts));
  const rybbit = collectEvents(collect, rybbitDoor(readRybbit));
  return {
    '/api/send': collectEvents(collect, umamiDoor(random, 'one')),
    '/api/batch': collectEvents(collect, umamiDoor(random, 'list')),
    // OpenPanel's trackers of one's own server have `/api` before the path that Rybbit's know.
    '/api/track': (request, response) => (isOpenPanel(request.headers) ? openPanel : rybbit)(request, response),
    '/api/identify': collectEvents(collect, rybbitDoor(readRybbitIdentity)),
    '/track': openPanel,
  };
}

function randomUuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/**
 *     200 {cache, sessionId, visitId}    stored, or dropped: then x-fairlead-dropped says why
 *     200 {beep: 'boop'}                 a robot
 *     200 {size, processed, errors, details, cache}   a batch
 *     400 an unknown website · 403 a blocked address or country
 */
function umamiDoor(random: Random, takes: 'one' | 'list'): Door {
  const refuse: Door['refuse'] = (code, message, field) => ({
    error: { message, code, status: errorStatus[code], ...(field === undefined ? {} : { field }) },
  });
  // The script sends it back as `x-umami-cache`, which nobody reads.
  const cache = () => random.bytes(24).toString('base64url');
  return {
    takes,
    headers: ['x-umami-cache'],
    // The script has an attribute for it (`data-fetch-credentials`), and people set it.
    withCredentials: true,
    enter: () => ({ read: readUmami, principal: undefined }),
    reply(taken, isList) {
      const { dropped } = taken;
      if (isList) return { status: 200, body: { ...batchOf(taken, refuse), cache: cache() } };
      if (dropped.bot !== undefined) return { status: 200, body: { beep: 'boop' } };
      if (dropped.not_found !== undefined)
        return { status: 400, body: refuse('bad_request', 'No site here has this website id.', 'website') };
      if (dropped.site_ip_blocklist !== undefined || dropped.site_country_blocklist !== undefined)
        return { status: 403, body: refuse('forbidden', 'A shield of the site blocks this address.', undefined) };
      return { status: 200, body: { cache: cache(), sessionId: randomUuid(random), visitId: randomUuid(random) } };
    },
    refuse,
  };
}

/** Robots and whatever a setting drops were processed, as they are with Umami. */
function batchOf({ stored, dropped, refused }: Taken, refuse: Door['refuse']) {
  let size = stored;
  for (const count of Object.values(dropped)) size += count;
  const errors = (dropped.invalid ?? 0) + (dropped.too_large ?? 0) + (dropped.not_found ?? 0);
  const details = refused.map(({ index, refusal }) => ({
    index,
    response: refuse('invalid_field', refusal.message, refusal.field),
  }));
  return { size, processed: size - errors, errors, details };
}

/**
 *     200 {success: true}      stored, or dropped: then x-fairlead-dropped says why
 *     404 {success: false}     an unknown site
 */
const rybbitDoor = (read: ReadEvent): Door => ({
  takes: 'one',
  headers: [],
  // Its package sends JSON by `sendBeacon`.
  withCredentials: true,
  enter: () => ({ read, principal: undefined }),
  reply: ({ dropped }) =>
    dropped.not_found === undefined
      ? { status: 200, body: { success: true } }
      : { status: 404, body: { success: false, error: 'No site here has this site id.' } },
  refuse: (code, message, field) => ({
    success: false,
    error: message,
    code,
    ...(field === undefined ? {} : { field }),
  }),
});

/** Who sends and with which version; no version is looked at. */
const clientHeaders = ['openpanel-client-id', 'openpanel-client-secret', 'openpanel-sdk-name', 'openpanel-sdk-version'];

function isOpenPanel(headers: IncomingHttpHeaders): boolean {
  const asked = headers['access-control-request-headers'];
  return headers['openpanel-client-id'] !== undefined || (asked?.includes('openpanel-client-id') ?? false);
}

/**
 *     200 {deviceId, sessionId}    stored, or dropped: then x-fairlead-dropped says why
 *     202 {bot}                    a robot
 *     401                          an unknown client, or one whose secret is another: its trackers try that once only
 */
function openPanelDoor({ sites, secretDigest, random }: DropInParts): Door {
  const refuse: Door['refuse'] = (code, message, field) => ({
    status: errorStatus[code],
    error: code,
    message,
    ...(field === undefined ? {} : { field }),
  });
  return {
    takes: 'one',
    headers: [...clientHeaders, 'x-client-ip'],
    withCredentials: false,
    enter(headers) {
      const id = readForeignId('openpanel', headers['openpanel-client-id']);
      const secret = headers['openpanel-client-secret'];
      const name = id === undefined ? nobody : foreignName('openpanel', id);
      const site = sites.find(name);
      const known = site?.foreignIds.find((one) => one.product === 'openpanel' && one.id === id);
      const isServer = typeof secret === 'string' && secret !== '';
      const isOther = isServer && !isSame(secretDigest(secret), known?.secretDigest);
      return {
        read: openPanelReader({
          name: isOther ? nobody : name,
          currency: site?.currency ?? 'USD',
          isServer,
          headers,
        }),
        principal: isServer && !isOther && site !== undefined ? serverOf(site) : undefined,
      };
    },
    reply({ dropped }) {
      if (dropped.bot !== undefined) return { status: 202, body: { bot: true } };
      if (dropped.not_found !== undefined)
        return {
          status: 401,
          body: refuse('unauthenticated', 'No site here has this client id and secret.', undefined),
        };
      return { status: 200, body: { deviceId: random.bytes(16).toString('hex'), sessionId: randomUuid(random) } };
    },
    refuse,
  };
}

/** No id is empty, so this finds no site; an empty name would mean the site of the page's host. */
const nobody = foreignName('openpanel', '');

function isSame(digest: Buffer, known: string | undefined): boolean {
  return known !== undefined && timingSafeEqual(digest, Buffer.from(known, 'hex'));
}

/** A server that has the client's secret may do for this one site what a key with `events:write` may. */
function serverOf(site: SiteRecord): Principal {
  return {
    kind: 'key',
    id: 0,
    organisationId: site.organisationId,
    siteIds: [site.id],
    can: (permission, organisationId) => permission === 'events.write' && organisationId === site.organisationId,
  };
}
