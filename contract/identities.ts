import { z } from 'zod';

/** Signing in by an account elsewhere or by a passkey, and what a person has linked. */
export const providerIds = ['google', 'github', 'oidc'] as const;
export const providerId = z.enum(providerIds);
export type ProviderId = z.infer<typeof providerId>;

export const passkeyNameLengthMax = 60;
/** Per person. */
export const passkeysMax = 20;
export const identitiesMax = 10;

/** What the page of signing in may offer. */
export const signInWays = z.object({
  providers: z.array(z.object({ id: providerId, name: z.string() })),
  /** Passkeys need HTTPS, or a desk at localhost. */
  passkeys: z.boolean(),
});
export type SignInWays = z.infer<typeof signInWays>;

/** A path of this desk, never an address of somewhere else. */
const ownPath = z
  .string()
  .max(1_000)
  .regex(/^\/(?![/\\])[^\s\\]*$/, 'it is no path of this desk');

export const beginSignIn = z.strictObject({
  /** Where to go afterwards. */
  next: ownPath.optional(),
  /** The token of an invitation that is being followed: it may let a new person in. */
  invitation: z
    .string()
    .regex(/^[A-Za-z0-9_-]{16,200}$/, 'it is no invitation')
    .optional(),
});
export const begunSignIn = z.object({ url: z.string() });

/** The parameters with which the provider sends a browser back, as they are (RFC 6749 §4.1.2, RFC 9207). */
export const providerAnswer = z.strictObject({
  state: z.string().max(200),
  code: z.string().max(2_000).optional(),
  iss: z.string().max(500).optional(),
  error: z.string().max(200).optional(),
});
export const providerOutcome = z.object({
  /**
   * `linked` when somebody who is signed in has linked an account; `sign-up` when somebody new has something left to say,
   * on the page that `next` names.
   */
  outcome: z.enum(['signed-in', 'second-factor', 'linked', 'sign-up']),
  next: z.string(),
});
export type ProviderOutcome = z.infer<typeof providerOutcome>;

export const identity = z.object({
  id: z.number(),
  provider: providerId,
  provider_name: z.string(),
  /** The address that the provider named. */
  label: z.string(),
  linked_at: z.iso.datetime(),
  last_used_day: z.iso.date().nullable(),
});
export type Identity = z.infer<typeof identity>;
export const identityList = z.object({
  identities: z.array(identity),
  /** Whom one can link. */
  providers: z.array(z.object({ id: providerId, name: z.string() })),
});
export type IdentityList = z.infer<typeof identityList>;

const passkeyName = z
  .string()
  .trim()
  .min(1)
  .max(passkeyNameLengthMax)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a name has none.
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'it has control characters');

export const passkey = z.object({
  id: z.number(),
  name: z.string(),
  /** May live on several devices of its person. */
  synced: z.boolean(),
  created_at: z.iso.datetime(),
  last_used_day: z.iso.date().nullable(),
});
export type Passkey = z.infer<typeof passkey>;
export const passkeyList = z.object({ passkeys: z.array(passkey) });

/** What `PublicKeyCredential.toJSON()` gives; read further by the verifier. */
const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/, 'it is not base64url');
const credential = <Response extends z.ZodRawShape>(response: Response) =>
  z.object({
    id: base64url.max(1_400),
    rawId: base64url.max(1_400),
    type: z.literal('public-key'),
    response: z.object(response),
    clientExtensionResults: z.record(z.string(), z.unknown()).optional(),
    authenticatorAttachment: z.string().max(40).nullish(),
  });
export const newPasskey = z.strictObject({
  name: passkeyName,
  credential: credential({
    clientDataJSON: base64url.max(4_000),
    attestationObject: base64url.max(20_000),
    transports: z.array(z.string().max(20)).max(10).optional(),
  }),
});
export const passkeyChange = z.strictObject({ name: passkeyName });
export const passkeyAnswer = z.strictObject({
  credential: credential({
    clientDataJSON: base64url.max(4_000),
    authenticatorData: base64url.max(4_000),
    signature: base64url.max(2_000),
    userHandle: base64url.max(200).nullish(),
  }),
});
/** Options for `navigator.credentials`, in the JSON form of WebAuthn level 3. */
export const passkeyOptions = z.object({ options: z.record(z.string(), z.unknown()) });
