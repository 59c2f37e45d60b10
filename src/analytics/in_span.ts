/**
 * Rows of `events` or `bot_events` of a site in a span: `from` is the first second of it, `to` the first one after it.
 * The bounds have the column's type: with DateTime the engine passes over parts whose rows all lie in one second beside
 * a bound.
 */
export const inSpan = `site_id = {site:UInt64} AND time >= toDateTime64({from:UInt32}, 3, 'UTC') AND time < toDateTime64({to:UInt32}, 3, 'UTC')`;

/** Minutes of `drops` in such a span; for a site, or for several. */
export const minutesInSpan = `minute >= toDateTime({from:UInt32}, 'UTC') AND minute < toDateTime({to:UInt32}, 'UTC')`;
