import { z } from 'zod';

/** The register of disclosures to authorities, as the API says it. */
const words = z.string().trim().min(1).max(2_000);
const moment = z.string();

export const disclosureKinds = ['allowed', 'refused', 'disclosed', 'told', 'untold', 'noted'] as const;
export type DisclosureKind = (typeof disclosureKinds)[number];

/** What an authority asks for. Names of persons do not belong in it: whom it is about stands in the demand. */
export const newDisclosure = z.strictObject({
  authority: z.string().trim().min(1).max(200),
  /** Its file number. */
  reference: z.string().trim().max(120).default(''),
  /** The law or order that it names. */
  ground: z.string().trim().min(1).max(500),
  classes: z.array(z.string().max(4)).min(1).max(25),
  scope: words,
  asked_on: z.iso.date(),
});
export type NewDisclosure = z.infer<typeof newDisclosure>;

/** `allowed` and `refused` decide, once; `told` and `untold` say whether whom it is about knows, and why not. */
export const newDisclosureEntry = z.strictObject({ kind: z.enum(disclosureKinds), said: words });
export type NewDisclosureEntry = z.infer<typeof newDisclosureEntry>;

export const disclosure = z.object({
  id: z.number(),
  authority: z.string(),
  reference: z.string().nullable(),
  ground: z.string(),
  classes: z.array(z.string()),
  scope: z.string(),
  asked_on: z.string(),
  entered_at: moment,
  entered_by: z.number(),
  state: z.enum(['waiting', 'allowed', 'refused', 'disclosed']),
  /** Whether whom it is about was told; `open` is not decided yet. */
  subject: z.enum(['open', 'told', 'untold']),
  /** May the person who asks decide it? Not who entered it, while there is a second person. */
  may_decide: z.boolean(),
  entries: z.array(
    z.object({
      id: z.number(),
      kind: z.enum(disclosureKinds),
      said: z.string(),
      /** Who entered it decided too, since there was no second person. */
      alone: z.boolean(),
      at: moment,
      person: z.number(),
    }),
  ),
});
export type Disclosure = z.infer<typeof disclosure>;
export const disclosuresAnswer = z.object({ disclosures: z.array(disclosure), next: z.number().nullable() });
export type DisclosuresAnswer = z.infer<typeof disclosuresAnswer>;
