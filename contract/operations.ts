import { z } from 'zod';

/** Lines on one page of the operations log, at most. */
export const operationsPageMax = 200;

const outcome = z.enum(['done', 'refused', 'failed']);
const kind = z.enum(['request', 'job', 'call']);
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const word = z.string().min(1).max(120);

const filters = {
  kind: kind.optional(),
  /** A route by its pattern, a job, the purpose of a call, as it stands in a line. */
  action: z.string().min(1).max(200).optional(),
  /** `person:<pseudonym>` or `key:<number>`. */
  actor: z
    .string()
    .regex(/^(person:[0-9a-f]{32}|key:\d{1,15})$/)
    .optional(),
  /** `site:12`, `incidents:5`: kind and number, or a kind alone. */
  object: word.optional(),
  /** Number of a request, as its answer and its error message say it. */
  request: word.optional(),
  outcome: outcome.optional(),
  /** Days, both included: of the organisation's timezone, and UTC days of the desk's own. */
  from: day.optional(),
  to: day.optional(),
  /** IANA name of another zone for these days. */
  timezone: z.string().min(1).max(64).optional(),
};
export const operationsQuestion = z.strictObject({
  ...filters,
  /** `next` of the page before. */
  cursor: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(operationsPageMax).default(50),
});
export const operationsExportQuestion = z.strictObject({
  ...filters,
  format: z.enum(['ndjson', 'csv']).default('ndjson'),
});

const operationLine = z.object({
  id: z.number(),
  at: z.string(),
  kind,
  action: z.string(),
  /** What the action does, in words; null where it is not a call of today's API. */
  summary: z.string().nullable(),
  site_id: z.number().nullable(),
  actor: z
    .object({
      type: z.enum(['person', 'key']),
      /** Pseudonym of a person, number of a key. */
      id: z.string(),
      /** Of who is a member now; nobody else can be named. */
      name: z.string().nullable(),
    })
    .nullable(),
  object: z.object({ kind: z.string(), id: z.string() }).nullable(),
  request_id: z.string().nullable(),
  outcome,
  code: z.string().nullable(),
  ms: z.number().nullable(),
  /** Browser and main version: `Firefox 141`. */
  browser: z.string().nullable(),
  /** /24 or /48; null after 90 days. */
  network: z.string().nullable(),
});
export type OperationLine = z.infer<typeof operationLine>;

export const operationsPage = z.object({
  lines: z.array(operationLine),
  next: z.number().nullable(),
  /** Who can be asked for by name: members now, or who runs the desk. */
  people: z.array(z.object({ id: z.string(), name: z.string() })),
  /** Lines that this process could not keep since its start: its queue was full, or the database was away too long. */
  lost: z.number(),
});
export type OperationsPage = z.infer<typeof operationsPage>;
