import { z } from 'zod';
import { proof } from './api.ts';
import { passwordCharsMax, passwordCharsMin } from './limits.ts';

const email = z.email().max(254);
const newPassword = z.string().min(passwordCharsMin).max(passwordCharsMax);
const presentPassword = z.string().min(1).max(passwordCharsMax);
/** Opaque, 256 bits in base64url. */
const token = z.string().min(1).max(128);
/** Six digits of an authenticator, or a recovery code; spaces and dashes are taken off by the desk. */
const code = z.string().trim().min(6).max(40);

/** How far a sign-in is: the session is here, or one of these is asked for first. */
export const signInStep = z.object({ second_factor: z.array(z.string()).optional() });
export const secondStep = z.strictObject({ code, proof: proof.optional() });

export const resetRequest = z.strictObject({ email });
export const reset = z.strictObject({ token, password: newPassword, proof: proof.optional() });
export const confirmation = z.strictObject({ token, proof: proof.optional() });
export const passwordChange = z.strictObject({ current: presentPassword, password: newPassword });
export const emailChange = z.strictObject({ email, password: presentPassword.optional() });
/** The password again, for what decides who may sign in; whoever has none leaves it out. */
export const proofAgain = z.strictObject({ password: presentPassword.optional() });

/** GET /api/account: what belongs to the person who asks. */
export const account = z.object({
  id: z.number().int(),
  email: z.string(),
  email_verified: z.boolean(),
  /** An address that a mail was sent to and that takes the place of `email` when its link is opened. */
  new_email: z.string().nullable(),
  name: z.string(),
  username: z.string().nullable(),
  /** Where the picture is; null without one. */
  avatar: z.string().nullable(),
  timezone: z.string().nullable(),
  locale: z.string().nullable(),
  has_password: z.boolean(),
  password_changed_at: z.string().nullable(),
  authenticator_since: z.string().nullable(),
  recovery_codes_left: z.number().int(),
  /** Can the desk send mail? Without it an address cannot be confirmed or changed. */
  mail_is_on: z.boolean(),
});
export type Account = z.infer<typeof account>;
export const accountChange = z.strictObject({
  name: z
    .string()
    .trim()
    .max(120)
    .regex(/^[^\0]*$/, 'it has a NUL character')
    .optional(),
  username: z
    .string()
    .trim()
    .toLowerCase()
    .regex(/^[a-z0-9_-]{3,32}$/, '3 to 32 letters a to z, digits, dashes and underscores')
    .nullable()
    .optional(),
  timezone: z.string().max(64).nullable().optional(),
  locale: z.string().min(2).max(35).nullable().optional(),
});

/** Shown once: the secret to type, and the same as a picture of dark (1) and light (0) squares, row by row. */
export const begunAuthenticator = z.object({ secret: z.string(), uri: z.string(), squares: z.array(z.string()) });
export const authenticatorConfirmation = z.strictObject({ code });
/** The only answer that ever carries them. */
export const recoveryCodes = z.object({ recovery_codes: z.array(z.string()) });
export const authenticatorProof = z.strictObject({ password: presentPassword.optional(), code });

export const accountSession = z.object({
  id: z.string(),
  device: z.string(),
  /** Country and region of the address at sign-in; empty where it is not known. */
  place: z.string(),
  /** How the person signed in, such as `password` and `code`. */
  methods: z.array(z.string()),
  started_at: z.string(),
  last_used_at: z.string(),
  is_current: z.boolean(),
});
export const accountSessions = z.object({ sessions: z.array(accountSession) });
export type AccountSession = z.infer<typeof accountSession>;

/** Who must have a second factor: nobody, owners and admins, everybody. */
export const secondFactorRules = ['off', 'managers', 'all'] as const;
export type SecondFactorRule = (typeof secondFactorRules)[number];
export const secondFactorSetting = z.strictObject({ required: z.enum(secondFactorRules) });
