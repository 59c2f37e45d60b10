import type { IncomingHttpHeaders } from 'node:http';
import type { LeftOutReason } from '../../../contract/drops.ts';
import type { SiteRecord } from '../sites.ts';
import type { Id64, Slot } from '../visits/live_visits.ts';
import type { Agent } from './agent.ts';
import type { BotRule } from './bots.ts';
import type { Page } from './page.ts';
import type { EventInput } from './payload.ts';
import type { Place } from './place.ts';

/**
 * An event on its way through the steps. It carries the client's address and raw User-Agent, so it never leaves the
 * request's function: no promise, queue, log or listener is ever given one (PSE-04, PSE-08). What leaves is a `Hit`.
 */
export type Arrival = {
  readonly input: EventInput;
  readonly page: Page;
  /** Domain as sent; the steps find its site. */
  readonly domain: string;
  readonly address: string;
  readonly userAgent: string;
  /** Lower-case names to values; undefined where the sender is not the visitor's browser (keys, imports). */
  readonly headers: IncomingHttpHeaders | undefined;
  /** Server time, or the row's own in an import. */
  readonly nowMs: number;
  /** When it happened: `nowMs`, unless a sender with a key says otherwise. */
  readonly timeMs: number;
  /** Too late for a visit: stored by itself (Definitions, "client time"). */
  readonly isLate: boolean;
  /** May this sender speak for the site? Set for API keys; undefined for the public. */
  readonly maySend: ((site: SiteRecord) => boolean) | undefined;

  /** What the file of another product says of the visitor in the place of address and agent; undefined elsewhere. */
  known: { readonly visitor: string; readonly agent: Agent; readonly place: Place } | undefined;

  // What the steps find out, in this order.
  site: SiteRecord;
  botRule: BotRule | undefined;
  place: Place | undefined | 'not asked';
  eventKey: Id64 | undefined;
  visitorId: Id64;
  /** Is it the id that the browser keeps (storage mode)? */
  isStored: boolean;
  /** Why such an id was sent and not looked at. */
  unstored: LeftOutReason | undefined;
  /** What the row says of consent, where it was asked for already; '' = not yet. */
  consent: string;
  /** UTC day, since the epoch, of the salt that made the visitor id. */
  idDay: number;
  /** The visit it belongs to; -1 for a late event. */
  slot: Slot;
  startsVisit: boolean;
  revenueAmount: string;
  revenueCurrency: string;
  orderId: string;
  orderKey: Id64 | undefined;
};

/**
 * What is left of an arrival when it goes to the spool: the row's text, and the few things that must be known while
 * the disk is asked. There is no member for an address or an agent.
 */
export type Hit = {
  readonly siteId: number;
  readonly name: string;
  readonly hostname: string;
  readonly pathname: string;
  readonly timeMs: number;
  /** UTC day, since the epoch, that the visitor id belongs to: the day whose counts the row changes. */
  readonly idDay: number;
  /** What the row is without, for a setting of the site. */
  readonly leftOut: readonly LeftOutReason[];
  /** What the row says of consent. */
  readonly consent: string;
  /** One line of the lane `events`. */
  readonly line: string;
  readonly visitorId: Id64;
  readonly eventKey: Id64 | undefined;
  readonly orderKey: Id64 | undefined;
  /** The running visit that it belongs to; -1 for a late event. */
  readonly slot: Slot;
  /** Set when this event began a visit, which ends again if the event cannot be stored. */
  readonly begun: { readonly slot: Slot; readonly visitId: Id64 } | undefined;
};

const noId: Id64 = { hi: 0, lo: 0 };

/** Every member is there from the start: objects of one shape keep the steps fast. */
export function arrive(
  given: Pick<
    Arrival,
    'input' | 'page' | 'domain' | 'address' | 'userAgent' | 'headers' | 'nowMs' | 'timeMs' | 'isLate' | 'maySend'
  >,
): Arrival {
  return {
    input: given.input,
    page: given.page,
    domain: given.domain,
    address: given.address,
    userAgent: given.userAgent,
    headers: given.headers,
    nowMs: given.nowMs,
    timeMs: given.timeMs,
    isLate: given.isLate,
    maySend: given.maySend,
    known: undefined,
    // `findSite` is the first step and stops the arrival when there is none.
    site: undefined as unknown as SiteRecord,
    botRule: undefined,
    place: 'not asked',
    eventKey: undefined,
    visitorId: noId,
    isStored: false,
    unstored: undefined,
    consent: '',
    idDay: 0,
    slot: -1,
    startsVisit: false,
    revenueAmount: '0',
    revenueCurrency: '',
    orderId: '',
    orderKey: undefined,
  };
}
