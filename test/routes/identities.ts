import type { Examples } from './example.ts';

/** This desk has no provider set up: that one does not exist is the answer to everybody. */
export const examples: Examples = () => {
  const credential = {
    id: 'AAAA',
    rawId: 'AAAA',
    type: 'public-key',
    response: { clientDataJSON: 'AAAA', attestationObject: 'AAAA', authenticatorData: 'AAAA', signature: 'AAAA' },
  };
  return {
    'GET /api/sign-in/ways': { path: () => '/api/sign-in/ways', status: 200 },
    'POST /api/sign-in/providers/:provider': {
      path: () => '/api/sign-in/providers/google',
      body: () => ({ next: '/s/shop.example/analytics' }),
      status: 404,
      badParams: [['/api/sign-in/providers/myspace', 'provider']],
      badValues: [
        ['next', 'https://evil.example/'],
        ['next', '//evil.example/'],
        ['next', '/\\evil.example'],
        ['invitation', 'no token'],
      ],
    },
    'POST /api/sign-in/providers/:provider/answers': {
      path: () => '/api/sign-in/providers/github/answers',
      body: () => ({ state: 'of nobody', code: 'of nobody' }),
      status: 404,
      badParams: [['/api/sign-in/providers/constructor/answers', 'provider']],
      badValues: [['state', 'x'.repeat(201)]],
    },
    'POST /api/sign-in/passkeys/options': { path: () => '/api/sign-in/passkeys/options', status: 201 },
    'POST /api/sign-in/passkeys': {
      path: () => '/api/sign-in/passkeys',
      body: () => ({ credential }),
      status: 403,
      badValues: [
        ['credential', { ...credential, id: 'not base64url!' }],
        ['credential', { ...credential, type: 'password' }],
      ],
    },
    // Nobody waits for a second step here.
    'POST /api/sessions/second-factor/passkey-options': {
      path: () => '/api/sessions/second-factor/passkey-options',
      status: 401,
    },
    'POST /api/sessions/second-factor/passkey': {
      path: () => '/api/sessions/second-factor/passkey',
      body: () => ({ credential }),
      status: 401,
    },
    'GET /api/account/identities': { own: true, path: () => '/api/account/identities', status: 200 },
    'POST /api/account/identity-links/:provider': {
      own: true,
      path: () => '/api/account/identity-links/oidc',
      body: () => ({ password: 'short' }),
      status: 404,
      badParams: [['/api/account/identity-links/myspace', 'provider']],
    },
    // A password that is none is refused before a hash is made: test/journeys/identities.test.ts goes further.
    'POST /api/account/identities/:id/removal': {
      own: true,
      path: () => '/api/account/identities/999999/removal',
      body: () => ({ password: 'short' }),
      status: 400,
      badParams: [['/api/account/identities/first/removal', 'id']],
    },
    'GET /api/account/passkeys': { own: true, path: () => '/api/account/passkeys', status: 200 },
    'POST /api/account/passkey-options': {
      own: true,
      path: () => '/api/account/passkey-options',
      body: () => ({ password: 'short' }),
      status: 400,
    },
    'POST /api/account/passkeys': {
      own: true,
      path: () => '/api/account/passkeys',
      body: () => ({ name: 'key', credential }),
      // Whatever this is, no authenticator made it.
      status: 400,
      badValues: [
        ['name', ' '],
        ['name', 'a\u0000b'],
        ['name', 'x'.repeat(61)],
      ],
    },
    'PATCH /api/account/passkeys/:id': {
      own: true,
      path: () => '/api/account/passkeys/999999',
      body: () => ({ name: 'other' }),
      status: 404,
      badParams: [['/api/account/passkeys/0', 'id']],
      badValues: [['name', '']],
    },
    'POST /api/account/passkeys/:id/removal': {
      own: true,
      path: () => '/api/account/passkeys/999999/removal',
      body: () => ({ password: 'short' }),
      status: 400,
      badParams: [['/api/account/passkeys/0/removal', 'id']],
    },
  };
};
