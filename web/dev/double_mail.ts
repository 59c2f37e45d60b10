import type { InboxLetter, MailSettings, NoticePreferences, Notifications, SentMail } from '../../contract/mail.ts';
import { drawLetter, type Letter } from '../../src/platform/mail/draw.ts';
import { letterPage } from '../../src/platform/mail/page.ts';
import type { Beholder } from './double_people.ts';

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

/**
 * Mail and notifications of a desk that has sent a while; of one that cannot send and has told nothing; or of very many.
 * @returns undefined for a call that is not about them
 */
export function openMail(beholder: Beholder) {
  const isNew = beholder === 'newcomer';
  const times = beholder === 'crowd' ? 8 : 1;
  const preferences = choices(!isNew);
  return (method: string, path: string, body: unknown): { status: number; body?: unknown } | undefined => {
    if (path === '/api/notification-preferences') {
      const { kinds = [], ...rest } = (body ?? {}) as Partial<NoticePreferences>;
      Object.assign(preferences, rest);
      for (const change of kinds)
        Object.assign(preferences.kinds.find((one) => one.kind === change.kind) ?? {}, change);
      return { status: 200, body: preferences };
    }
    if (path === '/api/notifications/readings') return { status: 200, body: { unread: 0, document: null } };
    if (path === '/api/mail/server' && method === 'DELETE') return { status: 204 };
    const found = answers[path]?.();
    if (found !== undefined) return { status: 200, body: isNew ? (nothing[path] ?? found) : many(found, times) };
    if (/^\/api\/dev\/inbox\/\d+$/.test(path)) return { status: 200, body: letter(Number(path.split('/').at(-1))) };
    if (path === '/api/mail/tests')
      return isNew
        ? { status: 201, body: { ok: false, answer: 'connect ECONNREFUSED', to: 'owner@shop.example' } }
        : { status: 201, body: { ok: true, answer: '250 2.0.0 Ok: queued as 4D2F1A', to: 'owner@shop.example' } };
    if (path === '/api/mail/releases') return { status: 200, body: { released: 12 } };
    return undefined;
  };
}

/** Each row of a list several times over, and more to come. */
function many(answer: object, times: number): object {
  if (times === 1) return answer;
  const entries = Object.entries(answer).map(([name, value]) => [
    name,
    Array.isArray(value)
      ? Array.from({ length: times }, (_, at) => value.map((one) => ({ ...one, id: one.id * times + at }))).flat()
      : name === 'next'
        ? 1
        : value,
  ]);
  return Object.fromEntries(entries);
}

const nothing: Record<string, object> = {
  '/api/mail/sent': { mail: [], next: null },
  '/api/mail/suppressions': { suppressions: [] },
  '/api/notifications/count': { unread: 0, document: null },
  '/api/notifications': { unread: 0, notifications: [], next: null },
  '/api/dev/inbox': { messages: [] },
  get '/api/mail/settings'() {
    return {
      ...settings,
      ...{ is_on: false, source: 'none', saved: null, trouble: null, kept: 12 },
      counts: { ...settings.counts, waiting: 0, sent: 0, failed: 0, not_sent_mail_off: 12 },
    };
  },
};

const answers: Record<string, () => object> = {
  '/api/mail/settings': () => settings,
  '/api/mail/server': () => settings,
  '/api/mail/sent': (): SentMail => ({
    mail: [
      row(6, 'new_device', 'service', 'sent', null, 12),
      row(5, 'notice_exports', 'alert', 'waiting', 'quiet_hours', 95),
      row(4, 'invitation', 'service', 'sent', null, 1_500),
      row(3, 'notice_imports', 'alert', 'unwanted', 'turned_off', 4_000),
      row(2, 'weekly_report', 'report', 'suppressed', 'unsubscribed', 9_000),
      row(1, 'reset', 'service', 'failed', 'gave_up_no_connection', 30_000),
    ],
    next: null,
  }),
  '/api/mail/suppressions': () => ({
    suppressions: [
      { id: 1, organisation: 'Cedar & Loom', kind: 'report', reason: 'unsubscribed', at: minutesAgo(9_500) },
      { id: 2, organisation: 'Cedar & Loom', kind: 'alert', reason: 'unsubscribed', at: minutesAgo(400) },
    ],
  }),
  '/api/notifications/count': () => ({
    unread: 2,
    document: {
      id: 5,
      sentence: 'Cedar & Loom has published version 2 of its privacy notice. It holds from 5 December 2026.',
      link: '/legal/cedar-loom/privacy-notice/2',
    },
  }),
  '/api/notifications': (): Notifications => ({
    unread: 2,
    notifications: [
      {
        ...{ id: 4, kind: 'security', link: '/account/sessions', organisation: null, at: minutesAgo(12), read: false },
        sentence:
          'You signed in with a new device: Firefox on Linux. If this was not you, end the session and set a new password.',
      },
      {
        ...{
          id: 3,
          kind: 'exports',
          link: '/s/shop.example/exports',
          organisation: 'Cedar & Loom',
          at: minutesAgo(95),
        },
        ...{ read: false, sentence: 'The export of shop.example is ready. Its file is kept for 7 days.' },
      },
      {
        ...{ id: 2, kind: 'organisation', link: null, organisation: 'Cedar & Loom', at: minutesAgo(1_500), read: true },
        sentence: 'ben@shop.example accepted your invitation to Cedar & Loom.',
      },
    ],
    next: null,
  }),
  '/api/dev/inbox': () => ({ messages: [2, 1].map(letter) }),
};

const choices = (isOn: boolean): NoticePreferences => ({
  mail_is_on: isOn,
  quiet: { from: '22:00', until: '07:00', timezone: 'Europe/Berlin' },
  kinds: (['security', 'documents', 'organisation', 'mail', 'exports', 'imports'] as const).map((kind) => ({
    kind,
    in_app: true,
    mail: kind !== 'imports',
    mail_fixed: kind === 'security' || kind === 'documents',
  })),
});

const settings: MailSettings = {
  is_on: true,
  source: 'app',
  environment: null,
  saved: {
    ...{ host: 'mail.desk.example', port: 587, tls: 'starttls', user: 'desk', has_password: true },
    ...{ from: 'Fairlead <desk@desk.example>', dkim: null, changed_at: minutesAgo(20_000) },
  },
  trouble: {
    at: minutesAgo(3),
    reason: 'sign_in_refused',
    words: '535 5.7.8 Error: authentication failed.',
  },
  counts: { waiting: 4, sent: 212, failed: 1, suppressed: 3, unwanted: 7, not_sent_mail_off: 0, inbox: 0 },
  kept: 0,
};

type Sent = SentMail['mail'][number];
function row(
  id: number,
  template: string,
  kind: Sent['kind'],
  state: Sent['state'],
  reason: string | null,
  minutes: number,
): Sent {
  const at = minutesAgo(minutes);
  return { id, template, kind, state, reason, to: 'owner@shop.example', at, decided_at: at };
}

function drawn(id: number): Letter {
  const isInvitation = id === 2;
  const button = isInvitation
    ? { label: 'Join Cedar & Loom', href: 'https://desk.example/invitation/…' }
    : { label: 'Confirm the address', href: 'https://desk.example/verify#token=…' };
  return drawLetter(
    {
      subject: isInvitation ? 'owner@shop.example invites you to Cedar & Loom' : 'Confirm your e-mail address',
      blocks: [
        {
          kind: 'text',
          text: isInvitation
            ? 'owner@shop.example invites you to Cedar & Loom, with the role analyst.'
            : 'Open this link to confirm that this address is yours.',
        },
        { kind: 'button', ...button },
        { kind: 'note', text: `It works once, for ${isInvitation ? 'seven days' : 'an hour'}.` },
      ],
    },
    {
      desk: 'desk.example',
      who: ['Operator of this desk · Harbour Works · 2 Pier, Port · Questions about data: data@works.example'],
      unsubscribe: undefined,
    },
  );
}

function letter(id: number): InboxLetter {
  const { subject, text } = drawn(id);
  return {
    ...{ id, to: 'ben@shop.example', subject, text, template: id === 2 ? 'invitation' : 'verification' },
    ...{ kind: 'service', at: minutesAgo(id === 2 ? 4 : 50), unsubscribe: null },
  };
}

/** A letter of the inbox as it looks, drawn as the desk draws it; undefined for any other path. */
export function letterHtml(path: string): string | undefined {
  const id = /^\/api\/dev\/inbox\/(\d+)\/html$/.exec(path)?.[1];
  return id === undefined ? undefined : letterPage(drawn(Number(id)));
}
