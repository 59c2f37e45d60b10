import { z } from 'zod';
import { newTeam, organisationLimits, type Team, team } from '../../../contract/organisations.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, RequestError, type Route, type RouteRequest } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { gone, lockOrganisation, organisationOfPath } from './found.ts';
import { type OrganisationParts, ofOrganisation } from './parts.ts';

const ofTeam = ofOrganisation.extend({ id: z.coerce.number().int().positive() });

/** Teams: who works on which sites. A member who sees team sites only has the sites of all of their teams. */
export function teamRoutes({ house }: OrganisationParts): Route[] {
  const { postgres, audit, clock } = house;

  async function record(
    sql: Sql,
    organisationId: number,
    request: RouteRequest<unknown, unknown, unknown>,
    action: string,
    of: Pick<Team, 'id' | 'name'> & Partial<Team>,
  ): Promise<void> {
    await audit.record(sql, organisationId, {
      action,
      ...actOf(request),
      targets: [{ type: 'team', id: of.id, label: of.name }],
      details: { members: of.member_ids?.length ?? 0, sites: of.site_ids?.length ?? 0 },
    });
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/teams',
      access: 'member.read',
      summary: 'The teams of an organisation, with their people and sites.',
      params: ofOrganisation,
      answer: z.object({ teams: z.array(team) }),
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const teams = await postgres.tenant(id, (sql) => readTeams(sql));
        // Whoever sees the sites of their teams alone learns the numbers of no others.
        const only = request.principal?.siteIdsIn?.(id);
        const seen = (one: Team) => ({ ...one, site_ids: one.site_ids.filter((site) => only?.includes(site) ?? true) });
        return { body: { teams: teams.map(seen) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/teams',
      access: 'member.manage',
      summary: 'Makes a team.',
      params: ofOrganisation,
      body: newTeam,
      answer: team,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const made = await postgres.tenant(id, async (sql) => {
          await lockOrganisation(sql, id);
          const { count } = await sql.one<{ count: number }>('SELECT count(*)::int AS count FROM teams');
          if (count >= organisationLimits.teamsMax)
            throw new RequestError(
              'conflict',
              `An organisation has at most ${organisationLimits.teamsMax} teams. Remove one first.`,
            );
          await refuseTakenName(sql, request.body.name, 0);
          const { id: teamId } = await sql.one<{ id: number }>(
            'INSERT INTO teams (organisation_id, name, created_at) VALUES ($1, $2, $3) RETURNING id',
            [id, request.body.name, new Date(clock.now())],
          );
          await fillTeam(sql, id, teamId, request.body);
          const [whole] = await readTeams(sql, teamId);
          await record(sql, id, request, 'team.created', whole as Team);
          return whole as Team;
        });
        return { status: 201, body: made };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/teams/:id',
      access: 'member.manage',
      summary: 'Sets the name, the people and the sites of a team.',
      params: ofTeam,
      body: newTeam,
      answer: team,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const teamId = request.params.id;
        return postgres.tenant(id, async (sql) => {
          await lockOrganisation(sql, id);
          await refuseTakenName(sql, request.body.name, teamId);
          if ((await sql.run('UPDATE teams SET name = $2 WHERE id = $1', [teamId, request.body.name])) === 0)
            throw gone();
          await sql.run('DELETE FROM team_members WHERE team_id = $1', [teamId]);
          await sql.run('DELETE FROM team_sites WHERE team_id = $1', [teamId]);
          await fillTeam(sql, id, teamId, request.body);
          const [whole] = await readTeams(sql, teamId);
          await record(sql, id, request, 'team.changed', whole as Team);
          return { body: whole as Team };
        });
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/organisations/:organisation/teams/:id',
      access: 'member.manage',
      summary: 'Removes a team. Its people stay members; those who see team sites only lose its sites.',
      params: ofTeam,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        await postgres.tenant(id, async (sql) => {
          const [removed] = await sql.query<{ id: number; name: string }>(
            'DELETE FROM teams WHERE id = $1 RETURNING id, name',
            [request.params.id],
          );
          if (removed === undefined) throw gone();
          await record(sql, id, request, 'team.removed', removed);
        });
        return { status: 204 };
      },
    }),
  ];
}

/** The teams of somebody become exactly these. @throws RequestError invalid_field */
export async function joinTeams(sql: Sql, organisationId: number, personId: number, teamIds: readonly number[]) {
  const wanted = [...new Set(teamIds)];
  await sql.run('DELETE FROM team_members WHERE person_id = $1', [personId]);
  const put = await sql.run(
    'INSERT INTO team_members (organisation_id, team_id, person_id) SELECT $1, id, $2 FROM teams WHERE id = ANY ($3)',
    [organisationId, personId, wanted],
  );
  if (put !== wanted.length)
    throw new RequestError('invalid_field', 'One of these teams is not there any more. Load the page again.', {
      field: 'team_ids',
    });
}

async function fillTeam(
  sql: Sql,
  organisationId: number,
  teamId: number,
  { member_ids, site_ids }: { member_ids: readonly number[]; site_ids: readonly number[] },
): Promise<void> {
  const people = [...new Set(member_ids)];
  const sites = [...new Set(site_ids)];
  const wrong = (field: string, what: string) =>
    new RequestError(
      'invalid_field',
      `One of these ${what} is not of this organisation any more. Load the page again.`,
      {
        field,
      },
    );
  const members = await sql.run(
    `INSERT INTO team_members (organisation_id, team_id, person_id)
     SELECT $1, $2, person_id FROM memberships WHERE organisation_id = $1 AND person_id = ANY ($3)`,
    [organisationId, teamId, people],
  );
  if (members !== people.length) throw wrong('member_ids', 'people');
  const put = await sql.run(
    'INSERT INTO team_sites (organisation_id, team_id, site_id) SELECT $1, $2, id FROM sites WHERE id = ANY ($3)',
    [organisationId, teamId, sites],
  );
  if (put !== sites.length) throw wrong('site_ids', 'sites');
}

async function refuseTakenName(sql: Sql, name: string, except: number): Promise<void> {
  const taken = await sql.query('SELECT 1 FROM teams WHERE lower(name) = lower($1) AND id <> $2', [name, except]);
  if (taken.length > 0)
    throw new RequestError('conflict', `A team called ${name} is there already. Take another name.`, { field: 'name' });
}

async function readTeams(sql: Sql, only?: number): Promise<Team[]> {
  return sql.query<Team>(
    `SELECT t.id, t.name,
       ARRAY(SELECT m.person_id FROM team_members m WHERE m.team_id = t.id ORDER BY 1) AS member_ids,
       ARRAY(SELECT s.site_id FROM team_sites s WHERE s.team_id = t.id ORDER BY 1) AS site_ids
     FROM teams t WHERE $1::bigint IS NULL OR t.id = $1 ORDER BY lower(t.name)`,
    [only ?? null],
  );
}
