import type { CheckResult, LiveCheck } from '../../platform/checks.ts';
import { everywhere, type Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayAfter } from './quarter.ts';

interface Newest {
  quarter: string;
  due_on: string;
  is_late: boolean;
  is_done: boolean;
}

/** Is a quarterly review of access past its day? One that was missed stays red until a later one is done. */
export function reviewCheck({ postgres, clock }: Pick<House, 'postgres' | 'clock'>): LiveCheck {
  /** The oldest review that is not made up for, else the newest. */
  const newest = (sql: Sql, organisation: number) =>
    sql.query<Newest>(
      `SELECT quarter, due_on::text AS due_on, done_at IS NULL AND due_on < $2 AS is_late, done_at IS NOT NULL AS is_done
       FROM access_reviews r WHERE organisation_id = $1
         AND EXISTS (SELECT FROM organisations o WHERE o.id = $1 AND o.status NOT IN ('closing', 'closed'))
         AND id > coalesce((SELECT max(id) FROM access_reviews WHERE organisation_id = $1 AND done_at IS NOT NULL), 0) - 1
       ORDER BY done_at IS NOT NULL, id LIMIT 1`,
      [organisation, dayAfter(clock.now(), 0)],
    );
  const todo = 'Under Trust, Access review, confirm or remove everything that lets somebody in.';
  return {
    id: 'access-review',
    what: 'review of access',
    proves: [],
    every: 'day',
    audience: 'everyone',
    async run(): Promise<CheckResult> {
      const all = await everywhere(postgres, newest);
      const late = all.filter((one) => one.is_late).length;
      return late === 0
        ? { state: 'ok', fact: `${all.length} organisations review who has access, none is late` }
        : { state: 'wrong', fact: `in ${late} of ${all.length} organisations it is past its day`, todo };
    },
    async own(organisation) {
      const [one] = await postgres.tenant(organisation, (sql) => newest(sql, organisation));
      if (one === undefined) return { state: 'ok', fact: 'the first begins with the next quarter' };
      const of = one.quarter.replace('-', ' ');
      if (one.is_late) return { state: 'wrong', fact: `that of ${of} was due on ${one.due_on}`, todo };
      return one.is_done
        ? { state: 'ok', fact: `that of ${of} is done` }
        : { state: 'ok', fact: `that of ${of} is due on ${one.due_on}` };
    },
  };
}
