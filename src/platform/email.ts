import type { KeyRing } from './subject.ts';
import type { Place, Vault } from './vault.ts';

/**
 * Addresses of people stand in no table in clear (ledger AUT-11, reference "email index"). A row has two columns: a keyed
 * digest, by which it is found, and the sealed address, which is opened where somebody reads it or a mail goes out.
 */

/** Whose address it is: a sealed one opens for this holder alone. */
export type EmailHolder =
  /** `people.email_sealed`. It has the key of this person, and is gone for good once that is destroyed. */
  | { person: number }
  /** `invitations.email_sealed`, of the organisation that invites. */
  | { invitation: number; organisationId: number }
  /** `identities.label_sealed`, by the digest of the identity. */
  | { identity: Buffer; person: number }
  /** `one_time_tokens.email_sealed`, by the digest of the token. */
  | { token: Buffer; person: number };

/** An address as it is compared: two that differ in case are one. */
export function normalisedEmail(email: string): string {
  return email.trim().toLowerCase();
}

/** 32 bytes by which an address is found, and which say nothing without the key file. */
export function emailDigest(keys: Pick<KeyRing, 'digest'>, email: string): Buffer {
  return keys.digest('person-email', normalisedEmail(email));
}

export async function sealEmail(vault: Vault, holder: EmailHolder, email: string): Promise<Buffer> {
  return vault.seal(await placeOf(vault, holder), email.trim());
}

/** @throws VaultError destroyed when the key of its person is gone */
export async function openEmail(vault: Vault, holder: EmailHolder, sealed: Buffer): Promise<string> {
  return (await vault.open(await placeOf(vault, holder), sealed)).toString('utf8');
}

async function placeOf(vault: Vault, holder: EmailHolder): Promise<Place & { class: 'D7' }> {
  const ofDesk = { organisationId: 'desk', column: 'email_sealed', class: 'D7' } as const;
  if ('invitation' in holder)
    return { ...ofDesk, organisationId: holder.organisationId, table: 'invitations', row: holder.invitation };
  const subject = await vault.subject('desk', 'person', String(holder.person));
  if ('identity' in holder)
    return { ...ofDesk, table: 'identities', column: 'label_sealed', row: holder.identity.toString('hex'), subject };
  if ('token' in holder) return { ...ofDesk, table: 'one_time_tokens', row: holder.token.toString('hex'), subject };
  return { ...ofDesk, table: 'people', row: holder.person, subject };
}

/** What a page calls somebody: the name that they gave, else their address. Undefined for nobody. */
export async function shownName(
  vault: Vault,
  person: { id: number | null; name: string | null; email_sealed: Buffer | null },
): Promise<string | undefined> {
  if (person.name !== null && person.name !== '') return person.name;
  if (person.id === null || person.email_sealed === null) return undefined;
  return openEmail(vault, { person: person.id }, person.email_sealed);
}
