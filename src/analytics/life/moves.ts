import type { Site } from '../../../contract/api.ts';
import type { OrganisationStatus } from '../../../contract/organisation_status.ts';
import { type SiteMove, siteLifeLimits } from '../../../contract/site_life.ts';
import {
  effectiveStatus,
  emailIn,
  findOrganisation,
  findPerson,
  type Notices,
  readMemberships,
} from '../../accounts/index.ts';
import type { Act } from '../../platform/audit.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { refuseWhileHeld } from '../../trust/windows/index.ts';
import { oneAtATime } from '../site_limit.ts';
import { endAccess } from './contents.ts';
import { nameOf, siteMovedMail, siteMoveRefusedMail, siteOfferedMail, tellOwners } from './mails.ts';
import { tellMembers } from './notices.ts';
import { refuseWhileRemoved } from './removals.ts';

type By = Required<Pick<Act, 'actor' | 'request'>>;
type Parts = Pick<House, 'postgres' | 'clock' | 'audit' | 'mail' | 'vault' | 'keys'> & {
  notices: Notices;
  /** Who visitors are said to be stays with nobody: to know people by name another organisation needs their leave. */
  forgetProfiles: (sql: Sql, site: { id: number; organisationId: number }) => Promise<number>;
};

interface Row {
  id: number;
  organisation_id: number;
  site_id: number;
  domain: string;
  organisation_name: string;
  to_organisation_id: number | null;
  sent_to: Buffer | null;
  state: 'offered' | 'accepted' | 'moved' | 'refused' | 'withdrawn';
  offered_by: number;
  offered_at: Date;
  expires_at: Date;
  decided_at: Date | null;
}
const columns =
  'id, organisation_id, site_id, domain, organisation_name, to_organisation_id, sent_to, state, offered_by, offered_at, expires_at, decided_at';

/** How many that are decided a list goes back. */
const shownMax = 50;

/** The taker that an offer is addressed to. Nothing is said of whether an address is known here. */
interface Taker {
  organisationId: number | null;
  personId: number | null;
  /** Where the taker reads of it; undefined when there is nobody to tell. */
  slug: string | undefined;
}

/**
 * A site goes from one organisation to another when an owner of each has said so: offered through the door of the giver,
 * accepted through that of the taker, and handed over by the one function that may (schema `moving`).
 */
export function openMoves({ postgres, clock, audit, mail, vault, keys, notices, forgetProfiles }: Parts) {
  const placeOf = (organisationId: number, id: number) =>
    ({ organisationId, table: 'site_moves', column: 'sent_to', row: id, class: 'D8' }) as const;

  async function moveOf(row: Row, isGiver: boolean): Promise<SiteMove> {
    const isOpen = row.state === 'offered' && row.expires_at.getTime() > clock.now();
    const { state } = row;
    return {
      id: row.id,
      state: state === 'offered' && !isOpen ? 'expired' : state === 'accepted' ? 'offered' : state,
      site: row.domain,
      site_id: row.site_id,
      from: row.organisation_name,
      to:
        isGiver && isOpen && row.sent_to !== null
          ? (await vault.open(placeOf(row.organisation_id, row.id), row.sent_to)).toString('utf8')
          : null,
      offered_at: row.offered_at.toISOString(),
      expires_at: row.expires_at.toISOString(),
      decided_at: row.decided_at?.toISOString() ?? null,
    };
  }

  /** @throws RequestError invalid_field */
  async function takerOf(to: string, giverId: number): Promise<Taker> {
    if (to.includes('@')) {
      const personId = (await findPerson({ postgres, keys }, to)) ?? null;
      if (personId === null) return { organisationId: null, personId, slug: undefined };
      const own = await postgres.person(personId, (sql) => readMemberships(sql, personId, clock.now()));
      const first = own.find(({ role, organisationId }) => role === 'owner' && organisationId !== giverId);
      return { organisationId: null, personId, slug: first?.slug };
    }
    const organisationId = /^\d+$/.test(to) ? undefined : await findOrganisation(postgres, to.toLowerCase());
    if (organisationId === undefined)
      throw new RequestError(
        'invalid_field',
        `No organisation here is called "${to.slice(0, 64)}" in addresses. Ask its owner for the name behind /o/, or write the owner's e-mail address.`,
        { field: 'to' },
      );
    if (organisationId === giverId)
      throw new RequestError('invalid_field', 'The site belongs to this organisation already. Name another one.', {
        field: 'to',
      });
    return { organisationId, personId: null, slug: to.toLowerCase() };
  }

  async function offer(site: Site, to: string, by: By, personId: number): Promise<SiteMove> {
    const wanted = to.trim();
    const taker = await takerOf(wanted, site.organisation_id);
    return postgres.tenant(site.organisation_id, async (sql) => {
      await refuseWhileRemoved(sql, site.id);
      await oneAtATime(sql, `moves of organisation ${site.organisation_id}`);
      const now = clock.now();
      const open = await sql.query<{ site_id: number }>(
        "SELECT site_id FROM site_moves WHERE organisation_id = $1 AND state = 'offered' AND expires_at > $2",
        [site.organisation_id, new Date(now)],
      );
      if (open.some(({ site_id }) => site_id === site.id))
        throw new RequestError('conflict', 'This site is offered already. Take that offer back first.');
      if (open.length >= siteLifeLimits.movesOpenMax)
        throw new RequestError(
          'conflict',
          `An organisation has at most ${siteLifeLimits.movesOpenMax} offers open at once. Take one back, or wait for an answer.`,
        );
      await refuseWhileHeld(sql, site.organisation_id, site.id);
      const { id } = await sql.one<{ id: number }>("SELECT nextval('site_moves_id_seq') AS id");
      const { name } = await sql.one<{ name: string }>('SELECT name FROM organisations WHERE id = $1', [
        site.organisation_id,
      ]);
      const row = await sql.one<Row>(
        `INSERT INTO site_moves (id, organisation_id, site_id, domain, organisation_name, to_organisation_id, to_person_id,
           sent_to, state, offered_by, offered_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'offered', $9, $10, $11) RETURNING ${columns}`,
        [
          ...[id, site.organisation_id, site.id, site.domain, name, taker.organisationId, taker.personId],
          await vault.seal(placeOf(site.organisation_id, id), wanted),
          ...[personId, new Date(now), new Date(now + siteLifeLimits.moveDays * 86_400_000)],
        ],
      );
      await audit.record(sql, site.organisation_id, {
        action: 'site.move_offered',
        ...by,
        targets: [{ type: 'site', id: site.id, label: site.domain }],
      });
      const giver = await nameOf({ vault }, sql, { kind: 'person', id: personId });
      const shown = await moveOf(row, true);
      if (taker.slug !== undefined) {
        // The trail is written through the giver's door, which closes here.
        await audit.writeNow(sql);
        await tellTaker(sql, taker, {
          ...{ site: site.domain, organisation: name, by: giver },
          link: mail.link(`/o/${taker.slug}/sites`),
        });
      }
      return shown;
    });
  }

  async function tellTaker(sql: Sql, taker: Taker, values: Parameters<typeof siteOfferedMail.write>[0]): Promise<void> {
    if (taker.organisationId !== null) {
      await openDoor(sql, taker.organisationId);
      await tellOwners({ mail, vault }, sql, taker.organisationId, siteOfferedMail, values);
      return;
    }
    const personId = taker.personId as number;
    await sql.query("SELECT set_config('fairlead.person', $1, true)", [String(personId)]);
    const address = await emailIn({ vault }, sql, personId);
    if (address !== undefined) await mail.send(sql, { template: siteOfferedMail, to: address, personId, values });
  }

  async function withdraw(site: Site, id: number, by: By, personId: number): Promise<void> {
    await postgres.tenant(site.organisation_id, async (sql) => {
      const row = await sql.maybe<Row>(
        `UPDATE site_moves SET state = 'withdrawn', sent_to = NULL, decided_by = $3, decided_at = $4
         WHERE id = $1 AND site_id = $2 AND organisation_id = $5 AND state = 'offered' RETURNING ${columns}`,
        [id, site.id, personId, new Date(clock.now()), site.organisation_id],
      );
      if (row === undefined) throw noOffer();
      await audit.record(sql, site.organisation_id, {
        action: 'site.move_withdrawn',
        ...by,
        targets: [{ type: 'site', id: site.id, label: site.domain }],
      });
    });
  }

  /** What an organisation was offered, and what it offers; of both the newest first. */
  async function list(organisationId: number, personId: number): Promise<{ received: SiteMove[]; given: SiteMove[] }> {
    const rows = await postgres.within({ organisationId, personId }, (sql) =>
      sql.query<Row>(`SELECT ${columns} FROM site_moves ORDER BY id DESC LIMIT ${shownMax}`),
    );
    const given = rows.filter(({ organisation_id }) => organisation_id === organisationId);
    const received = rows.filter(
      ({ organisation_id, to_organisation_id }) =>
        organisation_id !== organisationId && (to_organisation_id === null || to_organisation_id === organisationId),
    );
    return {
      received: await Promise.all(received.map((row) => moveOf(row, false))),
      given: await Promise.all(given.map((row) => moveOf(row, true))),
    };
  }

  /** An open offer that this organisation, or this person, can take up. @throws RequestError not_found, conflict */
  async function openOffer(sql: Sql, id: number, organisationId: number): Promise<Row> {
    const row = await sql.maybe<Row>(
      `SELECT ${columns} FROM site_moves WHERE id = $1 AND organisation_id <> $2 AND (to_organisation_id IS NULL OR to_organisation_id = $2)`,
      [id, organisationId],
    );
    if (row === undefined)
      throw new RequestError('not_found', 'There is no such offer to this organisation, or to you.');
    if (row.state !== 'offered' || row.expires_at.getTime() <= clock.now()) throw noOffer();
    return row;
  }

  async function find(organisationId: number, personId: number, id: number) {
    const row = await postgres.within({ organisationId, personId }, (sql) => openOffer(sql, id, organisationId));
    return {
      move: await moveOf(row, false),
      site: { id: row.site_id, organisation_id: row.organisation_id },
    };
  }

  /**
   * One transaction: the taker accepts, the giver's side is looked at and ended, the site goes over, both trails say so.
   * @returns numbers of exports whose files end with it
   */
  async function accept(organisationId: number, personId: number, id: number, by: By): Promise<number[]> {
    return postgres.within({ organisationId, personId }, async (sql) => {
      const now = new Date(clock.now());
      const offered = await openOffer(sql, id, organisationId);
      const taken = await decide(sql, offered.id, { state: 'accepted', organisationId, personId, now });
      const { name: to } = await sql.one<{ name: string }>('SELECT name FROM organisations WHERE id = $1', [
        organisationId,
      ]);
      await openDoor(sql, taken.organisation_id);
      await checkGiver(sql, taken);
      const exports = await sql.query<{ id: number }>('DELETE FROM exports WHERE site_id = $1 RETURNING id', [
        taken.site_id,
      ]);
      const { domain } = await sql.one<{ domain: string }>('SELECT domain FROM sites WHERE id = $1', [taken.site_id]);
      const facts = { site: domain, from: taken.organisation_name, to };
      const whose = { siteId: taken.site_id, by: personId };
      // While the places in teams still say who sees it.
      await tellMembers(
        { notices },
        sql,
        { ...whose, organisationId: taken.organisation_id },
        { name: 'site_moved', facts },
      );
      const keysRevoked = await endAccess(sql, taken.site_id, now);
      const forgotten = await forgetProfiles(sql, { id: taken.site_id, organisationId: taken.organisation_id });
      const { handed } = await sql.one<{ handed: number }>('SELECT moving.hand_over_site($1)::int AS handed', [id]);
      if (handed !== 1) throw noOffer();
      await sql.run("UPDATE site_moves SET state = 'moved' WHERE id = $1", [id]);
      const act = { ...by, targets: [{ type: 'site', id: taken.site_id, label: domain }] };
      // In the order of their numbers, so that two moves in opposite directions do not wait for each other's trail.
      const sides = [
        { id: taken.organisation_id, isTaker: false },
        { id: organisationId, isTaker: true },
      ].sort((one, other) => one.id - other.id);
      for (const { id: side, isTaker } of sides) {
        await openDoor(sql, side);
        await tellOwners({ mail, vault }, sql, side, siteMovedMail, { ...facts, isTaker });
        if (isTaker)
          await tellMembers(
            { notices },
            sql,
            { ...whose, organisationId: side },
            { name: 'site_received', facts, link: `/s/${encodeURIComponent(domain)}/analytics` },
          );
        await audit.record(sql, side, {
          ...act,
          action: isTaker ? 'site.received' : 'site.moved',
          details: isTaker
            ? { move: id, from: taken.organisation_name }
            : { move: id, to, keys_revoked: keysRevoked, exports_deleted: exports.length, profiles_deleted: forgotten },
        });
        await audit.writeNow(sql);
      }
      return exports.map((one) => one.id);
    });
  }

  /** Through the giver's door: is there still somebody there who may give it, and nothing in the way? */
  async function checkGiver(sql: Sql, taken: Row): Promise<void> {
    const giver = await sql.maybe<{ status: OrganisationStatus; until: Date | null; role: string }>(
      `SELECT o.status, o.status_until AS until, m.role FROM organisations o
       JOIN memberships m ON m.organisation_id = o.id AND m.person_id = $2 WHERE o.id = $1`,
      [taken.organisation_id, taken.offered_by],
    );
    const status = giver === undefined ? 'closed' : effectiveStatus(giver, clock.now());
    // An offer is as good as the ownership behind it.
    if (giver?.role !== 'owner' || status === 'suspended' || status === 'closed') throw noOffer();
    const site = await sql.maybe<{ state: string }>('SELECT state FROM sites WHERE id = $1 FOR UPDATE', [
      taken.site_id,
    ]);
    if (site === undefined) throw noOffer();
    await refuseWhileRemoved(sql, taken.site_id);
    const running = await sql.query(
      "SELECT 1 FROM imports WHERE site_id = $1 AND state IN ('checking', 'running', 'undoing') LIMIT 1",
      [taken.site_id],
    );
    if (running.length > 0)
      throw new RequestError('conflict', 'An import into this site is at work. Accept again when it is done.');
  }

  async function refuse(organisationId: number, personId: number, id: number, by: By): Promise<void> {
    await postgres.within({ organisationId, personId }, async (sql) => {
      const offered = await openOffer(sql, id, organisationId);
      const row = await decide(sql, offered.id, {
        ...{ state: 'refused', organisationId, personId },
        now: new Date(clock.now()),
      });
      const act = { action: 'site.move_refused', targets: [{ type: 'site', id: row.site_id, label: row.domain }] };
      // In the giver's trail whoever refused is not named: they belong to another organisation.
      const sides = [
        { id: row.organisation_id, as: { actor: { type: 'visitor' as const } } },
        { id: organisationId, as: by },
      ].sort((one, other) => one.id - other.id);
      for (const { id: side, as } of sides) {
        await openDoor(sql, side);
        if (side === row.organisation_id)
          await tellOwners({ mail, vault }, sql, side, siteMoveRefusedMail, { site: row.domain });
        await audit.record(sql, side, { ...act, ...as });
        await audit.writeNow(sql);
      }
    });
  }

  async function decide(
    sql: Sql,
    id: number,
    {
      state,
      organisationId,
      personId,
      now,
    }: { state: 'accepted' | 'refused'; organisationId: number; personId: number; now: Date },
  ): Promise<Row> {
    const row = await sql.maybe<Row>(
      `UPDATE site_moves SET state = $2, to_organisation_id = $3, sent_to = NULL, decided_by = $4, decided_at = $5
       WHERE id = $1 AND state = 'offered' RETURNING ${columns}`,
      [id, state, organisationId, personId, now],
    );
    if (row === undefined) throw noOffer();
    return row;
  }

  async function openOf(sql: Sql, site: Pick<Site, 'id' | 'organisation_id'>): Promise<SiteMove | null> {
    const row = await sql.maybe<Row>(
      `SELECT ${columns} FROM site_moves WHERE organisation_id = $1 AND site_id = $2 AND state = 'offered' AND expires_at > $3`,
      [site.organisation_id, site.id, new Date(clock.now())],
    );
    return row === undefined ? null : moveOf(row, true);
  }

  return { offer, withdraw, list, find, accept, refuse, openOf };
}
export type Moves = ReturnType<typeof openMoves>;

/** The rest of the transaction sees this organisation, and no longer the one before. */
async function openDoor(sql: Sql, organisationId: number): Promise<void> {
  await sql.query("SELECT set_config('fairlead.organisation', $1, true)", [String(organisationId)]);
}

function noOffer(): RequestError {
  return new RequestError(
    'conflict',
    'This offer is open no more: it was taken back, accepted or refused, or has expired. Ask for a new one.',
  );
}
