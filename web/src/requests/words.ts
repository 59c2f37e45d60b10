import { calendarDay, momentText } from '../edge/reader.ts';
import { rowsOf } from '../windows/parts.tsx';
import type { Corrections, Erasure, Measure, RequestDetail, SubjectRequest } from './api.ts';

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
  'other-system': 'Another system of ours knows them',
  'permission-seen': 'We saw the signed permission of their agent, and know them',
};
export const wayWords: Record<NonNullable<RequestDetail['came_by']>, string> = {
  form: 'by the public form',
  program: 'by another program',
  mail: 'by e-mail',
  phone: 'by phone',
  letter: 'by letter',
  'in-person': 'in person',
};
/** Words for what is closed and goes on. */
export const inForceWords = 'nothing: in force';
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

const callbackStates: Record<RequestDetail['callbacks'][number]['told_status'], string> = {
  pending: 'it waits',
  in_progress: 'work began',
  completed: 'it is answered',
  cancelled: 'it is refused or taken back',
};
const callbackProblems: Readonly<Record<string, string>> = {
  address_private: 'its address is a private one',
  name_unknown: 'nobody knows its name',
  connect_failed: 'nobody answers there',
  tls_failed: 'its certificate does not hold',
  timed_out: 'it took too long',
};

/** Does the system that handed a request in know how far it is? */
export function callbackWords({
  host,
  told_status,
  told_at,
  tries,
  problem,
  next_at,
}: RequestDetail['callbacks'][number]) {
  const knows =
    told_at === null
      ? `${host} was told nothing yet`
      : `${host} was told that ${callbackStates[told_status]}, ${momentText(told_at)}`;
  if (problem === null) return knows;
  const status = /^status_(\d+)$/.exec(problem)?.[1];
  const why = status === undefined ? (callbackProblems[problem] ?? 'the call failed') : `it answered ${status}`;
  const times = tries === 1 ? 'once' : `${tries} times`;
  return `${knows}; tried ${times}, ${why}. ${next_at === null ? 'Given up: tell it by hand' : `Next try ${momentText(next_at)}`}`;
}

export const measureWords: Record<Measure['does'], string> = {
  corrected: 'Put right',
  restricted: 'Put in force',
  lifted: 'Ended',
};
export const fieldWords: Record<Corrections[number]['field'], string> = {
  name: 'Name',
  email: 'E-mail',
  'external-id': 'Id in your systems',
  picture: 'Address of the picture',
};

export function sumOf(all: readonly { rows: number }[]): string {
  const rows = all.reduce((sum, one) => sum + one.rows, 0);
  return rows === 0 ? '–' : rowsOf(rows);
}

/** A draft of what is told to who asked: what went or was put right, what is in force, and what was kept and why. */
export function outcomeWords({ kind, erasure, measures, restriction }: RequestDetail): string {
  if (restriction !== null && restriction.ended_at === null)
    return kind === 'objection'
      ? 'Your data is not used any more. It is kept until you ask for its erasure or its time is over.'
      : 'Your data is kept and not used. You are told before that ends.';
  const [corrected] = measures;
  if (corrected?.does === 'corrected') {
    const fields = corrected.systems.flatMap(({ changed }) =>
      changed.map(({ field }) => fieldWords[field].toLowerCase()),
    );
    const left = corrected.systems.flatMap(({ kept }) => kept.map(({ why }) => why));
    return `${fields.length === 0 ? 'Nothing had to be put right' : `Put right: ${[...new Set(fields)].join(', ')}`}.${
      left.length === 0 ? '' : ` Not changed: ${[...new Set(left)].join('; ')}.`
    }`.slice(0, 1_000);
  }
  if (erasure === null) return '';
  const kept = erasure.steps.flatMap(({ what, kept: rows }) =>
    rows.length === 0 ? [] : [`${what} (${[...new Set(rows.map(({ why }) => why))].join('; ')})`],
  );
  return kept.length === 0
    ? 'What was stored about you has been erased.'
    : `What was stored about you has been erased, except: ${kept.join(', ')}.`.slice(0, 1_000);
}

/** What the search of the files found, in a sentence or two. */
export function fileScanWords({
  files,
  found,
  opened = 0,
  sealed,
  packed,
  cut = 0,
  held = 0,
  unread,
  unsearched,
}: NonNullable<Erasure['files']>): string {
  const rest = [
    sealed > 0 && (sealed === 1 ? 'a sealed file' : `${sealed} sealed files`),
    packed > 0 && (packed === 1 ? 'a packed file' : `${packed} packed files`),
    cut > 0 && `${filesOf(cut)} to the end, which would have taken too long`,
    unread > 0 && `${filesOf(unread)} that could not be read`,
    unsearched > 0 && 'a name of theirs that is too short to search for',
  ].filter((one) => one !== false);
  const seen =
    found.length === 0
      ? `${filesOf(files)} of the desk searched for them afterwards, byte for byte${opened === 0 ? '' : `, ${opened} of them opened for it`}: ${held === 0 ? 'nothing' : 'nothing else'} found.`
      : `Found in ${found.length === 1 ? 'a file' : filesOf(found.length)} of the desk: ${[...new Set(found.map(({ file }) => file))].slice(0, 3).join(', ')}.`;
  const kept =
    held === 0
      ? ''
      : ` ${held === 1 ? 'A file' : filesOf(held)} that a legal hold keeps ${held === 1 ? 'has' : 'have'} them in it.`;
  return `${seen}${kept}${rest.length === 0 ? '' : ` Not searched: ${rest.join(', ')}.`}`;
}

export function backupWords(backups: Erasure['backups']): string {
  if (backups === null || backups.backups === 0 || backups.gone_by === null) return 'No backup holds them.';
  return `${backups.backups === 1 ? 'One backup' : `${backups.backups} backups`} from before may hold them until ${calendarDay(backups.gone_by)}; a desk that is restored from one erases them before it answers anybody.`;
}

function filesOf(count: number): string {
  return count === 1 ? '1 file' : `${count} files`;
}
