import { z } from 'zod';
import {
  creditChange,
  creditChanged,
  creditsAnswer,
  creditsQuestion,
  creditTransferQuestion,
  creditTransferStory,
  creditTransfersPage,
  creditTransfersQuestion,
} from '../../../contract/credits.ts';
import { findOrganisation } from '../../accounts/index.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Principal, RequestError, type Route, sitesOfPrincipal } from '../../platform/http/route.ts';
import type { House } from '../../platform/subject.ts';
import type { By, Changed } from './grants.ts';
import { listTransfers, readCredits, transferOf } from './read.ts';

const number = z.coerce
  .number()
  .int()
  .positive()
  .max(2 ** 53 - 1);
const ofOrganisation = z.object({ organisation: number });
const ofTransfer = ofOrganisation.extend({ transfer: number });
const named = z.object({ organisation: z.string().max(64) });

interface Asked {
  readonly params: { readonly organisation: number };
  readonly principal: Principal | undefined;
  allow(organisationId: number): void;
}

/** Credits are of an organisation as its relay is: a sign-in or key for some of its sites does not reach them. */
function organisationFor(request: Asked): number {
  const { organisation } = request.params;
  request.allow(organisation);
  if (sitesOfPrincipal(request.principal as Principal, organisation) !== undefined)
    throw new RequestError(
      'not_found',
      'Credits belong to the whole organisation, and this sign-in or key is for some of its sites.',
    );
  return organisation;
}

type Parts = Pick<House, 'postgres' | 'clock' | 'config'>;
export type Change = (organisationId: number, change: z.infer<typeof creditChange>, by: By) => Promise<Changed>;

/** Credits as people and keys see them, and as whoever runs the desk adds them. */
export function creditRoutes({ postgres, clock, config }: Parts, change: Change): Route[] {
  const base = '/api/organisations/:organisation/relay/credits';
  return [
    defineRoute({
      method: 'GET',
      path: base,
      access: 'relay.read',
      summary: 'Credits that are left, and what was used of them by destination and day.',
      params: ofOrganisation,
      query: creditsQuestion,
      answer: creditsAnswer,
      async handle(request) {
        const organisation = organisationFor(request);
        const asked = { period: request.query.period, isOn: config.credits === true, now: clock.now() };
        return { body: await postgres.tenant(organisation, (sql) => readCredits(sql, organisation, asked)) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${base}/transfers`,
      access: 'relay.read',
      summary: 'Lines of the ledger of credits, the newest first.',
      params: ofOrganisation,
      query: creditTransfersQuestion,
      answer: creditTransfersPage,
      async handle(request) {
        const organisation = organisationFor(request);
        return { body: await postgres.tenant(organisation, (sql) => listTransfers(sql, organisation, request.query)) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${base}/transfers/:transfer`,
      access: 'relay.read',
      summary: 'One transfer of credits with the deliveries that it is for.',
      params: ofTransfer,
      query: creditTransferQuestion,
      answer: creditTransferStory,
      async handle(request) {
        const organisation = organisationFor(request);
        const asked = { id: request.params.transfer, ...request.query };
        const body = await postgres.tenant(organisation, (sql) => transferOf(sql, organisation, asked));
        if (body === undefined) throw new RequestError('not_found', 'There is no such transfer.');
        return { body };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/desk/organisations/:organisation/credits',
      access: 'operator',
      summary: 'Adds credits to an organisation, or takes back what is left of them.',
      params: named,
      body: creditChange,
      answer: creditChanged,
      async handle(request) {
        const organisation = await findOrganisation(postgres, request.params.organisation);
        if (organisation === undefined || !(await isThere(organisation)))
          throw new RequestError('not_found', 'There is no such organisation on this desk.');
        const { isNew, available } = await change(organisation, request.body, actOf(request));
        return { status: isNew ? 201 : 200, body: { is_new: isNew, available } };
      },
    }),
  ];

  function isThere(organisation: number): Promise<boolean> {
    return postgres.tenant(
      organisation,
      async (sql) => (await sql.query('SELECT 1 FROM organisations WHERE id = $1', [organisation])).length > 0,
    );
  }
}
