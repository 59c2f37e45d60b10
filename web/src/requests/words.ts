import type { Erasure, RequestDetail, SubjectRequest } from './api.ts';

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

export const erasureWords: Record<Erasure['state'], readonly ['ok' | 'bad' | 'idle', string]> = {
  running: ['idle', 'Looking for what is stored about them'],
  done: ['ok', 'Nothing of them is left; it was looked once more'],
  partial: ['idle', 'Gone, but for what is named below as kept. Tell them what and why'],
  failed: ['bad', 'Something was left after three tries: the receipt says what. The log of the desk says why'],
};

/** A draft of what is told to who asked: what went, and what was kept and why. */
export function outcomeWords({ erasure }: RequestDetail): string {
  if (erasure === null) return '';
  const kept = erasure.steps.flatMap(({ what, kept: rows }) =>
    rows.length === 0 ? [] : [`${what} (${[...new Set(rows.map(({ why }) => why))].join('; ')})`],
  );
  return kept.length === 0
    ? 'What was stored about you has been erased.'
    : `What was stored about you has been erased, except: ${kept.join(', ')}.`.slice(0, 1_000);
}
