import { z } from 'zod';

/** Entries on one page of the audit log, at most. */
export const auditPageMax = 200;

const outcome = z.enum(['done', 'refused', 'failed']);
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const word = z.string().min(1).max(120);

const filters = {
  /** `member` for all acts whose name begins with `member.` */
  group: z
    .string()
    .regex(/^[a-z_]{1,40}$/)
    .optional(),
  action: z
    .string()
    .regex(/^[a-z_]{1,40}\.[a-z_]{1,40}$/)
    .optional(),
  /** `person:<pseudonym>`, `key:<number>`, or a type alone: `operator`. */
  actor: word.optional(),
  /** `site:<number>`, or `person:<pseudonym>`. */
  target: word.optional(),
  outcome: outcome.optional(),
  /** Days, both included: of the organisation's timezone, and UTC days of the desk's trail. */
  from: day.optional(),
  to: day.optional(),
  /** IANA name of another zone for these days. */
  timezone: z.string().min(1).max(64).optional(),
  /** Words of an action or its sentence, a number of a request, an entry or a target. */
  q: word.optional(),
};
export const auditQuestion = z.strictObject({
  ...filters,
  /** `next` of the page before. */
  cursor: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(auditPageMax).default(50),
});
export const auditExportQuestion = z.strictObject({ ...filters, format: z.enum(['ndjson', 'csv']).default('ndjson') });

export const auditEntry = z.object({
  seq: z.number(),
  at: z.string(),
  action: z.string(),
  /** After the name of whoever did it; `{target}` is the first target. */
  sentence: z.string(),
  severity: z.enum(['info', 'notice', 'alert']),
  outcome,
  reason: z.string().nullable(),
  actor: z.object({
    type: z.enum(['person', 'key', 'operator', 'system', 'visitor']),
    /** Pseudonym of a person, number of a key. */
    id: z.string().nullable(),
    /** Null where nobody was named, or the key of that person was destroyed. */
    name: z.string().nullable(),
  }),
  targets: z.array(z.object({ type: z.string(), id: z.string(), label: z.string().nullable() })),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  /** Names or details are there and cannot be opened any more: a person was erased. */
  is_erased: z.boolean(),
  /** /24 or /48; null after 90 days. */
  network: z.string().nullable(),
  request_id: z.string().nullable(),
  hash: z.string(),
});
export type AuditEntry = z.infer<typeof auditEntry>;

export const auditPage = z.object({ entries: z.array(auditEntry), next: z.number().nullable() });

/** How far the chain was held against itself and against what was signed. */
export const auditChain = z.object({
  entries: z.number(),
  /** Entries up to this one were removed by age. */
  removed_to: z.number(),
  verified_to: z.number(),
  /** Time of the last verified entry. */
  verified_at: z.string().nullable(),
  is_whole: z.boolean(),
  findings: z.array(z.object({ kind: z.string(), seq: z.number(), sentence: z.string() })),
  checkpoint: z.object({ at: z.string(), seq: z.number() }).nullable(),
  public_key: z.string(),
  key_name: z.string(),
  /** What can be filtered by. */
  actions: z.array(z.object({ name: z.string(), sentence: z.string() })),
});
