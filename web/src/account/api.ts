import type { ClosingPreview } from '../../../contract/account_closing.ts';
import type {
  Account,
  AccountSession,
  accountChange,
  begunAuthenticator,
  recoveryCodes,
  signInStep,
} from '../../../contract/people.ts';
import { call } from '../desk/api.ts';
import { paidCall } from '../sign_in/work.ts';

type Parsed<T extends { _zod: { output: unknown } }> = T['_zod']['output'];
type Sent<T extends { _zod: { input: unknown } }> = T['_zod']['input'];

export type { Account, AccountSession };
export type AccountChange = Sent<typeof accountChange>;
export type BegunAuthenticator = Parsed<typeof begunAuthenticator>;
export type SignInStep = Parsed<typeof signInStep>;
type Codes = Parsed<typeof recoveryCodes>;

/** What belongs to the person who reads, and the ways in that need no session. */
export const people = {
  account: () => call<Account>('GET', '/api/account'),
  change: (body: AccountChange) => call<Account>('PATCH', '/api/account', { body }),
  setAvatar: (bytes: Blob) => call<undefined>('PUT', '/api/account/avatar', { bytes }),
  removeAvatar: () => call<undefined>('DELETE', '/api/account/avatar'),
  askVerification: () => call<unknown>('POST', '/api/account/email-verification'),
  changeEmail: (body: { email: string; password: string }) => call<unknown>('POST', '/api/account/email', { body }),
  changePassword: (body: { current: string; password: string }) =>
    call<{ sessions_ended: number }>('PUT', '/api/account/password', { body }),
  beginAuthenticator: (password: string | undefined) =>
    call<BegunAuthenticator>('POST', '/api/account/authenticator', { body: proofOf(password) }),
  confirmAuthenticator: (code: string) =>
    call<Codes>('POST', '/api/account/authenticator/confirmation', { body: { code } }),
  renewCodes: (password: string | undefined, code: string) =>
    call<Codes>('POST', '/api/account/recovery-codes', { body: { ...proofOf(password), code } }),
  removeAuthenticator: (password: string | undefined, code: string) =>
    call<undefined>('POST', '/api/account/authenticator/removal', { body: { ...proofOf(password), code } }),
  closingPreview: () => call<ClosingPreview>('GET', '/api/account/closing'),
  archive: (password: string | undefined) => call<Blob>('POST', '/api/account/archive', { body: proofOf(password) }),
  closeAccount: (password: string | undefined) =>
    call<{ until: string }>('POST', '/api/account/closing', { body: proofOf(password) }),
  sessions: () =>
    call<{ sessions: AccountSession[] }>('GET', '/api/account/sessions').then((answer) => answer.sessions),
  endSession: (id: string) => call<undefined>('DELETE', `/api/account/sessions/${encodeURIComponent(id)}`),
  endOtherSessions: () => call<{ sessions_ended: number }>('DELETE', '/api/account/sessions'),
  secondStep: () => call<SignInStep>('GET', '/api/sessions/second-factor', { quiet: true }),
  takeSecondStep: (code: string) => paidCall<SignInStep>('POST', '/api/sessions/second-factor', { code }),
  askReset: (email: string) => call<unknown>('POST', '/api/password-resets', { body: { email }, quiet: true }),
  reset: (body: { token: string; password: string }) => paidCall<undefined>('PUT', '/api/password-resets', body),
  confirmEmail: (token: string) => paidCall<{ changed: boolean }>('POST', '/api/email-verifications', { token }),
};

/** Somebody who signs in by another way has no password to give. */
function proofOf(password: string | undefined): { password?: string } {
  return password === undefined || password === '' ? {} : { password };
}
