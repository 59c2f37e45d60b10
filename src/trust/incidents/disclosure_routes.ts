import { z } from 'zod';
import {
  type Disclosure,
  disclosure,
  disclosuresAnswer,
  newDisclosure,
  newDisclosureEntry,
} from '../../../contract/disclosures.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Principal, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { addToDisclosure, enterDisclosure, listDisclosures } from './disclosures.ts';

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
const ofDisclosure = ofOrganisation.extend({ disclosure: z.coerce.number().int().positive() });

/** What authorities asked for, who allowed it and whom it was told: under Trust, beside the incidents. */
export function disclosureRoutes({ postgres, clock, audit }: Pick<House, 'postgres' | 'clock' | 'audit'>): Route[] {
  /** A change with its act in one transaction. What was written in words stays in the register, out of the audit log. */
  const act = (
    organisation: number,
    request: Parameters<typeof actOf>[0],
    action: string,
    work: (sql: Sql, by: { personId: number; nowMs: number }) => Promise<Disclosure>,
  ) =>
    postgres.tenant(organisation, async (sql) => {
      const one = await work(sql, { personId: (request.principal as Principal).id, nowMs: clock.now() });
      await audit.record(sql, organisation, {
        ...{ action, ...actOf(request) },
        targets: [{ type: 'disclosure', id: one.id, label: `demand ${one.id} of an authority` }],
        details: { state: one.state, subject: one.subject, alone: one.entries.some(({ alone }) => alone) },
      });
      return one;
    });

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/disclosures',
      access: 'audit.read',
      summary:
        'The register of demands of authorities and what was disclosed, the newest first, each with its entries.',
      params: ofOrganisation,
      query: z.strictObject({ before: z.coerce.number().int().positive().optional() }),
      answer: disclosuresAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const asker = (request.principal as Principal).id;
        return {
          body: await postgres.tenant(organisation, (sql) =>
            listDisclosures(sql, organisation, asker, request.query.before),
          ),
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/disclosures',
      access: 'policy.manage',
      summary: 'Enters a demand of an authority: its legal ground, the classes of data and what exactly it asks for.',
      params: ofOrganisation,
      body: newDisclosure,
      answer: disclosure,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const body = await act(organisation, request, 'disclosure.entered', (sql, by) =>
          enterDisclosure(sql, organisation, request.body, by),
        );
        return { status: 201, body };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/disclosures/:disclosure/entries',
      access: 'policy.manage',
      summary:
        'Adds to a demand: that it was allowed or refused (by a second person where there is one), what was handed over, whether whom it is about was told and why not. No entry is ever changed.',
      params: ofDisclosure,
      body: newDisclosureEntry,
      answer: disclosure,
      async handle(request) {
        const { organisation, disclosure: id } = request.params;
        request.allow(organisation);
        const body = await act(organisation, request, `disclosure.${request.body.kind}`, (sql, by) =>
          addToDisclosure(sql, organisation, id, request.body, by),
        );
        return { status: 201, body };
      },
    }),
  ];
}
