import { z } from 'zod';
import { contactClicks } from '../../contract/api.ts';
import { siteOfPath } from '../accounts/index.ts';
import { actOf } from '../platform/audit.ts';
import { defineRoute, type Route } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';
import { openSeal } from '../trust/keys/index.ts';
import { siteTarget } from './act_target.ts';

/** Newest first; more than this is not what a page shows, and the values are no figures to be summed. */
const clicksMax = 1_000;

type ContactHouse = Pick<House, 'keys' | 'random'>;

/**
 * The one place that seals and opens values of mail and phone links (class D4): sealed before the spool, opened for
 * those who may change the site. No dimension, summary or export reads the column.
 */
export function openContacts({ keys, random }: ContactHouse) {
  const seal = openSeal(keys.derive('contact-click'), random);
  const contextOf = (siteId: number) => `contact-click ${siteId}`;
  return {
    sealContact: (siteId: number, value: string) => seal.seal(value, contextOf(siteId)),
    openContact: (siteId: number, sealed: string) => seal.open(sealed, contextOf(siteId)),
  };
}

export function contactRoutes(house: ContactHouse & Pick<House, 'postgres' | 'warehouse' | 'audit'>): Route[] {
  const { openContact } = openContacts(house);
  return [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/contact-clicks',
      access: 'site.manage',
      summary: 'The kept values of clicked mail and phone links, newest first.',
      params: z.object({ domain: z.string() }),
      answer: contactClicks,
      async handle(request) {
        const site = await siteOfPath(house.postgres, request);
        // Written down before anything is opened (AUD-03): what was asked for counts, also when the warehouse is away.
        await house.postgres.tenant(site.organisation_id, (sql) =>
          house.audit.record(sql, site.organisation_id, {
            action: 'contact_clicks.viewed',
            ...actOf(request),
            targets: [siteTarget(site)],
          }),
        );
        const rows = await house.warehouse.read<{
          time: string;
          name: string;
          hostname: string;
          page: string;
          contact: string;
        }>(
          `SELECT toString(time) AS time, name, hostname, pathname AS page, contact FROM events
          WHERE site_id = {site:UInt64} AND contact != '' ORDER BY events.time DESC LIMIT ${clicksMax}`,
          { site: site.id },
          { purpose: 'contact_clicks', signal: request.signal },
        );
        return {
          body: {
            clicks: rows.map(({ contact, time, ...row }) => ({
              time: `${time.replace(' ', 'T')}Z`,
              ...row,
              value: openContact(site.id, contact) ?? null,
            })),
          },
        };
      },
    }),
  ];
}
