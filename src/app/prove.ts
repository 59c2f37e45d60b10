import type { CheckRun } from '../../contract/proof.ts';
import type { Notices } from '../accounts/index.ts';
import type { Act } from '../platform/audit.ts';
import type { LiveCheck } from '../platform/checks.ts';
import { repeat } from '../platform/clock.ts';
import type { AskSelf } from '../platform/http/ask_self.ts';
import type { House, RunningSubject } from '../platform/subject.ts';
import { dayMs } from '../platform/zone.ts';
import { catalogueChecks, keyAgeCheck, newestRunCheck, openRuns, type Runs } from '../trust/proof/index.ts';
import { tellFurther, tellOfRed } from './check_mail.ts';
import { egressCheck } from './egress_check.ts';
import { canaryCheck, headerCheck, machineChecks } from './live_checks.ts';

/**
 * The desk looks at itself (OPS-03): once a day at what is quick, once a week at everything, and whenever somebody asks. One
 * mechanism for all: the list of checks, to which each subject adds its own.
 */
const firstMs = 10 * 60_000;
/** Six days and a half: the seventh daily look is the weekly one, however its minute moves. */
const weekMs = 6.5 * dayMs;

type Parts = Pick<
  House,
  'config' | 'postgres' | 'warehouse' | 'clock' | 'random' | 'log' | 'keys' | 'audit' | 'outbound' | 'vault' | 'mail'
>;

export interface Prover {
  checks: readonly LiveCheck[];
  runs: Runs;
  clock: House['clock'];
  /** Runs the checks, stores what they found, and tells of what turned red. */
  prove(kind: CheckRun['kind'], by?: Pick<Act, 'actor' | 'request'>): Promise<CheckRun>;
}

/**
 * @param parts what the subjects bring
 * @param self how the desk asks itself; absent where nothing listens
 */
export function openProver(
  house: Parts,
  parts: readonly Pick<RunningSubject, 'checks' | 'sealed'>[],
  notices: Pick<Notices, 'tell'>,
  self?: AskSelf,
): Prover {
  const checks = [
    ...catalogueChecks(house),
    ...parts.flatMap((part) => part.checks ?? []),
    keyAgeCheck(house),
    newestRunCheck(house),
    headerCheck(house.config, self),
    canaryCheck(
      house,
      self,
      parts.flatMap((part) => part.sealed ?? []),
    ),
    egressCheck(house),
    ...machineChecks(house.config),
  ];
  const runs = openRuns(house);
  let turn: Promise<unknown> = Promise.resolve();
  async function tell(): Promise<void> {
    for (const run of await runs.untold()) {
      if (run.turned_red.length > 0) await tellOfRed({ house, notices, checks }, run);
      await runs.told(run.id);
    }
  }
  return {
    checks,
    runs,
    clock: house.clock,
    // One after another: two at once would compare with the same last one, and tell twice.
    prove(kind, by) {
      const next = turn.then(async () => {
        // What a desk did not come to tell before it was killed, it tells now.
        await tell();
        const run = await runs.run(kind, checks, by);
        await tell();
        const before = await runs.read(streakRuns);
        await tellFurther({ house, notices, checks }, run, (check) => redSince(before, check));
        return run;
      });
      turn = next.catch(() => {});
      return next;
    },
  };
}

/** How far back it is looked when a check turned red: seven weeks of daily looks. */
const streakRuns = 50;

/** @param runs the newest first */
function redSince(runs: readonly CheckRun[], check: string): Date {
  const stateIn = (run: CheckRun) => run.findings.find((one) => one.check === check)?.state ?? 'not_run';
  const well = runs.findIndex((run) => !['wrong', 'not_run'].includes(stateIn(run)));
  const first = well === -1 ? runs.at(-1) : runs[well - 1];
  return new Date(first?.made_at ?? 0);
}

/** @returns the way to call it off */
export function scheduleProof(house: Pick<House, 'clock' | 'log'>, { prove, runs }: Prover): () => void {
  const look = async () => prove(house.clock.now() - (await runs.lastWholeMs()) > weekMs ? 'weekly' : 'daily');
  return repeat(house.clock, dayMs, look, {
    firstMs,
    onError: (error) => house.log.error('proof.failed', {}, error),
  });
}
