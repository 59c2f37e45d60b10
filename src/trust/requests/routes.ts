import { z } from 'zod';
import {
  newRequest,
  requestCorrections,
  requestDetail,
  requestExtension,
  requestStep,
  requestsAnswer,
  restrictionStep,
  signedReceipt,
} from '../../../contract/requests.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Principal, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { closeRequest, extendAndTell } from './answers.ts';
import type { Archives } from './archives.ts';
import type { Erasures } from './erasure.ts';
import { readReceipt } from './erasure_records.ts';
import type { Measures } from './measures.ts';
import { zipHeaders } from './public_routes.ts';
import { beginErasure, enterRequest, listRequests, type RequestParts, readRequest, takeStep } from './records.ts';

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
const ofRequest = ofOrganisation.extend({ request: z.coerce.number().int().positive() });

/** The register of requests of data subjects, of one organisation. */
export function requestRoutes(
  { postgres, clock, vault, audit, mail }: Pick<House, 'postgres' | 'clock' | 'vault' | 'audit' | 'mail'>,
  {
    erasures,
    archives,
    measures,
  }: { erasures: Pick<Erasures, 'begin' | 'publicKey'>; archives: Archives; measures: Measures },
  wake: () => void,
): Route[] {
  /** Does the work and gives back the request, with its act in the same transaction. */
  const act = (
    organisation: number,
    request: Parameters<typeof actOf>[0],
    action: string,
    work: (sql: Sql, parts: RequestParts) => Promise<number>,
    details: Readonly<Record<string, string>> = {},
  ) =>
    postgres.tenant(organisation, async (sql) => {
      const parts = { vault, organisationId: organisation, nowMs: clock.now() };
      const id = await work(sql, parts);
      await audit.record(sql, organisation, {
        ...{ action, ...actOf(request), details },
        targets: [{ type: 'request', id, label: `request ${id}` }],
      });
      return readRequest(sql, id, parts);
    });

  const looked = (organisation: number, id: number) =>
    postgres.tenant(organisation, (sql) =>
      readRequest(sql, id, { vault, organisationId: organisation, nowMs: clock.now() }),
    );

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/requests',
      access: 'request.manage',
      summary: 'Requests of data subjects: open ones by the day they are due, then closed ones. Nobody is named in it.',
      params: ofOrganisation,
      query: z.strictObject({ after: z.coerce.number().int().min(0).max(1_000_000).default(0) }),
      answer: requestsAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        return {
          body: await postgres.tenant(organisation, (sql) => listRequests(sql, clock.now(), request.query.after)),
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/requests',
      access: 'request.manage',
      summary:
        'Enters a request that reached the organisation, by mail, by phone or on paper. Its clock runs from the day it came.',
      params: ofOrganisation,
      body: newRequest,
      answer: requestDetail,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const personId = (request.principal as Principal).id;
        const body = await act(
          organisation,
          request,
          'request.entered',
          (sql, parts) => enterRequest(sql, request.body, { ...parts, personId }),
          { kind: request.body.kind, received_on: request.body.received_on },
        );
        return { status: 201, body };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/requests/:request',
      access: 'request.manage',
      summary: 'One request, with who asks. That it was opened stands in the audit log.',
      params: ofRequest,
      answer: requestDetail,
      async handle(request) {
        const { organisation, request: id } = request.params;
        request.allow(organisation);
        return { body: await act(organisation, request, 'request.viewed', async () => id) };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/requests/:request/state',
      access: 'request.manage',
      summary:
        'The next step of a request: who asks was checked, work began, it was answered, or it is refused with a reason. The outcome is mailed to who asked.',
      params: ofRequest,
      body: requestStep,
      answer: requestDetail,
      async handle(request) {
        const { organisation, request: id } = request.params;
        request.allow(organisation);
        const step = request.body;
        const work = async (sql: Sql, parts: RequestParts) => {
          if ('outcome' in step) await closeRequest(mail, sql, id, step, parts);
          else await takeStep(sql, id, step, parts);
          return id;
        };
        const details = 'check' in step ? { check: step.check } : {};
        const body = await act(organisation, request, actionOf[step.to], work, details);
        wake();
        return { body };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/requests/:request/erasure',
      access: 'request.manage',
      summary:
        'Begins the erasure that a request asks for, once who asks was checked and work began. It cannot be stopped or undone.',
      params: ofRequest,
      answer: requestDetail,
      async handle(request) {
        const { organisation, request: id } = request.params;
        request.allow(organisation);
        const by = request.principal?.kind === 'person' ? request.principal.id : null;
        const work = async (sql: Sql, parts: RequestParts) => {
          await beginErasure(sql, id, parts, (said) => erasures.begin(sql, organisation, id, by, said));
          return id;
        };
        const body = await act(organisation, request, 'request.erasure_begun', work);
        wake();
        return { status: 202, body };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/requests/:request/receipts/:number',
      access: 'request.manage',
      summary:
        'A signed receipt of an erasure (what went, what was kept and why, what the look afterwards found), of a correction or of a restriction.',
      params: ofRequest.extend({ number: z.coerce.number().int().positive() }),
      answer: signedReceipt,
      async handle(request) {
        const { organisation, request: id, number } = request.params;
        request.allow(organisation);
        const signed = await postgres.tenant(organisation, (sql) => readReceipt(sql, id, number));
        return {
          headers: { 'content-disposition': `attachment; filename="request-${id}-receipt-${number}.json"` },
          body: { ...signed, public_key: erasures.publicKey },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/requests/:request/corrections',
      access: 'request.manage',
      summary:
        'Puts right what a request for rectification says, wherever it is stored, once who asks was checked and work began. With a signed receipt.',
      params: ofRequest,
      body: requestCorrections,
      answer: requestDetail,
      async handle(request) {
        const { organisation, request: id } = request.params;
        request.allow(organisation);
        await measures.correct(organisation, id, request.body.corrections, actOf(request));
        return { status: 201, body: await looked(organisation, id) };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/requests/:request/restriction',
      access: 'request.manage',
      summary:
        'Puts a restriction or an objection in force: what is stored is kept and not used. Or announces its end, which who asked is told before.',
      params: ofRequest,
      body: restrictionStep,
      answer: requestDetail,
      async handle(request) {
        const { organisation, request: id } = request.params;
        request.allow(organisation);
        const step = request.body;
        const by = actOf(request);
        const isBegun = await postgres.tenant(organisation, (sql) =>
          sql.maybe('SELECT 1 FROM restrictions WHERE request_id = $1', [id]),
        );
        if (step.to === 'in-force' && isBegun === undefined) {
          await measures.restrict(organisation, id, by);
          return { body: await looked(organisation, id) };
        }
        const action = step.to === 'ending' ? 'request.restriction_ending' : 'request.restriction_kept';
        const work = async (sql: Sql) => {
          await measures.step(sql, organisation, id, step.to === 'ending' ? step : { to: 'kept' });
          return id;
        };
        const details: Record<string, string> = step.to === 'ending' ? { told: step.told } : {};
        const body = await act(organisation, request, action, work, details);
        wake();
        return { body };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/requests/:request/archive',
      access: 'request.manage',
      summary:
        'Puts together what is stored about who asked, as one archive, and mails them a link that works for 14 days. In the place of one that was made before.',
      params: ofRequest,
      answer: requestDetail,
      async handle(request) {
        const { organisation, request: id } = request.params;
        request.allow(organisation);
        const made = await archives.make(organisation, id);
        const work = async (sql: Sql) => {
          await archives.keep(sql, organisation, id, made);
          return id;
        };
        return { status: 201, body: await act(organisation, request, 'request.archive_made', work) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/requests/:request/archive',
      access: 'request.manage',
      summary: 'That archive, to hand over in another way.',
      params: ofRequest,
      async handle(request) {
        const { organisation, request: id } = request.params;
        request.allow(organisation);
        const body = await postgres.tenant(organisation, async (sql) => {
          const zip = await archives.open(sql, organisation, { requestId: id });
          await audit.record(sql, organisation, {
            ...{ action: 'request.archive_fetched', ...actOf(request) },
            targets: [{ type: 'request', id, label: `request ${id}` }],
          });
          return zip;
        });
        return { headers: zipHeaders, body };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/requests/:request/extension',
      access: 'request.manage',
      summary:
        'Extends a request once, before it is due, by two months at most. Who asked is told the reason by mail, once it is sure who that is.',
      params: ofRequest,
      body: requestExtension,
      answer: requestDetail,
      async handle(request) {
        const { organisation, request: id } = request.params;
        request.allow(organisation);
        const { until } = request.body;
        const work = async (sql: Sql, parts: RequestParts) => {
          await extendAndTell(mail, sql, id, request.body, parts);
          return id;
        };
        return { body: await act(organisation, request, 'request.extended', work, { until }) };
      },
    }),
  ];
}

const actionOf = {
  checked: 'request.checked',
  working: 'request.begun',
  answered: 'request.answered',
  refused: 'request.refused',
} as const;
