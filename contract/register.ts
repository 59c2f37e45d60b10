import { z } from 'zod';

/** The register of receivers, as the page under Trust and the API say it. */
export const receiverRoles = ['processor', 'controller', 'own'] as const;
export type ReceiverRole = (typeof receiverRoles)[number];

/** What a transfer out of the region rests on. */
export const transferBases = ['not_needed', 'adequacy', 'clauses'] as const;
export type TransferBasis = (typeof transferBases)[number];

export const regions = ['eea', 'uk', 'ch'] as const;
export type Region = (typeof regions)[number];

const country = z
  .string()
  .regex(/^[A-Z]{2}$/)
  .describe('Two letters, ISO 3166-1: DE, IE, US.');
const day = z.iso.date();
const address = z
  .url({ protocol: /^https$/ })
  .max(500)
  .describe('Begins with https://.');
const words = (max: number) => z.string().trim().min(1).max(max);

/** What who runs the desk states of a receiver; what is left out is not stated. */
export const receiverStatement = z.strictObject({
  legal_name: words(120),
  country,
  basis: z.enum(transferBases).optional(),
  contract: words(200).optional().describe('Where the processing contract is found: a number, a folder, an address.'),
  contract_on: day.optional(),
  policy_url: address.optional(),
  terms_url: address.optional(),
  checked_on: day.optional().describe('When policy and terms were last read.'),
});
export type ReceiverStatement = z.infer<typeof receiverStatement>;

const refusals = z.object({ reason: z.enum(['not_registered', 'region_refused']), count: z.number() });

export const receiver = z.object({
  id: z.string(),
  label: z.string(),
  role: z.enum(receiverRoles),
  why: z.string(),
  /** What goes there, in words, and of which classes. */
  sent: z.string(),
  classes: z.array(z.string()),
  /** Names; empty where others choose them, which `chosen_by` says. */
  hosts: z.array(z.string()),
  chosen_by: z.string().nullable(),
  legal_name: z.string().nullable(),
  country: z.string().nullable(),
  basis: z.enum(transferBases).nullable(),
  contract: z.string().nullable(),
  contract_on: z.string().nullable(),
  policy_url: z.string().nullable(),
  terms_url: z.string().nullable(),
  checked_on: z.string().nullable(),
  /** Of the statement that holds; 0 where nobody has stated anything. */
  version: z.number(),
  /** Sentences' ends: "the country". */
  missing: z.array(z.string()),
  /** Why calls to it are refused at present; null where they are not. */
  refused_because: z.string().nullable(),
  calls: z.number(),
  last_call: z.string().nullable(),
  refusals: z.array(refusals),
});
export type Receiver = z.infer<typeof receiver>;

export const registerAnswer = z.object({
  receivers: z.array(receiver),
  /** Where data may go without a basis; empty = this desk has no pin. */
  pinned_to: z.array(z.enum(regions)),
  /** Calls for which there is no row, by purpose. All of them were refused. */
  unregistered: z.array(z.object({ purpose: z.string(), count: z.number() })),
  /** Calls are counted since this moment. */
  counted_since: z.string(),
});
export type RegisterAnswer = z.infer<typeof registerAnswer>;
