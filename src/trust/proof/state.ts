import type {
  CheckRun,
  Evidence,
  ProvedRequirement,
  RequirementState,
  StandingCheck,
} from '../../../contract/proof.ts';
import type { LiveCheck } from '../../platform/checks.ts';
import { ledger, type Requirement, subjectOf } from './ledger.ts';
import type { Named } from './named.ts';
import { keyOf, type Proved } from './proved.ts';

/** What is known at a moment. */
export interface Known {
  named: readonly Named[];
  /** By `keyOf`. */
  proved: ReadonlyMap<string, Proved>;
  /** Of the sources that the desk was started from. */
  tree: string;
  checks: readonly StandingCheck[];
}

/**
 * The last result of every check that this desk has. A result of a check that is gone is left out; one that was changed after
 * it was signed is red, whatever it says.
 */
export function standingOf(
  checks: readonly LiveCheck[],
  runs: readonly CheckRun[],
  isOperator: boolean,
): StandingCheck[] {
  return checks.map((check): StandingCheck => {
    const run = runs.find(({ findings }) => findings.some((one) => one.check === check.id));
    const found = run?.findings.find((one) => one.check === check.id);
    const isShown = check.audience === 'everyone' || isOperator;
    const base = { check: check.id, what: check.what, proves: [...check.proves], at: run?.made_at ?? null };
    if (run?.signature === 'broken') return { ...base, state: 'wrong', ...altered };
    return {
      ...{ ...base, state: found?.state ?? 'not_run' },
      fact: found === undefined ? 'it has not run yet' : isShown ? found.fact : null,
      todo: isShown ? (found?.todo ?? null) : null,
    };
  });
}

const altered = {
  fact: 'the stored result is not genuine: it was changed after it was signed, so it says nothing',
  todo: 'Run the live checks again, and find out who can write to the database of this desk.',
};

/** What shows each requirement, and how it stands. */
export function requirementsOf(known: Known): ProvedRequirement[] {
  return ledger.map((one) => {
    const evidence = evidenceOf(one, known);
    const state = stateOf(one, evidence);
    const times = evidence.filter(({ state }) => state === 'passed' || state === 'failed').map(({ at }) => at ?? '');
    return {
      ...{ id: one.id, subject: subjectOf(one.id), class: one.class, promise: one.promise, control: one.control },
      ...{ missing: one.missing ?? null, capability: one.capability ?? null, by: one.by ?? null },
      state,
      at: times.sort().at(-1) ?? null,
      earlier: state === 'not_run' ? earlierOf(evidence) : null,
      evidence,
    };
  });
}

/** What failed is red, whatever else passed and however little of it is built. */
function stateOf({ standing }: Requirement, evidence: readonly Evidence[]): RequirementState {
  if (evidence.some(({ state }) => state === 'failed')) return 'red';
  if (standing !== 'kept') return standing;
  return evidence.some(({ state }) => state === 'passed') ? 'proved' : 'not_run';
}

/** What a change of version took from a promise, so that nobody takes it for lost. */
function earlierOf(evidence: readonly Evidence[]): ProvedRequirement['earlier'] {
  if (evidence.some(({ state }) => state === 'failed_elsewhere')) return null;
  const held = evidence.filter(({ state }) => state === 'elsewhere');
  const newest = held.sort((a, b) => ((a.at ?? '') < (b.at ?? '') ? 1 : -1))[0];
  return newest === undefined ? null : { at: newest.at ?? '', commit: newest.commit };
}

function evidenceOf({ id, by }: Requirement, { named, proved, tree, checks }: Known): Evidence[] {
  const tests = new Map<string, Named[]>();
  for (const one of named)
    if (one.id === id || one.id === by) tests.set(keyOf(one), [...(tests.get(keyOf(one)) ?? []), one]);
  const ran = [...tests].map(([key, [first, ...more]]): Evidence => {
    const { kind, file, title } = first as Named;
    const result = proved.get(key);
    const isHere = result?.tree === tree;
    return {
      ...{ kind, file },
      title: more.length === 0 ? title : `${title} (and ${more.length} more)`,
      state:
        result === undefined
          ? 'not_run'
          : isHere
            ? result.ok
              ? 'passed'
              : 'failed'
            : result.ok
              ? 'elsewhere'
              : 'failed_elsewhere',
      ...{ at: result?.at ?? null, commit: result?.commit ?? null, seen: result?.seen ?? null },
    };
  });
  const live = checks
    .filter(({ proves }) => proves.includes(id))
    .map(
      ({ what, state, at, fact }): Evidence => ({
        ...{ kind: 'live', title: what, file: null, at, commit: null, seen: fact },
        state: state === 'wrong' ? 'failed' : state === 'not_run' ? 'not_run' : 'passed',
      }),
    );
  return [...ran, ...live];
}

export function countsOf(requirements: readonly ProvedRequirement[]): Record<RequirementState | 'total', number> {
  const counts = { total: requirements.length, proved: 0, red: 0, not_run: 0, partly: 0, open: 0, later: 0 };
  for (const { state } of requirements) counts[state]++;
  return counts;
}
