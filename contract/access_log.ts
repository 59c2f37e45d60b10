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

const filters = {
  /** A UTC day; today when absent. */
  day: z.iso.date().optional(),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).optional(),
  /** `404`, or `4xx` for all that begin so. */
  status: z
    .string()
    .regex(/^[1-5](\d\d|xx)$/)
    .optional(),
  /** Part of a route, in upper or lower case. */
  route: z.string().min(1).max(120).optional(),
};
export const accessPageMax = 1_000;
export const accessQuestion = z.strictObject({
  ...filters,
  /** `next` of the page before. */
  cursor: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(accessPageMax).default(accessPageMax),
});
export const accessExportQuestion = z.strictObject({ ...filters, format: z.enum(['ndjson', 'csv']).default('ndjson') });
export type AccessFilters = Omit<z.infer<typeof accessExportQuestion>, 'day' | 'format'>;

export const accessPage = z.object({
  /** Switched off by FAIRLEAD_ACCESS_LOG=off: what is there is older. */
  on: z.boolean(),
  /** UTC days that have lines, the newest first. */
  days: z.array(z.iso.date()),
  day: z.iso.date(),
  /** The newest first. */
  entries: z.array(
    accessEntry.extend({
      /** Country and region of the address, `DE, Berlin`, by the places file of now; empty where it is not known. */
      place: z.string(),
    }),
  ),
  /** Where to go on towards the day's beginning; null at it. A page of a narrow filter may be short, or empty, and go on. */
  next: z.string().nullable(),
});
export type AccessPage = z.infer<typeof accessPage>;
