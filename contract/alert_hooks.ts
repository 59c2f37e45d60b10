import { z } from 'zod';
import { postedKinds } from './alert_kinds.ts';
import { httpsAddress } from './api.ts';

/** Alerts of an organisation by webhook: where they are posted to, and what became of the last ones. */

/** `waiting`: not tried yet, or tried in vain and tried again. `given_up`: after ten tries, some three days. */
export const alertPostStates = ['waiting', 'taken', 'given_up'] as const;

export const alertPost = z.object({
  id: z.number().int(),
  /** The notice, such as `relay_silence`; `test` for one that somebody asked for. */
  notice: z.string(),
  at: z.string(),
  state: z.enum(alertPostStates),
  tries: z.number().int(),
  /** When it is tried next; null once it has ended. */
  next_at: z.string().nullable(),
  /** Why the last try did not succeed: a word such as `timed_out`, or `status_503`. */
  problem: z.string().nullable(),
});
export type AlertPost = z.infer<typeof alertPost>;

export const alertHook = z.object({
  /** The rest of the address lies sealed: it may hold a secret of the receiver. */
  host: z.string(),
  is_active: z.boolean(),
  kinds: z.array(z.enum(postedKinds)),
  created_at: z.string(),
  /** Since when it takes nothing; null while it does. */
  failing_since: z.string().nullable(),
  /** Until when the secret before signs too; null where none does. */
  former_until: z.string().nullable(),
  posts: z.array(alertPost),
});
export type AlertHook = z.infer<typeof alertHook>;

/** Null where alerts are posted nowhere. */
export const alertHookAnswer = z.object({ hook: alertHook.nullable() });

export const alertHookChange = z
  .strictObject({
    url: httpsAddress,
    is_active: z.boolean(),
    kinds: z.array(z.enum(postedKinds)).min(1).max(postedKinds.length),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, { message: 'says what is to be changed' });
export type AlertHookChange = z.input<typeof alertHookChange>;

/** The secret is in the answer that makes it, and in no other. */
export const madeAlertHook = z.object({ hook: alertHook, secret: z.string().nullable() });
export type MadeAlertHook = z.infer<typeof madeAlertHook>;

/** What the address answered to a test: null for a success. */
export const alertTest = z.object({ problem: z.string().nullable(), hook: alertHook });
export type AlertTest = z.infer<typeof alertTest>;
