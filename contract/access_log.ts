import { z } from 'zod';

/** One answer of the account plane, as the access log keeps it for 90 days (ledger D15). */
export const accessEntry = z.object({
  time: z.iso.datetime(),
  address: z.string(),
  method: z.string(),
  /** By its pattern, `GET /api/sites/:domain`; `file` for a page of the dashboard. */
  route: z.string(),
  status: z.number().int(),
  ms: z.number().int(),
  request_id: z.string(),
});
export type AccessEntry = z.infer<typeof accessEntry>;

export const accessPage = z.object({
  /** Switched off by FAIRLEAD_ACCESS_LOG=off: what is there is older. */
  on: z.boolean(),
  /** UTC days that have lines, the newest first. */
  days: z.array(z.iso.date()),
  day: z.iso.date(),
  /** The newest first. */
  entries: z.array(accessEntry),
  /** Where older ones of the day begin; null at its first. */
  next: z.string().nullable(),
});
export type AccessPage = z.infer<typeof accessPage>;
