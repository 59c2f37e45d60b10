import type { Identity, Passkey, SignInWays } from '../../contract/identities.ts';

const dayMs = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * dayMs).toISOString();

/** Other ways to sign in, as the double answers them: some linked, some passkeys, nothing that can be made. */
export function answerIdentities(method: string, path: string): { status: number; body?: unknown } | undefined {
  if (path === '/api/sign-in/ways') return { status: 200, body: ways };
  if (path === '/api/account/identities') return { status: 200, body: { identities, providers: ways.providers } };
  if (path === '/api/account/passkeys' && method === 'GET') return { status: 200, body: { passkeys } };
  return undefined;
}

const ways: SignInWays = {
  providers: [
    { id: 'google', name: 'Google' },
    { id: 'github', name: 'GitHub' },
    { id: 'oidc', name: 'Cedar login' },
  ],
  passkeys: true,
};
const identities: Identity[] = [
  {
    ...{ id: 1, provider: 'google', provider_name: 'Google', label: 'owner@shop.example' },
    ...{ linked_at: ago(80), last_used_day: ago(1).slice(0, 10) },
  },
  {
    ...{ id: 2, provider: 'oidc', provider_name: 'Cedar login', label: 'a.very.long.name.of.somebody@shop.example' },
    ...{ linked_at: ago(3), last_used_day: null },
  },
];
const passkeys: Passkey[] = [
  { id: 1, name: 'Laptop', synced: false, created_at: ago(120), last_used_day: ago(0).slice(0, 10) },
  { id: 2, name: 'Phone', synced: true, created_at: ago(12), last_used_day: null },
];
