import type {
  Identity,
  IdentityList,
  Passkey,
  ProviderId,
  ProviderOutcome,
  SignInWays,
} from '../../../contract/identities.ts';
import { call } from './api.ts';

export type { Identity, IdentityList, Passkey, ProviderId, ProviderOutcome, SignInWays };

/** Calls about other ways to sign in. Those that come before a session expect a 401 and say nothing of its end. */
export const identitiesApi = {
  ways: () => call<SignInWays>('GET', '/api/sign-in/ways', { quiet: true }),
  begin: (provider: ProviderId, next: string, invitation?: string) =>
    call<{ url: string }>('POST', `/api/sign-in/providers/${provider}`, {
      body: invitation === undefined ? { next } : { next, invitation },
      quiet: true,
    }),
  answer: (provider: ProviderId, body: Record<string, string>) =>
    call<ProviderOutcome>('POST', `/api/sign-in/providers/${provider}/answers`, { body, quiet: true }),
  passkeyOptions: () =>
    call<{ options: PublicKeyCredentialRequestOptionsJSON }>('POST', '/api/sign-in/passkeys/options', { quiet: true }),
  usePasskey: (credential: unknown) =>
    call<ProviderOutcome>('POST', '/api/sign-in/passkeys', { body: { credential }, quiet: true }),
  secondStepOptions: () =>
    call<{ options: PublicKeyCredentialRequestOptionsJSON }>('POST', '/api/sessions/second-factor/passkey-options', {
      quiet: true,
    }),
  takeSecondStep: (credential: unknown) =>
    call<unknown>('POST', '/api/sessions/second-factor/passkey', { body: { credential }, quiet: true }),

  list: () => call<IdentityList>('GET', '/api/account/identities'),
  link: (provider: ProviderId, password: string | undefined) =>
    call<{ url: string }>('POST', `/api/account/identity-links/${provider}`, { body: { password } }),
  unlink: (id: number, password: string | undefined) =>
    call<undefined>('POST', `/api/account/identities/${id}/removal`, { body: { password } }),
  passkeys: () => call<{ passkeys: Passkey[] }>('GET', '/api/account/passkeys').then(({ passkeys }) => passkeys),
  newPasskeyOptions: (password: string | undefined) =>
    call<{ options: PublicKeyCredentialCreationOptionsJSON }>('POST', '/api/account/passkey-options', {
      body: { password },
    }),
  addPasskey: (name: string, credential: unknown) =>
    call<Passkey>('POST', '/api/account/passkeys', { body: { name, credential } }),
  renamePasskey: (id: number, name: string) =>
    call<Passkey>('PATCH', `/api/account/passkeys/${id}`, { body: { name } }),
  removePasskey: (id: number, password: string | undefined) =>
    call<undefined>('POST', `/api/account/passkeys/${id}/removal`, { body: { password } }),
};
