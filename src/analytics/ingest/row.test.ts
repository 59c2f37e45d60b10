import { describe, expect, it } from 'vitest';
import { type EventRow, warehouseTime } from '../event_row.ts';
import {
  agentText,
  dayText,
  entryText,
  eventColumns,
  eventLine,
  originText,
  placeText,
  readEventLine,
  storedText,
  timeText,
} from './row.ts';

const nasty = 'a"b\\c\n\u2028é😀';

/** Every member of a row, with the hardest text wherever text may be. */
const row: EventRow = {
  site_id: 7,
  time: '2026-06-01 12:00:00.123',
  name: nasty,
  visitor_id: '18446744073709551615',
  visit_id: '1',
  id_day: '2026-05-31',
  visit_start: '2026-06-01 11:59:00.000',
  detached: 0,
  hostname: nasty,
  pathname: nasty,
  title: nasty,
  referrer: nasty,
  source: nasty,
  utm_source: nasty,
  utm_medium: nasty,
  utm_campaign: nasty,
  utm_term: nasty,
  utm_content: nasty,
  click_id: 'gclid',
  channel: 'Paid Search',
  entry_hostname: nasty,
  entry_page: nasty,
  browser: 'Firefox',
  browser_version: '140',
  os: 'Linux',
  os_version: '',
  device: 'Desktop',
  screen: '1440x900',
  country: 'DE',
  region: nasty,
  city: nasty,
  latitude: -52.5,
  longitude: 13.4,
  props: { [nasty]: nasty },
  revenue_amount: '12.345',
  revenue_currency: 'EUR',
  order_id: nasty,
  interactive: 1,
  scroll_depth: 255,
  engagement_ms: 0,
  import_id: 0,
  event_key: '5',
  contact: 'c2VhbGVk',
  received: '2026-06-02 10:11:12',
  stored_id: 1,
  consent: 'gddd tttt eea tm',
};

function textsOf(stored: EventRow) {
  return {
    origin: storedText.origin(stored),
    agent: storedText.agent(stored),
    place: storedText.place(stored),
    entry: storedText.entry(stored),
  };
}

it('a line built by hand is what the row has in the order of the columns', () => {
  const texts = textsOf(row);
  const line = eventLine({
    siteId: row.site_id,
    timeMs: Date.UTC(2026, 5, 1, 12, 0, 0, 123),
    name: row.name,
    visitorId: row.visitor_id,
    visitId: row.visit_id,
    idDay: Date.UTC(2026, 4, 31) / 86_400_000,
    visitStartMs: Date.UTC(2026, 5, 1, 11, 59),
    detached: row.detached,
    hostname: row.hostname,
    pathname: row.pathname,
    title: row.title,
    originText: texts.origin,
    entryText: texts.entry,
    agentText: texts.agent,
    placeText: texts.place,
    propsText: JSON.stringify(row.props),
    revenueAmount: row.revenue_amount,
    revenueCurrency: row.revenue_currency,
    orderId: row.order_id,
    interactive: row.interactive,
    scrollDepth: row.scroll_depth,
    engagementMs: row.engagement_ms,
    importId: row.import_id,
    eventKey: row.event_key,
    contact: row.contact as string,
    receivedMs: Date.UTC(2026, 5, 2, 10, 11, 12, 345),
    storedId: 1,
    consent: row.consent as string,
  });
  expect(readEventLine(line)).toEqual(row);
  expect(Object.keys(row).sort()).toEqual([...eventColumns].sort());
  expect(line).not.toContain('\n');
});

it('texts made from a hit and from its stored row are the same, so a restart changes no row', () => {
  const place = { country: 'DE', region: 'Berlin', city: 'Berlin', latitude: 52.5, longitude: 13.4 };
  const texts = textsOf({ ...row, ...place, latitude: '52.5' as unknown as number });
  expect(texts.place).toBe(placeText(place));
  expect(textsOf({ ...row, country: '', region: '', city: '', latitude: 0, longitude: 0 }).place).toBe(
    placeText(undefined),
  );
  expect(texts.entry).toBe(entryText(nasty, nasty));
  expect(texts.origin).toBe(
    originText(
      {
        referrer: nasty,
        source: nasty,
        medium: nasty,
        campaign: nasty,
        utm_source: nasty,
        utm_medium: nasty,
        utm_campaign: nasty,
        utm_term: nasty,
        utm_content: nasty,
        click_id: 'gclid',
      },
      'Paid Search',
    ),
  );
  expect(texts.agent).toBe(
    agentText(
      { browser: 'Firefox', browser_version: '140', os: 'Linux', os_version: '', device: 'Desktop' },
      '1440x900',
    ),
  );
});

describe('times', () => {
  it.each([
    0,
    1,
    999,
    59_999,
    60_000,
    Date.UTC(2026, 5, 1, 23, 59, 59, 999),
    Date.UTC(2026, 5, 1),
    Date.UTC(2024, 1, 29, 12, 34, 56, 7),
    Date.UTC(2026, 5, 1) + 64 * 60_000,
  ])('%i', (ms) => {
    expect(timeText(ms)).toBe(warehouseTime(ms));
    expect(dayText(Math.floor(ms / 86_400_000))).toBe(warehouseTime(ms).slice(0, 10));
  });
});
