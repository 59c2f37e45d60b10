import { dayMs } from '../../platform/zone.ts';
import { type EventRow, warehouseDate, warehouseTime } from '../event_row.ts';
import { eventAt } from './rig.ts';

/** A generator of repeatable numbers in [0, 1): mulberry32. For tests only. */
export function repeatable(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export const pick = <T>(random: () => number, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

const minuteMs = 60_000;

/**
 * Events of one site over some days, shaped as ingest leaves them: ids of a UTC day, gaps below 31 minutes within a
 * visit, visits that cross hours, local midnights and (in the ten minutes of grace) UTC midnight, visits without a page
 * view, detached events, engagement, revenue in two currencies; with `comeAgain`
 * also ids that browsers keep.
 */
export function randomSite(
  seed: number,
  { from, days, visitors, comeAgain = false }: { from: number; days: number; visitors: number; comeAgain?: boolean },
): EventRow[] {
  const random = repeatable(seed);
  const rows: EventRow[] = [];
  let visitIds = 1000;
  for (let visitor = 1; visitor <= visitors; visitor++) {
    const day = from + Math.floor(random() * days) * dayMs;
    const idDay = warehouseDate(day);
    let at = day + Math.floor(random() * dayMs);
    if (random() < 0.15) at = day + dayMs - Math.floor(random() * 40 * minuteMs) - 1;
    const visits = 1 + Math.floor(random() * 3);
    for (let visit = 0; visit < visits && at < day + dayMs; visit++) {
      visitIds += 1;
      const start = at;
      const detached = random() < 0.05 ? 1 : 0;
      const about: Partial<EventRow> = {
        visitor_id: String(visitor),
        visit_id: String(visitIds),
        id_day: idDay,
        visit_start: warehouseTime(start),
        detached,
        source: pick(random, ['', '', 'Google', 'google', 'Bing', "O'Hara"]),
        channel: pick(random, ['Direct', 'Organic Search']),
        utm_campaign: pick(random, ['', 'spring', 'Spring sale']),
        country: pick(random, ['', 'DE', 'FR', 'US']),
        region: pick(random, ['', 'DE-BE', 'FR-75']),
        device: pick(random, ['', 'Desktop', 'Mobile']),
        browser: pick(random, ['Firefox', 'Chrome']),
      };
      let entry = { hostname: '', pathname: '' };
      const count = detached === 1 ? 1 : 1 + Math.floor(random() * 6) * (random() < 0.1 ? 12 : 1);
      for (let number = 0; number < count; number++) {
        if (number > 0) at += 1 + Math.floor(random() ** 3 * 30.9 * minuteMs);
        if (at >= day + dayMs + 10 * minuteMs) break;
        const name =
          number === 0
            ? pick(random, ['pageview', 'pageview', 'pageview', 'Signup'])
            : pick(random, ['pageview', 'pageview', 'engagement', 'engagement', 'Signup', 'purchase']);
        const page = {
          hostname: pick(random, ['example.com', 'shop.example.com']),
          pathname: pick(random, ['/', '/blog', '/blog/one', '/blog/one/more', '/pricing', '/Pricing', "/it's"]),
        };
        if (name === 'pageview' && entry.pathname === '') entry = page;
        const earns = name === 'purchase';
        rows.push(
          eventAt(at, {
            ...about,
            ...page,
            name,
            entry_hostname: entry.hostname,
            entry_page: entry.pathname,
            title: name === 'pageview' ? pick(random, ['', 'Hello', 'Prices']) : '',
            interactive: name === 'engagement' || random() < 0.2 ? 0 : 1,
            props: random() < 0.4 ? { plan: pick(random, ['free', 'pro', 'Pro']) } : {},
            revenue_amount: earns ? pick(random, ['12.5', '0.001', '99.999', '0']) : '0',
            revenue_currency: earns ? pick(random, ['EUR', 'EUR', 'USD']) : '',
            scroll_depth: name === 'engagement' ? pick(random, [255, 10, 55, 100]) : 255,
            engagement_ms: name === 'engagement' ? Math.floor(random() * 90_000) : 0,
          }),
        );
      }
      at += 31 * minuteMs + Math.floor(random() * 8 * 60 * minuteMs);
    }
  }
  // A page view of `interactive: 0` does not exist: ingest sets it.
  return rows.map((row) => ({
    ...row,
    ...(comeAgain ? storedId(row.visitor_id) : {}),
    ...(row.name === 'pageview' ? { interactive: 1 } : {}),
  }));
}

/** Every fourth visitor is of storage mode: one of six who come again on other days. */
function storedId(visitor: string): Partial<EventRow> {
  const number = Number(visitor);
  return number % 4 === 0 ? { visitor_id: String(1_000_000 + (number % 24)), stored_id: 1 } : {};
}
