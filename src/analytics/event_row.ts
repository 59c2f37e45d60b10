import type { DropReason, LeftOutReason } from '../../contract/drops.ts';
import { utcDay } from '../platform/zone.ts';

/**
 * One stored event, as the table `events` takes it (src/analytics/migrations/warehouse); a line of a spool segment has
 * its values in the order of `eventColumns`. Every member is a column and every column is a member; a test compares
 * the two. Nothing here can hold an address or a User-Agent: there is no column for one (COL-13, PSE-08).
 *
 * Unsigned 64-bit integers travel as decimal strings, because a JSON number above 2^53 has lost its last bits
 * before anyone can object. Text may be any Unicode, '' means absent; there are no nulls.
 */
export interface EventRow {
  /** Postgres id of the site; below 2^53, so a number. */
  site_id: number;
  /** Server time, UTC, 'YYYY-MM-DD hh:mm:ss.mmm'. For imports the row's own time. */
  time: WarehouseTime;
  /** 'pageview', 'engagement', or the name of a custom event. */
  name: string;
  /** SHA-256 over salt, site, address and agent, cut to 64 bits (PSE-01); in storage mode over site and stored id. UInt64 as a decimal string. */
  visitor_id: string;
  /** Random per visit. UInt64 as a decimal string. A detached event has one of its own. */
  visit_id: string;
  /** The UTC day whose salt made `visitor_id`, 'YYYY-MM-DD'. In the ten minutes of grace that is yesterday. */
  id_day: WarehouseDate;
  /** Time of the first event of the visit; the same on every event of it, for it is part of the visit's key. */
  visit_start: WarehouseTime;
  /** 1 = stored without visit handling (a late event from a server): it is nobody's visit and never counted as one. */
  detached: 0 | 1;
  /** Host of the page, without port. */
  hostname: string;
  /** Path of the page, without query and fragment, at most `ingestLimits.pathCharsMax`. */
  pathname: string;
  /** Document title, at most 512 characters; '' when the site has switched titles off. */
  title: string;

  /* What the visit's first event said; copied onto each event of the visit, so that it never changes within one. */
  /** Host and path of the referrer, no scheme and no query; '' = direct. */
  referrer: string;
  /** Name of the source; '' = direct. */
  source: string;
  utm_source: string;
  utm_medium: string;
  utm_campaign: string;
  utm_term: string;
  utm_content: string;
  /** Kind of the ad-click id that was in the address ('gclid'), never its value; '' = none. */
  click_id: string;
  /** One of the 19 channels of the reference. */
  channel: string;
  /** Host of the visit's first page view; '' before it. */
  entry_hostname: string;
  /** Path of the visit's first page view; '' before it. */
  entry_page: string;
  browser: string;
  browser_version: string;
  os: string;
  os_version: string;
  /** 'Desktop', 'Mobile', 'Tablet' or ''. */
  device: string;
  /** 'WIDTHxHEIGHT', or ''. */
  screen: string;
  /** ISO 3166-1 alpha-2, or ''. */
  country: string;
  /** ISO 3166-2 code or name, or ''. */
  region: string;
  city: string;
  /** Degrees, at most one decimal (COL-14). 0 with an empty `country` = unknown. */
  latitude: number;
  longitude: number;

  /** Custom properties, at most 30, values as text. */
  props: Record<string, string>;
  /** Decimal with at most three places, as text ('12.50'); '0' without revenue. */
  revenue_amount: string;
  /** ISO 4217, or '' = no revenue. */
  revenue_currency: string;
  /** The shop's order id; '' = none. */
  order_id: string;
  /** 0 = does not cancel a bounce. Page views are 1, engagement is 0. */
  interactive: 0 | 1;
  /** Percent of the page seen, 0–100, on engagement events; 255 = not measured. */
  scroll_depth: number;
  /** Milliseconds of attention since the last engagement event; 0 on every other event. */
  engagement_ms: number;
  /** The import that brought the row; 0 = live. */
  import_id: number;
  /** Hash of site and the client's event id, UInt64 as a decimal string; '0' = none. Forgotten after a day. */
  event_key: string;
  /**
   * The address or number of a clicked mail or phone link, sealed, where the site keeps it (R12); '' elsewhere, which is
   * nearly always.
   */
  contact?: string;
  /** When a late event with an id came in, 'YYYY-MM-DD hh:mm:ss': its id is forgotten a day later. 0 elsewhere. */
  received?: string | 0;
  /** 1 = `visitor_id` comes from an id that the visitor's browser keeps (storage mode), and is the same on every day. */
  stored_id?: 0 | 1;
  /** What the visitor allowed, read from every signal of the event: `gddd tttt eea t` (trust/consent/snapshot.ts). '' = before there was one, and in files. */
  consent?: string;
}

/**
 * What is kept of a detected robot: which rule knew it and what it asked for, nothing of who it was.
 * No visitor id, no agent text. Kept for 90 days (table `bot_events`).
 */
export interface BotRow {
  site_id: number;
  time: WarehouseTime;
  /** The rule that spoke, from the closed list of the ingest step ('agent', 'headers', ...). */
  rule: string;
  /** The robot's name as our list of robots has it; '' = a rule without a name spoke. Never text from the request. */
  agent: string;
  /** Event name as sent, cut to the limit. */
  name: string;
  hostname: string;
  pathname: string;
  /** Host and path, as on events. */
  referrer: string;
  /** ISO 3166-1 alpha-2, or ''. */
  country: string;
}

/**
 * Events that were not stored, and events that were stored without something: how many, per minute, site and reason
 * (table `drops`; rows add up).
 */
export interface DropRow {
  /** 0 = no site was found for the domain. */
  site_id: number;
  /** Start of the minute, UTC, 'YYYY-MM-DD hh:mm:00'. */
  minute: string;
  reason: DropReason | LeftOutReason;
  events: number;
}

/** 'YYYY-MM-DD hh:mm:ss.mmm', UTC: the only form of a time that the engine's fast parser takes. */
export type WarehouseTime = string;
/** 'YYYY-MM-DD', UTC. */
export type WarehouseDate = string;

/** Milliseconds since the epoch → 'YYYY-MM-DD hh:mm:ss.mmm'. */
export function warehouseTime(ms: number): WarehouseTime {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}`;
}

/** Milliseconds since the epoch → the UTC day 'YYYY-MM-DD'. */
export function warehouseDate(ms: number): WarehouseDate {
  return utcDay(ms);
}
