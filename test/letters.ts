import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type NoticeKind, noticeKinds } from '../contract/mail.ts';
import { noticeList } from '../src/accounts/mail/notice_list.ts';
import type { ReportContent } from '../src/analytics/reports/content.ts';
import type { ReportLetter } from '../src/analytics/reports/letter.ts';
import type { MailTemplate } from '../src/platform/mail/index.ts';

const source = join(import.meta.dirname, '../src');

/** Every template of mail that some file of the desk exports, by itself or in a list. */
export async function everyTemplate(): Promise<MailTemplate<never>[]> {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.startsWith('platform'))
    .filter((path) => /\bMailTemplate\b/.test(readFileSync(join(source, path), 'utf8')));
  const modules = await Promise.all(files.map((path) => import(join(source, path)) as Promise<object>));
  const isTemplate = (one: unknown): one is MailTemplate<never> =>
    typeof one === 'object' && one !== null && 'write' in one && 'kind' in one && 'name' in one;
  return modules
    .flatMap((module) => Object.values(module))
    .flatMap((value) =>
      isTemplate(value) ? [value] : typeof value === 'object' && value !== null ? Object.values(value) : [],
    )
    .filter(isTemplate);
}

/** Values as the desk has them, for each template of mail: what `scripts/letters.ts` pictures and a test draws. */
const at = (path: string) => `https://desk.example${path}`;
const done = {
  when: '28 November 2026, 14:05 (Europe/Berlin)',
  device: 'Firefox on Linux',
  reset: at('/reset'),
};
const way = { way: 'Google (ada@shop.example)', link: at('/account/security') };
const key = { way: 'Blue key', link: at('/account/security') };
const token = `#token=${'aB3-dE5_gH7'.repeat(4)}`;

const letterhead = { organisation: 'Cedar & Loom' };

export const letters: Record<string, readonly unknown[]> = {
  request_proof: [
    {
      organisation: 'Cedar & Loom',
      ask: 'Erase what you store about me',
      agent: '',
      link: at('/request/cedar-loom/confirm/aB3-dE5'),
    },
    {
      ...{ organisation: 'Cedar & Loom', ask: 'Erase what you store about me', agent: 'An agency' },
      link: at('/request/cedar-loom/confirm/aB3-dE5'),
    },
  ],
  request_archive: [
    { organisation: 'Cedar & Loom', until: '2026-12-12', link: at('/request/cedar-loom/archive/aB3-dE5') },
  ],
  request_answer: [
    {
      ...{
        ...letterhead,
        authority: 'the Data Protection Commission, Dublin',
        isRefused: false,
        received_on: '2026-11-29',
      },
      ...{ ask: 'Erase what you store about me', outcome: 'What was stored about you has been erased.' },
    },
    {
      ...{ ...letterhead, authority: null, isRefused: true, received_on: '2026-11-29' },
      ...{
        ask: 'Erase what you store about me',
        outcome: 'A claim is before the court; until it is decided we keep the contract.',
      },
    },
  ],
  request_extended: [
    {
      ...{ ...letterhead, authority: null, received_on: '2026-11-29', until: '2027-01-29' },
      ...{ ask: 'Give me a copy of what you store about me', reason: 'Three archives have to be searched.' },
    },
  ],
  restriction_ends: (['restriction', 'objection'] as const).map((kind) => ({
    ...{ organisation: 'Cedar & Loom', kind, why: 'Both of us have agreed on what is right.', on: '2026-12-12' },
  })),
  site_emptied: [{ site: 'shop.example', events: 1_284_310, link: at('/s/shop.example/settings/life') }],
  site_deleting: [
    { site: 'shop.example', by: 'Ada Ashford', day: '5 December 2026', link: at('/s/shop.example/settings/life') },
  ],
  site_deletion_taken_back: [{ site: 'shop.example', by: 'Ada Ashford' }],
  site_deleted: [{ site: 'shop.example', events: 1_284_310 }],
  site_offered: [
    { site: 'shop.example', organisation: 'Cedar & Loom', by: 'Ada Ashford', link: at('/o/harbour-agency/sites') },
  ],
  site_moved: [true, false].map((isTaker) => ({
    ...{ site: 'shop.example', from: 'Cedar & Loom', to: 'Harbour agency', isTaker },
  })),
  site_move_refused: [{ site: 'shop.example' }],
  invitation: [
    {
      organisation: 'Cedar & Loom',
      by: 'Ada Ashford',
      role: 'analyst',
      link: at(`/invitation/${'kV9'.repeat(14)}`),
      days: 7,
    },
  ],
  account_made: [
    {
      ...{ organisation: 'Cedar & Loom', confirm: at(`/verify${token}`), takeBack: at(`/reset${token}`) },
      ...done,
    },
  ],
  role_changed: [{ organisation: 'Cedar & Loom', by: 'Ada Ashford', from: 'viewer', to: 'analyst', link: at('/') }],
  membership_ended: [
    { organisation: 'Cedar & Loom', by: 'Ada Ashford' },
    { organisation: 'Cedar & Loom', by: null },
  ],
  ownership_offered: [{ organisation: 'Cedar & Loom', by: 'Ada Ashford', link: at('/o/cedar-loom/settings'), days: 7 }],
  ownership_transferred: [{ organisation: 'Cedar & Loom', from: 'Ada Ashford', to: 'ben@shop.example' }],
  status_changed: [
    {
      name: 'Cedar & Loom',
      what: 'organisation',
      status: 'suspended',
      reason: 'The last invoice was not paid.',
      until: null,
    },
    { name: 'ada@shop.example', what: 'account', status: 'active', reason: null, until: null },
    { name: 'ada@shop.example', what: 'account', status: 'closing', reason: null, until: '2026-12-28' },
    { name: 'Cedar & Loom', what: 'organisation', status: 'closing', reason: null, until: '2026-12-28' },
  ],
  identity_linked: [way],
  identity_unlinked: [way],
  passkey_added: [key],
  passkey_removed: [key],
  passkey_refused: [key],
  verification: [{ href: at(`/verify${token}`) }],
  email_change: [{ href: at(`/verify${token}`) }],
  email_changed: [{ ...done, email: 'ada@new.example' }],
  reset: [{ href: at(`/reset${token}`) }],
  password_changed: [done],
  new_device: [{ ...done, place: 'Berlin, Germany' }],
  session_copied: [done],
  closing_taken_back: [done],
  account_closed: [{ asked: true }, { asked: false }],
  second_factor_changed: [{ ...done, what: 'An authenticator was set up for your account.' }],
  sign_up: [{ organisation: 'Cedar & Loom', link: at(`/sign-up${token}`) }],
  sign_up_existing: [{ signIn: at('/sign-in'), reset: at('/reset') }],
  sign_up_invitation: [{ desk: 'desk.example', link: at(`/sign-up${token}`) }],
  check_red: [
    {
      checks: [
        {
          what: 'row security',
          fact: 'goals has no forced row security: ENABLE and FORCE it, or give a reason in ownerless.',
          todo: 'Run fairlead migrate.',
        },
      ],
      ...{ organisation: 'Cedar & Loom', link: at('/o/cedar-loom/trust/proof') },
    },
  ],
  security_alert: [{ kind: 'brute_force', organisation: 'Cedar & Loom', link: at('/o/cedar-loom/trust/audit') }],
  ...Object.fromEntries(noticeKinds.map((kind) => [`notice_${kind}`, noticesOf(kind)])),
  report: [report('weekly'), report('monthly'), report('weekly', true)],
};

/** Each notice that has a mail, of one kind; kinds whose mail is never sent have one that has none. */
function noticesOf(kind: NoticeKind): object[] {
  const facts = {
    site: 'shop.example',
    organisation: 'Cedar & Loom',
    who: 'Ada Ashford',
    days: 7,
    device: 'Firefox',
    ...{ document: 'Privacy notice', version: 2, day: '2026-12-13' },
    ...{ hold: 3, review_on: '2026-12-20' },
    ...{ name: 'Shop orders', today: 2, usual: 140, requests: 12, count: 31, all: 200, hours: 90, limit: 168 },
    ...{ state: 'reconnect', reason: '190/463', host: 'alerts.example', why: 'status 503' },
  };
  const all = Object.values(noticeList).filter((one) => one.kind === kind);
  const mailed = all.filter((one) => 'mails' in one);
  return (mailed.length > 0 ? mailed : all.slice(0, 1)).map((one) => ({
    subject: 'mails' in one ? one.mails.subject(facts) : 'A notification',
    sentence: one.sentence({
      ...facts,
      reason: 'Nobody went on with it within 7 days, so its file was deleted. Nothing of it was stored; send it again.',
    }),
    button: 'mails' in one ? one.mails.button : 'Open the notifications',
    link: at('/notifications'),
  }));
}

function report(kind: 'weekly' | 'monthly', isEmpty = false): ReportLetter {
  const range = kind === 'weekly' ? { from: '2026-11-16', to: '2026-11-22' } : { from: '2026-10-01', to: '2026-10-31' };
  const before =
    kind === 'weekly' ? { from: '2026-11-09', to: '2026-11-15' } : { from: '2026-09-01', to: '2026-09-30' };
  const month = Array.from({ length: 31 }, (_, day) => 420 + ((day * 97) % 240) + (day % 7 < 5 ? 180 : 0));
  const content: ReportContent = {
    domain: 'shop.example',
    timezone: 'Europe/Berlin',
    locale: undefined,
    due: { kind, range, before, at: Date.parse('2026-11-23T06:00:00Z') },
    figures: [
      { label: 'Visitors', text: isEmpty ? '0' : '4,182', change: '+12%' },
      { label: 'Visits', text: '5,904', change: '+9%' },
      { label: 'Page views', text: '18,337', change: '−3%' },
      { label: 'Bounce rate', text: '41.3%', change: '+2.1 pt' },
      { label: 'Visit duration', text: '2m 08s', change: '+6%' },
      { label: 'Orders', text: '27', change: '19 → 27' },
      { label: 'Revenue', text: '€2,914.50', change: 'new' },
    ],
    lists: [
      list('Sources', 'Visitors', ['Direct / None', 'Google', 'news.example', 'Newsletter', 'ChatGPT']),
      list('Pages', 'Page views', [
        '/',
        '/blog/a-very-long-address-of-a-page-about-how-to-choose-a-loom-for-your-first-blanket',
        '/prices',
        '/cart',
        '/contact',
      ]),
      list('Countries', 'Visitors', ['Germany', 'United States', 'Austria', 'France', 'Unknown']),
      list('Goals', 'Reached', ['Signup', 'Visit /thanks']),
    ],
    days: kind === 'weekly' ? [610, 655, 702, 581, 690, 430, 514] : month,
    visitors: isEmpty ? 0 : 4_182,
  };
  return {
    content,
    overview: at(`/s/shop.example/analytics?period=${range.from}..${range.to}`),
    settings: at('/s/shop.example/settings#reports'),
  };
}

function list(title: string, head: string, names: readonly string[]): ReportContent['lists'][number] {
  return { title, head, rows: names.map((name, row) => ({ name, text: (1_204 - row * 211).toLocaleString('en') })) };
}
