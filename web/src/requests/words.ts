import type { RequestDetail, SubjectRequest } from './api.ts';

export const kindWords: Record<SubjectRequest['kind'], string> = {
  access: 'Access: a copy of their data',
  portability: 'Portability: their data for another service',
  rectification: 'Rectification',
  erasure: 'Erasure',
  restriction: 'Restriction',
  objection: 'Objection',
};
export const checkWords: Record<NonNullable<RequestDetail['check']>, string> = {
  mailbox: 'They answered from the mailbox',
  'called-back': 'We called back the number that we have',
  'signed-in': 'They were signed in with us',
  'document-seen': 'We saw a document, and kept no copy',
};
export const stateWords: Record<SubjectRequest['state'], string> = {
  received: 'check who asks',
  checked: 'begin work',
  working: 'answer it',
  answered: 'nothing: answered',
  refused: 'nothing: refused',
};

/** When it is due, as somebody would say it. */
export function leftWords({ days_left: days }: SubjectRequest): string {
  if (days < 0) return days === -1 ? 'overdue by 1 day' : `overdue by ${-days} days`;
  if (days === 0) return 'due today';
  return days === 1 ? '1 day left' : `${days} days left`;
}
