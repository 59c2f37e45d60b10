import { z } from 'zod';
import {
  newReceiverList,
  noticeDays,
  type ReceiverListsAnswer,
  receiverListsAnswer,
} from '../../../contract/documents.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Principal, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayMs, utcDay } from '../../platform/zone.ts';
import type { DeskFacts, Listed } from './desk_facts.ts';
import { addList, changesOf, listable, readLists } from './lists.ts';

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
const aheadDaysMax = 365;
const names = (all: readonly Listed[]) => all.map((one) => one.legalName ?? one.label);

/** The public list of who receives something of this desk: its versions, and announcing one. */
export function listRoutes(
  { postgres, clock, audit }: Pick<House, 'postgres' | 'clock' | 'audit'>,
  facts: DeskFacts,
  tellAll: () => Promise<void>,
): Route[] {
  const inDays = (days: number) => utcDay(clock.now() + days * dayMs);

  async function standing(sql: Sql) {
    const lists = await readLists(sql);
    const { receivers, incomplete } = await facts.register(sql);
    const now = listable(receivers);
    const changes = changesOf(lists[0]?.receivers ?? [], now);
    // Nobody is new to a list that did not exist: from the first one on there is something to be told of.
    const hasAddition = lists.length > 0 && changes.added.length > 0;
    return { lists, now, changes, hasAddition, incomplete, earliest: inDays(hasAddition ? noticeDays : 0) };
  }

  async function shown(sql: Sql, organisation: number): Promise<ReceiverListsAnswer> {
    const { lists, changes, earliest, incomplete } = await standing(sql);
    const { slug } = await sql.one<{ slug: string }>('SELECT slug FROM organisations WHERE id = $1', [organisation]);
    const told = await sql.query<{ version: number; told: number }>(
      `SELECT version, count(*)::int AS told FROM document_receipts
       WHERE organisation_id = $1 AND kind = 'subprocessors' GROUP BY version`,
      [organisation],
    );
    return {
      lists: lists.map((one, at) => {
        const { added, removed } = changesOf(lists[at + 1]?.receivers ?? [], one.receivers);
        return {
          ...{ version: one.version, effective_on: one.effective_on, published_at: one.published_at.toISOString() },
          ...{ added: names(added), removed: names(removed) },
          told: told.find(({ version }) => version === one.version)?.told ?? 0,
          path: `/legal/${slug}/subprocessors/${one.version}`,
        };
      }),
      unannounced: { added: names(changes.added), removed: names(changes.removed), changed: names(changes.changed) },
      ...{ earliest, incomplete },
    };
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/subprocessor-lists',
      access: 'audit.read',
      summary: 'The versions of the public list of receivers, and what the register says that none of them does.',
      params: ofOrganisation,
      answer: receiverListsAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        await facts.prepare();
        return { body: await postgres.tenant(organisation, (sql) => shown(sql, organisation)) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/subprocessor-lists',
      access: 'operator',
      summary: `Announces the register as it is now. Somebody new in it takes effect ${noticeDays} days later at the earliest, and every member of every organisation is told.`,
      body: newReceiverList,
      async handle(request) {
        await facts.prepare();
        const effectiveOn = request.body.effective_on;
        const personId = (request.principal as Principal).id;
        const version = await postgres.system(async (sql) => {
          await sql.query("SELECT pg_advisory_xact_lock(hashtext('receiver lists'))");
          const { lists, now, changes, hasAddition, earliest } = await standing(sql);
          const count = changes.added.length + changes.removed.length + changes.changed.length;
          if (lists.length > 0 && count === 0)
            throw new RequestError('conflict', `Version ${lists[0]?.version} says exactly this already.`);
          if (effectiveOn < earliest || effectiveOn > inDays(aheadDaysMax))
            throw new RequestError(
              'invalid_field',
              hasAddition
                ? `${names(changes.added).join(', ')} would be new, and members are told ${noticeDays} days before: ${earliest} at the earliest.`
                : `It takes effect today or within ${aheadDaysMax} days.`,
              { field: 'effective_on' },
            );
          const made = await addList(
            sql,
            { receivers: now, effectiveOn, hasAddition },
            { personId, nowMs: clock.now() },
          );
          await audit.record(sql, 'desk', {
            ...{ action: 'receiver.announced', ...actOf(request) },
            targets: [{ type: 'receiver', id: made, label: `the list of receivers, version ${made}` }],
            details: {
              effective_on: effectiveOn,
              added: names(changes.added).join(', '),
              removed: names(changes.removed).join(', '),
            },
          });
          return made;
        });
        // What a kill leaves untold the timer tells: a receipt stands for each who was.
        await tellAll();
        return { status: 201, body: { version, effective_on: effectiveOn } };
      },
    }),
  ];
}
