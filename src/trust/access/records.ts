import type { AccessDecision, AccessReview, AccessReviewAnswer } from '../../../contract/access_review.ts';
import type { Access, AccessKind, AccessName } from '../../platform/access.ts';
import type { actOf } from '../../platform/audit.ts';
import { shownName } from '../../platform/email.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Postgres, Sql } from '../../platform/postgres/index.ts';
import type { Vault } from '../../platform/vault.ts';
import { dayAfter, quarterOf, reviewDays } from './quarter.ts';

/** Reviews that a page lists: five years. */
const reviewsMax = 20;

interface ReviewRow {
  id: number;
  quarter: string;
  opened_at: Date;
  due_on: string;
  done_at: Date | null;
  confirmed: number;
  removed: number;
}
interface DecisionRow {
  id: number;
  kind: AccessName;
  subject_id: number;
  called: string | null;
  gives: string;
  decision: 'confirmed' | 'removed';
  decided_at: Date;
  decided_by: number;
  person_name: string | null;
  person_email: Buffer | null;
}
type Listed = Access & { kind: AccessKind };

/** Begins the review of the quarter. @returns its number; undefined when it has begun already */
export async function beginReview(sql: Sql, organisationId: number, nowMs: number): Promise<number | undefined> {
  const begun = await sql.maybe<{ id: number }>(
    `INSERT INTO access_reviews (organisation_id, quarter, opened_at, due_on) VALUES ($1, $2, $3, $4)
     ON CONFLICT (organisation_id, quarter) DO NOTHING RETURNING id`,
    [organisationId, quarterOf(nowMs).name, new Date(nowMs), dayAfter(nowMs, reviewDays)],
  );
  return begun?.id;
}

/** The newest first. */
export async function listReviews(sql: Sql, organisationId: number, nowMs: number): Promise<AccessReview[]> {
  const rows = await readReviews(sql, organisationId);
  return rows.map((row) => shownReview(row, rows, nowMs));
}

/** One review, what lets somebody in now if it is the newest, and everything that was decided. @throws RequestError not_found */
export async function readReview(
  sql: Sql,
  organisationId: number,
  id: number,
  parts: { kinds: readonly AccessKind[]; vault: Vault; nowMs: number; may(kind: AccessKind): boolean },
): Promise<AccessReviewAnswer> {
  const rows = await readReviews(sql, organisationId);
  const row = rows.find((one) => one.id === id) ?? raiseGone();
  const decisions = await readDecisions(sql, organisationId, id);
  const listed = await listAll(sql, organisationId, parts.kinds);
  const names = new Map<number, string | null>();
  for (const { decided_by, person_name, person_email } of decisions)
    if (!names.has(decided_by))
      names.set(
        decided_by,
        (await shownName(parts.vault, { id: decided_by, name: person_name, email_sealed: person_email })) ?? null,
      );
  const by = ({ decided_by }: DecisionRow) => ({ id: decided_by, name: names.get(decided_by) ?? null });
  const isNewest = row === rows[0];
  return {
    review: shownReview(row, rows, parts.nowMs),
    lines: (isNewest ? listed : []).map(({ kind, ...one }) => {
      const last = decisions.find((each) => each.kind === kind.kind && each.subject_id === one.id);
      const holds = last?.decision === 'confirmed' && last.gives === one.gives;
      return {
        ...one,
        kind: kind.kind,
        confirmed: last !== undefined && holds ? { by: by(last), at: last.decided_at.toISOString() } : null,
        has_changed: last?.decision === 'confirmed' && !holds,
        may_remove: parts.may(kind),
      };
    }),
    decisions: decisions.map((one) => ({
      ...{ id: one.id, kind: one.kind, of: one.subject_id, gives: one.gives, decision: one.decision },
      label:
        one.called ?? listed.find((each) => each.kind.kind === one.kind && each.id === one.subject_id)?.label ?? null,
      ...{ by: by(one), at: one.decided_at.toISOString() },
    })),
  };
}

/**
 * Confirms and removes, all of it or nothing. What is removed is gone with that, by the way of its own page. The review is
 * done once everything that there is was confirmed as it is. Two who decide at once do so one after the other.
 * @throws RequestError not_found, conflict for a review that is over or a line that gives something else by now, and
 *   whatever the way of removing refuses
 */
export async function decide(
  sql: Sql,
  organisationId: number,
  id: number,
  decisions: readonly AccessDecision[],
  parts: {
    kinds: readonly AccessKind[];
    nowMs: number;
    personId: number;
    request: Parameters<typeof actOf>[0];
    /** What was done outside, by the place of the decision. */
    before: ReadonlyMap<number, unknown>;
  },
): Promise<{ confirmed: number; removed: number; isDone: boolean }> {
  const [newest] = await sql.query<{ id: number; done_at: Date | null }>(
    'SELECT id, done_at FROM access_reviews WHERE organisation_id = $1 ORDER BY id DESC LIMIT 1 FOR UPDATE',
    [organisationId],
  );
  if (newest === undefined) raiseGone();
  if (newest?.id !== id) {
    const known = await sql.query('SELECT 1 FROM access_reviews WHERE organisation_id = $1 AND id = $2', [
      ...[organisationId, id],
    ]);
    if (known.length === 0) raiseGone();
    throw new RequestError('conflict', 'The review of another quarter has begun. Decide there.');
  }
  const at = new Date(parts.nowMs);
  const before = await listAll(sql, organisationId, parts.kinds);
  for (const [place, { kind: name, id: subject, decision, gives }] of decisions.entries()) {
    const line = before.find((one) => one.kind.kind === name && one.id === subject);
    if (line === undefined)
      throw new RequestError('conflict', 'One of these is gone already. Load the page again.', {
        field: `decisions.${place}.id`,
      });
    if (line.gives !== gives)
      throw new RequestError('conflict', 'One of these gives something else by now. Load the page and look again.', {
        field: `decisions.${place}.gives`,
      });
    if (decision === 'removed')
      await line.kind.remove(sql, organisationId, subject, parts.request, parts.before.get(place));
    await sql.run(
      `INSERT INTO access_decisions (organisation_id, review_id, kind, subject_id, called, gives, decision, decided_at, decided_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        organisationId,
        id,
        name,
        subject,
        line.kind.isOfPerson ? null : line.label,
        gives,
        decision,
        at,
        parts.personId,
      ],
    );
  }
  const isDone = newest.done_at === null && (await isAllConfirmed(sql, organisationId, id, parts.kinds));
  if (isDone) await sql.run('UPDATE access_reviews SET done_at = $2 WHERE id = $1', [id, at]);
  const removed = decisions.filter(({ decision }) => decision === 'removed').length;
  return { confirmed: decisions.length - removed, removed, isDone };
}

/**
 * Does what has to be done outside before some of it is removed, and only of what is still what was looked at.
 * @returns what that gave, by the place of the decision
 */
export async function doneBefore(
  postgres: Pick<Postgres, 'tenant'>,
  organisationId: number,
  decisions: readonly AccessDecision[],
  kinds: readonly AccessKind[],
): Promise<Map<number, unknown>> {
  const done = new Map<number, unknown>();
  for (const [place, { kind: name, id, decision, gives }] of decisions.entries()) {
    const kind = kinds.find((one) => one.kind === name);
    if (decision !== 'removed' || kind?.before === undefined) continue;
    const listed = await postgres.tenant(organisationId, (sql) => kind.list(sql, organisationId));
    if (listed.some((one) => one.id === id && one.gives === gives))
      done.set(place, await kind.before(organisationId, id));
  }
  return done;
}

async function isAllConfirmed(sql: Sql, organisationId: number, id: number, kinds: readonly AccessKind[]) {
  const last = new Map<string, string | undefined>();
  for (const one of await readDecisions(sql, organisationId, id)) {
    const key = `${one.kind} ${one.subject_id}`;
    if (!last.has(key)) last.set(key, one.decision === 'confirmed' ? one.gives : undefined);
  }
  const left = await listAll(sql, organisationId, kinds);
  return left.every((one) => last.get(`${one.kind.kind} ${one.id}`) === one.gives);
}

async function listAll(sql: Sql, organisationId: number, kinds: readonly AccessKind[]): Promise<Listed[]> {
  const found: Listed[] = [];
  for (const kind of kinds) for (const one of await kind.list(sql, organisationId)) found.push({ ...one, kind });
  return found;
}

function readReviews(sql: Sql, organisationId: number): Promise<ReviewRow[]> {
  return sql.query<ReviewRow>(
    `SELECT r.id, r.quarter, r.opened_at, r.due_on::text AS due_on, r.done_at,
       (SELECT count(*)::int FROM access_decisions d WHERE d.review_id = r.id AND d.decision = 'confirmed') AS confirmed,
       (SELECT count(*)::int FROM access_decisions d WHERE d.review_id = r.id AND d.decision = 'removed') AS removed
     FROM access_reviews r WHERE r.organisation_id = $1 ORDER BY r.id DESC LIMIT ${reviewsMax}`,
    [organisationId],
  );
}

/** The newest first. A name is opened for who belongs to the organisation still. */
function readDecisions(sql: Sql, organisationId: number, review: number): Promise<DecisionRow[]> {
  return sql.query<DecisionRow>(
    `SELECT d.id, d.kind, d.subject_id, d.called, d.gives, d.decision, d.decided_at, d.decided_by,
       p.name AS person_name, p.email_sealed AS person_email
     FROM access_decisions d
     LEFT JOIN memberships m ON m.organisation_id = d.organisation_id AND m.person_id = d.decided_by
     LEFT JOIN people p ON p.id = m.person_id
     WHERE d.organisation_id = $1 AND d.review_id = $2 ORDER BY d.id DESC`,
    [organisationId, review],
  );
}

function shownReview(row: ReviewRow, all: readonly ReviewRow[], nowMs: number): AccessReview {
  const isLate = row.due_on < dayAfter(nowMs, 0);
  return {
    ...{ id: row.id, quarter: row.quarter, opened_at: row.opened_at.toISOString(), due_on: row.due_on },
    ...{ done_at: row.done_at?.toISOString() ?? null, confirmed: row.confirmed, removed: row.removed },
    state: row.done_at !== null ? 'done' : row !== all[0] ? 'missed' : isLate ? 'overdue' : 'open',
  };
}

function raiseGone(): never {
  throw new RequestError('not_found', 'There is no review of access with this number here.');
}
