import type { Disclosure } from '../../contract/disclosures.ts';
import type { IncidentAnswer } from '../../contract/incidents.ts';

const hour = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * hour).toISOString();

function incident(
  id: number,
  known: number,
  more: Partial<IncidentAnswer> & Pick<IncidentAnswer, 'title' | 'what' | 'clock'>,
): IncidentAnswer {
  return {
    ...{ id, severity: 'high', classes: ['D3', 'D7'], sites: ['shop.example'], closed_at: null },
    ...{ began_at: ago(known + 30), known_at: ago(known), opened_at: ago(known - 1), due_at: ago(known - 72) },
    ...{ authority: null, told_at: null, untold_reason: null, concerns: [] },
    ...more,
    log: [
      { id: id * 10, kind: 'opened', said: more.what, at: ago(known - 1), person: 1, name: 'Ada Marsh' },
      {
        id: id * 10 + 1,
        kind: 'measure',
        said: 'All sessions of the account were ended.',
        at: ago(known - 2),
        person: 1,
        name: null,
      },
    ],
  };
}

const demands: Disclosure[] = [
  {
    ...{ id: 2, authority: 'Police of the harbour', reference: 'H 12/26', ground: 'Code of procedure, section 100' },
    ...{ classes: ['D7', 'D17'], scope: 'Sign-ins of one account in October, with their networks.' },
    ...{ asked_on: ago(40).slice(0, 10), entered_at: ago(30), entered_by: 1 },
    ...{ state: 'waiting', subject: 'open', may_decide: false, entries: [] },
  },
  {
    ...{ id: 1, authority: 'Tax office', reference: null, ground: 'Tax code, section 93', classes: ['D22'] },
    ...{ scope: 'Counts of visits of the shop by month, for two years.' },
    ...{ asked_on: ago(900).slice(0, 10), entered_at: ago(890), entered_by: 1 },
    ...{ state: 'disclosed', subject: 'untold', may_decide: true },
    entries: [
      { kind: 'allowed' as const, said: 'Counts name nobody; the ground was checked by counsel.', alone: true },
      { kind: 'disclosed' as const, said: 'One table by month, by letter.', alone: false },
      { kind: 'untold' as const, said: 'Counts are about nobody who could be told.', alone: false },
    ].map((one, at) => ({ ...one, id: at + 1, at: ago(880 - at * 20), person: 1 })),
  },
];

/** The register of a small team; a new one has none. */
export function incidentsOf(path: string, isNew: boolean): object | undefined {
  if (isNew && /\/incident-drafts$/.test(path)) return { drafts: [] };
  if (isNew && /\/disclosures$/.test(path)) return { disclosures: [], next: null };
  if (/\/incident-drafts$/.test(path))
    return {
      drafts: [
        {
          ...{ id: 6, kind: 'mass_export', raised_at: ago(5) },
          what: 'Much more was exported than on an ordinary day.',
          concern: null,
        },
        {
          ...{ id: 5, kind: 'concern', raised_at: ago(30) },
          what: 'Somebody reported this by the public form.',
          concern: {
            said: 'Your confirmation mail for order 1182 came to me. It shows the name and street of somebody else.\n\nI deleted it.',
            ...{ happened_on: ago(60).slice(0, 10), reach: 'reader@visitor.example' },
          },
        },
      ],
    };
  if (/\/disclosures$/.test(path)) return { disclosures: demands, next: null };
  const [, rest] = /^\/api\/organisations\/[^/]+\/incidents(\/.*)?$/.exec(path) ?? [undefined, undefined];
  if (!/\/incidents(\/|$)/.test(path)) return undefined;
  const all = [
    incident(4, 20, {
      title: 'A laptop was left in a train',
      what: 'It was signed in to the dashboard. The disk is encrypted; the screen was not locked.',
      clock: 'running',
    }),
    incident(3, 80, {
      title: 'A report went to a former client',
      what: 'The weekly report of one site was mailed to an address that should have been taken off the list.',
      ...{ clock: 'late', severity: 'low', classes: ['D22'] },
    }),
    incident(2, 900, {
      title: 'An API key was printed in a public log',
      what: 'A key that reads numbers was in the output of a build for two hours.',
      ...{ clock: 'untold', untold_reason: 'The key was not used by anybody else.', closed_at: ago(800) },
    }),
  ];
  if (rest === undefined) return { incidents: isNew ? [] : all, next: null };
  if (rest.endsWith('/affected'))
    return {
      counts: [
        { of: 'visitors', count: 1_204, question: 'Different visitors with a stored event, each day for itself.' },
        { of: 'sites', count: 1, question: 'Named sites that are still here.' },
        { of: 'members', count: 6, question: 'Members that the organisation has now.' },
      ],
    };
  return all.find((one) => `/${one.id}` === rest);
}
