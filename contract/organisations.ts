import { z } from 'zod';
import { currency, proof, words } from './api.ts';
import { languages, plainLanguage } from './languages.ts';
import { passwordCharsMax, passwordCharsMin } from './limits.ts';
import { organisationStatuses } from './organisation_status.ts';
import { roles } from './roles.ts';
import { agreement, legalDocument } from './sign_up.ts';

/** Limits of people and organisations; each is named where it is refused and in docs/guides/organisations.md. */
export const organisationLimits = {
  invitationDays: 7,
  invitationsPerDay: 50,
  ownershipOfferDays: 7,
  closingDays: 30,
  customRolesMax: 50,
  teamsMax: 100,
  ownedMax: 50,
  formerSlugsMax: 20,
  logoBytesMax: 256 * 1024,
} as const;

/** A built-in role by its name, or a custom one by its number: `analyst`, `custom:12`. */
const roleName = z
  .string()
  .max(40)
  .regex(new RegExp(`^(${roles.join('|')}|custom:[1-9]\\d{0,14})$`), 'there is no such role');
const ids = (max: number) => z.array(z.number().int().positive()).max(max);
const slug = z
  .string()
  .max(64)
  .regex(
    /^(?=.*[a-z])[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
    'use lower-case letters, digits and hyphens, with a letter in it',
  );
const timezone = z.string().max(64);
/** How numbers and dates are written for new members; the words of the desk are English. */

/** A person as colleagues see them. */
const colleague = z.object({ id: z.number().int(), name: z.string(), email: z.string() });

/** GET /api/organisations/:organisation, by number, slug or former slug. */
export const organisation = z.object({
  id: z.number().int(),
  name: z.string(),
  slug: z.string(),
  former_slugs: z.array(z.string()),
  status: z.enum(organisationStatuses),
  status_reason: z.string().nullable(),
  status_until: z.string().nullable(),
  timezone: z.string(),
  currency: z.string(),
  language: z.string(),
  /** Names the bytes of its logo, for the address of the picture; null where it has none. */
  logo: z.string().nullable(),
  created_at: z.string(),
  /** An owner's offer to hand the organisation on, until somebody accepts it or it expires. */
  ownership_offer: z.object({ by: colleague, to: colleague, expires_at: z.string() }).nullable(),
});
export type OrganisationDetails = z.infer<typeof organisation>;
export const newOrganisation = z.strictObject({
  name: words(120),
  timezone: timezone.optional(),
  currency: currency.optional(),
});
export const organisationChange = z.strictObject({
  name: words(120).optional(),
  slug: slug.optional(),
  timezone: timezone.optional(),
  currency: currency.optional(),
  language: z.enum([plainLanguage, ...languages]).optional(),
});
/** Leaving and closing name the organisation once more, so that neither hits another one. */
export const slugTyped = z.strictObject({ slug: z.string().min(1).max(64) });

export const member = z.object({
  id: z.number().int(),
  name: z.string(),
  email: z.string(),
  /** As `roleName` above: `analyst`, `custom:12`. */
  role: z.string(),
  role_name: z.string(),
  teams: z.array(z.object({ id: z.number().int(), name: z.string() })),
  team_sites_only: z.boolean(),
  since: z.string(),
  /** The UTC day of the last request with a session; null for never. */
  last_seen_day: z.string().nullable(),
  status: z.enum(organisationStatuses),
  /** Have they a second factor? null for askers who may not manage members. */
  second_factor: z.boolean().nullable(),
});
export type Member = z.infer<typeof member>;
export const memberChange = z.strictObject({
  role: roleName.optional(),
  team_ids: ids(organisationLimits.teamsMax).optional(),
  team_sites_only: z.boolean().optional(),
});
export const newOwnershipOffer = z.strictObject({ person_id: z.number().int().positive() });

export const role = z.object({
  role: z.string(),
  name: z.string(),
  built_in: z.boolean(),
  permissions: z.array(z.string()),
  /** People and open invitations that have it. */
  members: z.number().int(),
});
export type OrganisationRole = z.infer<typeof role>;
/** GET /api/organisations/:organisation/roles: the table of roles and permissions, with each permission in words. */
export const roleTable = z.object({
  permissions: z.array(z.object({ name: z.string(), meaning: z.string() })),
  roles: z.array(role),
});
export type RoleTable = z.infer<typeof roleTable>;
export const newRole = z.strictObject({
  name: words(60),
  permissions: z.array(z.string().max(40)).min(1).max(40),
});

export const team = z.object({
  id: z.number().int(),
  name: z.string(),
  member_ids: z.array(z.number().int()),
  site_ids: z.array(z.number().int()),
});
export type Team = z.infer<typeof team>;
export const newTeam = z.strictObject({ name: words(60), member_ids: ids(1_000), site_ids: ids(1_000) });

export const invitation = z.object({
  id: z.number().int(),
  email: z.string(),
  role: z.string(),
  role_name: z.string(),
  team_ids: z.array(z.number().int()),
  team_sites_only: z.boolean(),
  /** Empty when that person has left the desk. */
  invited_by: z.string(),
  sent_at: z.string(),
  expires_at: z.string(),
  expired: z.boolean(),
  /** No mail reaches this address: its mailbox is not there, or wants none. Only the list says so. */
  is_undelivered: z.boolean(),
});
export type Invitation = z.infer<typeof invitation>;
export const newInvitation = z.strictObject({
  email: z.email().max(254),
  role: roleName,
  team_ids: ids(organisationLimits.teamsMax).default([]),
  team_sites_only: z.boolean().default(false),
});
/** The link is in the answer only where no mail can carry it. */
export const sentInvitation = invitation.extend({ mailed: z.boolean(), link: z.string().nullable() });
export type SentInvitation = z.infer<typeof sentInvitation>;

const token = z.string().min(1).max(128);
export const invitationToken = z.strictObject({ token, proof: proof.optional() });
/** What the holder of a link learns. */
export const invitationReading = z.object({
  organisation: z.string(),
  email: z.string(),
  role_name: z.string(),
  invited_by: z.string(),
  expires_at: z.string(),
  /** Is there an account of that address here already? Its holder signs in first. */
  has_account: z.boolean(),
  /** What whoever makes an account agrees to. */
  documents: z.array(legalDocument),
});
export type InvitationReading = z.infer<typeof invitationReading>;
export const invitationAcceptance = z.strictObject({
  token,
  name: words(120),
  password: z.string().min(passwordCharsMin).max(passwordCharsMax),
  /** Asked where the desk has documents. */
  agreement: agreement.default({ is_adult: false, accepted: [] }),
  proof: proof.optional(),
});
export const joined = z.object({ slug: z.string() });

/** What the operator of the desk sees of each organisation. */
export const deskOrganisation = z.object({
  id: z.number().int(),
  name: z.string(),
  slug: z.string(),
  status: z.enum(organisationStatuses),
  status_reason: z.string().nullable(),
  members: z.number().int(),
  sites: z.number().int(),
  created_at: z.string(),
});
export const statusChange = z.strictObject({
  status: z.enum(['active', 'suspended']),
  /** Needed to suspend: the people of it read it. */
  reason: words(300).optional(),
});
export const personStatusChange = statusChange.extend({ email: z.string().min(3).max(254) });
