import { z } from 'zod';
import {
  madeShare,
  newShare,
  type ShareKind,
  type SharePanel,
  type SharePeriod,
  share,
  shareChange,
  shareLimits,
  shareList,
  sharePanels,
  sharePeriods,
  sharePreviewQuestion,
  widgetPanels,
} from '../../../contract/shares.ts';
import { openPasswords, siteOfPath } from '../../accounts/index.ts';
import type { AccessKind } from '../../platform/access.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { dayOf } from '../../platform/zone.ts';
import { checkSiteLimit } from '../site_limit.ts';
import { type Asking, openAsking } from './asking.ts';
import { readHost } from './hosts.ts';
import { sharePage, widgetPage } from './page.ts';
import { isOver } from './period.ts';
import { pageHeaders, publicShareRoutes, readAnswering } from './public.ts';
import { insertShare, listAllShares, listShares, updateShare } from './records.ts';

/** 192 bits, far more than can be guessed. */
const tokenBytes = 24;

type OfSite = { id: number; organisation_id: number; domain: string; timezone: string };
type Asker = Parameters<typeof actOf>[0];

/** Shares of a site: who manages them, and the pages that they open. */
export function openShares(
  house: Pick<House, 'config' | 'postgres' | 'clock' | 'keys' | 'random' | 'audit' | 'mail' | 'log' | 'vault'>,
  asking: Asking,
): { routes: Route[]; access: AccessKind; stop(): void } {
  const { postgres, clock, keys, random } = house;
  // A worker of its own: guesses at a shared page wait for each other, and nobody who signs in waits for them.
  const passwords = openPasswords({ keys, clock, cost: house.config.passwordCost });
  const numbers = openAsking({ asking, clock });

  function newLink(kind: ShareKind): { digest: Buffer; link: string } {
    const token = random.bytes(tokenBytes).toString('base64url');
    const path = `/share/${token}${kind === 'widget' ? '/widget' : ''}`;
    return { digest: keys.digest('share-link', token), link: house.mail.link(path) };
  }

  async function oneShare(sql: Sql, site: OfSite, id: number) {
    const [found] = await listShares(house, sql, site, clock.now(), id);
    if (found === undefined) throw new RequestError('not_found', 'There is no share with this number on this site.');
    return found;
  }

  function record(
    sql: Sql,
    site: OfSite,
    request: Asker,
    action: string,
    one: { id: number; name: string },
    details: Record<string, string> = {},
  ) {
    return house.audit.record(sql, site.organisation_id, {
      ...actOf(request),
      action,
      targets: [
        { type: 'site', id: site.id, label: site.domain },
        { type: 'share', id: one.id, label: one.name },
      ],
      details,
    });
  }

  async function revoke(sql: Sql, site: OfSite, id: number, request: Asker): Promise<void> {
    const gone = await oneShare(sql, site, id);
    await sql.run('DELETE FROM shares WHERE id = $1 AND site_id = $2', [gone.id, site.id]);
    await record(sql, site, request, 'share.revoked', gone);
  }

  /** Pages and widgets that are open to whoever has the link, for the review of access. */
  const access: AccessKind = {
    ...{ kind: 'share', permission: 'share.manage', isOfPerson: false },
    async list(sql) {
      const rows = await listAllShares(sql);
      return rows
        .filter(({ expires_on, timezone }) => !isOver(expires_on, clock.now(), timezone))
        .map((one) => ({
          ...{ id: one.id, label: `${one.name} (${one.domain})`, since: one.link_made_at.toISOString().slice(0, 10) },
          gives: [
            opensFor(one),
            one.panels.join(' '),
            one.expires_on === null ? 'without an end' : `until ${one.expires_on}`,
          ].join(', '),
          last_used: one.last_opened_on,
        }));
    },
    async remove(sql, _organisationId, id, request) {
      const of = (await listAllShares(sql)).find((one) => one.id === id);
      if (of === undefined) throw new RequestError('not_found', 'There is no share with this number here.');
      const { site_id, organisation_id, domain, timezone } = of;
      await revoke(sql, { id: site_id, organisation_id, domain, timezone }, id, request);
    },
  };

  const ofSite = z.object({ domain: z.string() });
  const ofShare = z.object({
    domain: z.string(),
    id: z.coerce
      .number()
      .int()
      .positive()
      .max(2 ** 53 - 1),
  });
  const management = [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/shares',
      access: 'share.manage',
      summary: 'The shares of a site and how often each was opened. Links are not among it: the desk keeps none.',
      params: ofSite,
      answer: shareList,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const shares = await postgres.tenant(site.organisation_id, (sql) => listShares(house, sql, site, clock.now()));
        return { body: { shares, limits: { shares: shareLimits.perSiteMax } } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites/:domain/shares',
      access: 'share.manage',
      summary: 'Makes a share. Its link is in this answer and never again.',
      params: ofSite,
      body: newShare,
      answer: madeShare,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const { body } = request;
        checkPanels(body.kind, body.panels);
        const hosts = readHosts(body.kind, body.hosts, true);
        const expiresOn = readLastDay(body.expires_on, site, clock.now());
        const passwordHash = await hashOf(body.kind, body.password, true);
        const { digest, link } = newLink(body.kind);
        const made = await postgres.tenant(site.organisation_id, async (sql) => {
          await checkSiteLimit(sql, site.id, 'shares', shareLimits.perSiteMax);
          const id = await insertShare(sql, site, {
            ...{ kind: body.kind, name: body.name, digest, hosts: hosts ?? [], passwordHash: passwordHash ?? null },
            ...{ panels: inOrder(sharePanels, body.panels), periods: [...new Set(body.periods)] },
            ...{ expiresOn: expiresOn ?? null, at: new Date(clock.now()) },
            createdBy: request.principal?.kind === 'person' ? request.principal.id : null,
          });
          await record(
            sql,
            site,
            request,
            'share.created',
            { id, name: body.name },
            {
              ...{ kind: body.kind, panels: body.panels.join(' '), expires_on: expiresOn ?? 'never' },
            },
          );
          return oneShare(sql, site, id);
        });
        return { status: 201, body: { share: made, link } };
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/api/sites/:domain/shares/:id',
      access: 'share.manage',
      summary:
        'Changes what a share shows, from the next view on. A new password ends what the old one opened; null takes it away.',
      params: ofShare,
      body: shareChange,
      answer: share,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const { body, params } = request;
        const before = await postgres.tenant(site.organisation_id, (sql) => oneShare(sql, site, params.id));
        if (body.panels !== undefined) checkPanels(before.kind, body.panels);
        const hosts = readHosts(before.kind, body.hosts, false);
        const expiresOn = body.expires_on === null ? null : readLastDay(body.expires_on, site, clock.now());
        const passwordHash =
          typeof body.password === 'string' ? await hashOf(pageKind(before.kind), body.password, true) : body.password;
        const changed = await postgres.tenant(site.organisation_id, async (sql) => {
          await updateShare(sql, site.id, params.id, {
            ...{ name: body.name, hosts, passwordHash, expiresOn },
            panels: body.panels === undefined ? undefined : inOrder(sharePanels, body.panels),
            periods: body.periods === undefined ? undefined : [...new Set(body.periods)],
          });
          const after = await oneShare(sql, site, params.id);
          await record(sql, site, request, 'share.changed', after, {
            members: Object.keys(body).sort().join(' '),
            ...(after.kind === before.kind ? {} : { kind: after.kind }),
          });
          return after;
        });
        return { body: changed };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites/:domain/shares/:id/links',
      access: 'share.manage',
      summary: 'Makes a new link for a share, in this answer and never again. The link before opens nothing any more.',
      params: ofShare,
      answer: madeShare,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        return postgres.tenant(site.organisation_id, async (sql) => {
          const before = await oneShare(sql, site, request.params.id);
          const { digest, link } = newLink(before.kind);
          await sql.run('UPDATE shares SET digest = $3, link_made_at = $4 WHERE id = $1 AND site_id = $2', [
            ...[before.id, site.id, digest, new Date(clock.now())],
          ]);
          await record(sql, site, request, 'share.changed', before, { members: 'link' });
          return { status: 201, body: { share: await oneShare(sql, site, before.id), link } };
        });
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/sites/:domain/shares/:id',
      access: 'share.manage',
      summary: 'Revokes a share. Its link opens nothing from the next request on.',
      params: ofShare,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        await postgres.tenant(site.organisation_id, (sql) => revoke(sql, site, request.params.id, request));
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/share-preview',
      access: 'share.manage',
      summary: 'The page that a share of these panels would show, as HTML.',
      params: ofSite,
      query: sharePreviewQuestion.extend({ period: z.enum(sharePeriods).optional() }),
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const { kind, theme } = request.query;
        const panels = readList(request.query.panels, sharePanels, 'panels');
        const periods = readList(request.query.periods, sharePeriods, 'periods');
        checkPanels(kind, panels);
        const period = periods.find((one) => one === request.query.period) ?? (periods[0] as SharePeriod);
        const answering = await postgres.tenant(site.organisation_id, (sql) =>
          readAnswering(sql, site.organisation_id),
        );
        const view = {
          ...answering,
          ...(await numbers.numbers({ ...site, createdAt: Date.parse(site.created_at) }, panels, period)),
          ...{ domain: site.domain, timezone: site.timezone, name: 'Preview', panels, periods, period, theme },
          linkQuery: `${new URLSearchParams({ kind, panels: panels.join(','), periods: periods.join(',') })}&`,
        };
        return { headers: { ...pageHeaders }, body: kind === 'widget' ? widgetPage(view) : sharePage(view) };
      },
    }),
  ];

  async function hashOf(kind: ShareKind, password: string | undefined, needed: boolean): Promise<string | undefined> {
    if (kind !== 'password') {
      if (password === undefined) return undefined;
      throw new RequestError('invalid_field', 'Only a share of the kind password has one.', { field: 'password' });
    }
    if (password !== undefined) return passwords.hash(password);
    if (!needed) return undefined;
    throw new RequestError('invalid_field', 'A share of this kind needs a password of at least 8 characters.', {
      field: 'password',
    });
  }

  return {
    access,
    routes: [...management, ...publicShareRoutes(house, { passwords, asking: numbers })],
    stop: () => passwords.close(),
  };
}

/** Who sees a share, in words. */
function opensFor({ kind, hosts }: { kind: ShareKind; hosts: readonly string[] }): string {
  if (kind === 'widget') return `whoever visits ${hosts.join(' or ')}`;
  return kind === 'password' ? 'whoever has the link and its password' : 'whoever has the link';
}

/** What a page becomes by a password; a widget asks for none. */
function pageKind(kind: ShareKind): ShareKind {
  return kind === 'widget' ? kind : 'password';
}

/** @throws RequestError invalid_field */
function checkPanels(kind: ShareKind, panels: readonly SharePanel[]): void {
  const tooMuch = panels.find((panel) => !(widgetPanels as readonly SharePanel[]).includes(panel));
  if (kind === 'widget' && tooMuch !== undefined)
    throw new RequestError('invalid_field', `A widget has no room for ${tooMuch}: it shows totals and series.`, {
      field: 'panels',
    });
}

function readHosts(kind: ShareKind, hosts: readonly string[] | undefined, needed: boolean): string[] | undefined {
  const refuse = (message: string): never => {
    throw new RequestError('invalid_field', message, { field: 'hosts' });
  };
  if (kind !== 'widget') return hosts === undefined ? undefined : refuse('Only a widget has hosts.');
  if (hosts === undefined && !needed) return undefined;
  if (hosts === undefined || hosts.length === 0)
    return refuse('A widget needs the hosts whose pages may show it, such as www.shop.example.');
  const read = hosts.map(
    (text) =>
      readHost(text) ??
      refuse(`"${text}" is no host. Write it as it stands in the address bar, such as www.shop.example.`),
  );
  return [...new Set(read)];
}

/** @throws RequestError invalid_field for a day that is over, or none */
function readLastDay(day: string | undefined, site: OfSite, now: number): string | undefined {
  if (day === undefined) return undefined;
  if (dayOf(day) === undefined)
    throw new RequestError('invalid_field', `There is no day ${day}.`, { field: 'expires_on' });
  if (isOver(day, now, site.timezone))
    throw new RequestError('invalid_field', `${day} is over in ${site.timezone}. Choose today or a later day.`, {
      field: 'expires_on',
    });
  return day;
}

function readList<T extends string>(text: string, known: readonly T[], field: string): T[] {
  const given = text.split(',');
  const read = known.filter((one) => given.includes(one));
  if (given.length > read.length || read.length === 0)
    throw new RequestError('invalid_field', `${field} takes a list of ${known.join(', ')}, with commas between.`, {
      field,
    });
  return read;
}

function inOrder<T extends string>(known: readonly T[], given: readonly T[]): T[] {
  return known.filter((one) => given.includes(one));
}
