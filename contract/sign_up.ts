import { z } from 'zod';
import { proof, words } from './api.ts';
import { passwordCharsMax, passwordCharsMin } from './limits.ts';

/** Signing up by oneself, and the documents that people agree to. */
export const signUpLimits = {
  /** Who attests less cannot make an account (R7). */
  ageYearsMin: 18,
  /** A link in a mail, and a sign-up that waits for it (AUT-08). */
  linkMinutes: 60,
  /** Mails that one address gets in an hour. */
  mailsPerHour: 3,
  domainsMax: 100,
  /** An invitation to sign up. */
  invitationDays: 7,
  /** Open ones of the whole desk. */
  invitationsMax: 500,
  documentCharsMax: 200_000,
  /** Versions of one document. */
  versionsMax: 200,
} as const;

const email = z.email().max(254);
/** Opaque, 256 bits in base64url. */
const token = z.string().min(1).max(128);

export const documentKinds = ['terms', 'privacy', 'processing'] as const;
export type DocumentKind = (typeof documentKinds)[number];
/** The page of a version is under it, so it is a part of an address: `2026-11`, `1.2`. */
const version = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, 'letters, digits, dots and dashes, at most 40');
const day = z.iso.date();

/** A version that holds now. */
export const legalDocument = z.object({
  kind: z.enum(documentKinds),
  version: z.string(),
  /** The date that it bears. */
  dated: z.string(),
  /** Its page on this desk. */
  path: z.string(),
});
export type LegalDocument = z.infer<typeof legalDocument>;
export const legalDocuments = z.object({ documents: z.array(legalDocument) });
/** One of all that were ever published, for whoever runs the desk. */
export const publishedDocument = legalDocument.extend({
  material: z.boolean(),
  published_at: z.string(),
  /** How many people have accepted this very version. */
  acceptances: z.number().int(),
  is_current: z.boolean(),
  /** When it was taken back, and why; null while it stands. */
  withdrawn_at: z.string().nullable(),
  withdrawn_reason: z.string().nullable(),
});
export type PublishedDocument = z.infer<typeof publishedDocument>;
export const publishedDocuments = z.object({ documents: z.array(publishedDocument) });
export const newDocument = z.strictObject({
  kind: z.enum(documentKinds),
  version,
  dated: day,
  /** Are those asked again who accepted an earlier version? Of the first version everybody is. */
  material: z.boolean(),
  text: z
    .string()
    .trim()
    .min(1)
    .max(signUpLimits.documentCharsMax)
    .regex(/^[^\0]*$/, 'it has a NUL character'),
});

/** Takes a version back that was published by mistake. The reason stands on its page. */
export const withdrawal = z.strictObject({ reason: words(300) });

const accepted = z.array(z.strictObject({ kind: z.enum(documentKinds), version })).max(documentKinds.length);
/** What somebody says who makes an account: the version of each document that holds, and that they are of age. */
export const agreement = z.strictObject({ is_adult: z.boolean().default(false), accepted: accepted.default([]) });
export type Agreement = z.infer<typeof agreement>;
export const acceptance = z.strictObject({ accepted });
/** GET /api/account/agreements: what the person accepted, and what waits to be. */
export const agreements = z.object({
  due: z.array(legalDocument),
  accepted: z.array(
    z.object({
      kind: z.enum([...documentKinds, 'age']),
      version: z.string(),
      /** Null for the attested age. */
      path: z.string().nullable(),
      accepted_at: z.string(),
      /** When the desk took this version back: from then on it counts for nothing. */
      withdrawn_at: z.string().nullable(),
    }),
  ),
});
export type Agreements = z.infer<typeof agreements>;

/** Who may sign up: nobody, everybody, who was invited to, who has an address of these domains. */
export const signUpModes = ['off', 'open', 'invitation', 'domains'] as const;
export type SignUpMode = (typeof signUpModes)[number];
/** What the pages before signing in need to know. */
export const signUpState = z.object({
  mode: z.enum(signUpModes),
  /** Can this desk mail the link that a new address is confirmed by? Without, an account elsewhere is the only way. */
  mail_is_on: z.boolean(),
  documents: z.array(legalDocument),
  /** Documents that nobody can accept because none holds: while there is one, nobody can sign up, whatever the mode is. */
  missing: z.array(z.enum(documentKinds)),
});
export type SignUpState = z.infer<typeof signUpState>;
export const signUpSetting = z.strictObject({
  mode: z.enum(signUpModes),
  domains: z.array(z.string().trim().min(1).max(253)).max(signUpLimits.domainsMax).default([]),
});
export const signUpInvitation = z.object({
  id: z.number().int(),
  /** Empty when it cannot be read any more. */
  email: z.string(),
  sent_at: z.string(),
  expires_at: z.string(),
  expired: z.boolean(),
});
export type SignUpInvitation = z.infer<typeof signUpInvitation>;
export const signUpSettings = z.object({
  mode: z.enum(signUpModes),
  domains: z.array(z.string()),
  mail_is_on: z.boolean(),
  missing: z.array(z.enum(documentKinds)),
  invitations: z.array(signUpInvitation),
});
export type SignUpSettings = z.infer<typeof signUpSettings>;
export const newSignUpInvitation = z.strictObject({ email });

export const newSignUp = z.strictObject({
  email,
  password: z.string().min(passwordCharsMin).max(passwordCharsMax),
  name: words(120),
  organisation: words(120),
  agreement,
  /** The token of an invitation to sign up. */
  invitation: token.optional(),
  proof: proof.optional(),
});
/** The password is asked for again: whoever opens the link reads the mailbox, and need not be who chose the password. */
export const signUpConfirmation = z.strictObject({
  token,
  password: z.string().min(1).max(passwordCharsMax),
  proof: proof.optional(),
});
export const signUpToken = z.strictObject({ token, proof: proof.optional() });
/** A sign-up that waits: of an account elsewhere for what is left to say, of an invitation for everything. */
export const signUpReading = z.object({
  kind: z.enum(['provider', 'invitation']),
  email: z.string(),
  name: z.string(),
  provider_name: z.string().nullable(),
  /** Whose invitation it follows; null when an organisation of its own is to be made. */
  organisation: z.string().nullable(),
  documents: z.array(legalDocument),
});
export type SignUpReading = z.infer<typeof signUpReading>;
export const signUpCompletion = z.strictObject({
  token,
  name: words(120),
  /** Left out where an invitation is followed. */
  organisation: words(120).optional(),
  agreement,
  proof: proof.optional(),
});
export const signedUp = z.object({
  slug: z.string(),
  /** Was an organisation made, whose first site is next? */
  is_new: z.boolean(),
});
