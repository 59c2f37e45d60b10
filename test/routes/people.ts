import type { Examples } from './example.ts';

/**
 * Signing in, and what belongs to the person who asks. Where an example would cost a password hash for each of eleven
 * roles, or end the session that the next calls need, it is one that is refused before that: what the calls do is
 * shown by src/accounts/people/people.test.ts.
 */
export const examples: Examples = (desk) => ({
  // Nobody here waits for a second step.
  'GET /api/sessions/second-factor': { path: () => '/api/sessions/second-factor', status: 401 },
  'POST /api/sessions/second-factor': {
    path: () => '/api/sessions/second-factor',
    body: () => ({ code: '000000' }),
    status: 401,
  },
  'POST /api/password-resets': {
    path: () => '/api/password-resets',
    // Another address each time: three mails in an hour are enough for one.
    body: () => ({ email: `nobody-${desk.next()}@shop.example` }),
    status: 202,
    badValues: [['email', 'nobody']],
  },
  'PUT /api/password-resets': {
    path: () => '/api/password-resets',
    body: () => ({ token: 'x'.repeat(43), password: 'a harbour of quiet rope' }),
    status: 410,
    badValues: [['password', 'short']],
  },
  'POST /api/email-verifications': {
    path: () => '/api/email-verifications',
    body: () => ({ token: 'x'.repeat(43) }),
    status: 410,
  },
  'GET /api/account': { own: true, path: () => '/api/account', status: 200 },
  'PATCH /api/account': {
    own: true,
    path: () => '/api/account',
    body: () => ({ name: 'Ada' }),
    status: 200,
    badValues: [
      ['name', 'x'.repeat(121)],
      ['name', 'a\u0000b'],
      ['username', 'ab'],
      ['username', 'a@b.example'],
      ['username', 'two words'],
      ['timezone', 'Mars/Olympus'],
      ['locale', 'not a language'],
    ],
  },
  // It comes without a byte.
  'PUT /api/account/avatar': { own: true, path: () => '/api/account/avatar', status: 400 },
  'DELETE /api/account/avatar': { own: true, path: () => '/api/account/avatar', status: 204 },
  'GET /api/people/:id/avatar': {
    own: true,
    path: () => '/api/people/1/avatar',
    // Nobody here has one; who may see one is shown elsewhere.
    status: 404,
    badParams: [
      ['/api/people/me/avatar', 'id'],
      ['/api/people/0/avatar', 'id'],
    ],
  },
  'POST /api/account/email-verification': { own: true, path: () => '/api/account/email-verification', status: 202 },
  'POST /api/account/email': {
    own: true,
    path: () => '/api/account/email',
    body: () => ({ email: 'ada@shop.example', password: 'short' }),
    status: 400,
    badValues: [['email', 'nobody']],
  },
  'PUT /api/account/password': {
    own: true,
    path: () => '/api/account/password',
    body: () => ({ current: 'a harbour of quiet rope', password: 'password12345' }),
    status: 400,
    badValues: [['password', 'short']],
  },
  'POST /api/account/authenticator': {
    own: true,
    path: () => '/api/account/authenticator',
    body: () => ({ password: 'short' }),
    status: 400,
  },
  'POST /api/account/authenticator/confirmation': {
    own: true,
    path: () => '/api/account/authenticator/confirmation',
    body: () => ({ code: '000000' }),
    status: 400,
    badValues: [['code', '1']],
  },
  'POST /api/account/recovery-codes': {
    own: true,
    path: () => '/api/account/recovery-codes',
    body: () => ({ password: 'short', code: '000000' }),
    status: 400,
  },
  'POST /api/account/authenticator/removal': {
    own: true,
    path: () => '/api/account/authenticator/removal',
    body: () => ({ password: 'short', code: '000000' }),
    status: 400,
  },
  'POST /api/account/archive': {
    own: true,
    path: () => '/api/account/archive',
    body: () => ({ password: 'short' }),
    status: 400,
  },
  'GET /api/account/closing': { own: true, path: () => '/api/account/closing', status: 200 },
  'POST /api/account/closing': {
    own: true,
    path: () => '/api/account/closing',
    body: () => ({ password: 'short' }),
    status: 400,
  },
  'GET /api/account/sessions': { own: true, path: () => '/api/account/sessions', status: 200 },
  'DELETE /api/account/sessions': { own: true, path: () => '/api/account/sessions', status: 200 },
  'DELETE /api/account/sessions/:id': {
    own: true,
    path: () => '/api/account/sessions/00000000-0000-4000-8000-000000000000',
    status: 404,
    badParams: [['/api/account/sessions/first', 'id']],
  },
  'GET /api/organisations/:organisation/second-factor': {
    path: () => `/api/organisations/${desk.organisation()}/second-factor`,
    status: 200,
  },
  'PUT /api/organisations/:organisation/second-factor': {
    path: () => `/api/organisations/${desk.organisation()}/second-factor`,
    body: () => ({ required: 'managers' }),
    status: 200,
    badValues: [['required', 'some']],
  },
});
