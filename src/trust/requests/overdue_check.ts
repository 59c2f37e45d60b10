import type { LiveCheck } from '../../platform/checks.ts';
import { everywhere } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayOf } from './clock.ts';

/** Is a request of a data subject past the day by which it has to be answered (R2)? */
export function requestCheck({ postgres, clock }: Pick<House, 'postgres' | 'clock'>): LiveCheck {
  return {
    id: 'requests-due',
    what: 'requests of data subjects',
    proves: ['DSR-07'],
    every: 'day',
    audience: 'everyone',
    async run() {
      const open = await everywhere(postgres, (sql) =>
        sql.query<{ overdue: boolean }>('SELECT due_on < $1 AS overdue FROM subject_requests WHERE closed_at IS NULL', [
          dayOf(clock.now()),
        ]),
      );
      const overdue = open.filter((one) => one.overdue).length;
      return overdue === 0
        ? { state: 'ok', fact: `${open.length} open, none past its day` }
        : {
            state: 'wrong',
            fact: `${overdue} of ${open.length} open requests are past the day by which they had to be answered`,
            todo: 'Whoever has one under Trust, Requests, answers it today and says why it is late.',
          };
    },
  };
}

const dayMs = 86_400_000;

/** Was somebody's objection carried out within a day of when it was sure who objects (DSR-06)? */
export function objectionCheck({ postgres, clock }: Pick<House, 'postgres' | 'clock'>): LiveCheck {
  return {
    id: 'objections-in-force',
    what: 'objections of data subjects',
    proves: ['DSR-06'],
    every: 'day',
    audience: 'everyone',
    async run() {
      const sure = await everywhere(postgres, (sql) =>
        sql.query<{ late: boolean }>(
          `SELECT checked_at < $1 AND NOT EXISTS (SELECT FROM restrictions r WHERE r.request_id = s.id) AS late
           FROM subject_requests s WHERE kind = 'objection' AND state IN ('checked', 'working')`,
          [new Date(clock.now() - dayMs)],
        ),
      );
      const late = sure.filter((one) => one.late).length;
      return late === 0
        ? { state: 'ok', fact: `${sure.length} objections are open, each is in force within a day` }
        : {
            state: 'wrong',
            fact: `${late} objections are not in force more than a day after it was sure who objects`,
            todo: 'The log of the desk says why (requests.measure_failed).',
          };
    },
  };
}
