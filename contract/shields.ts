import { z } from 'zod';
import { words } from './api.ts';

/** What shields of a site may be: how many, how long, how narrow and how wide. */
export const shieldLimits = {
  perSiteMax: 100,
  valueCharsMax: 253,
  noteCharsMax: 80,
  /** Bits of a network's prefix. A longer one can be one person's: its addresses are kept as digests, one by one. */
  ipv4Bits: { min: 8, max: 29 },
  ipv6Bits: { min: 16, max: 56 },
  /** A rule that would have dropped more than this part of all events is added only when it is confirmed in words. */
  confirmAbove: 0.9,
  /** A network with a shorter prefix is confirmed in words as well, because nothing can say what it would drop. */
  wideBits: { ipv4: 16, ipv6: 32 },
} as const;

/**
 * What a shield looks at. `hostname`: only these may send; `blocked_hostname`, `path`: globs; `country`: ISO 3166-1
 * alpha-2, or A1 for known anonymous exits; `address`: one address or a network; `referrer`: a host and what is under it;
 * `rate`: events a second, one for a site.
 */
export const shieldKinds = ['hostname', 'blocked_hostname', 'path', 'country', 'address', 'referrer', 'rate'] as const;
export type ShieldKind = (typeof shieldKinds)[number];

/** Kinds whose effect can be looked up in what is stored. Addresses are stored nowhere. */
export const previewedKinds = ['hostname', 'blocked_hostname', 'path', 'country', 'referrer', 'rate'] as const;
export type PreviewedKind = (typeof previewedKinds)[number];

export const shield = z.object({
  id: z.number().int(),
  kind: z.enum(shieldKinds),
  /** The glob, code, network, host or rate. Null: one address, of which there is a keyed digest and nothing to show. */
  value: z.string().nullable(),
  note: z.string(),
  /** E-mail address of a colleague; null when an API key added it, or asks. */
  added_by: z.string().nullable(),
  added_at: z.string(),
});
export type Shield = z.infer<typeof shield>;

/** GET /api/sites/:domain/shields */
export const shieldList = z.object({
  shields: z.array(shield),
  /** What the last 7 days brought; null while the warehouse does not answer. */
  week: z
    .object({
      from: z.string(),
      to: z.string(),
      stored: z.number().int(),
      dropped: z.array(z.object({ kind: z.enum(shieldKinds), reason: z.string(), events: z.number().int() })),
    })
    .nullable(),
  limits: z.object({
    shields: z.number().int(),
    /** Events a second that the operator gives every site; null: no limit. */
    rate: z.number().int().nullable(),
  }),
});
export type ShieldList = z.infer<typeof shieldList>;

const value = words(shieldLimits.valueCharsMax);

/** POST /api/sites/:domain/shields */
export const newShield = z.strictObject({
  /** `own_address` is the address that the call itself comes from; it takes no value. */
  kind: z.enum([...shieldKinds, 'own_address']),
  value: value.optional(),
  note: words(shieldLimits.noteCharsMax).optional(),
  /** The site's domain: the rule may drop nearly everything. Only then it is looked at. */
  confirm: z.string().max(253).optional(),
});

/** DELETE /api/sites/:domain/shields/:id; `confirm` is the site's domain, where the removal keeps nearly everything out. */
export const shieldRemoval = z.strictObject({ confirm: z.string().max(253).optional() });
/** It answers with what takes the deletion back within an hour. */
export const removedShield = z.object({ undo: z.string() });
/** POST /api/sites/:domain/shield-undo */
export const restoreShield = z.strictObject({ undo: z.string().min(1).max(4_000) });

/** GET /api/sites/:domain/shield-preview */
export const shieldQuestion = z.strictObject({ kind: z.enum(previewedKinds), value });
export const shieldPreview = z.object({
  kind: z.enum(previewedKinds),
  /** The value as it would be stored: lower case, without `www.` and the like. */
  value: z.string(),
  /** Instants: the first is included, the last is not. */
  from: z.string(),
  to: z.string(),
  /** Starts of the days, in the site's timezone with its offset. */
  steps: z.array(z.string()),
  /** What is stored of these days. Imported events are not among them: no shield could have met them. */
  stored: z.object({ events: z.number().int(), visitors: z.number().int() }),
  dropped: z.object({
    events: z.number().int(),
    /** Null for a rate, which meets whoever comes last. */
    visitors: z.number().int().nullable(),
    by_step: z.array(z.number().int()),
  }),
  /** True for a rate: seconds are counted from their start, where the desk's own count goes on across them. */
  estimated: z.boolean(),
  /** The most events of one second; only for a rate. */
  busiest: z.number().int().nullable(),
  /** Pages of what would have been dropped, or hostnames for a rule about those; most events first. */
  examples: z.array(z.object({ what: z.string(), events: z.number().int(), visitors: z.number().int() })),
  /** Must the rule be confirmed in words? */
  confirm: z.boolean(),
});
export type ShieldPreview = z.infer<typeof shieldPreview>;
