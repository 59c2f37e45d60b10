import {
  type DeletionPreview,
  type DeletionQuestion,
  type DeletionReceipt,
  deletionPreview,
  deletionQuestion,
  deletionReceipt,
  deletionReceipts,
} from '../../../contract/relay_reading.ts';
import { type Clock, repeat } from '../../platform/clock.ts';
import { defineRoute, type Principal, RequestError, type Route } from '../../platform/http/route.ts';
import { everywhere, type Sql } from '../../platform/postgres/index.ts';
import { lockCaptures, lockLoads } from '../intake/loads.ts';
import { keySubject } from '../intake/record.ts';
import { added, noneDeleted, removeConversions } from '../life/deletion.ts';
import { heldOfConversions, isKept, siteOfCapture } from '../life/kept.ts';
import { note, ofOrganisation, organisationFor } from '../settings/parts.ts';
import { endUploads } from '../uploads/index.ts';
import { Bound, hasDelivery, isOfDeliveries, ofConversions } from './narrowed.ts';
import { type ReadingHouse, reading, resolved } from './parts.ts';

/** Conversions of one transaction: their keys are destroyed one by one, and nobody should wait for the locks of more. */
const pieceRows = 1_000;
/** How long the call that asks goes on itself; what is left then goes by the timer. */
const atOnceMs = 10_000;
const goOnMs = 60_000;
const receiptsMax = 100;

/** @property settle stores what was acknowledged before this moment: @returns whether it is, within some seconds */
export type DeletionHouse = ReadingHouse & { readonly settle: () => Promise<boolean> };

interface Row extends Omit<DeletionReceipt, 'asked_at' | 'ended_at' | 'asked_by'> {
  asked_at: Date;
  ended_at: Date | null;
  asked_by_kind: 'person' | 'key';
  asked_by: number;
}
const columns = `id, what, filter, state, asked_at, asked_by_kind, asked_by, ended_at, conversions, tellings, deliveries, unsent,
  delivered, captures, held, on_the_way`;

/** Deletes one conversion, those that a filter finds, or all (REL-07): first what that would be, then the receipt. */
export function deletionRoutes(house: DeletionHouse): Route[] {
  const { postgres, clock, settle } = house;
  const deletion = openDeletion(house);
  return [
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/relay/deletion-previews',
      access: 'relay.manage',
      summary: 'What a deletion would take away, what platforms have of it already, and what a legal hold keeps.',
      params: ofOrganisation,
      body: deletionQuestion,
      answer: deletionPreview,
      async handle(request) {
        const organisation = organisationFor(request);
        const until = new Date(clock.now());
        return {
          body: await reading(house, organisation, async (sql) =>
            preview(sql, organisation, await fixed(sql, organisation, request.body, until), { until, now: until }),
          ),
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/relay/deletions',
      access: 'relay.manage',
      summary:
        'Deletes conversions with their facts, hashes, raw values, captured requests and what was to be sent. What platforms have stays there.',
      params: ofOrganisation,
      body: deletionQuestion,
      answer: deletionReceipt,
      async handle(request) {
        const organisation = organisationFor(request);
        // What was acknowledged before this call is part of it, and of one that is named its captured request.
        const isSettled = await settle();
        const at = new Date(clock.now());
        const principal = request.principal as Principal;
        const id = await postgres.tenant(organisation, async (sql) => {
          // From here on what came before goes nowhere (life/everything.ts): a load under way is waited for, the next one knows.
          if (request.body.everything === true) {
            await lockLoads(sql, organisation);
            await lockCaptures(sql, organisation);
          }
          const question = await fixed(sql, organisation, request.body, at);
          const { what, filter } = storedOf(question);
          const { held, sites, isEverythingHeld } = await candidates(sql, organisation, question, {
            until: at,
            now: at,
          });
          const [count] = await sql.query<{ held: number }>(held.sql, held.params);
          const row = await sql.one<{ id: number }>(
            `INSERT INTO relay_deletions (organisation_id, what, filter, asked_at, asked_by_kind, asked_by, held)
             VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
            [organisation, what, JSON.stringify(filter), at, principal.kind, principal.id, count?.held ?? 0],
          );
          // What one that runs has not stored yet would be dropped row by row.
          if (request.body.everything === true && !isEverythingHeld) await endUploads(sql, sites);
          await note(
            house,
            sql,
            request,
            'relay.conversions_deleted',
            { type: 'relay_deletion', id: row.id, label: wordsOf(request.body) },
            { what, held: count?.held ?? 0 },
          );
          return row.id;
        });
        const end = clock.monotonic() + atOnceMs;
        await deletion.run(organisation, id, { isSettled, mayGoOn: () => clock.monotonic() < end });
        return { status: 201, body: await postgres.tenant(organisation, (sql) => receipt(sql, id)) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/deletions',
      access: 'relay.read',
      summary: 'Receipts of the last hundred deletions, newest first.',
      params: ofOrganisation,
      answer: deletionReceipts,
      async handle(request) {
        const organisation = organisationFor(request);
        const rows = await reading(house, organisation, (sql) =>
          sql.query<Row>(
            `SELECT ${columns} FROM relay_deletions WHERE organisation_id = $1 ORDER BY id DESC LIMIT $2`,
            [organisation, receiptsMax],
          ),
        );
        return { body: { deletions: rows.map(shown) } };
      },
    }),
  ];
}

/** Goes on with deletions that were begun: what a call had no time for, and what a desk that ended left. @returns what ends it */
export function continueDeletions(house: DeletionHouse & { readonly clock: Clock }): () => void {
  const { postgres, clock, log, settle } = house;
  const deletion = openDeletion(house);
  let isStopped = false;
  const stop = repeat(
    clock,
    goOnMs,
    async () => {
      const open = await everywhere(postgres, async (sql, organisation) =>
        (
          await sql.query<{ id: number }>(
            "SELECT id FROM relay_deletions WHERE organisation_id = $1 AND state = 'running'",
            [organisation],
          )
        ).map(({ id }) => ({ organisation, id })),
      );
      if (open.length === 0) return;
      const isSettled = await settle();
      for (const { organisation, id } of open)
        await deletion.run(organisation, id, { isSettled, mayGoOn: () => !isStopped });
    },
    { onError: (error) => log.error('relay.deletion_failed', {}, error) },
  );
  return () => {
    isStopped = true;
    stop();
  };
}

function openDeletion({ postgres, vault, clock }: DeletionHouse) {
  /** One piece in a transaction of its own: what is gone stays gone, and is in the receipt. @returns whether there may be more */
  const piece = (organisation: number, id: number, isSettled: boolean) =>
    postgres.tenant(organisation, async (sql) => {
      const row = await sql.maybe<{ what: DeletionReceipt['what']; filter: Record<string, unknown>; asked_at: Date }>(
        "SELECT what, filter, asked_at FROM relay_deletions WHERE id = $1 AND state = 'running' FOR UPDATE SKIP LOCKED",
        [id],
      );
      if (row === undefined) return false;
      const question = questionOf(row);
      const moment = { until: row.asked_at, now: new Date(clock.now()) };
      const { free, isEverythingHeld, sites } = await candidates(sql, organisation, question, moment);
      const ids = (await sql.query<{ id: string }>(`${free.sql} LIMIT ${pieceRows}`, free.params)).map((one) => one.id);
      let gone = ids.length === 0 ? noneDeleted : await removeConversions(sql, vault, organisation, ids);
      const isLast = ids.length < pieceRows;
      // What a filter would find of what lies in the spool goes once that is stored; what came before everything is not.
      const isDone = isLast && (isSettled || row.what !== 'filter');
      // What no conversion was made of would become one once its mapping is right.
      if (isLast && row.what === 'everything' && !isEverythingHeld)
        gone = added(gone, { ...noneDeleted, captures: await removeCaptures(sql, organisation, moment, sites) });
      await sql.run(
        `UPDATE relay_deletions SET conversions = conversions + $2, tellings = tellings + $3, deliveries = deliveries + $4,
           unsent = unsent + $5, delivered = delivered + $6, captures = captures + $7,
           state = CASE WHEN $8 THEN 'done' ELSE state END, ended_at = CASE WHEN $8 THEN $9::timestamptz END
         WHERE id = $1`,
        [
          ...[id, gone.conversions, gone.tellings, gone.deliveries, gone.unsent, gone.delivered, gone.captures],
          ...[isDone, new Date(clock.now())],
        ],
      );
      return !isLast;
    });

  async function removeCaptures(
    sql: Sql,
    organisation: number,
    { until, now }: Moment,
    heldSites: ReadonlySet<number>,
  ): Promise<number> {
    const captures = await sql.query<{ id: string }>(
      `DELETE FROM relay_captures k WHERE k.organisation_id = $1 AND ${cameBy('k.received_at', '$2', '$3')}
         AND NOT ${isKept(siteOfCapture, 4)} RETURNING k.id`,
      [organisation, until, now, false, [...heldSites]],
    );
    for (const { id } of captures) await vault.shred(organisation, keySubject(id));
    return captures.length;
  }

  return {
    async run(
      organisation: number,
      id: number,
      { isSettled, mayGoOn }: { isSettled: boolean; mayGoOn: () => boolean },
    ): Promise<void> {
      while (mayGoOn()) if (!(await piece(organisation, id, isSettled))) return;
    },
  };
}

interface Statement {
  readonly sql: string;
  readonly params: readonly unknown[];
}

/**
 * What came up to the moment at which it was asked for, and not what comes while it is under way. What is of a time that is still to come
 * was there as well: the clock was set back since.
 */
interface Moment {
  readonly until: Date;
  readonly now: Date;
}

/** Was it there at that moment? SQL. @param at when it came; the others are parameters */
function cameBy(at: string, until: string, now: string): string {
  return `(${at} <= ${until} OR ${at} > ${now})`;
}

/** Which conversions are asked for: those that go, by their ids, and how many a hold keeps. */
async function candidates(sql: Sql, organisation: number, question: DeletionQuestion, { until, now }: Moment) {
  const { isEverythingHeld, sites } = await heldOfConversions(sql, organisation);
  const statement = (select: string, which: 'free' | 'held'): Statement => {
    const bound = new Bound();
    const own = bound.add(organisation);
    const filter = question.filter ?? {};
    const where = [
      ...ofConversions({ ...filter, ids: question.ids }, own, bound),
      cameBy('c.received_at', bound.add(until), bound.add(now)),
    ];

    if (isOfDeliveries(filter)) where.push(hasDelivery(filter, bound));
    const held = isEverythingHeld ? 'true' : `coalesce(c.site_id = ANY (${bound.add([...sites])}::bigint[]), false)`;
    where.push(which === 'held' ? held : `NOT ${held}`);
    return { sql: `SELECT ${select} FROM relay_conversions c WHERE ${where.join(' AND ')}`, params: bound.params };
  };
  return {
    ...{ isEverythingHeld, sites },
    isAnyHeld: isEverythingHeld || sites.size > 0,
    free: statement('c.id', 'free'),
    held: statement('count(*)::int AS held', 'held'),
  };
}

async function preview(
  sql: Sql,
  organisation: number,
  question: DeletionQuestion,
  moment: Moment,
): Promise<DeletionPreview> {
  const { free, held, isEverythingHeld, isAnyHeld, sites } = await candidates(sql, organisation, question, moment);
  if (question.everything === true && !isAnyHeld) return everything(sql, organisation);
  const place = free.params.length + 1;
  const chosen = `WITH chosen AS MATERIALIZED (${free.sql})`;
  const counts = await sql.one<Omit<DeletionPreview, 'held' | 'delivered_to'>>(
    `${chosen}, told AS MATERIALIZED (
       SELECT t.request_id FROM relay_tellings t JOIN chosen ON t.conversion_id = chosen.id WHERE t.organisation_id = $${place})
     SELECT (SELECT count(*)::int FROM chosen) AS conversions, (SELECT count(*)::int FROM told) AS tellings,
       (SELECT count(*)::int FROM relay_captures k WHERE k.organisation_id = $${place}
         AND (k.id IN (SELECT request_id FROM told) OR ($${place + 1}::boolean AND ${cameBy('k.received_at', `$${place + 2}`, `$${place + 3}`)}
           AND NOT ${isKept(siteOfCapture, place + 4)}))) AS captures, d.*
     FROM (SELECT count(*)::int AS deliveries,
         (count(*) FILTER (WHERE d.state IN ('held', 'waiting', 'sending')))::int AS unsent,
         (count(*) FILTER (WHERE d.state = 'accepted'))::int AS delivered
       FROM relay_deliveries d JOIN chosen ON d.conversion_id = chosen.id WHERE d.organisation_id = $${place}) AS d`,
    [
      ...[...free.params, organisation, question.everything === true && !isEverythingHeld],
      ...[moment.until, moment.now, false, [...sites]],
    ],
  );
  const to = await sql.query<DeletionPreview['delivered_to'][number]>(
    `${chosen} SELECT d.destination_id, o.name, count(*)::int AS count
     FROM relay_deliveries d JOIN chosen ON d.conversion_id = chosen.id LEFT JOIN relay_destinations o ON o.id = d.destination_id
     WHERE d.organisation_id = $${place} AND d.state = 'accepted' GROUP BY 1, 2 ORDER BY 3 DESC`,
    [...free.params, organisation],
  );
  const kept = await sql.one<{ held: number }>(held.sql, held.params);
  return { ...counts, held: kept.held, delivered_to: to };
}

/** The same of all that there is, without looking up which of it: a million of them are counted in some seconds. */
async function everything(sql: Sql, organisation: number): Promise<DeletionPreview> {
  const states = await sql.query<{ destination_id: number; name: string | null; state: string; count: number }>(
    `SELECT d.destination_id, o.name, d.state, count(*)::int AS count FROM relay_deliveries d
     LEFT JOIN relay_destinations o ON o.id = d.destination_id WHERE d.organisation_id = $1 GROUP BY 1, 2, 3 ORDER BY 4 DESC`,
    [organisation],
  );
  const counts = await sql.one<{ conversions: number; tellings: number; captures: number }>(
    `SELECT (SELECT count(*)::int FROM relay_conversions WHERE organisation_id = $1) AS conversions,
       (SELECT count(*)::int FROM relay_tellings WHERE organisation_id = $1) AS tellings,
       (SELECT count(*)::int FROM relay_captures WHERE organisation_id = $1) AS captures`,
    [organisation],
  );
  const of = (...some: string[]) =>
    states.reduce((sum, { state, count }) => (some.length === 0 || some.includes(state) ? sum + count : sum), 0);
  return {
    ...{ ...counts, deliveries: of(), unsent: of('held', 'waiting', 'sending'), delivered: of('accepted'), held: 0 },
    delivered_to: states
      .filter(({ state }) => state === 'accepted')
      .map(({ destination_id, name, count }) => ({ destination_id, name, count })),
  };
}

/** A period is the days up to now, also when the rest goes a minute later. */
async function fixed(sql: Sql, organisation: number, question: DeletionQuestion, now: Date): Promise<DeletionQuestion> {
  if (question.filter === undefined) return question;
  return { filter: await resolved(sql, organisation, question.filter, now.getTime()) };
}

function storedOf(question: DeletionQuestion): Pick<DeletionReceipt, 'what' | 'filter'> {
  if (question.ids !== undefined) return { what: 'ids', filter: { ids: question.ids } };
  return question.filter === undefined
    ? { what: 'everything', filter: {} }
    : { what: 'filter', filter: question.filter };
}

function questionOf({ what, filter }: Pick<DeletionReceipt, 'what' | 'filter'>): DeletionQuestion {
  if (what === 'ids') return { ids: (filter as { ids: string[] }).ids };
  return what === 'filter' ? { filter } : { everything: true };
}

function wordsOf(question: DeletionQuestion): string {
  if (question.ids !== undefined)
    return question.ids.length === 1 ? 'one conversion' : `${question.ids.length} conversions`;
  if (question.filter === undefined) return 'every conversion';
  const names = Object.entries(question.filter).filter(([, value]) => value !== undefined);
  return `conversions by ${names.map(([name]) => name).join(', ')}`;
}

async function receipt(sql: Sql, id: number): Promise<DeletionReceipt> {
  const row = await sql.maybe<Row>(`SELECT ${columns} FROM relay_deletions WHERE id = $1`, [id]);
  if (row === undefined) throw new RequestError('not_found', 'There is no receipt with this number here.');
  return shown(row);
}

function shown({ asked_at, ended_at, asked_by_kind, asked_by, ...row }: Row): DeletionReceipt {
  return {
    ...row,
    ...{ asked_at: asked_at.toISOString(), ended_at: ended_at?.toISOString() ?? null },
    asked_by: { type: asked_by_kind, id: asked_by },
  };
}
