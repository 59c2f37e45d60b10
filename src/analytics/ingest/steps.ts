import type { DropReason, LeftOutReason } from '../../../contract/drops.ts';
import type { Random } from '../../platform/random.ts';
import type { ContactSeal } from '../contact_keys.ts';
import type { SiteDirectory } from '../sites.ts';
import type { AgedKeys } from '../visits/aged_keys.ts';
import { type Id64, type LiveVisits, type Slot, visitGapMsMax } from '../visits/live_visits.ts';
import { type DaySalt, dayOf, type Salts } from '../visits/salt.ts';
import { id64Of, id64Text, siteKey, visitorId } from '../visits/visitor.ts';
import { type AgentHeaders, readAgent } from './agent.ts';
import type { Arrival, Hit } from './arrival.ts';
import { detectBot } from './bots.ts';
import { channelOf } from './channel.ts';
import { consentText, countryIn } from './consent.ts';
import type { Place, Places } from './place.ts';
import { agentText, entryText, eventLine, noEntryText, originText, placeText } from './row.ts';
import { type AddressDigest, blockedPage, blocksAddress, blocksReferrer } from './shields.ts';
import { readSource } from './source.ts';
import { isSpamReferrer } from './spam.ts';
import { asksForPrivacy, storedVisit, storedVisitor } from './stored_id.ts';
import type { SiteThrottle } from './throttle.ts';

/** What the steps look things up in. The same steps serve requests, imports and `explain`, each with its own desk. */
export type Desk = {
  readonly sites: Pick<SiteDirectory, 'find'>;
  readonly places: Pick<Places, 'lookup'>;
  readonly salts: Pick<Salts, 'current' | 'previous' | 'late'>;
  readonly visits: LiveVisits;
  readonly eventKeys: AgedKeys;
  readonly orderKeys: AgedKeys;
  readonly throttle: SiteThrottle;
  readonly random: Random;
  readonly addressDigest: AddressDigest;
  readonly sealContact: ContactSeal;
  /** 0 = live. */
  readonly importId: number;
};

/** Passes the arrival on (undefined) or stops it with a reason. */
export type Step = (arrival: Arrival, desk: Desk) => DropReason | undefined;

/**
 * What happens to an event, in this order. Everything that can stop one comes before `joinVisit`, the first step that
 * changes anything, so that a stopped event leaves no trace but its count.
 */
export const steps: readonly Step[] = [
  findSite,
  keepRate,
  honourSignals,
  honourPurposes,
  raiseShields,
  refuseRobots,
  refuseSpam,
  refuseRepeats,
  nameVisitor,
  joinVisit,
  earn,
];

/** Runs an arrival through the steps: a hit for the spool, or the reason why there is none. */
export function takeIn(arrival: Arrival, desk: Desk): Hit | DropReason {
  for (const step of steps) {
    const reason = step(arrival, desk);
    if (reason !== undefined) return reason;
  }
  return leave(arrival, desk);
}

export function findSite(arrival: Arrival, desk: Desk): DropReason | undefined {
  const site = desk.sites.find(arrival.domain);
  // A key that may not write here learns no more than a stranger would.
  if (site === undefined || arrival.maySend?.(site) === false) return 'not_found';
  arrival.site = site;
  return site.stopped;
}

export function keepRate(arrival: Arrival, desk: Desk): DropReason | undefined {
  return desk.throttle.take(arrival.site.id, arrival.site.shields.rate) ? undefined : 'throttle';
}

/** Memory mode stores nothing on a device and follows nobody, so a signal changes nothing unless the site says so (COL-20). */
export function honourSignals(arrival: Arrival): DropReason | undefined {
  if (arrival.site.privacySignals !== 'drop' || arrival.headers === undefined) return undefined;
  return asksForPrivacy(arrival.headers) ? 'privacy_signal' : undefined;
}

/** Where the organisation measures only with consent, or not at all, the event goes no further; it decides so by region. */
export function honourPurposes(arrival: Arrival, desk: Desk): DropReason | undefined {
  if (!arrival.site.purposes.limitsMeasuring || desk.importId !== 0) return undefined;
  arrival.consent = consentText(arrival.input.consent, arrival.headers, placeOf(arrival, desk)?.country ?? '');
  const refusal = arrival.site.purposes.of(arrival.consent).measurement;
  if (refusal === undefined) return undefined;
  return refusal === 'off' ? 'measuring_off' : 'measuring_no_consent';
}

export function raiseShields(arrival: Arrival, desk: Desk): DropReason | undefined {
  const { site } = arrival;
  const page = blockedPage(site, arrival.page);
  if (page !== undefined) return page;
  if (site.shields.referrers.length > 0 && blocksReferrer(site, hostOf(arrival.input.referrer)))
    return 'site_referrer_blocklist';
  if (blocksAddress(site, arrival.address, desk.addressDigest)) return 'site_ip_blocklist';
  if (site.shields.countries.length > 0 && site.shields.countries.includes(placeOf(arrival, desk)?.country ?? ''))
    return 'site_country_blocklist';
  return undefined;
}

export function refuseRobots(arrival: Arrival): DropReason | undefined {
  const robot = detectBot({ userAgent: arrival.userAgent, headers: arrival.headers, screen: arrival.input.screen });
  if (robot === undefined) return undefined;
  arrival.botRule = robot.rule;
  return 'bot';
}

export function refuseSpam(arrival: Arrival): DropReason | undefined {
  const { referrer } = arrival.input;
  return referrer !== '' && isSpamReferrer(hostOf(referrer)) ? 'spam_referrer' : undefined;
}

export function refuseRepeats(arrival: Arrival, desk: Desk): DropReason | undefined {
  const { id } = arrival.input;
  if (id === '') return undefined;
  arrival.eventKey = siteKey('event', arrival.site.id, id);
  return desk.eventKeys.has(arrival.eventKey, arrival.nowMs) ? 'duplicate' : undefined;
}

/**
 * The visitor's id under the salt of the day. In the ten minutes after midnight a visitor whose visit is running under
 * yesterday's id goes on under that one; which of the two it was is stored nowhere beside the other.
 *
 * In storage mode it is the id that the browser keeps, which belongs to no salt, where the visitor allows that.
 */
export function nameVisitor(arrival: Arrival, desk: Desk): DropReason | undefined {
  const { nowMs, timeMs } = arrival;
  if (arrival.input.visitor !== '') recognise(arrival, desk);
  if (arrival.isStored) {
    arrival.visitorId = storedVisitor(arrival.site.id, arrival.input.visitor);
    arrival.idDay = dayOf(timeMs);
    return undefined;
  }
  const day = dayOf(timeMs);
  const today = desk.salts.current(nowMs);
  if (arrival.isLate || day < today.day - 1) return nameUnder(arrival, desk.salts.late(day));
  const yesterday = desk.salts.previous(nowMs);
  if (day === today.day - 1)
    // Sent by a key, from before midnight: yesterday's salt while there is one, else a salt that meets nobody.
    return nameUnder(arrival, yesterday ?? desk.salts.late(day));
  nameUnder(arrival, today);
  if (yesterday === undefined || runningVisit(arrival, desk) >= 0) return undefined;
  const { visitorId: todaysId } = arrival;
  nameUnder(arrival, yesterday);
  if (runningVisit(arrival, desk) >= 0) return undefined;
  arrival.visitorId = todaysId;
  arrival.idDay = today.day;
  return undefined;
}

/** Finds the visit that is running, or begins one. Engagement belongs to a visit or to nothing. */
export function joinVisit(arrival: Arrival, desk: Desk): DropReason | undefined {
  const isEngagement = arrival.input.name === 'engagement';
  if (arrival.isLate) return isEngagement ? 'no_session_for_engagement' : undefined;
  arrival.slot = runningVisit(arrival, desk);
  if (arrival.slot < 0) {
    if (isEngagement) return 'no_session_for_engagement';
    arrival.slot = desk.visits.begin(visitorOf(arrival), {
      visitId:
        arrival.isStored && arrival.input.visit !== ''
          ? storedVisit(arrival.site.id, arrival.input.visitor, arrival.input.visit)
          : id64Of(desk.random.uint64()),
      startedMs: arrival.timeMs,
      idDay: arrival.idDay,
      ...firstWords(arrival, desk),
    });
    arrival.startsVisit = true;
    return undefined;
  }
  desk.visits.touch(arrival.slot, arrival.timeMs);
  if (arrival.input.name === 'pageview' && desk.visits.read.entry(arrival.slot) === noEntryText)
    desk.visits.enter(arrival.slot, entryText(arrival.page.hostname, arrival.page.pathname));
  return undefined;
}

/** Revenue counts where the site keeps it (COL-16; elsewhere it is left out, and counted so), and once per order. */
export function earn(arrival: Arrival, desk: Desk): DropReason | undefined {
  const { revenue, orderId } = arrival.input;
  if (revenue === undefined || !arrival.site.revenue) return undefined;
  arrival.revenueAmount = revenue.amount;
  arrival.revenueCurrency = revenue.currency;
  arrival.orderId = orderId;
  if (orderId === '') return undefined;
  const key = siteKey('order', arrival.site.id, orderId);
  if (desk.orderKeys.has(key, arrival.nowMs)) arrival.revenueAmount = '0';
  else arrival.orderKey = key;
  return undefined;
}

/** Writes the row and lets go of everything that may not leave the edge. */
function leave(arrival: Arrival, desk: Desk): Hit {
  const { input, page, site } = arrival;
  const late = arrival.isLate ? lateVisit(arrival, desk) : undefined;
  const { read } = desk.visits;
  const visitId = late?.visitId ?? read.visitId(arrival.slot);
  const idDay = late?.idDay ?? read.idDay(arrival.slot);
  const visitText = id64Text(visitId);
  const place = late?.place ?? read.place(arrival.slot);
  // A file of another product says nothing of consent, and none is read into it.
  const consent =
    arrival.consent !== '' || desk.importId !== 0
      ? arrival.consent
      : consentText(input.consent, arrival.headers, countryIn(place));
  const mayKeepContact =
    input.contact !== '' && site.contactClicks && site.purposes.of(consent).contact_clicks === undefined;
  const contact = mayKeepContact
    ? desk.sealContact(site, { timeMs: arrival.timeMs, visitId: visitText }, input.contact)
    : '';
  return {
    siteId: site.id,
    name: input.name,
    hostname: page.hostname,
    pathname: page.pathname,
    timeMs: arrival.timeMs,
    idDay,
    visitorId: arrival.visitorId,
    eventKey: arrival.eventKey,
    orderKey: arrival.orderKey,
    leftOut: leftOutOf(
      arrival,
      contact === undefined ? 'contact_unsealed' : mayKeepContact ? undefined : 'contact_no_consent',
    ),
    slot: arrival.slot,
    consent,
    begun: arrival.startsVisit ? { slot: arrival.slot, visitId } : undefined,
    line: eventLine({
      siteId: site.id,
      timeMs: arrival.timeMs,
      name: input.name,
      visitorId: id64Text(arrival.visitorId),
      visitId: visitText,
      idDay,
      visitStartMs: late?.startedMs ?? read.startedMs(arrival.slot),
      detached: late === undefined ? 0 : 1,
      hostname: page.hostname,
      pathname: page.pathname,
      title: site.titles ? input.title : '',
      originText: late?.origin ?? read.origin(arrival.slot),
      entryText: late?.entry ?? read.entry(arrival.slot),
      agentText: late?.agent ?? read.agent(arrival.slot),
      placeText: place,
      propsText: input.props,
      revenueAmount: arrival.revenueAmount,
      revenueCurrency: arrival.revenueCurrency,
      orderId: arrival.orderId,
      interactive: input.interactive,
      scrollDepth: input.scrollDepth,
      engagementMs: input.engagementMs,
      importId: desk.importId,
      eventKey: arrival.eventKey === undefined ? '0' : id64Text(arrival.eventKey),
      contact: contact ?? '',
      receivedMs: arrival.isLate && arrival.eventKey !== undefined ? arrival.nowMs : undefined,
      storedId: arrival.isStored ? 1 : 0,
      consent,
    }),
  };
}

/** What the sender gave and is not kept: what no site keeps, and what this one does not. */
function leftOutOf(
  { input, site, unstored }: Arrival,
  uncontacted: LeftOutReason | undefined,
): readonly LeftOutReason[] {
  const noRevenue = input.revenue !== undefined && !site.revenue;
  const noContact = input.contact !== '' && uncontacted !== undefined;
  if (!noRevenue && !noContact && unstored === undefined) return input.leftOut;
  const all = [...input.leftOut];
  if (noRevenue) all.push('revenue_off');
  if (noContact) all.push(site.contactClicks ? uncontacted : 'contact_off');
  if (unstored !== undefined) all.push(unstored);
  return all;
}

/** A late event stands alone: a visit id of its own, which is never counted as a visit. */
function lateVisit(arrival: Arrival, desk: Desk) {
  return {
    visitId: id64Of(desk.random.uint64()),
    startedMs: arrival.timeMs,
    idDay: arrival.idDay,
    ...firstWords(arrival, desk),
  };
}

/** What the first event of a visit says and all its rows repeat. */
function firstWords(arrival: Arrival, desk: Desk) {
  const { input, page, site } = arrival;
  const source = readSource({ page, referrer: input.referrer, siteHostnames: [site.domain, page.hostname] });
  return {
    origin: originText(source, channelOf(source)),
    agent: agentText(
      arrival.known?.agent ?? readAgent(arrival.userAgent, arrival.headers as AgentHeaders | undefined),
      input.screen,
    ),
    place: placeText(placeOf(arrival, desk)),
    entry: input.name === 'pageview' ? entryText(page.hostname, page.pathname) : noEntryText,
  };
}

function nameUnder(arrival: Arrival, salt: DaySalt): undefined {
  const who = arrival.known?.visitor ?? arrival.userAgent;
  arrival.visitorId = visitorId(salt.salt, arrival.site.id, arrival.address, who);
  arrival.idDay = salt.day;
}

/**
 * May the id that the browser keeps be looked at? The purposes of the site's organisation say so, by the region and by what the
 * visitor said (CON-01, CON-05, COL-20). Only a browser itself knows: whoever sends for another does not. Somebody whose data is
 * restricted is counted and not recognised, and nothing says so (DSR-05, DSR-06).
 */
function recognise(arrival: Arrival, desk: Desk): void {
  if (arrival.headers === undefined) {
    arrival.unstored = 'storage_by_key';
    return;
  }
  arrival.consent = consentText(arrival.input.consent, arrival.headers, placeOf(arrival, desk)?.country ?? '');
  const refusal = arrival.site.purposes.of(arrival.consent).storage_measurement;
  if (refusal === undefined) arrival.isStored = !isRestricted(arrival);
  else arrival.unstored = unstoredReasons[refusal];
}

function isRestricted({ input, site: { id, restricted } }: Arrival): boolean {
  return restricted?.has(id64Text(storedVisitor(id, input.visitor))) === true;
}

const unstoredReasons = { no_consent: 'storage_no_consent', signal: 'storage_signal', off: 'storage_off' } as const;

function visitorOf(arrival: Arrival): { siteId: number; id: Id64 } {
  return { siteId: arrival.site.id, id: arrival.visitorId };
}

function runningVisit(arrival: Arrival, desk: Desk): Slot {
  const slot = desk.visits.find(visitorOf(arrival), arrival.timeMs);
  // What was collected before a site was emptied goes, so no visit of then goes on behind it.
  const { emptiedAtMs } = arrival.site;
  if (
    slot >= 0 &&
    emptiedAtMs !== undefined &&
    arrival.timeMs >= emptiedAtMs &&
    desk.visits.read.startedMs(slot) < emptiedAtMs
  )
    return -1;
  // The counts of a day are closed after the grace; a visit of memory mode loses its id then, one of storage mode is cut alike.
  if (
    slot >= 0 &&
    arrival.isStored &&
    desk.visits.read.idDay(slot) !== arrival.idDay &&
    desk.salts.previous(arrival.nowMs) === undefined
  )
    return -1;
  // Only a file that is not in order asks for a visit that begins long after the event.
  return slot >= 0 && desk.visits.read.startedMs(slot) - arrival.timeMs >= visitGapMsMax ? -1 : slot;
}

/** Looked up once, and only when somebody wants to know. */
export function placeOf(arrival: Arrival, desk: Pick<Desk, 'places'>): Place | undefined {
  if (arrival.place === 'not asked') arrival.place = desk.places.lookup(arrival.address);
  return arrival.place;
}

/** The host of a referrer, by eye: every event with a referrer is asked, and a URL parser costs four times as much. */
export function hostOf(referrer: string): string {
  const scheme = referrer.indexOf('://');
  const from = scheme < 0 ? 0 : scheme + 3;
  let end = from;
  for (; end < referrer.length; end++) {
    const code = referrer.charCodeAt(end);
    // '/', '?', '#'
    if (code === 47 || code === 63 || code === 35) break;
  }
  const authority = referrer.slice(from, end);
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const port = host.indexOf(':');
  return (port < 0 ? host : host.slice(0, port)).toLowerCase();
}
