import { encode } from 'uqr';
import type { ClosingPreview } from '../../contract/account_closing.ts';
import type { Account, AccountSession } from '../../contract/people.ts';

/**
 * Whose eyes see the pages: somebody with a bit of everything, with nothing yet, with very much of it under long names,
 * with a role that may do little, on a desk whose account and organisation pages fail, or on one that is slow to answer.
 */
export type Beholder = 'signed-in' | 'newcomer' | 'crowd' | 'viewer' | 'unlucky' | 'patient';
export const beholders: readonly Beholder[] = ['signed-in', 'newcomer', 'crowd', 'viewer', 'unlucky', 'patient'];

interface Answered {
  status: number;
  body?: unknown;
}
export const longName = 'Wilhelmina Katharina von Hohenstein-Oldenburg zu Altenkirchen';

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
export const refusal = (status: number, code: string, message: string, field?: string): Answered => ({
  status,
  body: { error: { code, message, ...(field === undefined ? {} : { field }), request_id: '7f3a-21' } },
});

/** Answers about accounts and organisations alone: the overview of a site has its own sites for faults and slowness. */
export const isOfPeople = (path: string) =>
  /^\/api\/(account|organisations|keys|mail|notification|dev\/)/.test(path) && path !== '/api/notifications/count';

/** The account of who looks, its sessions, and the ways in that need none. @returns undefined for any other call */
export function openPeople(beholder: Beholder, session: () => unknown) {
  const isNew = beholder === 'newcomer';
  const isCrowd = beholder === 'crowd';
  const account: Account = {
    ...{ id: 1, email: 'owner@shop.example', email_verified: !isNew, new_email: isCrowd ? 'w.h@shop.example' : null },
    ...{ name: isNew ? '' : isCrowd ? longName : 'Ada Holm', username: isNew ? null : 'ada' },
    ...{ avatar: isCrowd ? '/api/people/1/avatar?of=1' : null, timezone: isNew ? null : 'Europe/Berlin' },
    ...{ locale: isNew ? null : 'en-GB', has_password: true, password_changed_at: minutesAgo(60 * 24 * 80) },
    ...{
      authenticator_since: isNew ? null : minutesAgo(60 * 24 * 40),
      recovery_codes_left: isCrowd ? 1 : isNew ? 0 : 8,
    },
    mail_is_on: !isNew,
  };
  let sessions: AccountSession[] = [
    one('a', 'Firefox on Linux', 'DE, Berlin', ['password', 'code'], 60 * 24 * 3, 0, true),
    ...(isNew
      ? []
      : [
          one('b', 'Safari on iOS', 'DE, Potsdam', ['passkey'], 60 * 24 * 12, 42),
          one('c', 'Chrome on Windows', '', ['google', 'recovery-code'], 60 * 24 * 29, 60 * 24 * 9),
        ]),
    ...Array.from({ length: isCrowd ? 30 : 0 }, (_, at) =>
      one(
        `m${at}`,
        'Samsung Internet on Android',
        'GB, Llanfairpwllgwyngyll',
        ['password'],
        60 * 24 * (at + 1),
        60 * (at + 2),
      ),
    ),
  ];
  const recoveryCodes = [
    'f3k9-2mqx',
    '8wz7-rt4p',
    'h6vn-c9sd',
    'm2xb-7jkf',
    'q8ld-5gwy',
    't4pz-n3rh',
    'v9cs-6bmk',
    'x7jf-w2dq',
  ];

  return (method: string, path: string, body: unknown): Answered | undefined => {
    const asked = (body ?? {}) as Record<string, string>;
    if (path === '/api/account') {
      if (method === 'PATCH') {
        if (asked.username === 'taken')
          return refusal(409, 'conflict', 'Somebody on this desk has this username. Choose another.', 'username');
        Object.assign(account, body);
      }
      return { status: 200, body: account };
    }
    if (path === '/api/account/avatar') {
      account.avatar = method === 'PUT' ? '/api/people/1/avatar?of=2' : null;
      return { status: 204 };
    }
    if (path === '/api/account/email-verification') return { status: 202, body: {} };
    if (path === '/api/account/email') {
      if (asked.password !== 'correct horse battery') return wrongPassword;
      account.new_email = asked.email ?? null;
      return { status: 202, body: {} };
    }
    if (path === '/api/account/password')
      return asked.current === 'correct horse battery'
        ? { status: 200, body: { sessions_ended: 2 } }
        : refusal(400, 'invalid_field', 'This is not your current password.', 'current');
    if (path === '/api/account/authenticator') {
      if (asked.password !== 'correct horse battery') return wrongPassword;
      const uri =
        'otpauth://totp/Fairlead:owner%40shop.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Fairlead';
      const squares = encode(uri, { border: 0 }).data.map((row) => row.map((dark) => (dark ? '1' : '0')).join(''));
      return { status: 200, body: { secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', uri, squares } };
    }
    if (path === '/api/account/authenticator/confirmation' || path === '/api/account/recovery-codes') {
      if (asked.code !== '123456') return wrongCode;
      Object.assign(account, { authenticator_since: minutesAgo(0), recovery_codes_left: recoveryCodes.length });
      return { status: 200, body: { recovery_codes: recoveryCodes } };
    }
    if (path === '/api/account/authenticator/removal') {
      if (asked.code !== '123456') return wrongCode;
      Object.assign(account, { authenticator_since: null, recovery_codes_left: 0 });
      return { status: 204 };
    }
    if (path === '/api/account/archive')
      return asked.password === 'correct horse battery' ? { status: 200, body: {} } : wrongPassword;
    if (path === '/api/account/closing')
      return method === 'GET'
        ? { status: 200, body: closingOf(beholder) }
        : asked.password === 'correct horse battery'
          ? { status: 200, body: { until: minutesAgo(-60 * 24 * 30) } }
          : wrongPassword;
    if (path === '/api/account/sessions') {
      if (method === 'GET') return { status: 200, body: { sessions } };
      const ended = sessions.length - 1;
      sessions = sessions.filter((each) => each.is_current);
      return { status: 200, body: { sessions_ended: ended } };
    }
    if (path.startsWith('/api/account/sessions/')) {
      sessions = sessions.filter((each) => each.id !== path.split('/').at(-1));
      return { status: 204 };
    }
    if (path === '/api/sessions/second-factor')
      return method === 'GET'
        ? { status: 200, body: { second_factor: ['code', 'passkey'] } }
        : asked.code === '123456'
          ? { status: 201, body: session() }
          : wrongCode;
    if (path === '/api/password-resets')
      return method === 'POST' ? { status: 202, body: {} } : asked.token === 'old' ? oldLink : { status: 204 };
    if (path === '/api/email-verifications')
      return asked.token === 'old' ? oldLink : { status: 200, body: { changed: true } };
    return undefined;
  };

  function one(
    id: string,
    device: string,
    place: string,
    methods: string[],
    since: number,
    used: number,
    is_current = false,
  ): AccountSession {
    return { id, device, place, methods, started_at: minutesAgo(since), last_used_at: minutesAgo(used), is_current };
  }
}

/** Whoever works alone has to hand the organisation on first. */
function closingOf(beholder: Beholder): ClosingPreview {
  const isNew = beholder === 'newcomer';
  const many = beholder === 'crowd' ? 8 : 1;
  return {
    days: 30,
    blocked_by: isNew ? [{ name: 'Cedar & Loom', slug: 'cedar-loom' }] : [],
    organisations: Array.from({ length: many }, (_, at) => ({
      ...{
        name: at === 0 ? 'Cedar & Loom' : `Agency customer with a long name ${at}`,
        slug: 'cedar-loom',
        role: 'owner',
      },
    })),
    api_keys: Array.from({ length: many }, (_, at) => ({ name: `Till ${at + 1}`, organisation: 'Cedar & Loom' })),
    reports: many * 2,
  };
}

export const wrongPassword = refusal(400, 'invalid_field', 'This is not your current password.', 'password');
const wrongCode = refusal(
  400,
  'invalid_field',
  'This code is not the one of now, or was used already. Wait for the next one, and check the clock of the device.',
  'code',
);
const oldLink = refusal(410, 'link_expired', 'This link was used, or is older than an hour. Ask for a new one.');
