import { z } from 'zod';

/** Proof as the API speaks of it: what the desk promises, what shows it, and what the desk found of itself. Times are ISO 8601 in UTC. */

const checkState = z.enum(['ok', 'look', 'wrong', 'not_run']);
export type CheckState = z.infer<typeof checkState>;

/** What one live check found. */
export const checkFinding = z.object({
  check: z.string(),
  what: z.string(),
  state: checkState,
  fact: z.string(),
  todo: z.string().optional(),
});
export type CheckFinding = z.infer<typeof checkFinding>;

/** One run of the live checks (ledger OPS-03). */
export const checkRun = z.object({
  id: z.number().int(),
  made_at: z.iso.datetime(),
  /** By day the quick ones, by week and when asked all of them. */
  kind: z.enum(['daily', 'weekly', 'asked']),
  worst: z.enum(['ok', 'look', 'wrong']),
  findings: z.array(checkFinding),
  /**
   * Does the signature of this desk hold for what is stored? `broken`: it was changed afterwards, and says nothing. `gap`: it
   * holds, and a run before it was taken out. Runs of before signatures have none.
   */
  signature: z.enum(['holds', 'broken', 'gap', 'none']),
  /** Checks that were not red in the run before and are now, and the other way round. */
  turned_red: z.array(z.string()),
  turned_well: z.array(z.string()),
});
export type CheckRun = z.infer<typeof checkRun>;

/**
 * `proved`: shown by a test or proof of this very state of the sources, or by a live check of this desk. `red`: one of them
 * failed. `not_run`: it would be shown, but nothing has run here. `partly` and `open`: not all of it is built. `later`: it
 * belongs to a capability that is not built.
 */
export const requirementStates = ['red', 'proved', 'not_run', 'partly', 'open', 'later'] as const;
export type RequirementState = (typeof requirementStates)[number];

const evidence = z.object({
  kind: z.enum(['test', 'proof', 'live']),
  title: z.string(),
  file: z.string().nullable(),
  /** `elsewhere` and `failed_elsewhere`: it held, or failed, for another state of the sources, and has not run for this one. */
  state: z.enum(['passed', 'failed', 'not_run', 'elsewhere', 'failed_elsewhere']),
  at: z.string().nullable(),
  commit: z.string().nullable(),
  seen: z.string().nullable(),
});
export type Evidence = z.infer<typeof evidence>;

const requirement = z.object({
  id: z.string(),
  subject: z.string(),
  class: z.string(),
  promise: z.string(),
  control: z.string(),
  state: z.enum(requirementStates),
  missing: z.string().nullable(),
  capability: z.string().nullable(),
  by: z.string().nullable(),
  /** When it was last shown, or seen broken. */
  at: z.string().nullable(),
  /**
   * Of one that has not run here: the newest test or proof that held for another version of the product, none having failed
   * there. Null where there is none.
   */
  earlier: z.object({ at: z.string(), commit: z.string().nullable() }).nullable(),
  evidence: z.array(evidence),
});
export type ProvedRequirement = z.infer<typeof requirement>;

/** A live check as it stands: its last result, however long ago. */
const standingCheck = z.object({
  check: z.string(),
  what: z.string(),
  state: checkState,
  /** Null where it is about the machine and the reader does not run the desk. */
  fact: z.string().nullable(),
  todo: z.string().nullable(),
  at: z.string().nullable(),
  proves: z.array(z.string()),
});
export type StandingCheck = z.infer<typeof standingCheck>;

export const proofPage = z.object({
  counts: z.object({
    total: z.number(),
    ...(Object.fromEntries(requirementStates.map((state) => [state, z.number()])) as Record<
      RequirementState,
      z.ZodNumber
    >),
  }),
  /** The sources that this desk was started from: when tests of theirs last ran here, and how many requirements that shows. */
  tests: z.object({ at: z.string().nullable(), commit: z.string().nullable() }),
  /** In the order of the ledger, each with what is promised there. */
  subjects: z.array(z.object({ name: z.string(), promise: z.string() })),
  requirements: z.array(requirement),
  checks: z.array(standingCheck),
  /** The last run of all live checks. */
  run: checkRun.pick({ made_at: true, kind: true, worst: true, signature: true }).nullable(),
  key_name: z.string(),
});
export type ProofPage = z.infer<typeof proofPage>;

export const proofExportQuestion = z.strictObject({
  subject: z.string().max(60).optional(),
  state: z.enum(requirementStates).optional(),
});
