import { z } from 'zod';
import { accessDecisions, accessReviewAnswer, accessReviews } from '../../../contract/access_review.ts';
import type { AccessKind } from '../../platform/access.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, type Principal, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { quarterOf } from './quarter.ts';
import { beginReview, decide, doneBefore, listReviews, readReview } from './records.ts';

const ofOrganisation = z.object({ organisation: z.coerce.number().int().positive() });
const ofReview = ofOrganisation.extend({ review: z.coerce.number().int().positive() });

/** Who and what has access, to confirm or remove by the quarter. */
export function accessRoutes(
  { postgres, clock, audit, vault }: Pick<House, 'postgres' | 'clock' | 'audit' | 'vault'>,
  kinds: () => readonly AccessKind[],
): Route[] {
  const read = (sql: Sql, organisation: number, id: number, request: { principal: Principal | undefined }) => {
    const mayDecide = request.principal?.can('policy.manage', organisation) === true;
    const may = ({ permission }: AccessKind) => mayDecide && request.principal?.can(permission, organisation) === true;
    return readReview(sql, organisation, id, { kinds: kinds(), vault, nowMs: clock.now(), may });
  };
  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/access-reviews',
      access: 'audit.read',
      summary: 'The quarterly reviews of who and what has access, the newest first.',
      params: ofOrganisation,
      answer: accessReviews,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const { name: quarter, next } = quarterOf(clock.now());
        const reviews = await postgres.tenant(organisation, (sql) => listReviews(sql, organisation, clock.now()));
        return { body: { reviews, quarter, next_on: next } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/access-reviews',
      access: 'policy.manage',
      summary: 'Begins the review of this quarter, where it has not begun by itself.',
      params: ofOrganisation,
      body: z.strictObject({}),
      answer: accessReviewAnswer,
      async handle(request) {
        const { organisation } = request.params;
        request.allow(organisation);
        const body = await postgres.tenant(organisation, async (sql) => {
          const id = await beginReview(sql, organisation, clock.now());
          if (id === undefined) throw new RequestError('conflict', 'The review of this quarter has begun already.');
          await audit.record(sql, organisation, { action: 'access.review_begun', ...actOf(request), ...target(id) });
          return read(sql, organisation, id, request);
        });
        return { status: 201, body };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/access-reviews/:review',
      access: 'audit.read',
      summary: 'One review: what lets somebody in now, and what was decided, by whom and when.',
      params: ofReview,
      answer: accessReviewAnswer,
      async handle(request) {
        const { organisation, review } = request.params;
        request.allow(organisation);
        return { body: await postgres.tenant(organisation, (sql) => read(sql, organisation, review, request)) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/access-reviews/:review/decisions',
      access: 'policy.manage',
      summary:
        'Confirms or removes, at once: all of it or nothing. Removing needs the permission of its own page, too.',
      params: ofReview,
      body: accessDecisions,
      answer: accessReviewAnswer,
      async handle(request) {
        const { organisation, review } = request.params;
        request.allow(organisation);
        const asker = request.principal as Principal;
        const { decisions } = request.body;
        for (const { kind, decision } of decisions) {
          const of = kinds().find((one) => one.kind === kind);
          if (decision === 'removed' && of !== undefined && !asker.can(of.permission, organisation))
            throw new RequestError(
              'forbidden',
              `Your role does not include ${of.permission}, so you cannot remove this. Ask an owner to decide of it.`,
            );
        }
        const before = await doneBefore(postgres, organisation, decisions, kinds());
        const body = await postgres.tenant(organisation, async (sql) => {
          const parts = { kinds: kinds(), nowMs: clock.now(), personId: asker.id, request, before };
          const { isDone, ...counts } = await decide(sql, organisation, review, decisions, parts);
          await audit.record(sql, organisation, {
            ...{ action: 'access.reviewed', ...actOf(request), ...target(review) },
            details: { ...counts, of: decisions.map(({ kind, id }) => `${kind} ${id}`).join(', ') },
          });
          if (isDone)
            await audit.record(sql, organisation, {
              action: 'access.review_done',
              ...actOf(request),
              ...target(review),
            });
          return read(sql, organisation, review, request);
        });
        const removed = new Set(decisions.flatMap(({ kind, decision }) => (decision === 'removed' ? kind : [])));
        for (const kind of kinds()) if (removed.has(kind.kind)) await kind.after?.(organisation);
        return { status: 201, body };
      },
    }),
  ];
}

const target = (id: number) => ({ targets: [{ type: 'access_review', id, label: `access review ${id}` }] });
