import type { LiveCheck } from '../../platform/checks.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Keeper } from './keeper.ts';

const hourMs = 3_600_000;
/** A checkpoint is signed every full hour; after this long without one something is wrong. */
const checkpointMs = 2 * hourMs;

/** The live checks of the trail: is it signed up to now, and does it hold against what was signed? */
export function auditChecks(keeper: Keeper, { clock, keeps }: { clock: Clock; keeps: boolean }): readonly LiveCheck[] {
  const startedMs = clock.now();
  return [
    {
      id: 'audit-checkpoint',
      what: 'age of the last checkpoint',
      proves: ['AUD-02'],
      every: 'day',
      audience: 'everyone',
      async run() {
        if (!keeps) return { state: 'not_run', fact: 'another process of this desk signs the audit log' };
        const newest = await keeper.newest();
        // Of a desk that was down for a day the last checkpoint is a day old, and the next comes at the full hour.
        const sinceMs = clock.now() - Math.max(newest === undefined ? 0 : Date.parse(newest.at), startedMs);
        if (sinceMs > checkpointMs)
          return {
            state: 'wrong',
            fact: `none since ${newest?.at ?? 'the start'}; one is signed every hour`,
            todo: 'Look for audit.keeping_failed in the log: disk full, or no right to write into the data directory.',
          };
        return {
          state: 'ok',
          fact: newest === undefined ? 'the first comes at the full hour' : `signed at ${newest.at}`,
        };
      },
    },
    {
      id: 'audit-chain',
      what: 'audit log',
      proves: ['AUD-02'],
      every: 'week',
      audience: 'everyone',
      async run() {
        const seen = await keeper.verify();
        const [first] = seen.findings;
        if (first !== undefined)
          return {
            state: 'wrong',
            fact: `${seen.findings.length} of ${seen.entries} entries differ from what was signed: ${first.sentence}`,
            todo: 'Keep database and checkpoints as they are, run fairlead audit verify, and find out who could write to them.',
          };
        return {
          state: 'ok',
          fact: `${seen.entries} entries in ${seen.chains} chains hold against ${seen.checkpoints} signed checkpoints`,
        };
      },
    },
  ];
}
