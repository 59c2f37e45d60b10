import { z } from 'zod';
import { plainLanguage } from '../../../contract/languages.ts';
import { peopleLimits } from '../../../contract/limits.ts';
import {
  type Invitation,
  invitation,
  invitationAcceptance,
  invitationReading,
  invitationToken,
  joined,
  newInvitation,
  organisationLimits,
  sentInvitation,
} from '../../../contract/organisations.ts';
import { actOf } from '../../platform/audit.ts';
import { emailDigest, openEmail, sealEmail, shownName } from '../../platform/email.ts';
import { defineRoute, type Principal, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { dayMs } from '../../platform/zone.ts';
import { checkPassword } from '../password_rules.ts';
import { openOneTimeTokens } from '../people/one_time.ts';
import { doneBy } from '../people/parts.ts';
import { addPerson, findPerson, type NewPerson, personIn } from '../people/person.ts';
import { refuseInsecure } from '../secure.ts';
import { openThrottles, type Proof, presented } from '../throttle.ts';
import { lockOrganisation, organisationOfPath } from './found.ts';
import { readMember, readRole, refuseMoreThanOwn, refuseUnproved, roleWord, type StoredRole } from './granting.ts';
import { accountMadeMail, invitationMail } from './mails.ts';
import { calledOf, type OrganisationParts, ofOrganisation } from './parts.ts';
import { effectiveStatus } from './statuses.ts';
import { joinTeams } from './teams.ts';

const tokenBytes = 32;
const ofInvitation = ofOrganisation.extend({ id: z.coerce.number().int().positive() });

interface Stored {
  id: number;
  email_digest: Buffer;
  email_sealed: Buffer;
  role: string;
  custom_role_id: number | null;
  role_name: string;
  team_ids: number[];
  team_sites_only: boolean;
  inviter_id: number | null;
  inviter_name: string | null;
  inviter_email: Buffer | null;
  sent_at: Date;
  expires_at: Date;
}
/** With its address opened. */
interface Row extends Stored {
  email: string;
  invited_by: string;
}
const select = `SELECT i.id, i.email_digest, i.email_sealed, i.role, i.custom_role_id, coalesce(c.name, i.role) AS role_name, i.team_ids,
    i.team_sites_only, p.id AS inviter_id, p.name AS inviter_name, p.email_sealed AS inviter_email,
    coalesce(i.sent_at, i.created_at) AS sent_at, i.expires_at
  FROM invitations i LEFT JOIN custom_roles c ON c.id = i.custom_role_id LEFT JOIN people p ON p.id = i.invited_by
  WHERE i.accepted_at IS NULL AND i.revoked_at IS NULL`;

/** Invitations to organisations, for whoever has no account yet. */
export interface Invitations {
  digestOf(token: string): Buffer;
  /** What a living invitation offers, and to whom. */
  findByDigest(digest: Buffer): Promise<{ email: string; organisation: string } | undefined>;
  /**
   * Takes an invitation up by making a person, who joins with what it offers; it is used up by that.
   * @param also runs in the same transaction, with the person set
   * @throws RequestError not_found when it does not live any more
   */
  takeUp(
    digest: Buffer,
    request: Parameters<typeof actOf>[0],
    person: NewPerson,
    also: (sql: Sql, personId: number) => Promise<void>,
  ): Promise<{ personId: number; slug: string }>;
  /** Those whose link opens something. */
  open(sql: Sql, organisationId: number): Promise<Invitation[]>;
  /** Takes one back: its link is dead at once. @throws RequestError not_found */
  revoke(sql: Sql, organisationId: number, id: number, request: Parameters<typeof actOf>[0]): Promise<void>;
}

/**
 * Invitations: a link of 256 bits for one address, once, for seven days. Only its keyed digest is stored, so neither a
 * copy of the database nor the desk itself can open one.
 */
export function openInvitations({
  house,
  passwords,
  signIns,
  legal,
  notices,
}: OrganisationParts): Invitations & { routes: Route[] } {
  const { postgres, audit, mail, clock, random, keys, vault, config } = house;
  const throttles = openThrottles(house);
  const tokens = openOneTimeTokens(house);
  const digestOf = (token: string) => keys.digest('one-time-token', `invitation ${token}`);
  /** The rows that a query over `select` gives, through the door of this organisation. */
  async function read(sql: Sql, organisationId: number, query: string, values: unknown[] = []): Promise<Row[]> {
    const rows = await sql.query<Stored>(query, values);
    return Promise.all(
      rows.map(async (row) => ({
        ...row,
        email: await openEmail(vault, { invitation: row.id, organisationId }, row.email_sealed),
        invited_by:
          (await shownName(vault, { id: row.inviter_id, name: row.inviter_name, email_sealed: row.inviter_email })) ??
          '',
      })),
    );
  }

  const shown = (row: Row, unreachable?: ReadonlySet<string>): Invitation => ({
    id: row.id,
    email: row.email,
    role: roleWord(row),
    role_name: row.role_name,
    team_ids: row.team_ids,
    team_sites_only: row.team_sites_only,
    invited_by: row.invited_by,
    sent_at: row.sent_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
    expired: row.expires_at.getTime() <= clock.now(),
    is_undelivered: unreachable?.has(row.email) === true,
  });

  async function revoke(sql: Sql, organisationId: number, id: number, request: Parameters<typeof actOf>[0]) {
    const [open] = await read(sql, organisationId, `${select} AND i.id = $1 FOR UPDATE OF i`, [id]);
    if (open === undefined) throw notOpen();
    await sql.run('UPDATE invitations SET revoked_at = $2 WHERE id = $1', [open.id, new Date(clock.now())]);
    await audit.record(sql, organisationId, {
      action: 'invitation.revoked',
      ...actOf(request),
      targets: [{ type: 'invitation', id, label: open.email }],
    });
  }

  /** Counts a link that is made, in the transaction that makes it. @throws RequestError rate_limited */
  async function countLink(sql: Sql, organisationId: number): Promise<void> {
    const now = new Date(clock.now());
    const counted = await sql.run(
      `INSERT INTO invitation_days AS d (organisation_id, day, sent) VALUES ($1, $2, 1)
       ON CONFLICT (organisation_id, day) DO UPDATE SET sent = d.sent + 1 WHERE d.sent < $3`,
      [organisationId, now.toISOString().slice(0, 10), organisationLimits.invitationsPerDay],
    );
    if (counted === 0)
      throw new RequestError(
        'rate_limited',
        `This organisation sent ${organisationLimits.invitationsPerDay} invitations today, which is the limit. Invite more people tomorrow (UTC).`,
        { headers: { 'retry-after': String(Math.ceil((dayMs - (clock.now() % dayMs)) / 1000)) } },
      );
  }

  /** Sends the link of a token, or gives it back where no mail can carry it. */
  async function deliver(sql: Sql, organisationId: number, row: Row, token: string, by: string) {
    const { name } = await sql.one<{ name: string }>('SELECT name FROM organisations WHERE id = $1', [organisationId]);
    const link = mail.link(`/invitation/${token}`);
    const mailed = await mail.isOn();
    if (mailed)
      await mail.send(sql, {
        template: invitationMail,
        to: row.email,
        organisationId,
        values: { organisation: name, by, role: row.role_name, link, days: organisationLimits.invitationDays },
      });
    return { ...shown(row), mailed, link: mailed ? null : link };
  }

  /** At once, to the address itself: whoever reads it confirms the account, or takes it back from whom the link was forwarded to. */
  async function tellMailbox(
    sql: Sql,
    organisationId: number,
    personId: number,
    request: Parameters<typeof doneBy>[1],
  ): Promise<void> {
    if (!(await mail.isOn())) return;
    const person = await personIn(house, sql, personId);
    const { name } = await sql.one<{ name: string }>('SELECT name FROM organisations WHERE id = $1', [organisationId]);
    const minutes = peopleLimits.linkMinutes;
    const confirm = await tokens.issue(sql, { personId, kind: 'verify-email', minutes, email: person.email });
    const reset = await tokens.issue(sql, { personId, kind: 'reset-password', minutes });
    await mail.send(sql, {
      template: accountMadeMail,
      to: person.email,
      personId,
      values: {
        ...doneBy({ house }, request, person),
        organisation: name,
        confirm: mail.link(`/verify#token=${confirm}`),
        takeBack: mail.link(`/reset#token=${reset}`),
      },
    });
  }

  async function organisationIn(digest: Buffer): Promise<number | undefined> {
    const found = await postgres.system((sql) =>
      sql.maybe<{ organisation_id: number }>('SELECT organisation_id FROM lookup.invitation_by_digest($1)', [digest]),
    );
    if (found === undefined) return undefined;
    const row = await postgres.tenant(found.organisation_id, (sql) => living_(sql, found.organisation_id, digest, ''));
    return row === undefined ? undefined : found.organisation_id;
  }

  /** Unknown, expired, revoked and used look alike; each costs the address a try. */
  function readToken(request: {
    address: string;
    body: { token: string; proof?: Proof | undefined };
  }): Promise<{ organisationId: number; digest: Buffer }> {
    const { token, proof } = request.body;
    return presented(throttles, { address: request.address, proof }, async () => {
      const digest = digestOf(token);
      const organisationId = await organisationIn(digest);
      if (organisationId === undefined) throw overAndDone();
      return { organisationId, digest };
    });
  }

  async function living_(
    sql: Sql,
    organisationId: number,
    digest: Buffer,
    lock: 'FOR UPDATE OF i' | '',
  ): Promise<Row | undefined> {
    const organisation = await sql.maybe<Parameters<typeof effectiveStatus>[0]>(
      'SELECT status, status_until AS until FROM organisations WHERE id = current_organisation()',
    );
    if (organisation === undefined) return undefined;
    if (['suspended', 'closed'].includes(effectiveStatus(organisation, clock.now()))) return undefined;
    const rows = await read(sql, organisationId, `${select} AND i.digest = $1 AND i.expires_at > $2 ${lock}`, [
      digest,
      new Date(clock.now()),
    ]);
    return rows[0];
  }

  /** In the caller's transaction, with the person set: membership, teams, and the end of the link. */
  async function join(sql: Sql, organisationId: number, row: Row, personId: number): Promise<void> {
    const now = new Date(clock.now());
    const made = await sql.run(
      `INSERT INTO memberships (organisation_id, person_id, role, custom_role_id, team_sites_only, created_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [organisationId, personId, row.role, row.custom_role_id, row.team_sites_only, now],
    );
    if (made === 0) throw new RequestError('conflict', 'You are a member of this organisation already. Open the desk.');
    const teams = await sql.query<{ id: number }>('SELECT id FROM teams WHERE id = ANY ($1)', [row.team_ids]);
    await joinTeams(
      sql,
      organisationId,
      personId,
      teams.map(({ id }) => id),
    );
    await sql.run('UPDATE invitations SET accepted_at = $2 WHERE id = $1', [row.id, now]);
    if (row.inviter_id === null) return;
    const organisation = await sql.one<{ name: string; slug: string }>(
      'SELECT name, slug FROM organisations WHERE id = $1',
      [organisationId],
    );
    const { name } = await sql.one<{ name: string }>('SELECT name FROM people WHERE id = $1', [personId]);
    await notices.tell(sql, row.inviter_id, {
      name: 'invitation_accepted',
      facts: { who: calledOf({ name, email: row.email }), organisation: organisation.name },
      link: `/o/${organisation.slug}/settings/members`,
      organisationId,
    });
  }

  const findByDigest: Invitations['findByDigest'] = async (digest) => {
    const organisationId = await organisationIn(digest);
    if (organisationId === undefined) return undefined;
    return postgres.tenant(organisationId, async (sql) => {
      const row = await living_(sql, organisationId, digest, '');
      if (row === undefined) return undefined;
      const { name } = await sql.one<{ name: string }>('SELECT name FROM organisations WHERE id = $1', [
        organisationId,
      ]);
      return { email: row.email, organisation: name };
    });
  };

  const takeUp: Invitations['takeUp'] = async (digest, request, person, also) => {
    const organisationId = await organisationIn(digest);
    if (organisationId === undefined) throw overAndDone();
    return postgres.tenant(organisationId, async (sql) => {
      const row = await living_(sql, organisationId, digest, 'FOR UPDATE OF i');
      if (row === undefined) throw overAndDone();
      const { slug } = await sql.one<{ slug: string }>('SELECT slug FROM organisations WHERE id = $1', [
        organisationId,
      ]);
      const personId = await addPerson(sql, house, {
        ...person,
        email: row.email,
        // A link is handed on with one click: that it is here says nothing about who reads the mailbox.
        isVerified: person.isVerified === true,
      });
      // What is chosen for the organisation is where its new people begin; each changes it under Account, Profile.
      await sql.run(
        'UPDATE people SET locale = (SELECT nullif(language, $3) FROM organisations WHERE id = $2) WHERE id = $1',
        [personId, organisationId, plainLanguage],
      );
      await join(sql, organisationId, row, personId);
      await also(sql, personId);
      await audit.record(sql, organisationId, {
        action: 'member.joined',
        actor: { type: 'person', id: personId },
        request: actOf(request).request,
        targets: [{ type: 'invitation', id: row.id, label: row.email }],
        details: { role: row.role_name, account: 'new' },
      });
      return { personId, slug };
    });
  };

  const routes = [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/invitations',
      access: 'member.manage',
      summary: 'The invitations that nobody has accepted yet, expired ones among them.',
      params: ofOrganisation,
      answer: z.object({ invitations: z.array(invitation) }),
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const rows = await postgres.tenant(id, (sql) => read(sql, id, `${select} ORDER BY sent_at DESC, i.id DESC`));
        const unreachable = await mail.suppressions.unreachable(rows.map(({ email }) => email));
        return { body: { invitations: rows.map((row) => shown(row, unreachable)) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/invitations',
      access: 'member.manage',
      summary: 'Invites an address. Where the desk has no mail, the answer carries the link to pass on.',
      params: ofOrganisation,
      body: newInvitation,
      answer: sentInvitation,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const { principal, body } = request;
        const email = body.email.trim();
        const token = random.bytes(tokenBytes).toString('base64url');
        const now = new Date(clock.now());
        const sent = await postgres.tenant(id, async (sql) => {
          await lockOrganisation(sql, id);
          const asker = await readMember(house, sql, id, (principal as Principal).id);
          await refuseUnproved(house, sql, asker.person_id, 'invite others');
          const role = await readRole(sql, body.role);
          refuseMoreThanOwn(asker, role);
          await refuseKnown(sql, emailDigest(keys, email));
          await checkLimits(sql, role, body);
          await countLink(sql, id);
          const { id: invitationId } = await sql.one<{ id: number }>("SELECT nextval('invitations_id_seq') AS id");
          await sql.run(
            `INSERT INTO invitations (organisation_id, email_digest, email_sealed, role, custom_role_id, team_ids, team_sites_only, digest, invited_by, created_at, sent_at, expires_at, id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12)`,
            [
              id,
              emailDigest(keys, email),
              await sealEmail(vault, { invitation: invitationId, organisationId: id }, email),
              role.role,
              role.customRoleId,
              [...new Set(body.team_ids)],
              body.team_sites_only,
              digestOf(token),
              asker.person_id,
              now,
              new Date(now.getTime() + organisationLimits.invitationDays * dayMs),
              invitationId,
            ],
          );
          await audit.record(sql, id, {
            action: 'member.invited',
            ...actOf(request),
            targets: [{ type: 'invitation', id: invitationId, label: email }],
            details: { role: role.name, teams: body.team_ids.length },
          });
          const [row] = await read(sql, id, `${select} AND i.id = $1`, [invitationId]);
          return deliver(sql, id, row as Row, token, calledOf(asker));
        });
        return { status: 201, body: sent };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/invitations/:id/links',
      access: 'member.manage',
      summary: 'Sends an invitation once more, with a new link and seven new days; the link before is dead.',
      params: ofInvitation,
      answer: sentInvitation,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const token = random.bytes(tokenBytes).toString('base64url');
        const now = new Date(clock.now());
        const sent = await postgres.tenant(id, async (sql) => {
          await lockOrganisation(sql, id);
          const asker = await readMember(house, sql, id, (request.principal as Principal).id);
          const [before] = await read(sql, id, `${select} AND i.id = $1`, [request.params.id]);
          if (before === undefined) throw notOpen();
          refuseMoreThanOwn(asker, await readRole(sql, roleWord(before)));
          await countLink(sql, id);
          await sql.run('UPDATE invitations SET digest = $2, sent_at = $3, expires_at = $4 WHERE id = $1', [
            before.id,
            digestOf(token),
            now,
            new Date(now.getTime() + organisationLimits.invitationDays * dayMs),
          ]);
          await audit.record(sql, id, {
            action: 'invitation.resent',
            ...actOf(request),
            targets: [{ type: 'invitation', id: before.id, label: before.email }],
          });
          const [row] = await read(sql, id, `${select} AND i.id = $1`, [before.id]);
          return deliver(sql, id, row as Row, token, calledOf(asker));
        });
        return { status: 201, body: sent };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/organisations/:organisation/invitations/:id',
      access: 'member.manage',
      summary: 'Takes an invitation back: its link is dead at once.',
      params: ofInvitation,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        await postgres.tenant(id, (sql) => revoke(sql, id, request.params.id, request));
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/invitations/readings',
      access: 'public',
      summary:
        'What a link of an invitation offers. The token travels in the body, so that no log of addresses has it.',
      body: invitationToken,
      answer: invitationReading,
      async handle(request) {
        const { organisationId, digest } = await readToken(request);
        const found = await postgres.tenant(organisationId, async (sql) => {
          const row = await living_(sql, organisationId, digest, '');
          if (row === undefined) throw overAndDone();
          const { name } = await sql.one<{ name: string }>('SELECT name FROM organisations WHERE id = $1', [
            organisationId,
          ]);
          return { row, name };
        });
        return {
          body: {
            organisation: found.name,
            email: found.row.email,
            role_name: found.row.role_name,
            invited_by: found.row.invited_by,
            expires_at: found.row.expires_at.toISOString(),
            has_account: (await findPerson(house, found.row.email)) !== undefined,
            documents: await legal.current(),
          },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/invitations/acceptances',
      access: 'public',
      summary: 'Accepts an invitation by making an account for its address, and signs in.',
      body: invitationAcceptance,
      answer: joined,
      async handle(request) {
        refuseInsecure(config, request);
        const { name, password, agreement } = request.body;
        const { organisationId, digest } = await readToken(request);
        const before = await postgres.tenant(organisationId, (sql) => living_(sql, organisationId, digest, ''));
        if (before === undefined) throw overAndDone();
        if ((await findPerson(house, before.email)) !== undefined)
          throw new RequestError(
            'conflict',
            'There is an account of this address here already. Sign in with it, then open the link again.',
          );
        const agreed = await legal.read(agreement, { age: 'with-documents' });
        checkPassword(password, [before.email, name]);
        const hash = await passwords.hash(password);
        const person = { email: before.email, name, hash };
        const { personId, slug } = await takeUp(digest, request, person, async (sql, id) => {
          await legal.keep(sql, id, agreed, actOf(request).request);
          await tellMailbox(sql, organisationId, id, request);
        });
        const { cookies } = await signIns.finish(request, personId, ['invitation']);
        return { status: 201, headers: { 'set-cookie': cookies }, body: { slug } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/invitations/joins',
      access: 'signed-in',
      summary: 'Accepts an invitation with the account that is signed in, if it was sent to its address.',
      body: invitationToken,
      answer: joined,
      async handle(request) {
        const principal = request.principal as Principal;
        if (principal.kind !== 'person')
          throw new RequestError('forbidden', 'An API key belongs to one organisation and joins no other.');
        const { organisationId, digest } = await readToken(request);
        const slug = await postgres.within({ organisationId, personId: principal.id }, async (sql) => {
          const row = await living_(sql, organisationId, digest, 'FOR UPDATE OF i');
          if (row === undefined) throw overAndDone();
          const person = await sql.one<{ email_digest: Buffer }>('SELECT email_digest FROM people WHERE id = $1', [
            principal.id,
          ]);
          if (!person.email_digest.equals(row.email_digest))
            throw new RequestError(
              'other_address',
              'This invitation is for another address than that of your account, so nothing was joined. Sign out and open the link again, or ask for an invitation of your own.',
            );
          await join(sql, organisationId, row, principal.id);
          await audit.record(sql, organisationId, {
            action: 'member.joined',
            ...actOf(request),
            targets: [{ type: 'invitation', id: row.id, label: row.email }],
            details: { role: row.role_name, account: 'existing' },
          });
          return (await sql.one<{ slug: string }>('SELECT slug FROM organisations WHERE id = $1', [organisationId]))
            .slug;
        });
        return { status: 201, body: { slug } };
      },
    }),
  ];

  const open: Invitations['open'] = async (sql, organisationId) => {
    const rows = await read(sql, organisationId, `${select} AND i.expires_at > $1 ORDER BY i.id`, [
      new Date(clock.now()),
    ]);
    return rows.map((row) => shown(row));
  };

  return { routes, digestOf, findByDigest, takeUp, open, revoke };

  async function refuseKnown(sql: Sql, email: Buffer): Promise<void> {
    const member = await sql.query(
      'SELECT 1 FROM memberships m JOIN people p ON p.id = m.person_id WHERE p.email_digest = $1 AND m.organisation_id = current_organisation()',
      [email],
    );
    if (member.length > 0)
      throw new RequestError('conflict', 'This person is a member already. Change their role in the table.', {
        field: 'email',
      });
    const open = await sql.query(`${select} AND i.email_digest = $1`, [email]);
    if (open.length > 0)
      throw new RequestError('conflict', 'This address is invited already. Send the invitation again, or revoke it.', {
        field: 'email',
      });
  }
}

async function checkLimits(
  sql: Sql,
  role: StoredRole,
  body: { team_ids: readonly number[]; team_sites_only: boolean },
): Promise<void> {
  if (role.role === 'owner' && body.team_sites_only)
    throw new RequestError('invalid_field', 'An owner sees every site. Choose another role.', {
      field: 'team_sites_only',
    });
  const wanted = [...new Set(body.team_ids)];
  const there = await sql.query('SELECT 1 FROM teams WHERE id = ANY ($1)', [wanted]);
  if (there.length !== wanted.length)
    throw new RequestError('invalid_field', 'One of these teams is not there any more. Load the page again.', {
      field: 'team_ids',
    });
}

function overAndDone(): RequestError {
  return new RequestError(
    'not_found',
    'The invitation was used, taken back, or is older than seven days. Ask for a new one.',
  );
}

function notOpen(): RequestError {
  return new RequestError('not_found', 'There is no open invitation with this number here.');
}
