import type {
  IdentityAnswer,
  PaperAnswer,
  PaperSummary,
  PapersAnswer,
  ReceiverListsAnswer,
} from '../../contract/documents.ts';

const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
const day = (inDays: number) => ago(-inDays).slice(0, 10);
const nothing = {
  ...{ legal_name: null, address: null, jurisdiction: null, registration: null, contact: null, officer: null },
  ...{ representative: null, authority: null, version: 0, changed_at: null },
};
const operator = {
  ...{
    legal_name: 'Harbour Works Ltd',
    address: '2 Pier Road\nPort',
    jurisdiction: 'Ireland',
    registration: 'Register of the port, 4711',
  },
  ...{ contact: 'data@works.example', officer: 'Nora Quay, dpo@works.example', representative: null },
  ...{ authority: 'Authority of the port', version: 2, changed_at: ago(40) },
};
const identity: IdentityAnswer = {
  organisation: {
    ...{ ...operator, legal_name: 'Cedar & Loom GmbH', address: '1 Mill Lane\nValley', jurisdiction: 'Germany' },
    ...{ contact: 'privacy@cedar-loom.example', officer: 'None has to be appointed', registration: null },
    measuring_basis: 'To know which pages are read, so that we write better ones.',
  },
  operator,
};

const version = (of: string, number: number, days: number) => ({
  ...{ version: number, effective_on: day(-days), is_material: number !== 2, published_at: ago(days) },
  ...{ published_by: 1, reviewed_at: ago(days), reviewed_by: 1, told: number === 2 ? 0 : 7 },
  path: `/legal/cedar-loom/${of}/${number}`,
});
const paper = (kind: PaperSummary['kind'], name: string, more: Partial<PaperSummary>): PaperSummary => ({
  ...{ kind, name, state: 'published', gaps: [], digest: 'a'.repeat(64), review: { at: ago(3), by: 1 } },
  ...{ newest: version(kind, 1, 60), changed: { added: 0, removed: 0 } },
  ...more,
});
const papers: PaperSummary[] = [
  paper('privacy-notice', 'Privacy notice', {
    ...{ state: 'draft', review: null, newest: version('privacy-notice', 3, 12), changed: { added: 2, removed: 1 } },
  }),
  paper('cookies', 'Cookies and consent', {}),
  paper('retention', 'Processing and retention', { newest: version('retention', 2, 30) }),
  paper('record-of-processing', 'Record of processing', { state: 'reviewed', newest: null }),
  paper('processing-agreement', 'Processing agreement', {}),
  paper('data-map', 'Data map', { state: 'draft', review: null, newest: null }),
];
const gaps = [
  'the legal name of the organisation',
  'the address of the organisation',
  'the data protection officer of the organisation, or that there is none',
  'the legal name of the operator',
];

function words(kind: string): Pick<PaperAnswer, 'title' | 'sections' | 'diff'> {
  return {
    title: `${kind}: Cedar & Loom`,
    sections: [
      {
        title: 'Who answers',
        blocks: [
          { kind: 'text', words: 'For visitors of its sites Cedar & Loom answers, as the controller.' },
          {
            kind: 'table',
            head: ['', 'Cedar & Loom'],
            rows: [
              ['Name', 'Cedar & Loom GmbH'],
              ['Address', '1 Mill Lane\nValley'],
              ['Supervisory authority', 'Authority of the port'],
            ],
          },
        ],
      },
      {
        title: 'How long that is kept',
        blocks: [
          {
            kind: 'table',
            head: ['what', 'class', 'kept', 'when it is erased'],
            rows: [
              ['Events and visits of visitors: page, source, device, coarse place', 'D3', '25 months', 'deleted'],
              ['What detected robots asked for; nothing of who they were', 'D3', '30 days', 'there is no person in it'],
            ],
          },
        ],
      },
      {
        title: 'What you can ask for',
        blocks: [{ kind: 'list', items: ['to see what is stored about you, and to have a copy', 'to object'] }],
      },
    ],
    diff: [],
  };
}

/** Documents of an organisation that has published some; a newcomer’s is one that has said nothing yet. */
export function documentsOf(path: string, isEmpty: boolean): object | undefined {
  const rest = /^\/api\/organisations\/[^/]+\/(identity|documents|subprocessor-lists)(?:\/([a-z-]+))?/.exec(path);
  if (rest === null) return undefined;
  const [, part, kind] = rest;
  if (part === 'identity')
    return isEmpty ? { organisation: { ...nothing, measuring_basis: null }, operator: nothing } : identity;
  if (part === 'subprocessor-lists') return lists(isEmpty);
  const all = isEmpty
    ? papers.map((one) => ({ ...one, ...{ state: 'draft' as const, gaps, review: null, newest: null } }))
    : papers;
  if (kind === undefined)
    return {
      ...{ papers: all.map((one) => ({ ...one, changed: isEmpty ? { added: 0, removed: 0 } : one.changed })) },
      ...{ path: '/legal/cedar-loom', acceptance: isEmpty ? null : { version: 1, at: ago(58), by: 1 } },
    } satisfies PapersAnswer;
  const found = all.find((one) => one.kind === kind) as PaperSummary;
  return {
    ...{ ...found, ...words(found.name), has_changed_facts: true },
    diff:
      found.changed.added === 0
        ? []
        : [
            { sign: ' ', line: '# How long that is kept' },
            {
              sign: '-',
              line: 'What detected robots asked for; nothing of who they were; class: D3; kept: 90 days; when it is erased: there is no person in it',
            },
            {
              sign: '+',
              line: 'What detected robots asked for; nothing of who they were; class: D3; kept: 30 days; when it is erased: there is no person in it',
            },
            { sign: ' ', line: '# Who gets it' },
            {
              sign: '+',
              line: 'Mail server (Post of the desk); what it gets: The address and the text of each message',
            },
          ],
    versions:
      found.newest === null
        ? []
        : [3, 2, 1]
            .filter((one) => one <= (found.newest?.version ?? 0))
            .map((one) => version(found.kind, one, 12 + (3 - one) * 40)),
  } satisfies PaperAnswer;
}

function lists(isEmpty: boolean): ReceiverListsAnswer {
  if (isEmpty)
    return { lists: [], unannounced: { added: [], removed: [], changed: [] }, earliest: day(0), incomplete: [] };
  return {
    lists: [
      {
        ...{
          version: 2,
          effective_on: day(9),
          published_at: ago(5),
          added: ['Post of the desk'],
          removed: [],
          told: 7,
        },
        path: '/legal/cedar-loom/subprocessors/2',
      },
      {
        ...{
          version: 1,
          effective_on: day(-60),
          published_at: ago(60),
          added: ['Mail of before'],
          removed: [],
          told: 0,
        },
        path: '/legal/cedar-loom/subprocessors/1',
      },
    ],
    unannounced: { added: ['Google LLC'], removed: [], changed: [] },
    ...{ earliest: day(14), incomplete: ['Google sign-in: what the transfer rests on'] },
  };
}
