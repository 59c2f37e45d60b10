import type { OrganisationStatus } from '../../../contract/organisation_status.ts';
import type { Act } from '../../platform/audit.ts';
import { openEmail } from '../../platform/email.ts';
import { RequestError } from '../../platform/http/route.ts';
import { everyOrganisation, type Sql } from '../../platform/postgres/index.ts';
import { sitesChanged } from '../changes.ts';
import { statusChangedMail } from './mails.ts';
import type { OrganisationParts } from './parts.ts';
import { effectiveStatus } from './statuses.ts';

/** From which status each may follow. Closed is the end: what it had is removed by retention, not brought back. */
const before: Record<OrganisationStatus, readonly OrganisationStatus[]> = {
  unverified: [],
  active: ['unverified', 'suspended', 'closing'],
  suspended: ['unverified', 'active', 'closing'],
  closing: ['unverified', 'active'],
  closed: ['closing'],
};

export type StatusParts = Pick<OrganisationParts, 'house' | 'notices'>;

/**
 * Changes the status of an organisation in the caller's transaction, which holds its lock; writes it down and tells its
 * owners. Whatever is kept in memory is to be told afterwards: `statuses.forget()` and `sitesChanged()`.
 * @throws RequestError wrong_status
 */
export async function changeStatus(
  { house: { audit, mail, clock, vault }, notices }: StatusParts,
  sql: Sql,
  organisationId: number,
  change: {
    to: Exclude<OrganisationStatus, 'unverified'>;
    from?: OrganisationStatus;
    reason?: string;
    until?: Date;
    by: Pick<Act, 'actor' | 'request'>;
  },
): Promise<void> {
  const row = await sql.one<{ name: string; status: OrganisationStatus; until: Date | null }>(
    'SELECT name, status, status_until AS until FROM organisations WHERE id = $1',
    [organisationId],
  );
  // What is written down may be behind: a closing organisation whose day has come can only be closed.
  const now = change.to === 'closed' ? row.status : effectiveStatus(row, clock.now());
  const allowed = change.from === undefined ? before[change.to].includes(now) : now === change.from;
  if (!allowed)
    throw new RequestError('wrong_status', `This organisation is ${now}, so it cannot become ${change.to}.`);
  await sql.run(
    'UPDATE organisations SET status = $2, status_reason = $3, status_until = $4, status_since = $5 WHERE id = $1',
    [organisationId, change.to, change.reason ?? null, change.until ?? null, new Date(clock.now())],
  );
  await audit.record(sql, organisationId, {
    action: `organisation.${change.to === 'active' ? 'resumed' : change.to}`,
    ...change.by,
    targets: [{ type: 'organisation', id: organisationId, label: row.name }],
    details: {
      from: now,
      ...(change.reason === undefined ? {} : { reason: change.reason }),
      ...(change.until === undefined ? {} : { until: change.until.toISOString() }),
    },
  });
  const owners = await sql.query<{ id: number; email_sealed: Buffer; locale: string | null }>(
    "SELECT p.id, p.email_sealed, p.locale FROM memberships m JOIN people p ON p.id = m.person_id WHERE m.organisation_id = $1 AND m.role = 'owner'",
    [organisationId],
  );
  for (const owner of owners) {
    if (change.to === 'suspended' || (change.to === 'active' && now === 'suspended'))
      await notices.tell(sql, owner.id, {
        name: change.to === 'suspended' ? 'organisation_suspended' : 'organisation_resumed',
        facts: { organisation: row.name, reason: change.reason ?? '' },
        organisationId,
      });
    await mail.send(sql, {
      template: statusChangedMail,
      to: await openEmail(vault, { person: owner.id }, owner.email_sealed),
      personId: owner.id,
      locale: owner.locale,
      organisationId,
      values: {
        name: row.name,
        what: 'organisation',
        status: change.to,
        reason: change.reason ?? null,
        until: change.until?.toISOString().slice(0, 10) ?? null,
      },
    });
  }
}

/** Writes down which closing organisations are closed by now. They are treated as closed already, so nothing hurries. */
export async function closeWhatIsDue(parts: StatusParts): Promise<number> {
  const { postgres, clock } = parts.house;
  let closed = 0;
  for (const id of await everyOrganisation(postgres))
    closed += await postgres.tenant(id, async (sql) => {
      const due = await sql.query(
        "SELECT 1 FROM organisations WHERE id = $1 AND status = 'closing' AND status_until <= $2 FOR UPDATE",
        [id, new Date(clock.now())],
      );
      if (due.length === 0) return 0;
      await changeStatus(parts, sql, id, { to: 'closed', by: { actor: { type: 'system' } } });
      return 1;
    });
  if (closed > 0) await sitesChanged();
  return closed;
}
