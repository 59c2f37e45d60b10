import { z } from 'zod';
import type { Site } from '../../../contract/api.ts';
import {
  domainTyped,
  moveContents,
  newDomain,
  newMove,
  siteContents,
  siteLife,
  siteLifeLimits,
  siteMove,
  siteMoves,
  siteRemoval,
  siteRemovals,
} from '../../../contract/site_life.ts';
import {
  changeDomain,
  freeDomain,
  listFormerDomains,
  type Notices,
  organisationOfPath,
  readDomain,
  siteOfPath,
  sitesChanged,
} from '../../accounts/index.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, RequestError, type Route, type RouteRequest } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { siteTarget } from '../act_target.ts';
import { contentsOf } from './contents.ts';
import { nameOf, siteDeletingMail, siteDeletionTakenBackMail, tellOwners } from './mails.ts';
import type { Moves } from './moves.ts';
import { lifePage, tellMembers } from './notices.ts';
import { type Removals, refuseWhileRemoved } from './removals.ts';

const ofSite = z.object({ domain: z.string() });
const number = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);
const ofOrganisation = z.object({ organisation: z.string().max(64) });
const ofMove = ofOrganisation.extend({ id: number });

/** Other processes read the list of sites every 15 s; before the cut comes, each of them knows of it. */
const cutAheadMs = { alone: 1_000, shared: 20_000 };

/** A site as a whole: renamed, emptied, deleted, moved. */
export function lifeRoutes(
  house: Pick<House, 'config' | 'postgres' | 'warehouse' | 'spool' | 'clock' | 'audit' | 'mail' | 'vault'> & {
    notices: Notices;
  },
  parts: { removals: Removals; moves: Moves; wake(): void; forgetExport(id: number): Promise<void> },
): Route[] {
  const { config, postgres, clock, audit } = house;
  const { removals, moves } = parts;

  function record(sql: Sql, site: Site, action: string, request: Asking, details: Record<string, string> = {}) {
    return audit.record(sql, site.organisation_id, {
      action,
      ...actOf(request),
      targets: [siteTarget(site)],
      ...(Object.keys(details).length === 0 ? {} : { details }),
    });
  }

  async function tellOf(
    sql: Sql,
    site: Site,
    request: Asking,
    notice: { name: Parameters<Notices['tell']>[2]['name']; facts?: Record<string, string> },
  ) {
    const who = await nameOf(house, sql, request.principal);
    const whose = { organisationId: site.organisation_id, siteId: site.id, by: personOf(request) };
    await tellMembers(house, sql, whose, {
      name: notice.name,
      facts: { who, site: site.domain, ...notice.facts },
      link: lifePage(site.domain),
    });
  }

  async function lifeOf(sql: Sql, site: Site) {
    const former = await listFormerDomains(sql, site.id);
    return {
      domain: site.domain,
      former_domains: former.map((one) => ({ domain: one.domain, replaced_at: one.replaced_at.toISOString() })),
      removal: await removals.latest(sql, site.id),
      move: await moves.openOf(sql, site),
    };
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/life',
      access: 'site.manage',
      summary: 'What the site was called before, and whether it is being emptied, deleted or moved.',
      params: ofSite,
      answer: siteLife,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        return { body: await postgres.tenant(site.organisation_id, (sql) => lifeOf(sql, site)) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/contents',
      access: 'site.manage',
      summary: 'How much there is of a site, by kind: what an emptying, a deletion or a move is about.',
      params: ofSite,
      answer: siteContents,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        return { body: { contents: await contentsOf(house, site) } };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/sites/:domain/domain',
      access: 'site.manage',
      summary: 'Gives the site another domain. What still names the one before is counted for it.',
      params: ofSite,
      body: newDomain,
      answer: siteLife,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const to = readDomain(request.body.domain);
        if (to === undefined)
          throw new RequestError(
            'invalid_field',
            `"${request.body.domain}" is not a domain. Write it as it stands in the address bar, such as shop.example.`,
            { field: 'domain' },
          );
        const life = await postgres.tenant(site.organisation_id, async (sql) => {
          await refuseWhileRemoved(sql, site.id);
          await changeDomain(sql, site, to, new Date(clock.now()));
          const renamed = { ...site, domain: to };
          const body = await lifeOf(sql, renamed);
          await record(sql, renamed, 'site.renamed', request, { domain_before: site.domain, domain: to });
          if (site.domain !== to)
            await tellOf(sql, renamed, request, { name: 'site_renamed', facts: { before: site.domain } });
          return body;
        });
        await sitesChanged();
        return { body: life };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/sites/:domain/former-domains/:former',
      access: 'site.manage',
      summary: 'Lets a former domain go: what names it is not counted any more, and it can be added anew.',
      params: ofSite.extend({ former: z.string().max(253) }),
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        await postgres.tenant(site.organisation_id, async (sql) => {
          if (!(await freeDomain(sql, site.id, request.params.former)))
            throw new RequestError('not_found', 'This site has no such former domain.');
          const before = request.params.former;
          await record(sql, site, 'site.former_domain_removed', request, { domain_before: before });
          await tellOf(sql, site, request, { name: 'site_former_domain_removed', facts: { before } });
        });
        await sitesChanged();
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites/:domain/emptyings',
      access: 'organisation.manage',
      summary: 'Removes everything that was collected of a site, and keeps its settings. It cannot be taken back.',
      params: ofSite,
      body: domainTyped,
      answer: siteRemoval,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        refuseOtherDomain(site, request.body.domain);
        const ahead = config.role === 'all' ? cutAheadMs.alone : cutAheadMs.shared;
        const cutMs = Math.ceil((clock.now() + ahead) / 1_000) * 1_000;
        const removal = await postgres.tenant(site.organisation_id, async (sql) => {
          const begun = await removals.beginEmptying(sql, site, cutMs, personOf(request));
          await record(sql, site, 'site.emptying', request);
          return begun;
        });
        await sitesChanged();
        parts.wake();
        return { status: 202, body: removal };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/sites/:domain/deletion',
      access: 'organisation.manage',
      summary: `Deletes a site in ${siteLifeLimits.deletionDays} days. It collects nothing from now on; until then it can be taken back.`,
      params: ofSite,
      body: domainTyped,
      answer: siteRemoval,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        refuseOtherDomain(site, request.body.domain);
        const removal = await postgres.tenant(site.organisation_id, async (sql) => {
          const begun = await removals.beginDeletion(sql, site, personOf(request));
          await tellOwners(house, sql, site.organisation_id, siteDeletingMail, {
            ...{ site: site.domain, by: await nameOf(house, sql, request.principal), day: begun.due_at.slice(0, 10) },
            link: house.mail.link(lifePage(site.domain)),
          });
          await tellOf(sql, site, request, { name: 'site_deleting', facts: { day: begun.due_at.slice(0, 10) } });
          await record(sql, site, 'site.deleting', request, { until: begun.due_at });
          return begun;
        });
        await sitesChanged();
        return { status: 202, body: removal };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/sites/:domain/deletion',
      access: 'organisation.manage',
      summary: 'Takes the deletion of a site back: it collects again.',
      params: ofSite,
      answer: siteRemoval,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const removal = await postgres.tenant(site.organisation_id, async (sql) => {
          const ended = await removals.takeBack(sql, site.id);
          await tellOwners(house, sql, site.organisation_id, siteDeletionTakenBackMail, {
            ...{ site: site.domain, by: await nameOf(house, sql, request.principal) },
          });
          await tellOf(sql, site, request, { name: 'site_kept' });
          await record(sql, site, 'site.deletion_taken_back', request);
          return ended;
        });
        await sitesChanged();
        return { body: removal };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites/:domain/moves',
      access: 'organisation.own',
      summary: `Offers the site to another organisation, for ${siteLifeLimits.moveDays} days. Nothing moves before an owner there accepts.`,
      params: ofSite,
      body: newMove,
      answer: siteMove,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        return { status: 201, body: await moves.offer(site, request.body.to, actOf(request), ownerOf(request)) };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/sites/:domain/moves/:id',
      access: 'organisation.own',
      summary: 'Takes an offer to move the site back.',
      params: ofSite.extend({ id: number }),
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        await moves.withdraw(site, request.params.id, actOf(request), ownerOf(request));
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/site-removals',
      access: 'organisation.manage',
      summary: 'Sites of the organisation that were emptied or deleted, with what was removed and what was found left.',
      params: ofOrganisation,
      answer: siteRemovals,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        return { body: { removals: await postgres.tenant(id, removals.list) } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/site-moves',
      access: 'organisation.own',
      summary: 'Sites that are offered to the organisation or to you, and those that it offers.',
      params: ofOrganisation,
      answer: siteMoves,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        return { body: await moves.list(id, ownerOf(request)) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/site-moves/:id',
      access: 'organisation.own',
      summary: 'An offered site, and how much there is of it.',
      params: ofMove,
      answer: moveContents,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const { move, site } = await moves.find(id, ownerOf(request), request.params.id);
        return { body: { move, contents: await contentsOf(house, site) } };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/site-moves/:id/acceptance',
      access: 'organisation.own',
      summary: 'Takes an offered site: it belongs to this organisation from the next request on.',
      params: ofMove,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const exports = await moves.accept(id, ownerOf(request), request.params.id, actOf(request));
        for (const one of exports) await parts.forgetExport(one);
        await sitesChanged();
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/site-moves/:id/refusal',
      access: 'organisation.own',
      summary: 'Refuses an offered site.',
      params: ofMove,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        await moves.refuse(id, ownerOf(request), request.params.id, actOf(request));
        return { status: 204 };
      },
    }),
  ];
}

type Asking = Pick<RouteRequest<unknown, unknown, unknown>, 'principal' | 'address' | 'requestId'>;

function personOf({ principal }: Asking): number | undefined {
  return principal?.kind === 'person' ? principal.id : undefined;
}

/** No key has a permission that leads here, so the asker is a person. */
function ownerOf(request: Asking): number {
  const id = personOf(request);
  if (id === undefined)
    throw new RequestError('not_found', 'This is for people who are signed in; an API key owns nothing.');
  return id;
}

/** @throws RequestError invalid_field */
function refuseOtherDomain({ domain }: Pick<Site, 'domain'>, typed: string): void {
  if (readDomain(typed) !== domain)
    throw new RequestError('invalid_field', `This is not the domain of the site. Type ${domain}.`, { field: 'domain' });
}
