/**
 * Why an event did not become a stored event. The vocabulary is Plausible's where it has a word
 * (reference/web-analytics.md, "Drop reasons"), so that people who move in recognise it.
 * A reason travels back in `x-fairlead-dropped`, is counted per minute and site, and has a line in the product.
 */
export const dropReasons = {
  bot: 'The sender is a known robot.',
  spam_referrer: 'The referrer is on the list of spam hosts.',
  not_found: 'No site here has this domain or id.',
  throttle: 'The site sent more events a second than its limit allows.',
  invalid: 'A field is missing or has a shape that cannot be read.',
  too_large: 'The request or a field is larger than its limit.',
  site_ip_blocklist: 'A shield of the site blocks this address.',
  site_country_blocklist: 'A shield of the site blocks this country.',
  site_page_blocklist: 'A shield of the site blocks this page.',
  site_hostname_allowlist: 'The page is not on a hostname that the site allows.',
  site_hostname_blocklist: 'A shield of the site blocks this hostname.',
  site_referrer_blocklist: 'A shield of the site blocks this referrer.',
  privacy_signal: 'The visitor sent Sec-GPC or DNT and the site honours it by dropping.',
  measuring_off: 'The organisation does not measure visits in the region.',
  measuring_no_consent:
    'The organisation measures visits in the region only with consent, and nobody agreed in words that can be read.',
  duplicate: 'An event with this id was already stored in the last 24 hours.',
  no_session_for_engagement: 'Engagement arrived for a visit that is not running.',
  verification_agent: 'The sender is our own installation check.',
  identity: 'The call says who a visitor is, and nothing else: no identities are kept.',
  unsupported: 'The call carries what is not kept here, such as a recording or the speed of a page.',
  site_suspended: 'The site collects nothing: it is suspended, or going to be deleted.',
  organisation_suspended: 'The organisation of this site is suspended.',
  quarantined: 'The event was taken and the store refused its row for good: the row is in quarantine for seven days.',
} as const;

export type DropReason = keyof typeof dropReasons;

/**
 * What a stored event was kept without, because a setting of the site or a rule of all sites says so. Counted like drops, under these words;
 * the event itself is there, so no header names them.
 */
export const leftOutReasons = {
  revenue_off: 'The revenue was left out: the site keeps none and has no goal that earns.',
  contact_off: 'The address or number of a mail or phone link was left out: the site does not keep them.',
  contact_unsealed:
    'The address or number of a mail or phone link was left out: the key that seals it was not at hand, because the database was away.',
  contact_no_consent:
    'The address or number of a mail or phone link was left out: the visitor did not agree to that, or the organisation does not keep them in the region.',
  identity_off: 'A user id, a profile or a group of people was left out: no identities are kept.',
  text_off: 'The text of an element, a copied text or the trace of an error was left out: it is never kept.',
  storage_no_consent:
    'The id that a browser keeps was left out, and the visitor counted as in memory mode: the region asks first, and nobody agreed in words that can be read.',
  storage_signal:
    'The id that a browser keeps was left out, and the visitor counted as in memory mode: the browser asks for privacy.',
  storage_off:
    'The id that a browser keeps was left out, and the visitor counted as in memory mode: the organisation does not do this in the region.',
  storage_by_key:
    'The id of storage mode was left out: a key sent it, and only the browser itself knows what its visitor allows.',
  identity_no_consent:
    'Who a visitor is was left out: the visitor did not agree to be known, took it back, or the organisation does not do this in the region.',
  props_cut:
    'Properties over the thirtieth, or what of one was too long, were left out of an event of another product’s tracker.',
} as const;

export type LeftOutReason = keyof typeof leftOutReasons;

/** Why a row of a file was not taken in, beside the reasons that live events have. */
export const importStops = {
  line_too_long: 'The line is longer than a line may be.',
  wrong_columns: 'The row has more or fewer cells than the first line has headers.',
  no_day: 'The date cannot be read, or lies before 1990.',
  no_number: 'A number cannot be read.',
  in_future: 'The day is not over yet.',
  measured_already: 'The day has events that were measured here.',
  imported_already: 'Another import holds the same day.',
  not_a_log_line: 'The line has not the combined format.',
  not_a_page_view: 'The request is not for a page: a file, an error, a redirect, another method.',
  not_an_event: 'The other product makes this event by itself; here it is a visit or a page view.',
  totals: 'The row adds up the others.',
  no_agent: 'The request names no User-Agent, as only programs do.',
  other_site: 'The row belongs to another website of the export.',
} as const;

export type ImportStop = keyof typeof importStops;
