import type { Identity, Passkey, SignInWays } from '../../contract/identities.ts';
import { type Beholder, refusal, wrongPassword } from './double_people.ts';

const dayMs = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * dayMs).toISOString();

/** Other ways to sign in, as the double answers them: some linked, some passkeys, nothing that can be made. */
export function openIdentities(beholder: Beholder) {
  const isNew = beholder === 'newcomer';
  const many = beholder === 'crowd' ? 10 : 1;
  let linked = isNew ? [] : identities.flatMap((one) => repeated(one, many / 2 + 0.5));
  let keys = isNew ? [] : passkeys.flatMap((one) => repeated(one, many));
  return (method: string, path: string, body: unknown): { status: number; body?: unknown } | undefined => {
    const id = Number(
      path
        .replace(/\/removal$/, '')
        .split('/')
        .at(-1),
    );
    const asked = (body ?? {}) as Record<string, string>;
    const isProof = method === 'POST' && /^\/api\/account\/(identities|passkeys)/.test(path);
    if (isProof && path !== '/api/account/passkeys' && asked.password !== 'correct horse battery') return wrongPassword;
    if (path === '/api/sign-in/ways') return { status: 200, body: isNew ? { providers: [], passkeys: false } : ways };
    if (path === '/api/account/identities')
      return { status: 200, body: { identities: linked, providers: isNew ? [] : ways.providers } };
    if (path.startsWith('/api/account/identities/')) {
      linked = linked.filter((one) => one.id !== id);
      return { status: 204 };
    }
    if (path === '/api/account/passkeys' && method === 'GET') return { status: 200, body: { passkeys: keys } };
    if (path.startsWith('/api/account/passkeys/')) {
      const found = keys.find((one) => one.id === id);
      if (method === 'POST') keys = keys.filter((one) => one.id !== id);
      return method === 'POST' ? { status: 204 } : { status: 200, body: Object.assign(found ?? {}, body) };
    }
    if (/^\/api\/sign-in\/providers\/\w+\/answers$/.test(path))
      return refusal(
        401,
        'wrong_credentials',
        'This sign-in was begun too long ago, or in another browser. Begin it again from the page for signing in.',
      );
    return undefined;
  };
}

function repeated<T extends { id: number }>(one: T, times: number): T[] {
  return Array.from({ length: times }, (_, at) => ({ ...one, id: one.id + at * 2 }));
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
