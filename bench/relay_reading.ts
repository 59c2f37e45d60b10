/**
 * How fast the relay's pages answer with a million conversions over ninety days, two deliveries each: rows of the shape that the
 * loader makes, written by SQL, with their sums as triggers keep them and the desk adds them up.
 *
 *     node --disable-warning=ExperimentalWarning bench/relay_reading.ts [conversions]
 *
 * Target: each within a second on a calm machine. The load of the machine is said beside it.
 */
import { loadavg } from 'node:os';
import { pause } from './desk.ts';
import { openRelayDesk, type RelayDesk } from './relay_desk.ts';

const conversions = Number(process.argv[2] ?? 1_000_000);
const piece = 20_000;
const days = 90;
const times = 5;
const pages = [
  ...['/overview?period=90d', '/overview?period=7d', '/match-quality?period=90d', '/match-quality?period=7d'],
  ...[
    '/destinations',
    '/sources',
    '/conversions',
    '/conversions?state=dead',
    '/deliveries?state=dead',
    '/dead-letters',
  ],
];
const say = (line: string) => void process.stdout.write(`${line}\n`);
const relay = await openRelayDesk({ say, kinds: ['meta-capi', 'google-data-manager'] });
try {
  for (const id of relay.destinations.values()) await relay.call('PATCH', `/destinations/${id}`, { state: 'paused' });
  const began = performance.now();
  for (let from = 0; from < conversions; from += piece) await add(relay, from, Math.min(piece, conversions - from));
  await relay.rows('ANALYZE relay_deliveries, relay_conversions, relay_sums, relay_sum_changes');
  say(`${conversions} conversions in ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  await look(relay, 'before days are put together');
  await whenTogether(relay);
  await look(relay, 'after');
} finally {
  await relay.close();
}

/** Spread over the days; of twenty, one was set aside, one withheld, the others accepted within some seconds. */
async function add({ desk, destinations, rows }: RelayDesk, from: number, count: number): Promise<void> {
  await rows(
    `WITH made AS (
       INSERT INTO relay_conversions (organisation_id, id, source_id, event_name, occurred_at, received_at, order_id, value, currency,
         facts, present, consent, region, mapping_version, raw_days, doubles, settled_at)
       SELECT $1, gen_random_uuid(), 1, 'purchase', at, at, 'B-' || n, 19.90, 'EUR',
         jsonb_build_object('event_name', 'purchase', 'order_id', 'B-' || n, 'value', '19.90', 'currency', 'EUR',
           'page_url', 'https://shop.example/thanks', 'occurred_at', at, 'items', '[{"id": "sku-1", "quantity": 1}]'::jsonb),
         ARRAY(SELECT p FROM unnest('{email,phone,external_id,ip,user_agent,gclid,fbp,zip}'::text[]) WITH ORDINALITY AS p(p, place)
           WHERE place <= 2 OR (n * 7 / (place + 1)) % 3 > 0),
         '{"ad_user_data": "granted"}', 'eea', 1, 7, (n % 12 = 0)::int, at + interval '5 seconds'
       FROM (SELECT n, now() - n * interval '${days} days' / ${conversions} AS at FROM generate_series($2::bigint, $3::bigint) AS n) AS g
       RETURNING id, received_at, order_id)
     INSERT INTO relay_deliveries (organisation_id, conversion_id, route_id, destination_id, platform_id, value, state, reason, next_at,
       first_sent_at, attempts, created_at, settled_at)
     SELECT $1, m.id, to_id, to_id, m.order_id, 19.90, s.state, CASE s.state WHEN 'dead' THEN '100/2804001' WHEN 'withheld' THEN 'consent_denied' END,
       m.received_at, CASE s.state WHEN 'withheld' THEN NULL ELSE m.received_at END, 1, m.received_at,
       m.received_at + (200 + abs(hashtext(m.order_id)) % 6000) * interval '1 millisecond'
     FROM made m CROSS JOIN unnest($4::bigint[]) AS to_id
       CROSS JOIN LATERAL (SELECT (ARRAY['dead', 'withheld'])[1 + abs(hashtext(m.order_id || to_id)) % 20] AS bad) AS b
       CROSS JOIN LATERAL (SELECT coalesce(b.bad, 'accepted') AS state) AS s`,
    [desk.organisationId, from + 1, from + count, [...destinations.values()]],
  );
}

async function look(desk: RelayDesk, when: string): Promise<void> {
  const [size] = await desk.rows<{ sums: number; changes: number }>(
    'SELECT (SELECT count(*)::int FROM relay_sums) AS sums, (SELECT count(*)::int FROM relay_sum_changes) AS changes',
  );
  say(`${when}: ${size?.sums} sums, ${size?.changes} changes; load of the machine ${loadavg()[0]?.toFixed(1)}`);
  for (const page of pages) {
    const took: number[] = [];
    for (let time = 0; time < times; time++) {
      const began = performance.now();
      await desk.call('GET', page);
      took.push(performance.now() - began);
    }
    say(`  GET ${page}: ${took.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  }
}

/** The desk adds changes up every quarter of a minute, and puts days together five minutes after its start: so it is started again. */
async function whenTogether(desk: RelayDesk): Promise<void> {
  await desk.running.stop();
  await desk.start();
  const { rows } = desk;
  for (let time = 0; time < 900; time++) {
    const [left] = await rows<{ changes: number; quarters: number; days: number }>(
      `SELECT (SELECT count(*)::int FROM relay_sum_changes) AS changes, (SELECT count(DISTINCT begins_at)::int FROM relay_sums WHERE is_day) AS days,
         (SELECT count(*)::int FROM relay_sums WHERE NOT is_day AND begins_at < now() - interval '3 days') AS quarters`,
    );
    if (left?.changes === 0 && left.quarters === 0 && left.days > 0) return;
    await pause(1_000);
  }
}
