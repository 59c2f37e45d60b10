/** Rows of `events` or `bot_events` of a site in a span: `from` is the first second of it, `to` the first one after it. */
export const inSpan = `site_id = {site:UInt64} AND time >= toDateTime({from:UInt32}, 'UTC') AND time < toDateTime({to:UInt32}, 'UTC')`;
