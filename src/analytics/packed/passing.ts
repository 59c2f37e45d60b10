import { engagement, type OpenDay } from './day.ts';
import type { PackedQuestion, Test } from './question.ts';
import {
  ascending,
  distinct,
  isAmong,
  lookedUp,
  marked,
  marksOf,
  numbersOfDay,
  ownerOfEach,
  valuesAt,
  without,
} from './rows.ts';
import { numbered, ofEvents, onceADay, testerOf } from './testers.ts';

/** Some visits of a day, and what the lists ask about them; each is worked out once, for however many lists. */
export class Visits {
  readonly rows: Uint32Array;
  readonly #day: OpenDay;
  #visitors: Uint32Array | undefined;
  #counted: Uint32Array | undefined;
  #bounced: Uint32Array | undefined;
  #stayed: Uint32Array | undefined;

  constructor(day: OpenDay, rows: Uint32Array) {
    this.#day = day;
    this.rows = rows;
  }

  /** Of each of them. */
  get visitors(): Uint32Array {
    this.#visitors ??= valuesAt(this.#day.visitor, this.rows);
    return this.#visitors;
  }

  /** Those that are visits: not the detached events, which are nobody's. */
  get counted(): Uint32Array {
    this.#counted ??= marked(this.rows, this.#day.counted);
    return this.#counted;
  }

  get bounced(): Uint32Array {
    this.#bounced ??= marked(this.counted, this.#day.bounced);
    return this.#bounced;
  }

  get stayed(): Uint32Array {
    this.#stayed ??= without(this.counted, this.bounced);
    return this.#stayed;
  }
}

/** Some events of a day in the same way. */
export class Events {
  readonly rows: Uint32Array;
  readonly #day: OpenDay;
  #visits: Uint32Array | undefined;
  #visitors: Uint32Array | undefined;
  #actions: Events | undefined;
  #views: Events | undefined;
  #earning: Uint32Array | undefined;

  constructor(day: OpenDay, rows: Uint32Array, areActions = false) {
    this.#day = day;
    this.rows = rows;
    if (areActions) this.#actions = this;
  }

  /** Of each of them. Of a few they are found; of many it is quicker to know those of all. */
  get visits(): Uint32Array {
    const { events, firstEvent } = this.#day;
    this.#visits ??=
      this.rows.length * 4 > events ? valuesAt(this.#day.visitOf(), this.rows) : ownerOfEach(this.rows, firstEvent);
    return this.#visits;
  }

  get visitors(): Uint32Array {
    this.#visitors ??= valuesAt(this.#day.visitor, this.visits);
    return this.#visitors;
  }

  /** Without engagement, which is nobody's act. */
  get actions(): Events {
    this.#actions ??= new Events(this.#day, lookedUp(this.rows, ...named(this.#day, isAction)), true);
    return this.#actions;
  }

  get views(): Events {
    this.#views ??= new Events(this.#day, lookedUp(this.rows, ...named(this.#day, isView)));
    return this.#views;
  }

  /** Places in the list of events with revenue. */
  get earning(): Uint32Array {
    const { event } = this.#day.earned();
    this.#earning ??= ascending(event.length).filter((at) => isAmong(this.rows, event[at] as number));
    return this.#earning;
  }

  /** Of these the conversions of a goal. */
  conversions(goal: Test): Events {
    const { among } = ofEvents(this.#day, testerOf(this.#day, goal));
    return new Events(this.#day, among(this.actions.rows), true);
  }
}

const isAction = (name: string) => (name === engagement ? 0 : 1);
const isView = (name: string) => (name === 'pageview' ? 1 : 0);

function named(day: OpenDay, numberOf: (name: string) => number): [codes: Uint32Array, ofCode: Uint8Array] {
  const names = day.ofEvent('name');
  return [names.codes, numbered(names, numberOf)];
}

/** What of a day the filters let through. */
export interface Passing {
  visits: Visits;
  /** The events of these visits that pass. */
  events: Events;
}

type Filters = Pick<PackedQuestion, 'tests' | 'asksEvents' | 'actionsOnly'>;

/** What the questions of one job have in common is worked out once. */
const passings = onceADay<Passing>();

export function passingOf(day: OpenDay, { tests, asksEvents, actionsOnly }: Filters): Passing {
  return passings(day, JSON.stringify([tests, asksEvents, actionsOnly]), () =>
    makePassing(day, { tests, asksEvents, actionsOnly }),
  );
}

function makePassing(day: OpenDay, { tests, asksEvents, actionsOnly }: Filters): Passing {
  const tester = testerOf(day, { kind: 'and', nodes: tests });
  if (asksEvents || tester.level === 'event') {
    const all = new Events(day, ofEvents(day, tester).among(ascending(day.events)));
    const events = actionsOnly ? all.actions : all;
    return { visits: new Visits(day, distinct(events.visits)), events };
  }
  const visits = new Visits(day, tester.among(ascending(day.visits)));
  let events: Events | undefined;
  return {
    visits,
    get events() {
      events ??= new Events(day, eventsOf(day, visits.rows));
      return events;
    },
  };
}

function eventsOf(day: OpenDay, visits: Uint32Array): Uint32Array {
  if (visits.length === day.visits) return ascending(day.events);
  // Of many visits all events are looked at; of few only theirs.
  if (visits.length * 8 > day.visits)
    return lookedUp(ascending(day.events), day.visitOf(), marksOf(day.visits, visits));
  const all = numbersOfDay(day.events);
  let found = 0;
  for (let at = 0; at < visits.length; at++) {
    const visit = visits[at] as number;
    const end = day.firstEvent[visit + 1] as number;
    for (let event = day.firstEvent[visit] as number; event < end; event++) all[found++] = event;
  }
  return all.subarray(0, found);
}
