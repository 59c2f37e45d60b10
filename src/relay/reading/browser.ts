import {
  type BrowserState,
  browserStates,
  kindOfPixel,
  type PixelPlatform,
  pixelPlatforms,
} from '../../../contract/pixels.ts';
import { type BrowserShare, browserShare, relayFiguresQuestion } from '../../../contract/relay_reading.ts';
import { defineRoute, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { isoDay, localDay } from '../../platform/zone.ts';
import { isSentToo } from '../intake/pixels.ts';
import { ofOrganisation, organisationFor } from '../settings/parts.ts';
import { labelOf, type ReadingHouse, reading, type Span, shownSpan, spanOf } from './parts.ts';

/** Rows of the answer at most: the events with most deliveries, and of pixels those with most calls. */
const rowsMax = 100;

interface DeliveredRow {
  destination_id: number;
  name: string | null;
  kind: string;
  event: string;
  sent_as: string;
  step: number;
  browser: BrowserState;
  count: number;
}
interface CalledRow {
  platform: PixelPlatform;
  event: string;
  step: number;
  with_id: number;
  without_id: number;
}

export function browserRoutes(house: ReadingHouse): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/browser-share',
      access: 'relay.read',
      summary:
        'Of what platforms accepted from pages whose pixels are counted, by day and event: how much a pixel told of with the same id, with another, or not at all; and what pixels alone told of.',
      params: ofOrganisation,
      query: relayFiguresQuestion,
      answer: browserShare,
      async handle(request) {
        const organisation = organisationFor(request);
        const now = house.clock.now();
        return {
          body: await reading(house, organisation, async (sql) => {
            const span = await spanOf(sql, organisation, request.query.period, now);
            const delivered = await deliveredRows(sql, organisation, span);
            const called = await calledRows(sql, organisation, span);
            return shown(span, delivered, called, await countingSources(sql));
          }),
        };
      },
    }),
  ];
}

/** A day after the other, as the coverage is read. */
function deliveredRows(sql: Sql, organisation: number, span: Span): Promise<DeliveredRow[]> {
  return sql.query<DeliveredRow>(
    `SELECT l.destination_id, o.name, o.kind, l.event, l.sent_as, s.step::int - 1 AS step, l.browser, sum(l.count)::int AS count
     FROM unnest($2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS s(begins, ends, step)
     CROSS JOIN LATERAL (
       SELECT d.destination_id, c.event_name AS event, d.browser_event AS sent_as, d.browser, count(*) AS count
       FROM relay_deliveries d JOIN relay_conversions c ON c.organisation_id = d.organisation_id AND c.id = d.conversion_id
       WHERE d.organisation_id = $1 AND d.created_at >= s.begins AND d.created_at < s.ends AND d.browser IS NOT NULL
         AND d.state = 'accepted'
       GROUP BY 1, 2, 3, 4) AS l
     JOIN relay_destinations o ON o.id = l.destination_id GROUP BY 1, 2, 3, 4, 5, 6, 7`,
    [organisation, ...boundsOf(span)],
  );
}

function boundsOf({ days, to }: Span): [Date[], Date[]] {
  return [days.map((day) => new Date(day)), [...days.slice(1), to].map((day) => new Date(day))];
}

/** Calls that met no delivery: those that are counted, and those that one may still belong to. */
function calledRows(sql: Sql, organisation: number, span: Span): Promise<CalledRow[]> {
  return sql.query<CalledRow>(
    `WITH steps AS (SELECT begins, ends, day, step::int - 1 AS step
       FROM unnest($2::timestamptz[], $3::timestamptz[], $4::date[]) WITH ORDINALITY AS s(begins, ends, day, step)),
     called AS (
       SELECT p.platform, p.event_name, s.step, p.with_id, p.without_id FROM steps s
       JOIN relay_pixel_days p ON p.organisation_id = $1 AND p.day = s.day
       UNION ALL
       SELECT c.platform, c.event_name, s.step, count(c.id_digest), count(*) - count(c.id_digest) FROM steps s
       JOIN relay_pixel_calls c ON c.organisation_id = $1 AND c.called_at >= s.begins AND c.called_at < s.ends AND c.met IS NULL
       WHERE ${isSentToo}
       GROUP BY 1, 2, 3)
     SELECT platform, event_name AS event, step, sum(with_id)::int AS with_id, sum(without_id)::int AS without_id
     FROM called GROUP BY 1, 2, 3`,
    [organisation, ...boundsOf(span), span.days.map((day) => isoDay(localDay(day, span.timezone)))],
  );
}

async function countingSources(sql: Sql): Promise<number> {
  const { count } = await sql.one<{ count: number }>(
    `SELECT count(*)::int AS count FROM relay_sources WHERE pixel_calls AND state = 'active'`,
  );
  return count;
}

function shown(
  span: Span,
  delivered: readonly DeliveredRow[],
  called: readonly CalledRow[],
  sources: number,
): BrowserShare {
  const none = () => span.days.map(() => 0);
  const server = [
    ...Map.groupBy(delivered, ({ destination_id, event, sent_as }) =>
      JSON.stringify([destination_id, event, sent_as]),
    ).values(),
  ].map((rows) => {
    const [{ destination_id: id, name, kind, event, sent_as }] = rows as [DeliveredRow, ...DeliveredRow[]];
    const states = Object.fromEntries(browserStates.map((state) => [state, 0])) as Record<BrowserState, number>;
    const all = none();
    const same = none();
    for (const { step, browser, count } of rows) {
      states[browser] += count;
      all[step] = (all[step] ?? 0) + count;
      if (browser === 'same') same[step] = (same[step] ?? 0) + count;
    }
    return {
      destination: { id, name, kind, label: labelOf(kind) },
      ...{ event, sent_as, count: all.reduce((sum, one) => sum + one, 0), states },
      ...{ by_step: all, same_by_step: same },
    };
  });
  const browser = [...Map.groupBy(called, ({ platform, event }) => JSON.stringify([platform, event])).values()].map(
    (rows) => {
      const [{ platform, event }] = rows as [CalledRow, ...CalledRow[]];
      const by_step = none();
      for (const { step, with_id, without_id } of rows) by_step[step] = (by_step[step] ?? 0) + with_id + without_id;
      const sum = (of: 'with_id' | 'without_id') => rows.reduce((total, row) => total + row[of], 0);
      return {
        ...{ platform, label: labelOf(kindOfPixel[platform]), event, by_step },
        ...{ with_id: sum('with_id'), without_id: sum('without_id') },
      };
    },
  );
  return {
    span: shownSpan(span),
    steps: span.days.map((day) => isoDay(localDay(day, span.timezone))),
    counting_sources: sources,
    server: server.sort((a, b) => b.count - a.count).slice(0, rowsMax),
    browser: browser
      .sort((a, b) => b.with_id + b.without_id - a.with_id - a.without_id || order(a.platform) - order(b.platform))
      .slice(0, rowsMax),
    is_cut: server.length > rowsMax || browser.length > rowsMax,
  };
}

const order = (platform: PixelPlatform) => pixelPlatforms.indexOf(platform);
