import type { DisclosureKind } from '../../../contract/disclosures.ts';

/** Kinds of data that an incident may have touched, as a person says them, by class of the ledger. */
export const touched: readonly (readonly [id: string, words: string])[] = [
  ['D3', 'Visits and events of visitors'],
  ['D2', 'Ids of visitors'],
  ['D4', 'Addresses and numbers of visitors'],
  ['D7', 'Accounts of members: name, address, role'],
  ['D8', 'Passwords, sessions, keys'],
  ['D9', 'Secrets of connected services'],
  ['D15', 'Server logs with addresses'],
  ['D16', 'Logs of operation and mail'],
  ['D17', 'Audit log'],
  ['D21', 'Correspondence'],
  ['D22', 'Daily counts'],
];

export const severityWords = { low: 'Low', high: 'High', grave: 'Grave' } as const;
export const entryWords = {
  opened: 'entered',
  found: 'found',
  measure: 'measure',
  told: 'authority told',
  untold: 'no authority told',
  closed: 'closed',
} as const;

const alerts: Record<string, string> = {
  refresh_reuse: 'A session was copied',
  brute_force: 'Many passwords were tried',
  mass_export: 'Much was exported',
  canary_key: 'A canary key was used',
  canary_found: 'A live check found what must not be stored',
  concern: 'Somebody reported a concern',
};

/** An alert in a few words, as an incident is called. */
export function alertWords({ kind }: { kind: string }): string {
  return alerts[kind] ?? kind.replaceAll('_', ' ');
}

const hourMs = 3_600_000;

/** How much is left of the 72 hours, or what ended them. */
export function clockWords(
  of: { clock: 'running' | 'late' | 'told' | 'untold'; due_at: string; closed_at: string | null },
  nowMs: number,
): { state: 'ok' | 'idle' | 'bad'; text: string } {
  if (of.closed_at !== null) return { state: 'ok', text: 'closed' };
  if (of.clock === 'told') return { state: 'ok', text: 'authority told' };
  if (of.clock === 'untold') return { state: 'ok', text: 'no authority told, with a reason' };
  const hours = Math.abs(Date.parse(of.due_at) - nowMs) / hourMs;
  const span = hours < 1 ? `${Math.ceil(hours * 60)} min` : `${Math.floor(hours)} h`;
  return of.clock === 'late' || Date.parse(of.due_at) < nowMs
    ? { state: 'bad', text: `${span} over: nothing is decided` }
    : { state: 'idle', text: `${span} left to tell the authority` };
}

/** Entries of a disclosure: the button, what it asks for, and how it stands in the log. */
export const disclosureWords: Readonly<
  Record<DisclosureKind, { act: string; ask: string; help: string; done: string }>
> = {
  allowed: { act: 'Allow', ask: 'Why it is allowed', help: 'What was checked: ground, extent, form.', done: 'allowed' },
  refused: { act: 'Refuse', ask: 'Why it is refused', help: 'As the authority is told.', done: 'refused' },
  disclosed: {
    act: 'Enter what was handed over',
    ask: 'What was handed over, and how',
    help: 'To whom, by which way, how much of it.',
    done: 'handed over',
  },
  told: {
    act: 'Whom it is about was told',
    ask: 'How they were told',
    help: 'When and by which way.',
    done: 'subject told',
  },
  untold: {
    act: 'They are not told',
    ask: 'Why they are not told',
    help: 'The prohibition, and until when it holds.',
    done: 'subject not told',
  },
  noted: { act: 'Add a note', ask: 'Note', help: 'What was found, asked back or agreed.', done: 'note' },
};
