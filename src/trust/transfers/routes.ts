import { z } from 'zod';
import {
  newTransfer,
  type Transfer,
  transfer,
  transferNoticeDays,
  transfersAnswer,
} from '../../../contract/transfers.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Principal, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { announceTransfer, earliestOn, listTransfers, withdrawTransfer } from './records.ts';
import { type Teller, tellMembers } from './telling.ts';

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
const ofTransfer = ofOrganisation.extend({ transfer: z.coerce.number().int().positive() });

/** An organisation passes to a new controller: announced, withdrawn. The desk carries it out on its day. */
export function transferRoutes(
  { postgres, clock, audit }: Pick<House, 'postgres' | 'clock' | 'audit'>,
  notices: Teller,
): Route[] {
  const byOf = (request: { principal: Principal | undefined }) => ({
    personId: (request.principal as Principal).id,
    nowMs: clock.now(),
  });
  const note = (sql: Sql, organisation: number, request: Parameters<typeof actOf>[0], action: string, one: Transfer) =>
    audit.record(sql, organisation, {
      ...{ action, ...actOf(request) },
      targets: [{ type: 'transfer', id: one.id, label: one.legal_name }],
      details: { effective_on: one.effective_on, before: one.before_name },
    });
  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/transfers',
      access: 'audit.read',
      summary: 'Transfers of the organisation to a new controller: announced, withdrawn and carried out, newest first.',
      params: ofOrganisation,
      answer: transfersAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const transfers = await postgres.tenant(organisation, (sql) => listTransfers(sql, organisation));
        return { body: { transfers, earliest: earliestOn(clock.now()) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/transfers',
      access: 'organisation.own',
      summary: `Announces that the organisation passes to a new controller, ${transferNoticeDays} days ahead at least. Every member is told, and its public page says so.`,
      params: ofOrganisation,
      body: newTransfer,
      answer: transfer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const body = await postgres.tenant(organisation, async (sql) => {
          const made = await announceTransfer(sql, organisation, request.body, byOf(request));
          const members_told = await tellMembers(sql, notices, organisation, { name: 'controller_changes', of: made });
          await sql.run('UPDATE controller_transfers SET members_told = $2 WHERE id = $1', [made.id, members_told]);
          await note(sql, organisation, request, 'transfer.announced', made);
          return { ...made, members_told };
        });
        return { status: 201, body };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/organisations/:organisation/transfers/:transfer',
      access: 'organisation.own',
      summary: 'Withdraws a transfer before its day. Every member is told.',
      params: ofTransfer,
      answer: transfer,
      async handle(request) {
        const { organisation, transfer: id } = request.params;
        request.allow(organisation);
        const body = await postgres.tenant(organisation, async (sql) => {
          const one = await withdrawTransfer(sql, organisation, id, byOf(request));
          await tellMembers(sql, notices, organisation, { name: 'controller_stays', of: one });
          await note(sql, organisation, request, 'transfer.withdrawn', one);
          return one;
        });
        return { body };
      },
    }),
  ];
}
