import type { z } from 'zod';
import type {
  identityChecks,
  newRequest,
  RequestDetail,
  RequestKind,
  RequestState,
  RequestStep,
  RequestsAnswer,
  RequestWay,
  requestExtension,
  SubjectRequest,
} from '../../../contract/requests.ts';
import { requestLimits } from '../../../contract/requests.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { Place, Vault } from '../../platform/vault.ts';
import { utcDay } from '../../platform/zone.ts';
import { readArchiveState } from './archive_state.ts';
import { readCallbacks } from './callbacks.ts';
import { daysAfter, daysLeft, dueOn, monthsAfter, warnOn } from './clock.ts';
import type { Said } from './erasure.ts';
import { readErasure } from './erasure_records.ts';
import { readMeasures, readRestriction } from './measure_records.ts';

interface Row {
  id: number;
  kind: RequestKind;
  state: RequestState;
  received_on: string;
  due_on: string;
  email_sealed: Buffer | null;
  phone_sealed: Buffer | null;
  external_sealed: Buffer | null;
  agent_sealed: Buffer | null;
  came_by: RequestWay | null;
  email_digest: Buffer | null;
  phone_digest: Buffer | null;
  external_digest: Buffer | null;
  entered_at: Date;
  checked_at: Date | null;
  identity_check: (typeof identityChecks)[number] | null;
  began_at: Date | null;
  extension_sealed: Buffer | null;
  outcome_sealed: Buffer | null;
  closed_at: Date | null;
  is_minor: boolean;
  is_in_force: boolean;
  letter_at: Date | null;
}
const columns = `id, kind, state, received_on::text, due_on::text, email_sealed, phone_sealed, external_sealed, agent_sealed, email_digest,
  phone_digest, external_digest, came_by, entered_at, checked_at, identity_check, began_at, extension_sealed, outcome_sealed, closed_at, is_minor, letter_at,
  EXISTS (SELECT FROM restrictions r WHERE r.request_id = subject_requests.id AND r.ended_at IS NULL) AS is_in_force`;

type OfSubject = 'email_sealed' | 'phone_sealed' | 'external_sealed' | 'agent_sealed';
type Sealed = OfSubject | 'extension_sealed' | 'outcome_sealed';
/** Where a value of a request opens: its number is not known before it is written, so it is drawn first. */
function placeOf(organisationId: number, id: number, column: Sealed): Place & { class: 'D4' | 'D24' } {
  const isOfRegister = column === 'extension_sealed' || column === 'outcome_sealed';
  return { organisationId, table: 'subject_requests', column, row: id, class: isOfRegister ? 'D24' : 'D4' };
}

export interface RequestParts {
  vault: Vault;
  organisationId: number;
  nowMs: number;
}

function shown(row: Row, nowMs: number): SubjectRequest {
  return {
    ...{ id: row.id, kind: row.kind, state: row.state, received_on: row.received_on, due_on: row.due_on },
    days_left: daysLeft(row.due_on, nowMs),
    is_extended: row.extension_sealed !== null,
    is_minor: row.is_minor,
    is_in_force: row.is_in_force,
    closed_at: row.closed_at?.toISOString() ?? null,
  };
}

/** Open ones first by the day they are due, then closed ones, the newest first. Nobody's address is opened for it. */
export async function listRequests(sql: Sql, nowMs: number, after: number): Promise<RequestsAnswer> {
  const rows = await sql.query<Row>(
    `SELECT ${columns} FROM subject_requests
     ORDER BY closed_at IS NOT NULL, CASE WHEN closed_at IS NULL THEN due_on END, id DESC LIMIT $1 OFFSET $2`,
    [requestLimits.page + 1, after],
  );
  const counts = await sql.one<{ open: number; overdue: number }>(
    `SELECT count(*)::int AS open, (count(*) FILTER (WHERE due_on < $1))::int AS overdue
     FROM subject_requests WHERE closed_at IS NULL`,
    [utcDay(nowMs)],
  );
  return {
    requests: rows.slice(0, requestLimits.page).map((row) => shown(row, nowMs)),
    ...counts,
    next: rows.length > requestLimits.page ? after + requestLimits.page : null,
  };
}

/** @throws RequestError not_found */
async function rowOf(sql: Sql, id: number, lock = ''): Promise<Row> {
  const row = await sql.maybe<Row>(`SELECT ${columns} FROM subject_requests WHERE id = $1 ${lock}`, [id]);
  if (row === undefined) throw new RequestError('not_found', 'This organisation has no request of that number.');
  return row;
}

/** One request with who asks, opened. */
export async function readRequest(
  sql: Sql,
  id: number,
  { vault, organisationId, nowMs }: RequestParts,
): Promise<RequestDetail> {
  const row = await rowOf(sql, id);
  const opened = async (column: Sealed) => {
    const sealed = row[column];
    if (sealed === null) return null;
    return (await vault.open(placeOf(organisationId, id, column), sealed)).toString('utf8');
  };
  const others = await sql.query<{ id: number }>(
    `SELECT id FROM subject_requests WHERE id <> $1 AND (email_digest = $2 OR phone_digest = $3 OR external_digest = $4)
     ORDER BY id DESC LIMIT 20`,
    [id, row.email_digest, row.phone_digest, row.external_digest],
  );
  return {
    ...shown(row, nowMs),
    email: await opened('email_sealed'),
    phone: await opened('phone_sealed'),
    external_id: await opened('external_sealed'),
    agent: await opened('agent_sealed'),
    came_by: row.came_by,
    entered_at: row.entered_at.toISOString(),
    checked_at: row.checked_at?.toISOString() ?? null,
    check: row.identity_check,
    began_at: row.began_at?.toISOString() ?? null,
    extension_reason: await opened('extension_sealed'),
    outcome: await opened('outcome_sealed'),
    letter_at: row.letter_at?.toISOString() ?? null,
    others: others.map((one) => one.id),
    erasure: await readErasure(sql, id),
    measures: await readMeasures(sql, id),
    restriction: await readRestriction(vault, sql, { organisationId, requestId: id }),
    archive: await readArchiveState(sql, id, nowMs),
    callbacks: await readCallbacks(sql, id),
  };
}

/** @throws RequestError invalid_field when nobody is named, or the day lies ahead or too long ago */
export async function enterRequest(
  sql: Sql,
  wish: Omit<z.infer<typeof newRequest>, 'came_by'> & { came_by?: RequestWay | undefined },
  { vault, organisationId, nowMs, personId }: RequestParts & { personId: number | null },
): Promise<number> {
  const { kind, received_on, email, phone, external_id, agent } = wish;
  if (email === undefined && phone === undefined && external_id === undefined)
    throw new RequestError('invalid_field', 'Say who asks: an address, a number, or an id of your own systems.', {
      field: 'email',
    });
  const today = utcDay(nowMs);
  // A day ahead, since who enters it may live where it is tomorrow already.
  if (received_on > daysAfter(today, 1) || received_on < daysAfter(today, -requestLimits.enteredAfterDaysMax))
    throw new RequestError(
      'invalid_field',
      `The day on which it came is today or one of the last ${requestLimits.enteredAfterDaysMax} days.`,
      { field: 'received_on' },
    );
  const { id } = await sql.one<{ id: number }>("SELECT nextval('subject_requests_id_seq') AS id");
  const sealed = async (column: Sealed, value: string | undefined) =>
    value === undefined ? null : await vault.seal(placeOf(organisationId, id, column), value.trim());
  const digest = async (of: 'email' | 'phone' | 'external-id', value: string | undefined) =>
    value === undefined ? null : await vault.subject(organisationId, of, value);
  await sql.run(
    `INSERT INTO subject_requests (id, organisation_id, kind, received_on, due_on, warn_on, email_digest, email_sealed,
       phone_digest, phone_sealed, external_digest, external_sealed, agent_sealed, entered_at, entered_by, came_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
    [
      ...[id, organisationId, kind, received_on, dueOn(received_on), warnOn(received_on)],
      ...[await digest('email', email), await sealed('email_sealed', email)],
      ...[await digest('phone', phone), await sealed('phone_sealed', phone)],
      ...[await digest('external-id', external_id), await sealed('external_sealed', external_id)],
      await sealed('agent_sealed', agent),
      ...[new Date(nowMs), personId, wish.came_by ?? null],
    ],
  );
  return id;
}

/** From which states each one is reached. Nothing is answered before it is sure who asks (DSR-11). */
const from: Record<RequestStep['to'], readonly RequestState[]> = {
  checked: ['received'],
  working: ['checked'],
  answered: ['working'],
  refused: ['received', 'checked', 'working'],
};
export const stateWords: Record<RequestState, string> = {
  received: 'was received and waits for the check of who asks',
  checked: 'waits for work to begin',
  working: 'is in work',
  answered: 'was answered',
  refused: 'was refused',
};

/** @throws RequestError conflict when it does not stand where this step begins */
export async function takeStep(
  sql: Sql,
  id: number,
  step: RequestStep,
  { vault, organisationId, nowMs }: RequestParts,
): Promise<void> {
  const row = await rowOf(sql, id, 'FOR UPDATE');
  if (!from[step.to].includes(row.state))
    throw new RequestError(
      'conflict',
      `Request ${id} ${stateWords[row.state]}. Load the page again to see its next step.`,
    );
  if (step.to === 'answered' || step.to === 'refused') {
    const runs = await sql.query("SELECT 1 FROM erasure_runs WHERE request_id = $1 AND state = 'running'", [id]);
    if (runs.length > 0)
      throw new RequestError('conflict', `The erasure of request ${id} is under way. Answer when it has ended.`);
  }
  const now = new Date(nowMs);
  switch (step.to) {
    case 'checked':
      await sql.run(
        "UPDATE subject_requests SET state = 'checked', checked_at = $2, identity_check = $3 WHERE id = $1",
        [...[id, now, step.check]],
      );
      return;
    case 'working':
      await sql.run("UPDATE subject_requests SET state = 'working', began_at = $2 WHERE id = $1", [id, now]);
      return;
    default:
      // From here on the subject is a keyed digest (class D24).
      await sql.run(
        `UPDATE subject_requests SET state = $2, closed_at = $3, outcome_sealed = $4, email_sealed = NULL,
           phone_sealed = NULL, external_sealed = NULL, agent_sealed = NULL WHERE id = $1`,
        [id, step.to, now, await vault.seal(placeOf(organisationId, id, 'outcome_sealed'), step.outcome)],
      );
  }
}

/** Once, before the day is over, and by two months at most. @throws RequestError conflict, invalid_field */
export async function extendRequest(
  sql: Sql,
  id: number,
  { until, reason }: z.infer<typeof requestExtension>,
  { vault, organisationId, nowMs }: RequestParts,
): Promise<void> {
  const row = await rowOf(sql, id, 'FOR UPDATE');
  if (row.closed_at !== null)
    throw new RequestError('conflict', `Request ${id} ${stateWords[row.state]}. There is nothing to extend.`);
  if (row.extension_sealed !== null)
    throw new RequestError('conflict', `Request ${id} was extended before, and that is possible once.`);
  if (daysLeft(row.due_on, nowMs) < 0)
    throw new RequestError(
      'conflict',
      `Request ${id} was due on ${row.due_on}. An extension has to be told before that day is over.`,
    );
  const last = monthsAfter(row.due_on, requestLimits.extensionMonthsMax);
  if (until <= row.due_on || until > last)
    throw new RequestError('invalid_field', `Choose a day after ${row.due_on} and not after ${last}.`, {
      field: 'until',
    });
  await sql.run(
    `UPDATE subject_requests SET due_on = $2, warn_on = $3, extension_sealed = $4, warned_at = NULL WHERE id = $1`,
    [
      ...[id, until, daysAfter(until, requestLimits.warnAfterDays - requestLimits.dueDays)],
      await vault.seal(placeOf(organisationId, id, 'extension_sealed'), reason),
    ],
  );
}

/** @throws RequestError conflict when it is no erasure, who asks was not checked, work did not begin, or it was begun before */
export async function beginErasure(
  sql: Sql,
  id: number,
  parts: RequestParts,
  begin: (said: Said[]) => Promise<void>,
): Promise<void> {
  // Locked, so that two who begin it at once begin it once.
  await sql.query('SELECT 1 FROM subject_requests WHERE id = $1 FOR UPDATE', [id]);
  const { kind, state, email, phone, external_id, erasure } = await readRequest(sql, id, parts);
  if (kind !== 'erasure')
    throw new RequestError('conflict', `Request ${id} asks for something else than an erasure. Enter one for it.`);
  if (state !== 'working')
    throw new RequestError(
      'conflict',
      `Nothing is erased before it is sure who asks and work on request ${id} began. Take these steps first.`,
    );
  if (erasure !== null) throw new RequestError('conflict', `The erasure of request ${id} was begun before.`);
  const said: Said[] = [];
  if (email !== null) said.push({ kind: 'email', value: email });
  if (phone !== null) said.push({ kind: 'phone', value: phone });
  if (external_id !== null) said.push({ kind: 'external-id', value: external_id });
  await begin(said);
}
