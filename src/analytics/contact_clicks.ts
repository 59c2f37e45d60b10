import { z } from 'zod';
import { contactClicks } from '../../contract/api.ts';
import { siteOfPath } from '../accounts/index.ts';
import { actOf } from '../platform/audit.ts';
import { defineRoute, type Route } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';
import { everyRestricted } from '../trust/requests/index.ts';
import { siteTarget } from './act_target.ts';
import { digestNameOf } from './contact_holder.ts';
import type { ContactKeys } from './contact_keys.ts';

/** Newest first; more than this is not what a page shows, and the values are no figures to be summed. */
const clicksMax = 1_000;

export function contactRoutes(
  house: Pick<House, 'postgres' | 'warehouse' | 'audit' | 'vault'>,
  keys: Pick<ContactKeys, 'open'>,
): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/contact-clicks',
      access: 'site.manage',
      summary:
        'The kept values of clicked mail and phone links, newest first. With `masked=true` the domain of an address and the last two digits of a number.',
      params: z.object({ domain: z.string() }),
      query: z.object({ masked: z.enum(['true', 'false']).default('false') }),
      answer: contactClicks,
      async handle(request) {
        const site = await siteOfPath(house.postgres, request);
        const isMasked = request.query.masked === 'true';
        // Written down before anything is opened (AUD-03): what was asked for counts, also when the warehouse is away.
        const restricted = await house.postgres.tenant(site.organisation_id, async (sql) => {
          // Masked, nobody is named: it is no look at a value.
          if (!isMasked)
            await house.audit.record(sql, site.organisation_id, {
              action: 'contact_clicks.viewed',
              ...actOf(request),
              targets: [siteTarget(site)],
            });
          return everyRestricted(sql);
        });
        /** Of somebody whose data is restricted the click is shown, and not whose address it was. */
        async function shown(value: string | undefined): Promise<{ kind: Kind | null; value: string | null }> {
          if (value === undefined) return { kind: null, value: null };
          const kind = kindOf(value);
          const isHidden =
            restricted.size > 0 && restricted.has(await digestNameOf(house.vault, site.organisation_id, value));
          return { kind, value: isHidden ? null : isMasked ? masked(value, kind) : value };
        }
        const rows = await house.warehouse.read<{
          time: string;
          name: string;
          hostname: string;
          page: string;
          contact: string;
          ms: string;
          visit: string;
        }>(
          `SELECT toString(time) AS time, name, hostname, pathname AS page, contact,
            toString(toUnixTimestamp64Milli(events.time)) AS ms, toString(visit_id) AS visit FROM events
          WHERE site_id = {site:UInt64} AND contact != '' ORDER BY events.time DESC LIMIT ${clicksMax}`,
          { site: site.id },
          { purpose: 'contact_clicks', signal: request.signal },
        );
        return {
          body: {
            clicks: await Promise.all(
              rows.map(async ({ contact, time, ms, visit, ...row }) => ({
                time: `${time.replace(' ', 'T')}Z`,
                ...row,
                ...(await shown(await keys.open({ siteId: site.id, timeMs: Number(ms), visitId: visit }, contact))),
              })),
            ),
          },
        };
      },
    }),
  ];
}

type Kind = 'mail' | 'phone';

/** What a browser sends of an address may have its sign percent-encoded. */
function kindOf(value: string): Kind {
  return /@|%40/i.test(value) ? 'mail' : 'phone';
}

/** What is kept of a link without the switch, and no more than that: the domain of an address (R12), and two digits to tell numbers apart. */
function masked(value: string, kind: Kind): string {
  if (kind === 'mail') return `•••@${value.split(/@|%40/i).at(-1)?.split('?')[0]?.toLowerCase()}`;
  return `••• ${value.replaceAll(/\D/g, '').slice(-2)}`;
}
