import type { ErrorCode } from '../../../contract/errors.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Refusal } from './provider.ts';

/** What each refusal says: the fact, and the next step. `%` is the provider's name. */
const sentences: Record<Refusal, readonly [code: ErrorCode, sentence: string]> = {
  step_unknown: ['sign_in_refused', 'This desk did not begin this sign-in. Begin again from the sign-in page.'],
  step_used: ['sign_in_refused', 'This sign-in was finished before, and counts once. Begin again.'],
  step_expired: ['sign_in_refused', 'More than the time allowed passed since this sign-in began. Begin again.'],
  step_elsewhere: [
    'sign_in_refused',
    'This sign-in was begun in another browser, or another tab began one later. Begin again here.',
  ],
  wrong_provider: [
    'sign_in_refused',
    'The answer came from another provider than the one that was asked. Nobody was signed in. Begin again.',
  ],
  wrong_issuer: [
    'sign_in_refused',
    'The answer names another issuer than %. Nobody was signed in. Tell who runs this desk.',
  ],
  cancelled: ['sign_in_refused', '% says that signing in was cancelled. Begin again, or sign in with your password.'],
  provider_refused: [
    'sign_in_refused',
    '% refused to confirm this sign-in. Begin again; if it stays so, its client id, secret or redirect address is wrong.',
  ],
  provider_away: [
    'provider_unavailable',
    '% does not answer at the moment. Try again in a minute, or sign in with your password.',
  ],
  provider_broken: [
    'provider_unavailable',
    'The answer of % cannot be read. Try again in a minute, or sign in with your password.',
  ],
  token_invalid: [
    'sign_in_refused',
    'The answer is not signed by %. Nobody was signed in. Begin again; if it stays so, tell who runs this desk.',
  ],
  token_expired: [
    'sign_in_refused',
    'The answer of % is too old, or from the future. Begin again; if it stays so, the clock of this desk is wrong.',
  ],
  wrong_audience: [
    'sign_in_refused',
    'The answer of % is meant for another program. Nobody was signed in. Tell who runs this desk.',
  ],
  wrong_nonce: ['sign_in_refused', 'The answer of % belongs to another sign-in. Nobody was signed in. Begin again.'],
  email_unverified: [
    'sign_in_refused',
    '% has not verified an e-mail address of yours. Verify it there, then begin again.',
  ],
  not_linked: [
    'identity_not_linked',
    'Somebody here has this address, and has not linked this account of %. Sign in with your password, then link it under Account, Security.',
  ],
  nobody: [
    'identity_not_linked',
    'Nobody here is linked with this account of %. Ask an owner for an invitation, or sign in with your password and link it under Account, Security.',
  ],
  other_address: [
    'other_address',
    'This invitation is for another address than that of your account of %. Open the link again and take another account, or choose a password.',
  ],
  linked_elsewhere: [
    'conflict',
    'This account of % is linked with another person here. Unlink it there first, or take another account.',
  ],
  passkey_unknown: [
    'sign_in_refused',
    'This passkey is not known here, or was removed. Sign in with your password, then make a new one.',
  ],
  passkey_invalid: ['sign_in_refused', 'The passkey did not prove who signs in. Try again.'],
  passkey_copied: [
    'sign_in_refused',
    'This passkey counts fewer uses than before, as a copy would. Sign in with your password, then remove it and make a new one.',
  ],
};

export function refuse(reason: Refusal, providerName = ''): RequestError {
  const [code, sentence] = sentences[reason];
  return new RequestError(code, sentence.replaceAll('%', providerName), { why: reason });
}
