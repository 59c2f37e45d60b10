import { z } from 'zod';
import { newSite, type Session, session, setUp, setUpState, site, siteChange } from '../../contract/api.ts';
import { actOf } from '../platform/audit.ts';
import { defineRoute, type Principal, RequestError, type Route, type RouteRequest } from '../platform/http/route.ts';
import type { House } from '../platform/subject.ts';
import { isCounted } from '../trust/usage/index.ts';
import type { ApiKeys } from './api_keys.ts';
import { sitesChanged } from './changes.ts';
import { endedCookies, readCookie, refreshCookie, sessionCookies } from './cookies.ts';
import { keyRoutes } from './key_routes.ts';
import { isAgreementDue } from './legal/index.ts';
import { readMemberships } from './organisations/memberships.ts';
import type { PeopleSubject } from './people/index.ts';
import { personIn } from './people/person.ts';
import type { Sessions, SessionTokens } from './sessions.ts';
import type { SetUp } from './set_up.ts';
import { addSite, changeSite, listSites, readNewSite, siteOfPath } from './sites.ts';
import { openThrottles, setUpLimit } from './throttle.ts';

export interface AccountsParts {
  house: Omit<House, 'authenticate'>;
  sessions: Sessions;
  people: Pick<PeopleSubject, 'signIns' | 'refuseInsecure'>;
  apiKeys: ApiKeys;
  setUp: SetUp;
  version: string;
}

export function accountRoutes({ house, sessions, people, apiKeys, setUp: firstRun, version }: AccountsParts): Route[] {
  const { postgres, clock, audit } = house;
  const throttles = openThrottles(house);

  function withCookies(tokens: SessionTokens, status: number, body: unknown) {
    return { status, headers: { 'set-cookie': sessionCookies(tokens) }, body };
  }

  /** The organisation that a call is about, if the asker may do there what the call is for. */
  async function organisationOf(
    request: RouteRequest<unknown, { organisation_id?: number | undefined }, unknown>,
  ): Promise<number> {
    const id = await organisationNamed(request);
    request.allow(id);
    return id;
  }

  /** The one organisation that a key belongs to, or the one a person names or has. The caller asks for the permission. */
  async function organisationNamed(
    request: RouteRequest<unknown, { organisation_id?: number | undefined }, unknown>,
  ): Promise<number> {
    const principal = request.principal as Principal;
    const id =
      request.query.organisation_id ??
      principal.organisationId ??
      (await memberships(principal.id)).keys().next().value;
    if (id === undefined)
      throw new RequestError('not_found', 'You belong to no organisation yet. Ask an owner for an invitation.');
    return id;
  }

  async function memberships(personId: number): Promise<Map<number, string>> {
    const rows = await postgres.person(personId, (sql) =>
      sql.query<{ organisation_id: number; role: string }>(
        'SELECT organisation_id, role FROM memberships WHERE person_id = $1 ORDER BY organisation_id',
        [personId],
      ),
    );
    return new Map(rows.map((row) => [row.organisation_id, row.role]));
  }

  // Strict: a mistyped name would otherwise act on another organisation than the one that was meant.
  const organisationQuery = z.strictObject({ organisation_id: z.coerce.number().int().positive().optional() });

  return [
    defineRoute({
      method: 'GET',
      path: '/api/set-up',
      access: 'public',
      summary: 'Says whether this desk waits for its first owner.',
      answer: setUpState,
      handle: async () => ({ body: { waiting: await firstRun.waiting(), version } }),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/set-up',
      access: 'public',
      summary:
        'Creates the first owner, the organisation and its first site, with the one-time code of the printed address.',
      body: setUp,
      answer: site,
      async handle(request) {
        people.refuseInsecure(request);
        const entered = await throttles.enter(setUpLimit, request, request.body.proof);
        try {
          const made = await firstRun.createOwner(request.body, actOf(request).request);
          await entered.takeBack();
          const { cookies } = await people.signIns.finish(request, made.personId, ['set-up-code']);
          return { status: 201, headers: { 'set-cookie': cookies }, body: made.site };
        } catch (error) {
          const isGuess = error instanceof RequestError && error.code === 'wrong_setup_code';
          if (!isGuess) await entered.takeBack();
          throw error;
        }
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sessions/refresh',
      access: 'public',
      summary: 'Exchanges the refresh cookie for new tokens.',
      async handle(request) {
        const token = readCookie(request.headers.cookie, refreshCookie);
        if (token === undefined) throw new RequestError('unauthenticated', 'There is no session to continue. Sign in.');
        try {
          return withCookies(await sessions.refresh(token), 200, {});
        } catch (error) {
          if (error instanceof RequestError && error.code === 'session_ended')
            throw new RequestError('session_ended', error.message, {
              headers: { 'set-cookie': endedCookies() },
            });
          throw error;
        }
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/sessions/current',
      access: 'public',
      summary: 'Signs out: ends the session on the server and clears its cookies.',
      async handle(request) {
        const token = readCookie(request.headers.cookie, refreshCookie);
        if (token !== undefined)
          await sessions.end(token, (sql, personId) =>
            audit.recordOfPerson(sql, personId, {
              action: 'session.ended',
              ...actOf(request),
              actor: { type: 'person', id: personId },
            }),
          );
        return { status: 200, headers: { 'set-cookie': endedCookies() }, body: {} };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/session',
      access: 'signed-in',
      summary: 'Who is signed in, and which organisations and sites they may see.',
      answer: session,
      async handle(request) {
        const principal = request.principal as Principal;
        if (principal.kind !== 'person')
          throw new RequestError('forbidden', 'An API key has no session. Ask for what you need directly.');
        return { body: await sessionOf(principal.id) };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/sites',
      access: 'site.read',
      summary: 'The sites of an organisation.',
      query: organisationQuery,
      answer: z.object({ sites: z.array(site) }),
      async handle(request) {
        const organisationId = await organisationNamed(request);
        const maySee = request.allowSites(organisationId);
        const sites = await postgres.tenant(organisationId, listSites);
        return { body: { sites: sites.filter((one) => maySee(one.id)) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites',
      access: 'site.manage',
      summary: 'Adds a site.',
      query: organisationQuery,
      body: newSite,
      answer: site,
      async handle(request) {
        // Whoever is limited to some sites cannot add others: without a site the question is refused.
        const organisationId = await organisationOf(request);
        const input = readNewSite(request.body);
        const made = await postgres.tenant(organisationId, async (sql) => {
          const added = await addSite(sql, clock, organisationId, input);
          await audit.record(sql, organisationId, {
            action: 'site.created',
            ...actOf(request),
            targets: [{ type: 'site', id: added.id, label: added.domain }],
          });
          return added;
        });
        await sitesChanged();
        return { status: 201, body: made };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain',
      access: 'site.read',
      summary: 'One site and its settings.',
      params: z.object({ domain: z.string() }),
      answer: site,
      handle: async (request) => ({ body: await siteOfPath(postgres, request) }),
    }),
    defineRoute({
      method: 'PATCH',
      path: '/api/sites/:domain',
      access: 'site.manage',
      summary: 'Changes settings of a site.',
      params: z.object({ domain: z.string() }),
      body: siteChange,
      answer: site,
      async handle(request) {
        const found = await siteOfPath(postgres, request);
        const changed = await changeSite(postgres, found, request.body, (sql) =>
          audit.record(sql, found.organisation_id, {
            action: 'site.changed',
            ...actOf(request),
            targets: [{ type: 'site', id: found.id, label: found.domain }],
            details: changesOf(found, request.body),
          }),
        );
        return { body: changed };
      },
    }),
    ...keyRoutes({ house, apiKeys, organisationOf }),
  ];

  async function sessionOf(personId: number): Promise<Session> {
    const [{ is_operator }, { id, email, name, timezone, locale }, memberships, agreementDue, is_counted] =
      await postgres.person(
        personId,
        async (sql) =>
          [
            await sql.one<{ is_operator: boolean }>('SELECT is_operator FROM people WHERE id = $1', [personId]),
            await personIn(house, sql, personId),
            await readMemberships(sql, personId, clock.now()),
            await isAgreementDue(sql, personId),
            await isCounted(sql, personId),
          ] as const,
      );
    const sites = [];
    for (const { organisationId, siteIds, permissions, isSecondFactorOverdue } of memberships) {
      if (!permissions.includes('site.read') || isSecondFactorOverdue || agreementDue) continue;
      const all = await postgres.tenant(organisationId, listSites);
      sites.push(...all.filter((one) => siteIds === undefined || siteIds.includes(one.id)));
    }
    return {
      person: { id, email, name, is_operator, timezone, locale },
      organisations: memberships.map((one) => ({
        id: one.organisationId,
        name: one.name,
        slug: one.slug,
        role: one.role,
        role_name: one.roleName,
        permissions: [...one.permissions],
        status: one.status,
        status_reason: one.statusReason,
        status_until: one.statusUntil?.toISOString() ?? null,
        timezone: one.timezone,
        currency: one.currency,
        logo: one.logo,
        team_sites_only: one.siteIds !== undefined,
        has_credits: house.config.credits === true,
        second_factor_due: one.secondFactorDue?.toISOString() ?? null,
        is_second_factor_overdue: one.isSecondFactorOverdue,
      })),
      sites,
      agreement_due: agreementDue,
      is_counted,
      version,
    };
  }
}

/** Old and new value of each setting that is another now: `titles: true → false`. */
function changesOf(before: object, change: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(change)
      .filter(([name, value]) => value !== undefined && value !== (before as Record<string, unknown>)[name])
      .map(([name, value]) => [name, `${(before as Record<string, unknown>)[name]} → ${value}`]),
  );
}
