import { useCallback, useEffect, useState } from 'react';
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
} from '../../../contract/mail.ts';
import { asDeskError, call, type DeskError } from './api.ts';

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
  unread: () => call<{ unread: number }>('GET', '/api/notifications/count', { quiet: true }),
  read: (id: number, andOlder: boolean) =>
    call<{ unread: number }>('POST', '/api/notifications/readings', { body: { id, and_older: andOlder } }),
  preferences: () => call<NoticePreferences>('GET', '/api/notification-preferences'),
  changePreferences: (body: NoticePreferencesChange) =>
    call<NoticePreferences>('PATCH', '/api/notification-preferences', { body }),
};

export interface Reading<T> {
  answer: T | undefined;
  problem: DeskError | undefined;
  reload: () => void;
  set: (answer: T) => void;
}

/** What a page reads once and may read again. */
export function useReading<T>(load: () => Promise<T>): Reading<T> {
  const [answer, setAnswer] = useState<T>();
  const [problem, setProblem] = useState<DeskError>();
  const reload = useCallback(() => {
    setProblem(undefined);
    load().then(setAnswer, (error: unknown) => setProblem(asDeskError(error)));
  }, [load]);
  useEffect(reload, [reload]);
  return { answer, problem, reload, set: setAnswer };
}
