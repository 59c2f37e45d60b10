import type { OrganisationArchive } from '../../contract/organisation_archives.ts';
import type { Invitation, Member, OrganisationDetails, RoleTable, Team } from '../../contract/organisations.ts';
import type { SecondFactorRule } from '../../contract/people.ts';
import type { Transfer } from '../../contract/transfers.ts';
import { contentsOf, offeredMoves } from './double_life.ts';
import { type Beholder, longName, refusal } from './double_people.ts';

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
  'organisation.take': 'Take everything of the organisation along, and read its access log',
  'member.read': 'See the people and teams',
  'member.manage': 'Invite and remove people, change roles and teams',
  'audit.read': 'Read the audit log, and what is kept for how long',
  'policy.manage': 'Set how long things are kept, place legal holds, and keep the register of incidents',
  'request.manage': 'See requests of data subjects with who asks, and answer them',
  'share.manage': 'Make and revoke public dashboards and widgets',
  'profile.read': 'See visitors of storage mode and what a site has called them',
  'relay.read': 'See sources, mappings, destinations and conversions of the relay',
  'relay.manage': 'Change where conversions come from, how they are read and where they go',
  'connection.read': 'See which ad platforms are connected, and until when',
  'connection.manage': 'Connect ad platforms, choose accounts and disconnect',
};
const all = Object.keys(meanings);
const look = ['stats.read', 'site.read', 'organisation.read'];
const sets: Record<string, string[]> = {
  owner: all,
  admin: all.filter((one) => one !== 'organisation.own' && one !== 'policy.manage'),
  analyst: [...look, 'stats.export', 'goal.manage', 'member.read', 'relay.read'],
  marketer: [
    ...[...look, 'stats.export', 'goal.manage', 'member.read', 'relay.read', 'relay.manage'],
    ...['connection.read', 'connection.manage'],
  ],
  author: [...look, 'member.read'],
  publisher: [...look, 'member.read'],
  approver: [...look, 'member.read'],
  viewer: look,
  billing: ['organisation.read'],
  'billing-archive': ['organisation.read'],
  'privacy-officer': [...look, 'member.read', 'audit.read', 'policy.manage'],
};

/** What a role of the double may do. */
export const permissionsOf = (role: string): string[] => sets[role] ?? [];

/**
 * The organisation of the double: some people, two teams, a role of its own, one invitation; nobody else for a newcomer,
 * and two hundred people for a crowd.
 */
export function openOrganisations(beholder: Beholder = 'signed-in') {
  const isNew = beholder === 'newcomer';
  const isCrowd = beholder === 'crowd';
  const person = (id: number, name: string, email: string, role: string, more: Partial<Member> = {}): Member => ({
    ...{ id, name, email, role, role_name: role, teams: [], team_sites_only: false, since: ago(400) },
    ...{ last_seen_day: ago(0).slice(0, 10), status: 'active', second_factor: true },
    ...more,
  });
  let members = [
    person(1, '', 'owner@shop.example', beholder === 'viewer' ? 'viewer' : 'owner'),
    ...(isNew ? [] : colleagues()),
  ];
  function colleagues(): Member[] {
    return [
      person(2, 'Ana Lind', 'ana@shop.example', 'admin', { last_seen_day: ago(1).slice(0, 10) }),
      person(3, 'Jo Marsh', 'jo@agency.example', 'custom:1', {
        ...{ role_name: 'Campaign desk', teams: [{ id: 1, name: 'Shop' }], team_sites_only: true },
      }),
      person(4, 'Sam Okafor', 'sam@shop.example', 'viewer', {
        ...{ last_seen_day: null, since: ago(12), second_factor: false },
      }),
      ...Array.from({ length: isCrowd ? 196 : 0 }, (_, at) =>
        person(
          at + 5,
          at % 3 === 0 ? `${longName} ${at}` : `Person ${at}`,
          `${'long.'.repeat(at % 7)}person${at}@shop.example`,
          Object.keys(sets)[at % 11] ?? 'viewer',
          {
            ...{ status: at % 40 === 7 ? 'suspended' : 'active' },
            ...{
              teams: Array.from({ length: at % 9 }, (_, team) => ({
                id: team + 1,
                name: `Team of the ${team + 1}. shop window`,
              })),
            },
          },
        ),
      ),
    ];
  }
  let teams: Team[] = isNew
    ? []
    : [
        { id: 1, name: 'Shop', member_ids: [2, 3], site_ids: [1] },
        { id: 2, name: 'Editors', member_ids: [], site_ids: [2] },
        ...Array.from({ length: isCrowd ? 38 : 0 }, (_, at) => ({
          ...{ id: at + 3, name: at % 5 === 0 ? longName.slice(0, 60) : `Team ${at + 3}` },
          ...{
            member_ids: Array.from({ length: at % 4 === 0 ? 60 : at % 5 }, (_, of) => of + 1),
            site_ids: [1, 2, 3].slice(0, at % 4),
          },
        })),
      ];
  let invitations: Invitation[] = Array.from({ length: isNew ? 0 : isCrowd ? 60 : 2 }, (_, at) => ({
    ...{ id: at + 1, email: at === 0 ? 'kim@shop.example' : `${'very.'.repeat(at % 6)}invited${at}@agency.example` },
    ...{ role: at === 0 ? 'analyst' : 'viewer', role_name: at === 0 ? 'analyst' : 'viewer', team_ids: [] },
    ...{ team_sites_only: false, invited_by: at === 0 ? 'Ana Lind' : at % 2 === 0 ? longName : '' },
    ...{ sent_at: ago(2 + at * 6), expires_at: ago(at * 6 - 5), expired: at > 0, is_undelivered: at === 1 },
  }));
  let rule: SecondFactorRule = 'managers';
  const details: OrganisationDetails = {
    ...{ id: 1, name: organisationName(beholder), slug: 'cedar-loom', former_slugs: ['cedar'] },
    ...{ status: isCrowd ? 'closing' : beholder === 'viewer' ? 'suspended' : 'active' },
    ...{ status_reason: beholder === 'viewer' ? 'The bill of October is open.' : null },
    ...{ status_until: isCrowd ? ago(-21) : null, timezone: 'Europe/Berlin', currency: 'EUR', language: 'en' },
    ...{ logo: null, created_at: ago(500) },
    ownership_offer: isCrowd
      ? {
          by: { id: 2, name: longName, email: 'ana@shop.example' },
          to: { id: 1, name: '', email: 'owner@shop.example' },
          expires_at: ago(-6),
        }
      : null,
  };
  let archives: OrganisationArchive[] = isNew
    ? []
    : [
        {
          ...{
            id: 2,
            state: isCrowd ? ('running' as const) : ('done' as const),
            sites: 3,
            sites_done: isCrowd ? 1 : 3,
            ...{ withheld: false, held: false },
          },
          ...{ rows: 1_204_331, bytes: isCrowd ? 0 : 96_400_000, failure: null, started_by: 1, created_at: ago(1) },
          ...{ finished_at: isCrowd ? null : ago(1), expires_at: isCrowd ? null : ago(-6) },
        },
        ...(isCrowd
          ? [
              {
                ...{ id: 1, state: 'failed' as const, sites: 3, sites_done: 0, rows: 0, bytes: 0, started_by: 1 },
                failure: 'The disk of the desk has 1.2 GB free. Make room, and start it again.',
                ...{ created_at: ago(3), finished_at: ago(3), expires_at: ago(-4), withheld: false, held: false },
              },
            ]
          : []),
      ];
  const table: RoleTable = {
    permissions: all.map((name) => ({ name, meaning: meanings[name] ?? name })),
    roles: [
      ...Object.entries(sets).map(([role, permissions]) => ({
        ...{ role, name: role, built_in: true, permissions },
        members: members.filter((one) => one.role === role).length,
      })),
      ...(isNew
        ? []
        : [
            {
              role: 'custom:1',
              name: 'Campaign desk',
              built_in: false,
              permissions: [...look, 'goal.manage'],
              members: 1,
            },
          ]),
      ...Array.from({ length: isCrowd ? 12 : 0 }, (_, at) => ({
        ...{ role: `custom:${at + 2}`, name: at % 3 === 0 ? longName.slice(0, 60) : `Desk ${at + 2}` },
        ...{ built_in: false, permissions: look, members: at },
      })),
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
                message: 'The invitation was used, taken back, or is older than seven days. Ask for a new one.',
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
    if (path === '/api/invitations/acceptances' || path === '/api/invitations/joins')
      return { status: 201, body: { slug: 'cedar-loom' } };
    if (path === '/api/organisations' && method === 'POST')
      return { status: 201, body: { ...details, slug: 'cedar-loom' } };
    const rest = /^\/api\/organisations\/(?:1|cedar-loom)(\/.*)?$/.exec(path)?.slice(1)[0];
    if (!/^\/api\/organisations\/(1|cedar-loom)(\/|$)/.test(path)) return undefined;
    const [, part = '', id, deeper] = (rest ?? '').split('/');
    const asked = (body ?? {}) as Record<string, unknown>;
    if (
      [
        'audit',
        'windows',
        'holds',
        'policy',
        'requests',
        'incidents',
        'subprocessors',
        'documents',
        'identity',
        'subprocessor-lists',
        'incident-drafts',
        'disclosures',
        'access-reviews',
        'operations',
        'access-log',
        'lawful-bases',
        'consents',
      ].includes(part)
    )
      return undefined;
    if (part === 'transfers') {
      const found = isNew ? [] : isCrowd ? [transferOf('announced')] : [transferOf('withdrawn')];
      return method === 'GET'
        ? { status: 200, body: { transfers: found, earliest: ago(-30).slice(0, 10) } }
        : { status: 201, body: transferOf(method === 'DELETE' ? 'withdrawn' : 'announced') };
    }
    if (part === 'archives') {
      const [first] = archives;
      if (method === 'POST' && first !== undefined)
        archives = [{ ...first, id: first.id + 1, state: 'waiting', expires_at: null }, ...archives];
      if (method === 'DELETE') archives = archives.filter((one) => one.id !== Number(id));
      return { status: method === 'POST' ? 201 : 200, body: method === 'POST' ? archives[0] : { archives } };
    }
    if (method === 'GET')
      switch (part) {
        case '':
          return { status: 200, body: details };
        case 'members':
          return { status: 200, body: { members } };
        case 'roles':
          return { status: 200, body: table };
        case 'teams':
          return { status: 200, body: { teams } };
        case 'site-moves':
          return {
            status: 200,
            body:
              id === undefined
                ? offeredMoves
                : { move: offeredMoves.received[0], contents: contentsOf('lantern.example') },
          };
        case 'invitations':
          return { status: 200, body: { invitations } };
        case 'second-factor':
          return { status: 200, body: { required: rule } };
      }
    if (part === 'second-factor') {
      rule = asked.required as SecondFactorRule;
      return { status: 200, body: { required: rule } };
    }
    if (part === 'invitations' && method === 'POST') {
      const found = invitations.find((one) => one.id === Number(id));
      if (found === undefined && members.some((one) => one.email === asked.email))
        return refusal(409, 'conflict', `${asked.email} is a member already. Change the role under Members.`, 'email');
      const sent = {
        ...{ id: 900 + invitations.length, role_name: String(asked.role), team_ids: [], team_sites_only: false },
        ...{
          invited_by: 'you',
          expired: false,
          is_undelivered: false,
          ...asked,
          ...found,
          sent_at: ago(0),
          expires_at: ago(-7),
        },
        mailed: found !== undefined,
        link:
          found !== undefined ? null : 'https://desk.example/invitation/Zk3nYw0c7e0cJxJtq2bQm3lZ0f4Qm8n1aT5uV6wX7yY',
      };
      return { status: 201, body: deeper === 'links' ? { ...sent, expired: false } : sent };
    }
    if (method === 'DELETE') {
      invitations = invitations.filter((one) => part !== 'invitations' || one.id !== Number(id));
      members = members.filter((one) => part !== 'members' || one.id !== Number(id));
      teams = teams.filter((one) => part !== 'teams' || one.id !== Number(id));
      table.roles = table.roles.filter((one) => part !== 'roles' || one.role !== `custom:${id}`);
      if (part === 'closing') Object.assign(details, { status: 'active', status_until: null });
      if (part === 'ownership-offer') details.ownership_offer = null;
      return { status: 204 };
    }
    if (part === 'members') {
      const member = members.find((one) => one.id === Number(id));
      if (member?.role === 'owner' && asked.role !== undefined)
        return refusal(409, 'conflict', 'An organisation always has an owner. Hand it on first.');
      const role = String(asked.role ?? member?.role);
      const name = table.roles.find((one) => one.role === role)?.name ?? role;
      Object.assign(member ?? {}, { role, role_name: name, team_sites_only: asked.team_sites_only });
      return { status: 200, body: member };
    }
    if (part === 'teams' || part === 'roles') {
      const list: { name: string }[] = part === 'teams' ? teams : table.roles;
      if (id === undefined && list.some((one) => one.name === asked.name))
        return refusal(409, 'conflict', `There is one called “${asked.name}” already. Choose another name.`, 'name');
      const made = {
        id: Number(id ?? 800 + list.length),
        role: `custom:${id ?? list.length}`,
        built_in: false,
        members: 0,
      };
      const at = list.findIndex((one) => id !== undefined && 'id' in one && one.id === Number(id));
      const now = { ...made, ...(at === -1 ? {} : list[at]), ...asked } as never;
      list.splice(at === -1 ? list.length : at, at === -1 ? 0 : 1, now);
      return { status: id === undefined ? 201 : 200, body: now };
    }
    if (part === 'closing') {
      if (asked.slug !== details.slug)
        return refusal(400, 'invalid_field', `Type ${details.slug} to close it.`, 'slug');
      Object.assign(details, { status: 'closing', status_until: ago(-30) });
    }
    if (part === 'logo') return { status: 200, body: { logo: '1' } };
    if (part === 'ownership-offer' && deeper === undefined && id === undefined) {
      const to = members.find((one) => one.id === asked.person_id) ?? members[0];
      if (to !== undefined)
        details.ownership_offer = {
          ...{ by: { id: 1, name: '', email: 'owner@shop.example' }, expires_at: ago(-7) },
          to: { id: to.id, name: to.name, email: to.email },
        };
    }
    if (part === '' && method === 'PATCH') {
      if (asked.slug === 'taken')
        return refusal(409, 'conflict', 'Another organisation has this address. Choose another.', 'slug');
      Object.assign(details, asked);
    }
    return { status: 200, body: details };
  };
}

export const organisationName = (beholder: Beholder) =>
  beholder === 'crowd' ? `${longName} & Daughters, Purveyors of Cloth` : 'Cedar & Loom';

function transferOf(state: Transfer['state']): Transfer {
  return {
    ...{ id: 1, state, legal_name: 'Harbour Trading Ltd', address: '2 Quay, Cork', jurisdiction: 'Ireland' },
    ...{ contact: 'data@harbour.example', registration: null, officer: null, representative: null, authority: null },
    ...{ why: 'The shop was sold.', before_name: 'Cedar & Loom Ltd', effective_on: ago(-40).slice(0, 10) },
    ...{ announced_at: ago(2), announced_by: 1, members_told: 4, ended_at: null, carried: null },
  };
}
