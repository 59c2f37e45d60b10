import { z } from 'zod';
import {
  type DeliveryChoice,
  deadLetters,
  deadLettersQuestion,
  deliveriesAtOnceMax,
  deliveriesChanged,
  deliveriesQuestion,
  deliveryChoice,
  deliveryPage,
  deliveryStory,
  replayPreview,
} from '../../../contract/deliveries.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { ofOrganisation, organisationFor } from '../settings/parts.ts';
import { deadLettersOf } from './dead.ts';
import { deliveryLimits } from './limits.ts';
import { previewReplay } from './preview.ts';
import { deliveryOf, listDeliveries } from './read.ts';
import { approve, cancel, countReplay, replay } from './replays.ts';

const ofDelivery = ofOrganisation.extend({ delivery: z.coerce.number().int().positive() });
const base = '/api/organisations/:organisation/relay';

type Asker = Parameters<typeof actOf>[0];
type Change = (sql: Sql, organisationId: number, choice: DeliveryChoice, now: number) => Promise<number>;

/** Deliveries as people and keys see and steer them. @param wake looks at once for what is due now */
export function deliveryRoutes(
  house: Pick<House, 'postgres' | 'clock' | 'audit' | 'vault'>,
  wake: () => void,
): Route[] {
  const { postgres, clock, audit } = house;

  /** Piece by piece, each with its line in the trail, so that no transaction holds its rows for long. */
  async function changed(
    request: Asker & { body: DeliveryChoice },
    organisationId: number,
    { act, change }: { act: Act; change: Change },
  ): Promise<z.infer<typeof deliveriesChanged>> {
    let deliveries = 0;
    let piece: number = deliveryLimits.changePieceRows;
    while (piece === deliveryLimits.changePieceRows && deliveries < deliveriesAtOnceMax) {
      piece = await postgres.tenant(organisationId, async (sql) => {
        const rows = await change(sql, organisationId, request.body, clock.now());
        if (rows > 0)
          await audit.record(sql, organisationId, {
            ...{ action: act, ...actOf(request) },
            targets: [
              {
                type: 'relay_delivery',
                id: labelOf(request.body),
                label: rows === 1 ? '1 delivery' : `${rows} deliveries`,
              },
            ],
            details: { deliveries: rows, of: JSON.stringify(request.body).slice(0, 1_000) },
          });
        return rows;
      });
      deliveries += piece;
    }
    if (deliveries > 0) wake();
    const isAll = piece < deliveryLimits.changePieceRows;
    return { deliveries, too_old: 0, is_all: isAll };
  }

  return [
    defineRoute({
      method: 'GET',
      path: `${base}/deliveries`,
      access: 'relay.read',
      summary: 'Deliveries of conversions, the newest first, by destination, state, reason, time, conversion or order.',
      params: ofOrganisation,
      query: deliveriesQuestion,
      answer: deliveryPage,
      async handle(request) {
        const organisation = organisationFor(request);
        return { body: await postgres.tenant(organisation, (sql) => listDeliveries(sql, organisation, request.query)) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${base}/deliveries/:delivery`,
      access: 'relay.read',
      summary: 'One delivery with every request that it was in, and what was answered, redacted.',
      params: ofDelivery,
      answer: deliveryStory,
      async handle(request) {
        const organisation = organisationFor(request);
        const { delivery } = request.params;
        const body = await postgres.tenant(organisation, (sql) => deliveryOf(sql, organisation, delivery));
        if (body === undefined) throw new RequestError('not_found', 'There is no such delivery.');
        return { body };
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${base}/dead-letters`,
      access: 'relay.read',
      summary: 'What did not get through, by reason and destination, and how much of it is too old to be sent again.',
      params: ofOrganisation,
      query: deadLettersQuestion,
      answer: deadLetters,
      async handle(request) {
        const organisation = organisationFor(request);
        const body = await postgres.tenant(organisation, (sql) =>
          deadLettersOf(sql, organisation, request.query, clock.now()),
        );
        return { body };
      },
    }),
    defineRoute({
      method: 'POST',
      path: `${base}/replays/preview`,
      access: 'relay.read',
      summary:
        'How many deliveries would go again, how many their platform would call too old, and what would be withheld. Nothing is changed.',
      params: ofOrganisation,
      body: deliveryChoice,
      answer: replayPreview,
      async handle(request) {
        return { body: await previewReplay(house, organisationFor(request), request.body) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: `${base}/replays`,
      access: 'relay.manage',
      summary: 'Sends deliveries again under the ids that they have; what is too old for its platform stays as it is.',
      params: ofOrganisation,
      body: deliveryChoice,
      answer: deliveriesChanged,
      async handle(request) {
        const organisation = organisationFor(request);
        const { too_old } = await postgres.tenant(organisation, (sql) =>
          countReplay(sql, organisation, request.body, clock.now()),
        );
        let after = 0;
        const change: Change = async (sql, of, choice, now) => {
          const { deliveries, last } = await replay(sql, of, choice, { now, after });
          after = last;
          return deliveries;
        };
        const done = await changed(request, organisation, { act: 'relay.deliveries_replayed', change });
        return { status: 202, body: { ...done, too_old } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: `${base}/approvals`,
      access: 'relay.manage',
      summary: 'Lets deliveries go that waited for an approval.',
      params: ofOrganisation,
      body: deliveryChoice,
      answer: deliveriesChanged,
      async handle(request) {
        const done = await changed(request, organisationFor(request), {
          act: 'relay.deliveries_approved',
          change: approve,
        });
        return { status: 202, body: done };
      },
    }),
    defineRoute({
      method: 'POST',
      path: `${base}/cancellations`,
      access: 'relay.manage',
      summary: 'Ends deliveries that wait or are held: they are not sent.',
      params: ofOrganisation,
      body: deliveryChoice,
      answer: deliveriesChanged,
      async handle(request) {
        const done = await changed(request, organisationFor(request), {
          act: 'relay.deliveries_cancelled',
          change: cancel,
        });
        return { body: done };
      },
    }),
  ];
}

type Act = 'relay.deliveries_replayed' | 'relay.deliveries_approved' | 'relay.deliveries_cancelled';

function labelOf({ ids }: DeliveryChoice): string {
  return ids?.length === 1 ? String(ids[0]) : 'several';
}
