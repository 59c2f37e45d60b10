import type { Erasure, Measure, RequestDetail, RequestsAnswer, SubjectRequest } from '../../contract/requests.ts';

const day = 86_400_000;
const dayOf = (ahead: number) => new Date(Date.now() + ahead * day).toISOString().slice(0, 10);

function request(
  id: number,
  kind: SubjectRequest['kind'],
  state: SubjectRequest['state'],
  left: number,
): SubjectRequest {
  return {
    ...{
      id,
      kind,
      state,
      received_on: dayOf(left - (id === 9 ? 60 : 30)),
      due_on: dayOf(left),
      days_left: left,
      is_extended: id === 9,
      is_minor: id === 8,
      is_in_force: id === 5,
    },
    closed_at: state === 'answered' || state === 'refused' ? new Date(Date.now() - 40 * day).toISOString() : null,
  };
}
const requests = [
  request(8, 'erasure', 'working', -2),
  request(12, 'access', 'received', 8),
  request(9, 'portability', 'checked', 41),
  request(14, 'rectification', 'working', 12),
  request(15, 'restriction', 'working', 20),
  request(5, 'objection', 'answered', -60),
  request(4, 'access', 'refused', -75),
];

/** The register of requests of a small team; a new one has none. */
export function requestsOf(path: string, isNew: boolean): object | undefined {
  const found = /^\/api\/organisations\/[^/]+\/requests(?:\/(\d+))?$/.exec(path);
  if (found === null) return undefined;
  const one = requests.find(({ id }) => id === Number(found[1]));
  if (one !== undefined) return detail(one);
  const answer: RequestsAnswer = isNew
    ? { requests: [], open: 0, overdue: 0, next: null }
    : { requests, open: 5, overdue: 1, next: null };
  return answer;
}

function detail(one: SubjectRequest): RequestDetail {
  const isOpen = one.closed_at === null;
  const then = new Date(`${one.received_on}T10:20:00Z`).toISOString();
  const isChecked = one.state !== 'received' && one.state !== 'refused';
  return {
    ...one,
    email: isOpen ? 'reader@visitor.example' : null,
    ...{ phone: null, external_id: isOpen ? 'customer 4711' : null, entered_at: then },
    came_by: one.kind === 'erasure' ? 'letter' : 'form',
    agent: isOpen && one.kind === 'erasure' ? 'Quiet Data Agency' : null,
    checked_at: isChecked ? then : null,
    check: isChecked ? 'mailbox' : null,
    began_at: one.state === 'working' || one.state === 'answered' ? then : null,
    extension_reason: one.is_extended ? 'Three archives have to be searched.' : null,
    letter_at: one.id === 5 ? one.closed_at : null,
    outcome: isOpen ? null : 'The archive was sent by registered post.',
    others: one.id === 12 ? [5] : [],
    callbacks:
      one.id === 12
        ? [
            {
              ...{ host: 'consent.shop.example', told_status: 'in_progress', told_at: then },
              ...{ trying: null, tries: 0, problem: null, next_at: null },
            },
            {
              ...{ host: 'crm.shop.example', told_status: 'pending', told_at: null, trying: 'in_progress', tries: 3 },
              ...{ problem: 'status_503', next_at: new Date(Date.now() + day / 24).toISOString() },
            },
          ]
        : [],
    archive:
      one.id === 9
        ? { records: 31, bytes: 18_204, made_at: then, expires_at: new Date(Date.now() + 13 * day).toISOString() }
        : null,
    erasure: one.id === 8 ? partly(then) : null,
    measures: one.id === 14 ? [corrected(then)] : one.id === 5 ? [objected(then)] : [],
    restriction:
      one.id === 5
        ? {
            ...{ began_at: then, ended_at: null, has_address: true },
            ending: {
              ...{ why: 'They agreed again, in writing.', told: 'mail', told_at: then, letter: 'left' },
              lifts_at: new Date(Date.now() + 2 * day).toISOString(),
            },
          }
        : null,
  };
}

/** An erasure of which a legal hold keeps a part. */
function partly(at: string): Erasure {
  const step = (name: string, what: string, table: string, of: string, rows: number, how: string) => ({
    ...{ name, what, state: 'done' as const, done_at: at, kept: [] },
    found: rows === 0 ? [] : [{ table, class: of, rows }],
    gone: rows === 0 ? [] : [{ table, class: of, rows, how }],
  });
  const invitations = [{ table: 'postgres invitations', class: 'D7', rows: 1 }];
  return {
    ...{ state: 'partial', began_at: at, ended_at: at },
    steps: [
      step(
        'contact-clicks',
        'their address or number as it was clicked on a site',
        'warehouse events',
        'D4',
        14,
        'blanked',
      ),
      {
        ...{ name: 'invitations', what: 'invitations to the organisation', state: 'held', done_at: at, gone: [] },
        found: invitations,
        kept: invitations.map((one) => ({ ...one, why: 'legal hold 3 keeps it until it is released' })),
      },
      step(
        'mail',
        'the list of mail to them, and what waits to be sent',
        'postgres mail.messages',
        'D16',
        6,
        'deleted',
      ),
      step('membership', 'membership, teams and reports by mail', 'postgres memberships', 'D7', 0, 'deleted'),
      step(
        'audit-names',
        'their name and address in the audit log',
        'postgres audit.entries',
        'D17',
        1,
        'key destroyed',
      ),
    ],
    receipts: [{ number: 1, written_at: at }],
    files: {
      files: 214,
      bytes: 18_400_000,
      found: [],
      opened: 4,
      sealed: 1,
      packed: 0,
      cut: 0,
      unread: 0,
      unsearched: 0,
    },
    backups: { backups: 14, gone_by: '2026-12-27' },
  };
}

const nothing: Omit<Measure['systems'][number], 'system' | 'what'> = {
  ...{ found: [], changed: [], kept: [], from_now_on: null },
};

/** A correction of a profile and an account. */
function corrected(written_at: string): Measure {
  const profile = { table: 'postgres profiles', class: 'D4', rows: 1 };
  return {
    ...{ number: 1, does: 'corrected', written_at },
    systems: [
      {
        ...{ ...nothing, system: 'profiles', found: [profile] },
        what: 'profiles that pages of a site have named, and what their browsers did',
        changed: [
          { ...profile, field: 'name', before: 'another' },
          { ...profile, field: 'picture', before: 'none' },
        ],
      },
      {
        ...{ ...nothing, system: 'membership', what: 'membership, teams and reports by mail' },
        kept: [
          {
            ...{ table: 'postgres people', class: 'D7', rows: 1 },
            why: 'the address of an account is changed by its person, who proves the new mailbox',
          },
        ],
      },
    ],
  };
}

function objected(written_at: string): Measure {
  return {
    ...{ number: 1, does: 'restricted', written_at },
    systems: [
      {
        ...{ ...nothing, system: 'profiles', found: [{ table: 'postgres profiles', class: 'D4', rows: 2 }] },
        what: 'profiles that pages of a site have named, and what their browsers did',
        from_now_on:
          'their profiles are in no list, page or export, calls that name them store nothing, and their browsers are not recognised',
      },
      {
        ...{ ...nothing, system: 'mail', found: [{ table: 'postgres mail.messages', class: 'D16', rows: 6 }] },
        what: 'the list of mail to them, and what waits to be sent',
        from_now_on: 'of this organisation they get answers to their requests, and what is about their own access',
      },
    ],
  };
}
