import { emailDigest, sealEmail } from '../../src/platform/email.ts';
import type { Examples } from './example.ts';

/** Organisations: their people, roles, teams, invitations, settings and status. */
export const examples: Examples = ({ organisation, people, next, call, asOwner, server }) => {
  const at = (rest: string) => `/api/organisations/${organisation()}${rest}`;
  /** Somebody to change who is changed into what they are. */
  let viewer = 1;
  const findViewer = async () => {
    const { members } = (await call('GET', at('/members'), people.owner)).body as {
      members: { id: number; email: string }[];
    };
    viewer = members.find(({ email }) => email === 'viewer@shop.example')?.id ?? 0;
    return viewer;
  };
  /** The first thing of a list that a call can be about, made where there is none. */
  const firstOf = async (list: string, member: string, make: () => unknown, wanted = (_: Named) => true) => {
    const found = ((await call('GET', at(`/${list}`), people.owner)).body[member] as Named[]).find(wanted);
    return found ?? ((await call('POST', at(`/${list}`), people.owner, make())).body as unknown as Named);
  };
  const newRole = () => ({ name: `Role ${next()}`, permissions: ['stats.read', 'site.read'] });
  const newTeam = () => ({ name: `Team ${next()}`, member_ids: [], site_ids: [] });
  const newInvitation = () => ({
    email: `guest-${next()}@shop.example`,
    role: 'analyst',
    team_ids: [],
    team_sites_only: false,
  });
  const ofRole = async () => {
    const { role } = await firstOf('roles', 'roles', newRole, (one) => one.built_in === false);
    return at(`/roles/${String(role).slice('custom:'.length)}`);
  };
  const ofTeam = async () => at(`/teams/${(await firstOf('teams', 'teams', newTeam)).id}`);
  const ofInvitation = async () =>
    at(`/invitations/${(await firstOf('invitations', 'invitations', newInvitation)).id}`);
  const pixel = Buffer.from('89504e470d0a1a0a', 'hex');

  return {
    'POST /api/organisations': {
      path: () => '/api/organisations',
      body: () => ({ name: `Firm ${next()}`, timezone: 'Europe/Berlin', currency: 'EUR' }),
      status: 201,
      own: true,
      badValues: [
        ['name', ' '],
        ['name', 'a\u0000b'],
        ['timezone', 'Mars/Olympus'],
        ['currency', 'XQQ'],
      ],
    },
    'GET /api/organisations/:organisation': { path: () => at(''), status: 200 },
    'PATCH /api/organisations/:organisation': {
      path: () => at(''),
      body: () => ({ name: 'Shop', slug: 'shop', timezone: 'UTC', currency: 'EUR', language: 'en' }),
      status: 200,
      badValues: [
        ['name', ''],
        ['slug', 'Two Words'],
        ['slug', '-shop'],
        ['slug', '12'],
        ['slug', ''],
        ['timezone', 'Mars/Olympus'],
        ['currency', 'euro'],
        ['language', 'tlh'],
      ],
    },
    'GET /api/organisations/:organisation/logo': {
      async path() {
        await asOwner((sql) =>
          sql.query(
            `INSERT INTO organisation_logos VALUES ($1, 'image/png', $2, 'v1', now()) ON CONFLICT (organisation_id) DO NOTHING`,
            [organisation(), pixel],
          ),
        );
        return at('/logo');
      },
      status: 200,
      badParams: [[`/api/organisations/1/logo?size=2`, 'size']],
    },
    // It comes without a byte.
    'PUT /api/organisations/:organisation/logo': { path: () => at('/logo'), status: 400 },
    'DELETE /api/organisations/:organisation/logo': { path: () => at('/logo'), status: 204 },
    'PUT /api/organisations/:organisation/closing': {
      path: () => at('/closing'),
      body: () => ({ slug: 'another' }),
      // Another name than that of the organisation: nothing is closed by this test.
      status: 400,
      badValues: [['slug', '']],
    },
    // It is not closing.
    'DELETE /api/organisations/:organisation/closing': { path: () => at('/closing'), status: 409 },
    'GET /api/organisations/:organisation/members': { path: () => at('/members'), status: 200 },
    'PATCH /api/organisations/:organisation/members/:person': {
      path: async () => at(`/members/${await findViewer()}`),
      body: () => ({ role: 'viewer', team_ids: [], team_sites_only: false }),
      status: 200,
      badParams: [[`/api/organisations/1/members/none`, 'person']],
      badValues: [
        ['role', 'king'],
        ['role', 'custom:0'],
        ['role', 'custom:999999'],
        ['team_ids', [0]],
        ['team_ids', [999_999]],
      ],
    },
    'DELETE /api/organisations/:organisation/members/:person': {
      path: async () => {
        const email = `leaver-${next()}@shop.example`;
        const id = await asOwner(async (sql) => {
          const { rows } = await sql.query<{ id: string }>("SELECT nextval('people_id_seq') AS id");
          const personId = Number(rows[0]?.id);
          await sql.query("SELECT set_config('fairlead.person', $1, false)", [String(personId)]);
          const { vault, keys } = server().desk.house;
          await sql.query(
            'INSERT INTO people (id, email_digest, email_sealed, created_at) VALUES ($1, $2, $3, now())',
            [personId, emailDigest(keys, email), await sealEmail(vault, { person: personId }, email)],
          );
          await sql.query("SELECT set_config('fairlead.person', '', false)");
          await sql.query(
            "INSERT INTO memberships (organisation_id, person_id, role, created_at) VALUES ($1, $2, 'viewer', now())",
            [organisation(), personId],
          );
          return personId;
        });
        return at(`/members/${id}`);
      },
      status: 204,
      badParams: [[`/api/organisations/1/members/0`, 'person']],
    },
    'POST /api/organisations/:organisation/departures': {
      path: () => at('/departures'),
      body: () => ({ slug: 'another' }),
      // Another name than that of the organisation: nobody leaves by this test.
      status: 400,
      badValues: [['slug', '']],
    },
    'PUT /api/organisations/:organisation/ownership-offer': {
      path: async () => {
        await findViewer();
        return at('/ownership-offer');
      },
      body: () => ({ person_id: viewer }),
      status: 200,
      badValues: [
        ['person_id', 0],
        ['person_id', 999_999],
      ],
    },
    'POST /api/organisations/:organisation/ownership-offer/acceptances': {
      async path() {
        await asOwner((sql) => sql.query('DELETE FROM ownership_offers'));
        return at('/ownership-offer/acceptances');
      },
      // Nothing is offered.
      status: 409,
    },
    'DELETE /api/organisations/:organisation/ownership-offer': {
      async path() {
        await asOwner((sql) => sql.query('DELETE FROM ownership_offers'));
        return at('/ownership-offer');
      },
      status: 409,
    },
    'GET /api/organisations/:organisation/roles': { path: () => at('/roles'), status: 200 },
    'POST /api/organisations/:organisation/roles': {
      path: () => at('/roles'),
      body: newRole,
      status: 201,
      badValues: [
        ['name', ' '],
        ['name', 'x'.repeat(61)],
        ['permissions', []],
        ['permissions', ['everything']],
        ['permissions', ['organisation.own']],
      ],
    },
    'PUT /api/organisations/:organisation/roles/:id': {
      path: ofRole,
      body: newRole,
      status: 200,
      badParams: [[`/api/organisations/1/roles/owner`, 'id']],
      badValues: [
        ['permissions', ['organisation.own']],
        ['permissions', ['organisation.take']],
      ],
    },
    'DELETE /api/organisations/:organisation/roles/:id': {
      path: ofRole,
      status: 204,
      badParams: [[`/api/organisations/1/roles/1?force=yes`, 'force']],
    },
    'GET /api/organisations/:organisation/teams': { path: () => at('/teams'), status: 200 },
    'POST /api/organisations/:organisation/teams': {
      path: () => at('/teams'),
      body: newTeam,
      status: 201,
      badValues: [
        ['name', ''],
        ['member_ids', [999_999]],
        ['site_ids', [999_999]],
        ['site_ids', [0]],
      ],
    },
    'PUT /api/organisations/:organisation/teams/:id': {
      path: ofTeam,
      body: newTeam,
      status: 200,
      badParams: [[`/api/organisations/1/teams/0`, 'id']],
      badValues: [['name', 'x'.repeat(61)]],
    },
    'DELETE /api/organisations/:organisation/teams/:id': { path: ofTeam, status: 204 },
    'GET /api/organisations/:organisation/invitations': { path: () => at('/invitations'), status: 200 },
    'POST /api/organisations/:organisation/invitations': {
      path: () => at('/invitations'),
      body: newInvitation,
      status: 201,
      badValues: [
        ['email', 'nobody'],
        ['role', 'king'],
        ['role', 'custom:999999'],
        ['team_ids', [999_999]],
      ],
    },
    'POST /api/organisations/:organisation/invitations/:id/links': {
      path: async () => `${await ofInvitation()}/links`,
      status: 201,
      badParams: [[`/api/organisations/1/invitations/none/links`, 'id']],
    },
    'DELETE /api/organisations/:organisation/invitations/:id': { path: ofInvitation, status: 204 },
    // Links that nobody has: what a good one does is in the journey of invitations.
    'POST /api/invitations/readings': {
      path: () => '/api/invitations/readings',
      body: () => ({ token: 'nobody-has-this-one' }),
      status: 404,
      badValues: [['token', '']],
    },
    'POST /api/invitations/acceptances': {
      path: () => '/api/invitations/acceptances',
      body: () => ({ token: 'nobody-has-this-one', name: 'Guest', password: 'a harbour of quiet rope' }),
      status: 404,
      badValues: [
        ['name', ' '],
        ['password', 'short'],
      ],
    },
    'POST /api/invitations/joins': {
      path: () => '/api/invitations/joins',
      body: () => ({ token: 'nobody-has-this-one' }),
      status: 404,
      own: true,
    },
    'GET /api/desk/organisations': { path: () => '/api/desk/organisations', status: 200 },
    'PUT /api/desk/organisations/:organisation/status': {
      path: () => `/api/desk/organisations/${organisation()}/status`,
      body: () => ({ status: 'active', reason: 'It is active already.' }),
      status: 409,
      badValues: [['status', 'closed']],
    },
    'PUT /api/desk/people/status': {
      path: () => '/api/desk/people/status',
      body: () => ({ email: 'viewer@shop.example', status: 'active', reason: 'It is active already.' }),
      status: 409,
      badValues: [['status', 'closed']],
    },
  };
};

type Named = Record<string, unknown>;
