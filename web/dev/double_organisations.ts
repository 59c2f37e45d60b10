import type { Invitation, Member, OrganisationDetails, RoleTable, Team } from '../../contract/organisations.ts';

interface Answered {
  status: number;
  body?: unknown;
}
const dayMs = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * dayMs).toISOString();
const meanings: Record<string, string> = {
  'stats.read': 'See the numbers of a site',
  'stats.export': 'Export everything of a site into files',
  'events.write': 'Send events with their own time and address',
  'site.read': 'See sites and their settings',
  'site.manage': 'Add sites and change their settings',
  'goal.manage': 'Change goals and annotations',
  'key.manage': 'Make and revoke API keys',
  'organisation.read': 'See the organisation itself',
  'organisation.manage': 'Change name, address, logo and defaults of the organisation',
  'organisation.own': 'Hand the organisation on, and close it',
  'member.read': 'See the people and teams',
  'member.manage': 'Invite and remove people, change roles and teams',
  'audit.read': 'Read the audit log',
  'share.manage': 'Make and revoke public dashboards and widgets',
};
const all = Object.keys(meanings);
const look = ['stats.read', 'site.read', 'organisation.read'];
const sets: Record<string, string[]> = {
  owner: all,
  admin: all.filter((one) => one !== 'organisation.own'),
  analyst: [...look, 'stats.export', 'goal.manage', 'member.read'],
  marketer: [...look, 'stats.export', 'goal.manage', 'member.read'],
  author: [...look, 'member.read'],
  publisher: [...look, 'member.read'],
  approver: [...look, 'member.read'],
  viewer: look,
  billing: ['organisation.read'],
  'billing-archive': ['organisation.read'],
  'privacy-officer': [...look, 'member.read', 'audit.read'],
};

/** The organisation of the double: some people, two teams, a role of its own, one invitation. */
export function openOrganisations() {
  const person = (id: number, name: string, email: string, role: string, more: Partial<Member> = {}): Member => ({
    ...{ id, name, email, role, role_name: role, teams: [], team_sites_only: false, since: ago(400) },
    ...{ last_seen_day: ago(0).slice(0, 10), status: 'active', second_factor: true },
    ...more,
  });
  const members = [
    person(1, '', 'owner@shop.example', 'owner'),
    person(2, 'Ana Lind', 'ana@shop.example', 'admin', { last_seen_day: ago(1).slice(0, 10) }),
    person(3, 'Jo Marsh', 'jo@agency.example', 'custom:1', {
      ...{ role_name: 'Campaign desk', teams: [{ id: 1, name: 'Shop' }], team_sites_only: true },
    }),
    person(4, 'Sam Okafor', 'sam@shop.example', 'viewer', {
      last_seen_day: null,
      since: ago(12),
      second_factor: false,
    }),
  ];
  const teams: Team[] = [
    { id: 1, name: 'Shop', member_ids: [2, 3], site_ids: [1] },
    { id: 2, name: 'Editors', member_ids: [], site_ids: [2] },
  ];
  const invitations: Invitation[] = [
    {
      ...{ id: 1, email: 'kim@shop.example', role: 'analyst', role_name: 'analyst', team_ids: [] },
      ...{ team_sites_only: false, invited_by: 'Ana Lind', sent_at: ago(2), expires_at: ago(-5), expired: false },
    },
  ];
  const details: OrganisationDetails = {
    ...{ id: 1, name: 'Cedar & Loom', slug: 'cedar-loom', former_slugs: ['cedar'], status: 'active' },
    ...{ status_reason: null, status_until: null, timezone: 'Europe/Berlin', currency: 'EUR', language: 'en' },
    ...{ logo: null, created_at: ago(500), ownership_offer: null },
  };
  const table: RoleTable = {
    permissions: all.map((name) => ({ name, meaning: meanings[name] ?? name })),
    roles: [
      ...Object.entries(sets).map(([role, permissions]) => ({
        ...{ role, name: role, built_in: true, permissions },
        members: members.filter((one) => one.role === role).length,
      })),
      { role: 'custom:1', name: 'Campaign desk', built_in: false, permissions: [...look, 'goal.manage'], members: 1 },
    ],
  };

  return (method: string, path: string, body: unknown): Answered | undefined => {
    if (path === '/api/invitations/readings')
      return (body as { token: string }).token === 'old'
        ? {
            status: 404,
            body: {
              error: {
                code: 'not_found',
                message:
                  'This invitation does not work: it was used, taken back, or is older than seven days. Ask for a new one.',
              },
            },
          }
        : {
            status: 200,
            body: {
              ...{ organisation: 'Cedar & Loom', email: 'kim@shop.example', role_name: 'analyst' },
              ...{ invited_by: 'Ana Lind', expires_at: ago(-5), has_account: false },
              documents: [{ kind: 'terms', version: '2026-11', dated: '2026-11-24', path: '/legal/terms/2026-11' }],
            },
          };
    const rest =
      /^\/api\/organisations\/1(\/.*)?$/.exec(path)?.[1] ?? (path === '/api/organisations/1' ? '' : undefined);
    if (rest === undefined && !path.startsWith('/api/organisations/1')) return undefined;
    if (method === 'GET')
      switch (rest ?? '') {
        case '':
          return { status: 200, body: details };
        case '/members':
          return { status: 200, body: { members } };
        case '/roles':
          return { status: 200, body: table };
        case '/teams':
          return { status: 200, body: { teams } };
        case '/invitations':
          return { status: 200, body: { invitations } };
      }
    if (method === 'POST' && rest === '/invitations') {
      const asked = body as { email: string; role: string };
      const sent = {
        ...{ id: 9, ...asked, role_name: asked.role, team_ids: [], team_sites_only: false, invited_by: 'you' },
        ...{ sent_at: ago(0), expires_at: ago(-7), expired: false, mailed: false },
        link: 'https://desk.example/invitation/Zk3nYw0c7e0cJxJtq2bQm3lZ0f4Qm8n1aT5uV6wX7yY',
      };
      return { status: 201, body: sent };
    }
    return undefined;
  };
}
