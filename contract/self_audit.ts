import { z } from 'zod';

const state = z.enum(['ok', 'look', 'wrong']);

/** What one look of the desk at its own guards found (ledger OPS-03). */
export const selfAudit = z.object({
  made_at: z.iso.datetime(),
  worst: state,
  findings: z.array(z.object({ what: z.string(), state, fact: z.string(), todo: z.string().optional() })),
});
export type SelfAudit = z.infer<typeof selfAudit>;
