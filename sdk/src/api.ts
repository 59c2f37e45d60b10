/** A value that an event may carry as a property. The server stores it as text. */
export type PropertyValue = string | number | boolean;

/** What an event earned. */
export interface Revenue {
  /** In units of the currency, not in cents: `19.99`. */
  amount: number | string;
  /** ISO 4217, upper case: `EUR`. */
  currency: string;
  /** The shop's own order number, at most 128 characters. The same number counts its revenue once per site. */
  order_id?: string;
}

/**
 * What became of an event.
 *
 * `status` is the HTTP status of the last attempt (202 when the event is stored or counted as dropped).
 * `error` is the reason why no answer came (network down, blocked by the browser).
 * Neither is set when the event was not sent at all: on localhost, under automation, on an excluded page, or because
 * `transform` returned nothing.
 */
export interface Outcome {
  status?: number;
  error?: unknown;
}

/** Which event of which platform's pixel an event is, where the tag has `data-pixels` or the package is `@fairlead/sdk/pixels`. */
export interface PixelCall {
  /** As the route of the relay sends it: `Purchase`. */
  meta?: string;
  /** `CompletePayment`. */
  tiktok?: string;
  /** Goes along to each of them; the revenue of the event is in it already, as `value` and `currency`. */
  data?: Record<string, unknown>;
}

/** What may be said about one event. */
export interface EventOptions {
  /** At most 30 properties; a key has at most 300 characters, a value 2,000. Never put personal data here. */
  props?: Record<string, PropertyValue>;
  revenue?: Revenue;
  /** `false` keeps the event from turning a bounce into a visit: for events that happen without the visitor. */
  interactive?: boolean;
  /** Called once, after the event was sent, retried or skipped. */
  callback?: (outcome: Outcome) => void;
  /**
   * The page the event belongs to, absolute or relative to the current one; the current page unless given.
   * Its query string is cleaned like that of the current page.
   */
  url?: string;
  /** With `data-pixels`, or of `@fairlead/sdk/pixels`, alone: calls pixels of ad platforms with the id of this event, for visitors who agreed to ads. */
  pixel?: PixelCall;
}

/**
 * The body of one event, in the short names of the collection endpoint (docs/guides/tracker.md, "Wire format").
 * It is what `transform` receives and may change.
 */
export interface WireEvent {
  /** Name: `pageview`, `engagement` or a custom name. */
  n: string;
  /** Page, without credentials and with nothing in its query but UTM parameters, `ref`, `source` and click ids. */
  u: string;
  /** Site, or several separated by commas. */
  d: string;
  /** Random, new for each event, so that a retried event counts once. Not stored. */
  id: string;
  /** Version of this format. */
  v: number;
  /** 1 when the fragment is part of the page. */
  h?: number;
  /** Referrer without its query string. */
  r?: string;
  /** Document title, at most 512 characters. */
  t?: string;
  /** Screen as `1440x900`, CSS pixels. */
  sc?: string;
  /** Properties. */
  p?: Record<string, PropertyValue>;
  $?: Revenue;
  i?: boolean;
  /** Engagement only: milliseconds during which the page was visible and had the focus. */
  e?: number;
  /** Engagement only: the deepest point that was in view, 0–100 % of the page. */
  sd?: number;
}

/** How the tracker is set up. The script reads the same things from its own tag (docs/guides/tracker.md). */
export interface Settings {
  /** The site as it is called in Fairlead, or several separated by commas: `example.com`. */
  domain: string;
  /** Where events go: `https://stats.example.com/api/event`, or a path of your own that forwards to it. */
  endpoint: string;
  /** The fragment is part of the page: for sites that route by `#/path`. */
  hash?: boolean;
  /** Send from localhost, from files and under browser automation too. */
  local?: boolean;
  /** Send no page views by itself; call `track('pageview')` instead. */
  manual?: boolean;
  /**
   * Send the address of clicked `mailto:` and `tel:` links. Without it only the click is sent, and the mail domain.
   * The site needs the same switch on the server, which removes the value otherwise.
   */
  contact?: boolean;
  /** Pages from which nothing is sent: `*` stands for one part of a path, `**` for any number of them. */
  exclude?: readonly string[];
  /** Given: only these pages send anything. Same patterns as `exclude`. */
  include?: readonly string[];
  /** Last look at each event before it leaves. Return it, changed or not; return nothing to keep it from leaving. */
  transform?: (event: WireEvent) => WireEvent | null | undefined;
}

/**
 * Sends one event. `pageview` is a page view and starts the engagement clock of a new page; any other name of at most
 * 120 characters is a custom event.
 */
export type Track = (name: string, options?: EventOptions) => void;
