import type { NewHold } from '../../../contract/windows.ts';
import { windowLimits } from '../../../contract/windows.ts';
import type { HeldScope } from '../../platform/executor.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { dayMs } from '../../platform/zone.ts';
import { classes } from '../classes/index.ts';
import { type Line, lineOf } from './lines.ts';
import { classesBeside } from './stored.ts';

/** What goes when an account is closed. */
const classesOfPeople: readonly string[] = ['D7', 'D8', 'D16'];
/** What no copy of an organisation has in it. */
const classesOfNoCopy: readonly string[] = ['D1', 'D8', 'D9', 'D25'];
/** What goes when a site is emptied or deleted. */
const classesOfSites: readonly string[] = ['D2', 'D3', 'D4', 'D7', 'D22'];

/** A legal hold as it is stored (rule R9). */
export interface HoldRow {
  id: number;
  scope: NewHold['scope'];
  class: string | null;
  site_id: number | null;
  person_id: number | null;
  label: string;
  reason: string;
  owner: string;
  review_on: string;
  placed_at: Date;
  released_at: Date | null;
  release_reason: string | null;
}
const columns =
  'id, scope, class, site_id, person_id, called AS label, reason, owner, review_on, placed_at, released_at, release_reason';

/** Those in force first, each group newest first; released ones stay readable. */
export function listHolds(sql: Sql): Promise<HoldRow[]> {
  return sql.query<HoldRow>(
    `SELECT ${columns} FROM legal_holds ORDER BY released_at IS NOT NULL, id DESC LIMIT ${windowLimits.holdsMax * 2}`,
  );
}

export function holdsInForce(sql: Sql, organisationId: number): Promise<HoldRow[]> {
  return sql.query<HoldRow>(
    `SELECT ${columns} FROM legal_holds WHERE organisation_id = $1 AND released_at IS NULL ORDER BY id`,
    [organisationId],
  );
}

/** Which of these holds match a line, and what of it they keep. */
export function heldOf(line: Line, holds: readonly HoldRow[]): { scope: HeldScope; ids: number[] } {
  const scope = { everything: false, siteIds: new Set<number>(), personIds: new Set<number>() };
  const ids: number[] = [];
  for (const hold of holds) {
    const isOfClass =
      hold.class !== null && (hold.class === line.class || classesBeside[hold.class]?.includes(line.class as 'D3'));
    const isOfCopy = line.isCopyOfAll === true && !(hold.class !== null && classesOfNoCopy.includes(hold.class));
    if (hold.scope === 'everything' || isOfClass || isOfCopy) scope.everything = true;
    else if (hold.site_id !== null) scope.siteIds.add(hold.site_id);
    else if (hold.person_id !== null) scope.personIds.add(hold.person_id);
    else continue;
    ids.push(hold.id);
  }
  return { scope, ids };
}

/** What of a line must stay now, for what ends its rows by a clock of its own. */
export async function heldIn(sql: Sql, organisationId: number, name: string): Promise<HeldScope> {
  return heldOf(lineOf(name), await holdsInForce(sql, organisationId)).scope;
}

/**
 * Refuses what would remove rows that a hold keeps: of a site, or of everything there is.
 * @throws RequestError conflict that says which hold
 */
export async function refuseWhileHeld(sql: Sql, organisationId: number, siteId?: number): Promise<void> {
  const hold = await holdOn(sql, organisationId, siteId);
  if (hold === undefined) return;
  throw kept(hold);
}

function kept(hold: HoldRow): RequestError {
  return new RequestError(
    'conflict',
    `The legal hold ${hold.id} keeps ${hold.label}: nothing of it may be removed until the hold is released. Owners and privacy officers see it under Trust, Holds.`,
  );
}

/**
 * Refuses to remove what a hold keeps of a line: a copy, or what is of a site.
 * @throws RequestError conflict that says which hold
 */
export async function refuseLineWhileHeld(
  sql: Sql,
  organisationId: number,
  name: string,
  siteId: number | null = null,
): Promise<void> {
  const hold = await holdOnLine(sql, organisationId, name, siteId);
  if (hold !== undefined) throw kept(hold);
}

/** The first hold that keeps all of this line, or what is of a site in it. */
export async function holdOnLine(
  sql: Sql,
  organisationId: number,
  name: string,
  siteId: number | null = null,
): Promise<HoldRow | undefined> {
  const holds = await holdsInForce(sql, organisationId);
  return holds.find((hold) => {
    const { everything, siteIds } = heldOf(lineOf(name), [hold]).scope;
    return everything || (siteId !== null && siteIds.has(siteId));
  });
}

/** The first hold that keeps something of a site, or of the organisation when none is named. */
export async function holdOn(sql: Sql, organisationId: number, siteId?: number): Promise<HoldRow | undefined> {
  const holds = await holdsInForce(sql, organisationId);
  return holds.find(
    (hold) =>
      hold.scope === 'everything' ||
      (hold.class !== null && classesOfSites.includes(hold.class)) ||
      (hold.scope === 'site' && (siteId === undefined || hold.site_id === siteId)),
  );
}

/** Is there a hold on a person, in any organisation? In the person's own transaction. */
export async function isPersonHeld(sql: Sql, personId: number): Promise<boolean> {
  const rows = await sql.query('SELECT 1 FROM legal_holds WHERE person_id = $1 AND released_at IS NULL LIMIT 1', [
    personId,
  ]);
  return rows.length > 0;
}

/** Is there a hold that keeps what is stored of the organisation's people, whoever they are? */
export async function isMemberHeld(sql: Sql, organisationId: number): Promise<boolean> {
  const holds = await holdsInForce(sql, organisationId);
  return holds.some(
    (hold) => hold.scope === 'everything' || (hold.class !== null && classesOfPeople.includes(hold.class)),
  );
}

/** @throws RequestError invalid_field when the review is in the past or further off than a hold may go unseen */
export function checkReview(reviewOn: string, nowMs: number): void {
  const days = Math.round((Date.parse(reviewOn) - Math.floor(nowMs / dayMs) * dayMs) / dayMs);
  if (days >= 1 && days <= windowLimits.reviewDaysMax) return;
  throw new RequestError(
    'invalid_field',
    `A hold is looked at again within ${windowLimits.reviewDaysMax} days, and not before tomorrow. Choose a day between.`,
    { field: 'review_on' },
  );
}

/** @throws RequestError conflict when there are as many as there may be; invalid_field when nothing is meant by `of` */
export async function placeHold(
  sql: Sql,
  organisationId: number,
  wish: NewHold,
  by: { personId: number; nowMs: number },
): Promise<HoldRow> {
  checkReview(wish.review_on, by.nowMs);
  const target = await targetOf(sql, organisationId, wish);
  // Two at once would each count the other one out.
  await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('holds ' || $1, 0))", [String(organisationId)]);
  const inForce = await holdsInForce(sql, organisationId);
  if (inForce.length >= windowLimits.holdsMax)
    throw new RequestError(
      'conflict',
      `There are ${windowLimits.holdsMax} holds in force, which is the most. Release one that is over, or place one of a wider scope.`,
    );
  return sql.one<HoldRow>(
    `INSERT INTO legal_holds (organisation_id, scope, class, site_id, person_id, called, reason, owner, review_on, placed_at, placed_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING ${columns}`,
    [
      ...[organisationId, wish.scope, target.class ?? null, target.siteId ?? null, target.personId ?? null],
      ...[target.label, wish.reason, wish.owner, wish.review_on, new Date(by.nowMs), by.personId],
    ],
  );
}

async function targetOf(
  sql: Sql,
  organisationId: number,
  { scope, of = '' }: NewHold,
): Promise<{ label: string; class?: string; siteId?: number; personId?: number }> {
  const refuse = (message: string) => new RequestError('invalid_field', message, { field: 'of' });
  switch (scope) {
    case 'everything':
      return { label: 'everything of the organisation' };
    case 'class': {
      const found = classes.find(({ id, neverAtRest }) => id === of && neverAtRest !== true);
      if (found === undefined) throw refuse('Name a class that is stored, D2 to D25.');
      return { label: `${found.id} ${found.name}`, class: found.id };
    }
    case 'site': {
      const site = await sql.maybe<{ id: number; domain: string }>(
        'SELECT id, domain FROM sites WHERE organisation_id = $1 AND domain = $2',
        [organisationId, of],
      );
      if (site === undefined) throw refuse('This organisation has no such site. Name the domain of one.');
      return { label: site.domain, siteId: site.id };
    }
    case 'person': {
      const person = /^\d{1,15}$/.test(of)
        ? await sql.maybe<{ id: number; name: string }>(
            `SELECT p.id, p.name FROM people p JOIN memberships m ON m.person_id = p.id
             WHERE m.organisation_id = $1 AND p.id = $2`,
            [organisationId, Number(of)],
          )
        : undefined;
      if (person === undefined) throw refuse('This organisation has no such member. Name the number of one.');
      return { label: person.name === '' ? `member ${person.id}` : person.name, personId: person.id };
    }
  }
}

/** @throws RequestError not_found when it is no more in force */
export async function reviewHold(sql: Sql, id: number, reviewOn: string, nowMs: number): Promise<HoldRow> {
  checkReview(reviewOn, nowMs);
  return inForceOnly(
    await sql.maybe<HoldRow>(
      `UPDATE legal_holds SET review_on = $2, reviewed_at = $3 WHERE id = $1 AND released_at IS NULL RETURNING ${columns}`,
      [id, reviewOn, new Date(nowMs)],
    ),
  );
}

/** What it kept goes with the next night: the clock was never stopped, only not acted upon. */
export async function releaseHold(
  sql: Sql,
  id: number,
  { reason, personId, nowMs }: { reason: string; personId: number; nowMs: number },
): Promise<HoldRow> {
  return inForceOnly(
    await sql.maybe<HoldRow>(
      `UPDATE legal_holds SET released_at = $2, released_by = $3, release_reason = $4
       WHERE id = $1 AND released_at IS NULL RETURNING ${columns}`,
      [id, new Date(nowMs), personId, reason],
    ),
  );
}

function inForceOnly(row: HoldRow | undefined): HoldRow {
  if (row === undefined)
    throw new RequestError('not_found', 'There is no such hold in force. It may have been released meanwhile.');
  return row;
}
