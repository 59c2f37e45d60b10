import type {
  Agreement,
  Agreements,
  DocumentKind,
  LegalDocument,
  newDocument,
  newSignUp,
  PublishedDocument,
  SignUpInvitation,
  SignUpReading,
  SignUpSettings,
  SignUpState,
  signUpCompletion,
  signUpSetting,
} from '../../../contract/sign_up.ts';
import { call } from '../desk/api.ts';
import { paidCall } from '../sign_in/work.ts';

type Sent<T extends { _zod: { input: unknown } }> = T['_zod']['input'];

export type { Agreement, Agreements, DocumentKind, LegalDocument, PublishedDocument, SignUpReading, SignUpSettings };
export type NewDocument = Sent<typeof newDocument>;
interface SignedUp {
  slug: string;
  is_new: boolean;
}

/** Making an account, and what people agree to. Those that come before a session expect a 401 and say nothing of its end. */
export const signUpApi = {
  state: () => call<SignUpState>('GET', '/api/sign-up', { quiet: true }),
  ask: (body: Sent<typeof newSignUp>) => call<unknown>('POST', '/api/sign-ups', { body, quiet: true }),
  confirm: (body: { token: string; password: string }) =>
    paidCall<SignedUp>('POST', '/api/sign-ups/confirmations', body),
  read: (token: string) => paidCall<SignUpReading>('POST', '/api/sign-ups/readings', { token }),
  complete: (body: Sent<typeof signUpCompletion>) => paidCall<SignedUp>('POST', '/api/sign-ups/completions', body),

  agreements: () => call<Agreements>('GET', '/api/account/agreements'),
  accept: (accepted: Agreement['accepted']) =>
    call<Agreements>('POST', '/api/account/agreements', { body: { accepted } }),

  settings: () => call<SignUpSettings>('GET', '/api/desk/sign-up'),
  set: (body: Sent<typeof signUpSetting>) => call<SignUpSettings>('PUT', '/api/desk/sign-up', { body }),
  invite: (email: string) => call<SignUpInvitation>('POST', '/api/desk/sign-up/invitations', { body: { email } }),
  revoke: (id: number) => call<undefined>('DELETE', `/api/desk/sign-up/invitations/${id}`),
  documents: () =>
    call<{ documents: PublishedDocument[] }>('GET', '/api/desk/legal-documents').then(({ documents }) => documents),
  withdraw: ({ kind, version }: Pick<LegalDocument, 'kind' | 'version'>, reason: string) =>
    call<PublishedDocument>('POST', `/api/desk/legal-documents/${kind}/${version}/withdrawals`, { body: { reason } }),
  publish: (body: NewDocument) => call<PublishedDocument>('POST', '/api/desk/legal-documents', { body }),
};
