import { z } from 'zod';
import { pastedProviders } from './destinations.ts';

/** The platforms that an account or a secret can be connected of, in the order of the page. */
export const connectionProviders = [
  ...(['google', 'meta', 'linkedin', 'microsoft', 'tiktok'] as const),
  ...pastedProviders,
] as const;
export type ConnectionProvider = (typeof connectionProviders)[number];

/** Those that somebody signs in at. A person is sent to the platform, and comes back to `/connect/<provider>`. */
export const signedInProviders = ['google', 'meta', 'linkedin', 'microsoft', 'tiktok'] as const;
export type SignedInProvider = (typeof signedInProviders)[number];

/**
 * `connected`: its token works as far as is known. `needs_attention`: somebody has to authorise or paste again.
 * `paused`: what it rests on was changed by the operator, and nothing is sent until somebody authorises again.
 * `disconnected`: its tokens are destroyed; the line stays for 30 days.
 */
export const connectionStates = ['connected', 'needs_attention', 'paused', 'disconnected'] as const;
export type ConnectionState = (typeof connectionStates)[number];

/** Why a connection is not `connected`. */
export const connectionReasons = ['revoked', 'expired', 'base_url_changed', 'by_hand'] as const;
export type ConnectionReason = (typeof connectionReasons)[number];

/** Why a platform did not do what it was asked, in our classes. `answer` is its code, never its text. */
export const troubleClasses = ['retry', 'rate_limited', 'auth', 'config'] as const;
export type TroubleClass = (typeof troubleClasses)[number];

export const connectionLimits = {
  /** From the click on "Connect" to the answer (AUT-07). */
  stepMs: 10 * 60_000,
  /** Of one organisation, without those that are disconnected. */
  connectionsMax: 100,
  /** Steps that are begun and not finished, of one organisation. */
  stepsMax: 50,
  secretMax: 4_096,
  labelMax: 80,
  /** What a picker shows. */
  accountsMax: 1_000,
  targetsMax: 1_000,
  /** Days before its end on which owners are told. */
  alertDays: [14, 7, 2],
  /** Days after which the line of what was disconnected goes. */
  keptDays: 30,
} as const;

const given = (max: number) => z.string().trim().min(1).max(max);
/** One line of printable characters: it becomes a header of a request. */
const secret = z
  .string()
  .trim()
  .min(8)
  .max(connectionLimits.secretMax)
  .regex(/^[\x21-\x7e]+$/, 'A token is one word of printable characters.');

export const connection = z.object({
  id: z.number(),
  provider: z.enum(connectionProviders),
  /** `oauth`: somebody signed in at the platform. `pasted`: somebody copied a secret. */
  kind: z.enum(['oauth', 'pasted']),
  label: z.string(),
  state: z.enum(connectionStates),
  reason: z.enum(connectionReasons).nullable(),
  /** What was granted, as the platform names it. */
  scopes: z.array(z.string()),
  /** Accounts that it reaches, as last read. */
  accounts: z.array(z.object({ id: z.string(), name: z.string() })),
  created_at: z.string(),
  /** Number of the member who made it. */
  created_by: z.number(),
  /** The last time that somebody authorised or pasted. */
  authorised_at: z.string(),
  refreshed_at: z.string().nullable(),
  /** When somebody has to authorise again; null where the platform names no end. */
  expires_at: z.string().nullable(),
  /** What the platform said to the last renewal, when it failed. */
  trouble: z.object({ class: z.enum(troubleClasses), answer: z.string(), at: z.string() }).nullable(),
  /** Can it be renewed without anybody? */
  renews: z.boolean(),
});
export type Connection = z.infer<typeof connection>;

/** What can be asked for at a platform, one by one as it is needed. */
export const connectionScope = z.object({ id: z.string(), label: z.string(), why: z.string(), first: z.boolean() });

export const connectionOffer = z.object({
  provider: z.enum(connectionProviders),
  label: z.string(),
  /** Signing in at the platform: null where it has none. */
  oauth: z
    .object({
      is_set_up: z.boolean(),
      /** What the operator sets, when it is not. */
      variables: z.array(z.string()),
      scopes: z.array(connectionScope),
      lists_accounts: z.boolean(),
    })
    .nullable(),
  /** A secret that is pasted: null where the platform has none. */
  pasted: z.object({ what: z.string(), where: z.string() }).nullable(),
});
export type ConnectionOffer = z.infer<typeof connectionOffer>;

export const connectionsAnswer = z.object({
  connections: z.array(connection),
  offers: z.array(connectionOffer),
});
export type ConnectionsAnswer = z.infer<typeof connectionsAnswer>;

export const newAuthorisation = z.strictObject({
  provider: z.enum(signedInProviders),
  /** Ids of the offer's scopes; none means those that come first. */
  scopes: z.array(z.string().max(60)).max(10).default([]),
  /** One that is authorised again, or is to be allowed more. */
  connection: z.number().int().positive().optional(),
});
export const begunAuthorisation = z.object({ url: z.string() });

/** What the platform sent the browser back with. */
export const connectionAnswer = z.strictObject({
  provider: z.enum(signedInProviders),
  state: given(200),
  code: given(4_096).optional(),
  /** The issuer that answered (RFC 9207). */
  iss: z.string().max(500).optional(),
  error: z.string().max(200).optional(),
});

export const pastedSecret = z.strictObject({
  provider: z.enum(connectionProviders),
  label: given(connectionLimits.labelMax).optional(),
  secret,
  /** One whose secret is replaced. */
  connection: z.number().int().positive().optional(),
});

export const connectionChange = z.strictObject({ label: given(connectionLimits.labelMax) });

export const accountProblem = z.object({
  code: z.string(),
  sentence: z.string(),
  /** Would a send be refused for it? */
  blocks: z.boolean(),
});
export type AccountProblem = z.infer<typeof accountProblem>;

export const connectionAccount = z.object({
  id: z.string(),
  name: z.string(),
  currency: z.string().nullable(),
  timezone: z.string().nullable(),
  /** The account that it is reached through, such as a manager; null where it is reached itself. */
  through: z.string().nullable(),
  problems: z.array(accountProblem),
});
export type ConnectionAccount = z.infer<typeof connectionAccount>;
export const connectionAccounts = z.object({ accounts: z.array(connectionAccount), left_off: z.number() });

export const targetsQuery = z.strictObject({
  account: z.string().regex(/^[\w-]{1,64}$/, 'An account is a number, as the list of accounts names it.'),
  through: z
    .string()
    .regex(/^[\w-]{1,64}$/)
    .optional(),
});
/** A conversion action, a pixel, a rule: what conversions are sent to. */
export const connectionTarget = z.object({ id: z.string(), name: z.string(), problems: z.array(accountProblem) });
export type ConnectionTarget = z.infer<typeof connectionTarget>;
export const connectionTargets = z.object({
  /** What holds for the account whatever is chosen, such as data terms that nobody has accepted. */
  problems: z.array(accountProblem),
  targets: z.array(connectionTarget),
  left_off: z.number(),
});

/** What would end with a connection: read before, and said afterwards. */
export const disconnectionPreview = z.object({
  /** Does the platform know a way to revoke? */
  revokes: z.boolean(),
  cancels: z.array(z.object({ what: z.string(), count: z.number() })),
});
export type DisconnectionPreview = z.infer<typeof disconnectionPreview>;
export const disconnection = z.object({
  /** `not_possible`: the platform has no call for it. `failed`: it did not do so, and the access ends there by hand. */
  revoked: z.enum(['revoked', 'not_possible', 'failed']),
  cancelled: z.array(z.object({ what: z.string(), count: z.number() })),
});
export type Disconnection = z.infer<typeof disconnection>;
