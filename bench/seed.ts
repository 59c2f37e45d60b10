import type { Warehouse } from '../src/platform/warehouse/index.ts';

/** What to fill the warehouse with. The same numbers give the same rows, id for id. */
export interface Seed {
  siteId: number;
  /** Events to write, within a few per cent: visits are drawn, three events each on average. */
  events: number;
  /** UTC days that they spread over, the last one being the day before `until`. */
  days: number;
  /** First UTC day after the data, 'YYYY-MM-DD'. */
  until: string;
  /** Any number: another seed, other rows. Default 1. */
  seed?: number;
  /** Different paths; default 5,000. */
  paths?: number;
  /** Host of the pages; default 'www.example.com'. */
  hostname?: string;
  /** Rows after this instant are left out: a day that still runs. Milliseconds since the epoch. */
  before?: number;
  /** Hears how many events are about to be written so far. */
  onProgress?: (events: number) => void;
}

/** Visits in one INSERT: about 600,000 events, so that a part is whole and memory stays below 1 GB. */
const visitsPerInsert = 200_000;
const eventsPerVisit = 3;

/**
 * Fills `events` (and through the view `visits`) inside the engine, with what a real site looks like:
 *
 * - visits of 3 events on average, a third of them bounces; page views, engagement with scroll depth, custom events
 * - 5,000 paths, 400 sources, 100 countries, cities and browsers by Zipf's law; more at noon than at night
 * - visitors of one day come 1.3 times; ids are 64 random bits, other ones each day
 * - campaigns on a fifth of the visits, properties on custom events, revenue with order id on 1 % of the events
 *
 * @returns rows written to `events`
 */
export async function seedEvents(warehouse: Warehouse, seed: Seed): Promise<number> {
  const visits = Math.max(1, Math.round(seed.events / eventsPerVisit));
  for (let from = 0; from < visits; from += visitsPerInsert) {
    const count = Math.min(visitsPerInsert, visits - from);
    await warehouse.command(insertSql, {
      site: seed.siteId,
      seed: seed.seed ?? 1,
      from,
      count,
      visits,
      days: seed.days,
      until: seed.until,
      paths: seed.paths ?? 5_000,
      visitors_per_day: Math.max(1, Math.round(visits / seed.days / 1.3)),
      hostname: seed.hostname ?? 'www.example.com',
      before: seed.before ?? Date.parse('2100-01-01'),
      token: `seed:${seed.siteId}:${seed.seed ?? 1}:${seed.events}:${seed.days}:${seed.until}:${from}`,
    });
    seed.onProgress?.((from + count) * eventsPerVisit);
  }
  const [row] = await warehouse.read<{ rows: string }>(
    'SELECT count() AS rows FROM events WHERE site_id = {site:UInt64}',
    { site: seed.siteId },
  );
  return Number(row?.rows ?? 0);
}

/**
 * `h(n)` is the n-th uniform draw of a visit, `u(n)` the same in [0, 1). `floor(pow(n, u))` is Zipf's law with
 * exponent one: each rank r gets a share of about 1/r.
 */
const insertSql = `
INSERT INTO events (site_id, time, name, visitor_id, visit_id, id_day, visit_start, detached, hostname, pathname, title, referrer, source,
    utm_source, utm_medium, utm_campaign, utm_term, utm_content, click_id, channel, entry_hostname, entry_page, browser,
    browser_version, os, os_version, device, screen, country, region, city, latitude, longitude, props, revenue_amount,
    revenue_currency, order_id, interactive, scroll_depth, engagement_ms, import_id, event_key)
WITH
    (p) -> multiIf(p = 1, '/', p % 7 = 0, concat('/docs/guide-', toString(p)), p % 3 = 0, concat('/products/item-', toString(p), '/details'),
        concat('/blog/', toString(2018 + p % 8), '/a-post-about-subject-', toString(p))) AS path,
    [ '', 'Google', 'Bing', 'Facebook', 'Instagram', 'LinkedIn', 'Reddit', 'YouTube', 'DuckDuckGo', 'Hacker News',
      'GitHub', 'ChatGPT', 'Newsletter', 'Pinterest', 'TikTok', 'Ecosia', 'Yahoo!', 'Wikipedia', 'Partner One',
      'Partner Two', 'Perplexity' ] AS sources,
    [ 'Direct', 'Organic Search', 'Organic Search', 'Organic Social', 'Organic Social', 'Organic Social',
      'Organic Social', 'Organic Video', 'Organic Search', 'Referral', 'Referral', 'AI Assistants', 'Email',
      'Organic Social', 'Organic Social', 'Organic Search', 'Organic Search', 'Referral', 'Referral', 'Referral',
      'AI Assistants' ] AS channels,
    [ '', 'google.com', 'bing.com', 'facebook.com', 'instagram.com', 'linkedin.com/feed', 'reddit.com/r/webdev',
      'youtube.com/watch', 'duckduckgo.com', 'news.ycombinator.com/item', 'github.com', 'chatgpt.com', '', 'pinterest.com',
      'tiktok.com', 'ecosia.org', 'search.yahoo.com', 'en.wikipedia.org/wiki', 'partner-one.example/blog',
      'partner-two.example/list', 'perplexity.ai' ] AS referrers,
    [ 'US','GB','DE','FR','IN','CA','AU','NL','ES','IT','BR','SE','PL','JP','CH','AT','BE','DK','NO','FI','IE','PT','CZ',
      'MX','SG','ZA','NZ','KR','TR','UA','RO','GR','HU','IL','AR','CL','CO','ID','MY','PH','TH','VN','HK','TW','AE','SA',
      'EG','NG','KE','MA','BG','HR','RS','SK','SI','LT','LV','EE','LU','MT','CY','IS','PK','BD','LK','PE','EC','UY','CR',
      'PA','DO','GT','BO','PY','VE','TN','DZ','GH','UG','TZ','ET','SN','CI','CM','ZW','ZM','JO','LB','KW','QA','OM','BH',
      'KZ','UZ','GE','AM','AZ','BY','MD','AL' ] AS countries,
    [ 'Chrome', 'Safari', 'Firefox', 'Edge', 'Opera', 'Samsung Internet' ] AS browsers,
    [ 'Windows', 'iOS', 'Android', 'macOS', 'GNU/Linux' ] AS systems,
    [ '1920x1080', '390x844', '1440x900', '360x800', '2560x1440', '1366x768', '414x896', '1536x864', '768x1024',
      '412x915', '393x873', '1280x720' ] AS screens
SELECT
    {site:UInt64} AS site_id,
    visit_start + toIntervalMillisecond(at_ms) AS time,
    multiIf(step = 1, 'pageview', kind < 0.5, 'pageview', kind < 0.85, 'engagement',
        ['Signup', 'Download', 'Outbound Link: Click', 'Form: Submission', 'purchase'][toUInt8(1 + floor(5 * pow((kind - 0.85) / 0.15, 2)))]) AS name,
    visitor_id, visit_id, id_day, visit_start,
    0 AS detached,
    if(site_part < 0.97, {hostname:String}, concat('shop.', {hostname:String})) AS hostname,
    path(page) AS pathname,
    concat('Page ', toString(page), ' of the example') AS title,
    if(s > 21, concat('site-', toString(s), '.example/links'), referrers[least(s, 21)]) AS referrer,
    if(s > 21, concat('site-', toString(s), '.example'), sources[least(s, 21)]) AS source,
    if(campaign > 0, lower(source), '') AS utm_source,
    if(campaign > 0, ['cpc', 'email', 'social'][1 + campaign % 3], '') AS utm_medium,
    if(campaign > 0, concat('campaign-', toString(campaign)), '') AS utm_campaign,
    '' AS utm_term,
    if(campaign > 0 AND campaign % 2 = 0, concat('variant-', toString(campaign % 4)), '') AS utm_content,
    if(campaign > 0 AND s = 2, 'gclid', '') AS click_id,
    multiIf(campaign > 0 AND s = 2, 'Paid Search', s > 21, 'Referral', channels[least(s, 21)]) AS channel,
    {hostname:String} AS entry_hostname,
    path(entry) AS entry_page,
    browsers[b] AS browser,
    toString(140 - floor(pow(12, v2))) AS browser_version,
    systems[o] AS os,
    toString(18 - floor(pow(6, v3))) AS os_version,
    multiIf(o IN (2, 3), if(v4 < 0.06, 'Tablet', 'Mobile'), 'Desktop') AS device,
    screens[toUInt8(floor(pow(12, v5)))] AS screen,
    countries[c] AS country,
    concat(country, '-', toString(region_rank)) AS region,
    concat('City ', toString(c), '.', toString(region_rank), '.', toString(city_rank)) AS city,
    toDecimal32(round(-40 + c + region_rank / 10, 1), 1) AS latitude,
    toDecimal32(round(-120 + c * 2 + city_rank / 10, 1), 1) AS longitude,
    multiIf(name IN ('pageview', 'engagement'), map(), name = 'purchase', map('plan', ['free', 'pro', 'team'][1 + toUInt8(page % 3)], 'items', toString(1 + page % 5)),
        map('place', ['header', 'footer', 'body'][1 + toUInt8(page % 3)])) AS props,
    if(name = 'purchase', toDecimal64(5 + page % 200, 3), toDecimal64(0, 3)) AS revenue_amount,
    if(name = 'purchase', if(c <= 1, 'USD', 'EUR'), '') AS revenue_currency,
    if(name = 'purchase', concat('order-', hex(visit_id), '-', toString(step)), '') AS order_id,
    toUInt8(name != 'engagement') AS interactive,
    if(name = 'engagement', toUInt8(10 + floor(90 * sqrt(site_part))), 255) AS scroll_depth,
    if(name = 'engagement', toUInt32(3000 + 60000 * pow(kind, 2)), 0) AS engagement_ms,
    0 AS import_id,
    sipHash64({seed:UInt64}, visit, 'key', step) AS event_key
FROM
(
    WITH
        (x) -> sipHash64({seed:UInt64}, visit, x) AS h,
        (x) -> sipHash64({seed:UInt64}, visit, x) / 18446744073709551616. AS u,
        (x) -> sipHash64({seed:UInt64}, visitor_id, x) / 18446744073709551616. AS per_visitor
    SELECT
        number + {from:UInt64} AS visit,
        toUInt32(intDiv(visit * {days:UInt64}, {visits:UInt64})) AS day_number,
        toDate({until:String}) - {days:UInt16} + day_number AS id_day,
        -- The mean of two draws is a triangle with its top at 13:00; the last minutes of the day stay free.
        toDateTime64(toDateTime(id_day, 'UTC'), 3, 'UTC') + toIntervalMillisecond(toUInt32(modulo((u(1) + u(2)) / 2 * 86400000 + 3600000, 84600000))) AS visit_start,
        sipHash64({seed:UInt64}, 'visitor', {site:UInt64}, id_day, modulo(h(3), {visitors_per_day:UInt64})) AS visitor_id,
        h(4) AS visit_id,
        least(12, 1 + floor(log(1 - u(5)) / log(0.6678))) AS steps,
        toUInt32(floor(pow({paths:UInt64}, u(6)))) AS entry,
        toUInt16(floor(pow(400.99, u(7)))) AS s,
        if(u(8) < 0.2 AND s > 1, toUInt32(floor(pow(40, u(9)))), 0) AS campaign,
        toUInt8(floor(pow(100.99, per_visitor(1)))) AS c,
        toUInt8(floor(pow(12.99, per_visitor(2)))) AS region_rank,
        toUInt8(floor(pow(8.99, per_visitor(3)))) AS city_rank,
        toUInt8(floor(pow(6.99, per_visitor(4)))) AS b,
        toUInt8(floor(pow(5.99, per_visitor(5)))) AS o,
        per_visitor(6) AS v2, per_visitor(7) AS v3, per_visitor(8) AS v4, per_visitor(9) AS v5,
        arrayJoin(range(1, toUInt8(steps) + 1)) AS step,
        if(step = 1, entry, toUInt32(floor(pow({paths:UInt64}, u(step + 100))))) AS page,
        u(step + 200) AS kind,
        u(step + 300) AS site_part,
        if(step = 1, 0, (step - 1) * 45000 + toUInt32(u(step + 400) * 40000)) AS at_ms
    FROM numbers({count:UInt64})
)
WHERE time < fromUnixTimestamp64Milli({before:Int64}, 'UTC')
SETTINGS insert_deduplication_token = {token:String}
`;
