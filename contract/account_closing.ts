import { z } from 'zod';

export const closingLimits = {
  /** Between the wish and the end; signing in takes it back until then. */
  days: 30,
  /** An account whose address nobody has proved, and that belongs to no organisation, is closed after so long. */
  unverifiedDays: 30,
} as const;

const named = z.object({ name: z.string(), slug: z.string() });

/** GET /api/account/closing: what closing the account of the person who asks would do. */
export const closingPreview = z.object({
  days: z.number().int(),
  /** Organisations that would be left without an owner: each is handed on or closed first. */
  blocked_by: z.array(named),
  /** What one is no longer a member of. */
  organisations: z.array(named.extend({ role: z.string() })),
  /** Keys that one has made and that end with the account. */
  api_keys: z.array(z.object({ name: z.string(), organisation: z.string() })),
  /** Report subscriptions that end. */
  reports: z.number().int(),
});
export type ClosingPreview = z.infer<typeof closingPreview>;
export const closingBegun = z.object({ until: z.iso.datetime() });
