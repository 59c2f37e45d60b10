import type { DocumentKind } from '../../../contract/sign_up.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Legal } from '../legal/index.ts';
import { documentNames } from '../legal/words.ts';
import type { Invitations } from '../organisations/index.ts';
import type { SignUpInvitations } from './invitations.ts';
import { maySignUp, type SignUpSettings } from './settings.ts';

/** An invitation that somebody follows who has no account yet. */
export interface Followed {
  /** To an organisation that exists, or to make one. */
  kind: 'organisation' | 'desk';
  digest: Buffer;
  email: string;
}

/** Who may make an account here? The one answer, asked before anything is sent and again before anything is made. */
export interface Admission {
  follow(token: string): Promise<Followed | undefined>;
  followDigest(digest: Buffer): Promise<Followed | undefined>;
  /** Why this address may not; undefined when it may. */
  problemOf(email: string, followed: Followed | undefined): Promise<RequestError | undefined>;
}

export function openAdmission(parts: {
  settings: SignUpSettings;
  invitations: Invitations;
  own: SignUpInvitations;
  legal: Pick<Legal, 'missing'>;
}): Admission {
  const { settings, invitations, own, legal } = parts;

  async function followDigest(digest: Buffer): Promise<Followed | undefined> {
    const email = await own.addressOf(digest);
    if (email !== undefined) return { kind: 'desk', digest, email };
    const found = await invitations.findByDigest(digest);
    return found === undefined ? undefined : { kind: 'organisation', digest, email: found.email };
  }

  return {
    followDigest,
    async follow(token) {
      return (await followDigest(own.digestOf(token))) ?? (await followDigest(invitations.digestOf(token)));
    },
    async problemOf(email, followed) {
      if (followed !== undefined && followed.email.toLowerCase() !== email.toLowerCase())
        return new RequestError(
          'other_address',
          'This invitation is for another address. Sign up with the address that it was sent to, or ask for one of your own.',
        );
      // An organisation lets in whom it invites, whoever may sign up by themselves.
      if (followed?.kind === 'organisation') return undefined;
      const setting = await settings.read();
      if (setting.mode === 'off')
        return closed('Nobody can sign up here by themselves. Ask an owner of an organisation for an invitation.');
      if (followed !== undefined || maySignUp(setting, email)) {
        const missing = await legal.missing();
        return missing.length === 0 ? undefined : closed(lackOf(missing));
      }
      return setting.mode === 'domains'
        ? closed(
            'Addresses of this domain cannot sign up here. Use the address of your work, or ask for an invitation.',
          )
        : closed(
            'Signing up here needs an invitation. Open the link of its mail, or ask whoever runs this desk for one.',
          );
    },
  };
}

/** Shut and not half open: who cannot accept all that has to be accepted makes no account. */
export function lackOf(missing: readonly DocumentKind[]): string {
  const names = missing.map((kind) => documentNames[kind].toLowerCase()).join(', ');
  return `Nobody can sign up yet: this desk has published no ${names}. Whoever runs it does that under This desk, Sign-up.`;
}

export function closed(message: string): RequestError {
  return new RequestError('sign_up_closed', message);
}
