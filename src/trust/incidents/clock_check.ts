import type { CheckResult, LiveCheck } from '../../platform/checks.ts';
import { everywhere, type Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { clockHours } from './register.ts';

/** Is there an incident whose 72 hours are over, and nobody has said whether an authority was told? */
export function incidentCheck({ postgres, clock }: Pick<House, 'postgres' | 'clock'>): LiveCheck {
  const undecided = (sql: Sql) =>
    sql.query<{ late: boolean }>(
      'SELECT known_at < $1 AS late FROM incidents WHERE told_at IS NULL AND untold_reason IS NULL',
      [new Date(clock.now() - clockHours * 3_600_000)],
    );
  function resultOf(open: readonly { late: boolean }[]): CheckResult {
    const late = open.filter((one) => one.late).length;
    return late === 0
      ? { state: 'ok', fact: `${open.length} undecided, none past its ${clockHours} hours` }
      : {
          state: 'wrong',
          fact: `${late} of ${open.length} undecided incidents are past their ${clockHours} hours`,
          todo: 'Whoever has one under Trust, Incidents, tells the authority now, or says why none has to be told.',
        };
  }
  return {
    id: 'incident-clock',
    what: 'incidents',
    proves: ['OPS-02'],
    every: 'day',
    audience: 'everyone',
    run: async () => resultOf(await everywhere(postgres, undecided)),
    own: async (organisation) => resultOf(await postgres.tenant(organisation, undecided)),
  };
}
