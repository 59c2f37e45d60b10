import { z } from 'zod';
import { organisationIdentity } from './documents.ts';

/** So many days before an organisation passes to a new controller its members and visitors are told, at least. */
export const transferNoticeDays = 30;
/** And at most. */
export const transferAheadDaysMax = 365;

const given = (max: number) => z.string().trim().min(1).max(max);
const { registration, officer, representative, authority } = organisationIdentity.shape;

/** The identity of the new controller, as documents say it from its day on. */
export const newTransfer = z.strictObject({
  legal_name: given(200),
  address: given(500),
  jurisdiction: given(120),
  contact: given(300),
  ...{ registration, officer, representative, authority },
  /** Why, as members and visitors read it. */
  why: given(500),
  effective_on: z.iso.date(),
});
export type NewTransfer = z.output<typeof newTransfer>;

const words = z.string().nullable();
export const transfer = z.object({
  id: z.number(),
  state: z.enum(['announced', 'withdrawn', 'done']),
  ...{ legal_name: z.string(), address: z.string(), jurisdiction: z.string(), contact: z.string() },
  ...{ registration: words, officer: words, representative: words, authority: words, why: z.string() },
  /** Who the controller was when it was announced; null where nobody had said. */
  before_name: words,
  effective_on: z.string(),
  announced_at: z.string(),
  announced_by: z.number(),
  members_told: z.number(),
  ended_at: words,
  /** What went along, once it is done. */
  carried: z
    .object({ policy_version: z.number(), bases: z.number(), holds: z.number(), consents: z.number() })
    .nullable(),
});
export type Transfer = z.infer<typeof transfer>;
export const transfersAnswer = z.object({ transfers: z.array(transfer), earliest: z.string() });
export type TransfersAnswer = z.infer<typeof transfersAnswer>;
