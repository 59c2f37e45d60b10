import { thousandthsOf } from '../query/money.ts';
import {
  type Coded,
  codesOf,
  type EventColumn,
  engagement,
  eventColumns,
  type PackedDay,
  type VisitColumn,
  visitColumns,
} from './day.ts';

/** A visit as `visitsSql` gives it; 64-bit integers come as text. */
export type VisitRow = { visitor_id: string; visit_id: string; counted: number; bounced: number; seconds: string } & {
  [Name in VisitColumn]: string;
};

/** An event as `eventsSql` gives it. */
export type EventRow = {
  visit_id: string;
  quarter: number;
  detached: number;
  depth: number;
  attention: number;
  amount: string;
  currency: string;
} & {
  [Name in EventColumn]: string;
};

/** Binds {site}, {day} and the two days that the visits of its ids can have begun on. */
export const visitsSql = `SELECT visitor_id, visit_id, counted, counting <= 1 AS bounced,
  greatest(intDiv(toUnixTimestamp64Milli(ended) - toUnixTimestamp64Milli(started), 1000), 0) AS seconds,
  ${visitColumns.map((name) => (name === 'exit_page' ? `tupleElement(materialize(exit), 'pathname') AS exit_page` : name)).join(', ')}
FROM visits FINAL
WHERE site_id = {site:UInt64} AND day >= {day:Date} AND day <= {day:Date} + 1 AND id_day = {day:Date}
ORDER BY visitor_id, visit_id`;

export const eventsSql = `SELECT visit_id, name, pathname,
  if(empty(props), '', toJSONString(CAST(props, 'Map(String, String)'))) AS props, detached,
  scroll_depth AS depth, engagement_ms AS attention,
  intDiv(dateDiff('second', toDateTime({day:Date}, 'UTC'), toDateTime(time, 'UTC')), 900) AS quarter,
  if(revenue_currency = '', '', toString(revenue_amount)) AS amount, toString(revenue_currency) AS currency
FROM events
WHERE site_id = {site:UInt64} AND time >= toDateTime({day:Date}, 'UTC') - INTERVAL 1 DAY
  AND time < toDateTime({day:Date}, 'UTC') + INTERVAL 2 DAY AND id_day = {day:Date}`;

/** Says that a day cannot be packed, so that its questions stay the engine's. */
export class Unpackable extends Error {}

/**
 * @param visits in the order of their visitors
 * @param events in any order
 * @throws Unpackable when the two do not fit together
 */
export function packDay(visits: Iterable<VisitRow>, events: Iterable<EventRow>): PackedDay {
  const place = new Map<string, number>();
  const visitor: number[] = [];
  const counted: number[] = [];
  const bounced: number[] = [];
  const seconds: number[] = [];
  const ofVisit = codersOf(visitColumns);
  let lastVisitor: string | undefined;
  let number = -1;
  for (const row of visits) {
    if (row.visitor_id !== lastVisitor) number++;
    lastVisitor = row.visitor_id;
    place.set(row.visit_id, visitor.push(number) - 1);
    counted.push(row.counted);
    bounced.push(row.bounced);
    seconds.push(Number(row.seconds));
    for (const name of visitColumns) ofVisit[name].add(row[name]);
  }
  if (place.size !== visitor.length) throw new Unpackable('Two visitors have a visit of the same number.');

  const visitOf: number[] = [];
  const quarters: number[] = [];
  const written = codersOf(eventColumns);
  const readings: { event: number; visit: number; depth: number; attention: number }[] = [];
  const earnings: { event: number; amount: bigint; currency: string }[] = [];
  for (const row of events) {
    const visit = place.get(row.visit_id);
    if (visit === undefined) throw new Unpackable('An event has no visit.');
    if (row.detached === counted[visit]) throw new Unpackable('A visit has detached events beside others.');
    const quarter = Number(row.quarter);
    if (quarter < 0 || quarter > 255) throw new Unpackable('An event lies far outside of the day of its id.');
    quarters.push(quarter);
    const event = visitOf.push(visit) - 1;
    for (const name of eventColumns) written[name].add(row[name]);
    if (row.name === engagement) readings.push({ event, visit, depth: row.depth, attention: row.attention });
    if (row.currency !== '') earnings.push({ event, amount: thousandthsOf(row.amount), currency: row.currency });
  }

  const firstEvent = new Uint32Array(visitor.length + 1);
  for (const visit of visitOf) firstEvent[visit + 1] = (firstEvent[visit + 1] as number) + 1;
  addUp(firstEvent);
  const next = firstEvent.slice();
  const newPlace = new Uint32Array(visitOf.length);
  const move = (event: number, visit: number) => {
    const to = next[visit] as number;
    newPlace[event] = to;
    next[visit] = to + 1;
  };
  const areReadings = new Set(readings.map(({ event }) => event));
  for (const [event, visit] of visitOf.entries()) if (!areReadings.has(event)) move(event, visit);
  for (const { event, visit } of readings) move(event, visit);
  readings.sort((one, other) => (newPlace[one.event] as number) - (newPlace[other.event] as number));
  const firstReading = new Uint32Array(visitor.length + 1);
  for (const { visit } of readings) firstReading[visit + 1] = (firstReading[visit + 1] as number) + 1;
  addUp(firstReading);
  const currency = new Coder();
  for (const earning of earnings) currency.add(earning.currency);
  return {
    visits: visitor.length,
    events: visitOf.length,
    visitor: Uint32Array.from(visitor),
    firstEvent,
    counted: Uint8Array.from(counted),
    bounced: Uint8Array.from(bounced),
    quarter() {
      const placed = new Uint8Array(quarters.length);
      for (const [at, quarter] of quarters.entries()) placed[newPlace[at] as number] = quarter;
      return placed;
    },
    seconds: () => Uint32Array.from(seconds),
    ofVisit: (column) => ofVisit[column].coded(),
    ofEvent: (column) => written[column].coded(newPlace),
    read: () => ({
      first: firstReading,
      depth: Uint8Array.from(readings, ({ depth }) => depth),
      attention: codesOf(readings.map(({ attention }) => attention)),
    }),
    earned: () => ({
      event: Uint32Array.from(earnings, ({ event }) => newPlace[event] as number),
      amount: BigInt64Array.from(earnings, ({ amount }) => amount),
      currency: currency.coded(),
    }),
  };
}

/** Each number becomes the sum of all up to it. */
function addUp(numbers: Uint32Array): void {
  for (let at = 1; at < numbers.length; at++) numbers[at] = (numbers[at] as number) + (numbers[at - 1] as number);
}

class Coder {
  readonly #codeOf = new Map<string, number>();
  readonly #codes: number[] = [];

  add(text: string): void {
    let code = this.#codeOf.get(text);
    if (code === undefined) {
      code = this.#codeOf.size;
      this.#codeOf.set(text, code);
    }
    this.#codes.push(code);
  }

  /** @param places where each goes; absent: in the order in which they were added */
  coded(places?: Uint32Array): Coded {
    const codes = codesOf(this.#codes);
    if (places !== undefined) for (const [at, code] of this.#codes.entries()) codes[places[at] as number] = code;
    return { values: [...this.#codeOf.keys()], codes };
  }
}

function codersOf<Name extends string>(names: readonly Name[]): Record<Name, Coder> {
  return Object.fromEntries(names.map((name) => [name, new Coder()])) as Record<Name, Coder>;
}
