import type { LiveCheck } from '../../platform/checks.ts';
import { dayMs } from '../../platform/zone.ts';
import type { NightHouse } from './night.ts';

/** A night that was missed is made up for as soon as the desk is on again; after two there is something wrong. */
const silentDaysMax = 2;

/** Was there a nightly run lately, and did it leave nothing that is past its window? */
export function nightCheck({ postgres, clock }: Pick<NightHouse, 'postgres' | 'clock'>): LiveCheck {
  return {
    id: 'windows',
    what: 'what is past its window',
    proves: ['RET-12'],
    every: 'day',
    audience: 'everyone',
    async run() {
      const newest = await postgres.system((sql) =>
        sql.maybe<{ night: string; state: string; lines: number; rows_past_due: number }>(
          "SELECT night, state, lines, rows_past_due FROM retention_nights WHERE state <> 'running' ORDER BY night DESC LIMIT 1",
        ),
      );
      if (newest === undefined) return { state: 'not_run', fact: 'there was no night yet since this desk began' };
      const days = Math.floor((clock.now() - Date.parse(newest.night)) / dayMs);
      if (days > silentDaysMax)
        return {
          state: 'wrong',
          fact: `the last nightly run was ${days} days ago`,
          todo: 'Look into the log of the desk for retention.night_failed.',
        };
      if (newest.state === 'red')
        return {
          state: 'wrong',
          fact: `the run of ${newest.night} left ${newest.rows_past_due} rows past their window, or could not look`,
          todo: 'See the receipts under Trust, Windows; the next night tries again.',
        };
      return {
        state: 'ok',
        fact: `the run of ${newest.night} looked at ${newest.lines} windows and left nothing past due`,
      };
    },
  };
}
