import { expect, test } from 'vitest';
import { dayMs } from '../../platform/zone.ts';
import type { EventRow } from '../event_row.ts';
import { openCounting } from '../packed/count.ts';
import { decodeDay, encodeDay, eventColumns, visitColumns } from '../packed/day.ts';
import { packDay } from '../packed/pack.ts';
import { countryNameOf } from './countries.ts';
import { packedQuestion } from './packed.ts';
import { parseQuery, type Query } from './parse.ts';
import { atomsOf } from './plan.ts';
import { randomGoals, randomQuestion, randomZones } from './random_questions.ts';
import { pick, randomSite, repeatable } from './random_site.ts';
import { type Bucket, bucketsOf, type Range, resolveRange } from './range.ts';
import { instantOfRow, type ReferenceVisit, referenceRows, visitsOf } from './reference.ts';
import type { List } from './statement.ts';

const from = Date.UTC(2026, 9, 23);
const firstDay = from / dayMs;
const days = [0, 1, 2, 3, 4].map((day) => firstDay + day);
const events = randomSite(7, { from, days: 5, visitors: 150 });
const visits = visitsOf(events);

/** Each day as the engine would hand it over, packed, written and read again. */
const packedDays = new Map(
  days.map((day) => {
    const own = events.filter(({ id_day }) => Date.parse(id_day) === day * dayMs);
    const ids = new Set(own.map(({ visit_id }) => visit_id));
    const byVisitor = [...visits.values()]
      .filter(({ id }) => ids.has(id))
      .sort((one, other) => Number(one.first.visitor_id) - Number(other.first.visitor_id));
    return [
      day,
      decodeDay(
        encodeDay(
          packDay(
            byVisitor.map(visitRow),
            own.map((event) => eventRow(event, day)),
          ),
        ),
      ),
    ];
  }),
);

function visitRow({ id, first, counted, counting, start, end, entryPage, exitPage }: ReferenceVisit) {
  const { visitor_id, source, channel, utm_source, utm_medium, utm_campaign, country, device, browser, os } = first;
  return {
    ...{ visitor_id, visit_id: id, counted: counted ? 1 : 0, bounced: counting <= 1 ? 1 : 0 },
    ...{ source, channel, utm_source, utm_medium, utm_campaign, country, device, browser, os },
    ...{ entry_page: entryPage, exit_page: exitPage, seconds: String(Math.floor((end - start) / 1000)) },
  };
}

function eventRow(event: EventRow, day: number) {
  const { visit_id, name, pathname, detached, scroll_depth, engagement_ms, revenue_currency: currency } = event;
  return {
    ...{ visit_id, name, pathname, detached, currency, depth: scroll_depth, attention: engagement_ms },
    props: Object.keys(event.props).length === 0 ? '' : JSON.stringify(event.props),
    amount: currency === '' ? '' : event.revenue_amount,
    quarter: Math.floor((instantOfRow(event.time) - day * dayMs) / 900_000),
  };
}

test('packed days count what the definitions say, for whatever they take on', () => {
  const random = repeatable(31);
  let counted = 0;
  for (let number = 0; number < 3_000; number++) {
    const zone = pick(random, randomZones);
    const request = { ...randomQuestion(random, [1, 1, 2, 3]), date_range: ['2026-10-20', '2026-10-30'] };
    const query = parseQuery(request, randomGoals);
    if ('problem' in query) continue;
    const range = resolveRange(query.range, { zone, now: from + 9 * dayMs, firstEvent: from });
    if (typeof range === 'string') throw new Error(range);
    const time = query.dimensions.find((dimension) => dimension.kind === 'time');
    const buckets = time === undefined ? undefined : bucketsOf(range, time.step ?? 'day');
    if (typeof buckets === 'string') throw new Error(buckets);
    const found = countedBy(query, range, buckets);
    if (found === undefined) continue;
    counted++;
    expect(found, JSON.stringify({ zone, request })).toEqual(expected(query, range, buckets));
  }
  // Nothing would be shown if most were the engine's.
  expect(counted).toBeGreaterThan(800);
});

const currency = 'EUR';
type Rows = { [keys: string]: { [atom: string]: number } };

function countedBy(query: Query, range: Range, buckets: readonly Bucket[] | undefined): Rows | undefined {
  const atoms = atomsOf(query.metrics);
  const list: List = {
    ...{ dimensions: query.dimensions, metrics: query.metrics, atoms },
    ...(buckets === undefined ? {} : { buckets }),
  };
  const goals = goalsInView(query);
  const asked = packedQuestion(
    { siteId: 1, range, filters: query.filters, goals, currency, stored: false },
    [list],
    days,
  );
  if (asked === undefined) return undefined;
  const counting = openCounting(asked.question);
  for (const [day, packed] of packedDays) counting.add(day, packed);
  const [rows] = counting.rows();
  const labelled: Rows = {};
  for (const [at, keys] of rows?.keys.entries() ?? []) {
    const label = keys.map((key, place) => labelOf(query, place, key, buckets, goals)).join(' | ');
    labelled[label] = Object.fromEntries(
      atoms.map((atom, place) => [atom, atom === 'revenue' ? Number(rows?.revenue[at]) : rows?.counts[at]?.[place]]),
    ) as { [atom: string]: number };
  }
  return labelled;
}

function labelOf(
  query: Query,
  place: number,
  key: string,
  buckets: readonly Bucket[] | undefined,
  goals: readonly { name: string }[],
): string {
  const dimension = query.dimensions[place];
  switch (dimension?.kind) {
    case 'time':
      return buckets?.find((bucket) => Math.floor(bucket.from / 1000) === Number(key))?.label ?? '';
    case 'goal':
      return goals[Number(key) - 1]?.name ?? '';
    case 'property':
      return key === '' ? '(none)' : key;
    case 'column':
      if (key === '') return dimension.fact.empty;
      return dimension.fact.names === 'country' ? countryNameOf(key) : key;
    default:
      return '';
  }
}

function expected(query: Query, range: Range, buckets: readonly Bucket[] = []): Rows {
  const atoms = atomsOf(query.metrics);
  const rows = referenceRows(events, { query, range, buckets, goals: goalsInView(query), currency });
  return Object.fromEntries(
    rows
      .filter((row) => atoms.some((atom) => row.atoms[atom] !== 0))
      .map((row) => [
        row.dimensions.join(' | '),
        Object.fromEntries(atoms.map((atom) => [atom, Number(row.atoms[atom])])),
      ]),
  );
}

function goalsInView(query: Query) {
  return randomGoals.filter((goal) =>
    query.filters.every((filter) => filter.kind !== 'goal' || filter.goals.includes(goal)),
  );
}

test('a damaged file is no answer', () => {
  const [packed] = packedDays.values();
  if (packed === undefined) throw new Error('There is no day.');
  const file = encodeDay(packed);
  expect(() => decodeDay(Buffer.from('nothing of the kind'))).toThrow();
  const sections = 4 + file.readUInt32LE(0);
  for (let at = sections; at < file.length; at += 97) {
    const damaged = Buffer.from(file);
    damaged[at] = (damaged[at] as number) ^ 0x10;
    let read: unknown;
    try {
      read = readWhole(damaged);
    } catch {
      continue;
    }
    // A bit that says nothing.
    expect(read, `byte ${at}`).toEqual(readWhole(file));
  }
});

function readWhole(file: Buffer) {
  const day = decodeDay(file);
  return [
    ...visitColumns.map((column) => day.ofVisit(column)),
    ...eventColumns.map((column) => day.ofEvent(column)),
    ...[day.seconds(), day.quarter(), day.read(), day.earned()],
  ];
}
