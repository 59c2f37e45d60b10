import type { CheckResult, LiveCheck } from '../../platform/checks.ts';
import { everywhere, type Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs, utcDay } from '../../platform/zone.ts';

/** Is a request of a data subject past the day by which it has to be answered (R2)? */
export function requestCheck({ postgres, clock }: Pick<House, 'postgres' | 'clock'>): LiveCheck {
  const open = (sql: Sql) =>
    sql.query<{ overdue: boolean }>('SELECT due_on < $1 AS overdue FROM subject_requests WHERE closed_at IS NULL', [
      utcDay(clock.now()),
    ]);
  function resultOf(found: readonly { overdue: boolean }[]): CheckResult {
    const overdue = found.filter((one) => one.overdue).length;
    return overdue === 0
      ? { state: 'ok', fact: `${found.length} open, none past its day` }
      : {
          state: 'wrong',
          fact: `${overdue} of ${found.length} open requests are past the day by which they had to be answered`,
          todo: 'Whoever has one under Trust, Requests, answers it today and says why it is late.',
        };
  }
  return {
    id: 'requests-due',
    what: 'requests of data subjects',
    proves: ['DSR-07'],
    every: 'day',
    audience: 'everyone',
    run: async () => resultOf(await everywhere(postgres, open)),
    own: async (organisation) => resultOf(await postgres.tenant(organisation, open)),
  };
}

/** Was somebody's objection carried out within a day of when it was sure who objects (DSR-06)? */
export function objectionCheck({ postgres, clock }: Pick<House, 'postgres' | 'clock'>): LiveCheck {
  const sure = (sql: Sql) =>
    sql.query<{ late: boolean }>(
      `SELECT checked_at < $1 AND NOT EXISTS (SELECT FROM restrictions r WHERE r.request_id = s.id) AS late
       FROM subject_requests s WHERE kind = 'objection' AND state IN ('checked', 'working')`,
      [new Date(clock.now() - dayMs)],
    );
  function resultOf(found: readonly { late: boolean }[]): CheckResult {
    const late = found.filter((one) => one.late).length;
    return late === 0
      ? { state: 'ok', fact: `${found.length} objections are open, each is in force within a day` }
      : {
          state: 'wrong',
          fact: `${late === 1 ? '1 objection is' : `${late} objections are`} not in force more than a day after it was sure who objects`,
          todo: 'The log of the desk says why (requests.measure_failed).',
        };
  }
  return {
    id: 'objections-in-force',
    what: 'objections of data subjects',
    proves: ['DSR-06'],
    every: 'day',
    audience: 'everyone',
    run: async () => resultOf(await everywhere(postgres, sure)),
    own: async (organisation) => resultOf(await postgres.tenant(organisation, sure)),
    // Nothing else says that one is late: the desk should have carried it out by itself.
    tellsOwn: true,
  };
}
