import type { RequestDetail, RequestsAnswer, SubjectRequest } from '../../contract/requests.ts';

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
    },
    closed_at: state === 'answered' || state === 'refused' ? new Date(Date.now() - 40 * day).toISOString() : null,
  };
}
const requests = [
  request(8, 'erasure', 'working', -2),
  request(12, 'access', 'received', 8),
  request(9, 'portability', 'checked', 41),
  request(5, 'objection', 'answered', -60),
  request(4, 'access', 'refused', -75),
];

/** The register of requests of a small team with the number 1; another one has none. */
export function requestsOf(path: string): object | undefined {
  const found = /^\/api\/organisations\/([^/]+)\/requests(?:\/(\d+))?$/.exec(path);
  if (found === null) return undefined;
  const one = requests.find(({ id }) => id === Number(found[2]));
  if (one !== undefined) return detail(one);
  const answer: RequestsAnswer =
    found[1] !== '1'
      ? { requests: [], open: 0, overdue: 0, next: null }
      : { requests, open: 3, overdue: 1, next: null };
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
    checked_at: isChecked ? then : null,
    check: isChecked ? 'mailbox' : null,
    began_at: one.state === 'working' || one.state === 'answered' ? then : null,
    extension_reason: one.is_extended ? 'Three archives have to be searched.' : null,
    outcome: isOpen ? null : 'The archive was sent by registered post.',
    others: one.id === 12 ? [5] : [],
    erasure: null,
  };
}
