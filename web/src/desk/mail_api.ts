import type {
  InboxLetter,
  InboxList,
  MailServerInput,
  MailSettings,
  MailTest,
  NoticePreferences,
  NoticePreferencesChange,
  Notifications,
  OwnSuppressions,
  SentMail,
  UnreadCount,
} from '../../../contract/mail.ts';
import { call } from './api.ts';

export const mailApi = {
  settings: () => call<MailSettings>('GET', '/api/mail/settings'),
  saveServer: (body: MailServerInput) => call<MailSettings>('PUT', '/api/mail/server', { body }),
  forgetServer: () => call<undefined>('DELETE', '/api/mail/server'),
  test: () => call<MailTest>('POST', '/api/mail/tests', { body: {} }),
  release: () => call<{ released: number }>('POST', '/api/mail/releases', { body: {} }),
  sent: (before?: number) => call<SentMail>('GET', `/api/mail/sent${before === undefined ? '' : `?before=${before}`}`),
  suppressions: () => call<OwnSuppressions>('GET', '/api/mail/suppressions'),
  lift: (id: number) => call<undefined>('DELETE', `/api/mail/suppressions/${id}`),
  inbox: () => call<InboxList>('GET', '/api/dev/inbox'),
  letter: (id: number) => call<InboxLetter>('GET', `/api/dev/inbox/${id}`),
  letterPage: (id: number) => `/api/dev/inbox/${id}/html`,
  notifications: (before?: number) =>
    call<Notifications>('GET', `/api/notifications${before === undefined ? '' : `?before=${before}`}`),
  unread: () => call<UnreadCount>('GET', '/api/notifications/count', { quiet: true }),
  read: (id: number, andOlder: boolean) =>
    call<UnreadCount>('POST', '/api/notifications/readings', { body: { id, and_older: andOlder } }),
  preferences: () => call<NoticePreferences>('GET', '/api/notification-preferences'),
  changePreferences: (body: NoticePreferencesChange) =>
    call<NoticePreferences>('PATCH', '/api/notification-preferences', { body }),
};
