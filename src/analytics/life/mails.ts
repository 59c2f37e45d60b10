import { siteLifeLimits } from '../../../contract/site_life.ts';
import { dayText, emailIn } from '../../accounts/index.ts';
import type { MailTemplate } from '../../platform/mail/index.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { exactCount } from '../figures.ts';

/** Every mail about a site as a whole is about what its owners own: none can be turned off (MAI-01). */

const eventsText = (events: number, locale: string | undefined) =>
  `${exactCount(events, locale)} ${events === 1 ? 'event' : 'events'}`;

export const siteEmptiedMail: MailTemplate<{ site: string; events: number; link: string }> = {
  name: 'site_emptied',
  kind: 'service',
  write: ({ site, events, link }, locale) => ({
    subject: `${site} is empty`,
    blocks: [
      {
        kind: 'text',
        text: `Everything that was collected of ${site} was removed (${eventsText(events, locale)}), and a second reading found nothing left. Its settings stay, and it collects.`,
      },
      { kind: 'button', label: 'Open the site', href: link },
    ],
  }),
};

export const siteDeletingMail: MailTemplate<{ site: string; by: string; day: string; link: string }> = {
  name: 'site_deleting',
  kind: 'service',
  write: ({ site, by, day, link }, locale) => ({
    subject: `${site} will be deleted on ${dayText(day, locale)}`,
    blocks: [
      {
        kind: 'text',
        text: `${by} asked for ${site} to be deleted. It collects nothing from now on. On ${dayText(day, locale)} everything that was collected and its settings go, and cannot be brought back.`,
      },
      { kind: 'button', label: 'Look at it, or take it back', href: link },
      { kind: 'note', text: `It can be taken back for ${siteLifeLimits.deletionDays} days.` },
    ],
  }),
};

export const siteDeletionTakenBackMail: MailTemplate<{ site: string; by: string }> = {
  name: 'site_deletion_taken_back',
  kind: 'service',
  write: ({ site, by }) => ({
    subject: `${site} stays`,
    blocks: [
      { kind: 'text', text: `${by} took the deletion of ${site} back. It collects again; nothing of it was removed.` },
    ],
  }),
};

export const siteDeletedMail: MailTemplate<{ site: string; events: number }> = {
  name: 'site_deleted',
  kind: 'service',
  write: ({ site, events }, locale) => ({
    subject: `${site} is deleted`,
    blocks: [
      {
        kind: 'text',
        text: `${site}, its settings and everything that was collected of it were removed (${eventsText(events, locale)}). A second reading found nothing left.`,
      },
    ],
  }),
};

export const siteOfferedMail: MailTemplate<{ site: string; organisation: string; by: string; link: string }> = {
  name: 'site_offered',
  kind: 'service',
  write: ({ site, organisation, by, link }) => ({
    subject: `${organisation} offers you ${site}`,
    blocks: [
      {
        kind: 'text',
        text: `${by} wants to move ${site}, with everything that was collected of it, from ${organisation} to an organisation of yours. Nothing moves unless you accept.`,
      },
      { kind: 'button', label: 'Look at the offer', href: link },
      { kind: 'note', text: `The offer ends by itself after ${siteLifeLimits.moveDays} days.` },
    ],
  }),
};

export const siteMovedMail: MailTemplate<{ site: string; from: string; to: string; isTaker: boolean }> = {
  name: 'site_moved',
  kind: 'service',
  write: ({ site, from, to, isTaker }) => ({
    subject: `${site} moved from ${from} to ${to}`,
    blocks: [
      {
        kind: 'text',
        text: isTaker
          ? `${site} belongs to ${to} from now on, with its settings and everything that was collected. Shares, reports by mail and API keys of ${from} do not reach it.`
          : `${site} belongs to ${to} from now on. Nobody of ${from} reaches it any more; its shares, reports by mail and the keys that were for it alone have ended.`,
      },
    ],
  }),
};

export const siteMoveRefusedMail: MailTemplate<{ site: string }> = {
  name: 'site_move_refused',
  kind: 'service',
  write: ({ site }) => ({
    subject: `${site} was not taken`,
    blocks: [{ kind: 'text', text: `The offer to move ${site} was refused. It stays where it is.` }],
  }),
};

/** To every owner of the organisation whose door the transaction has open. */
export async function tellOwners<Values>(
  { mail, vault }: Pick<House, 'mail' | 'vault'>,
  sql: Sql,
  organisationId: number,
  template: MailTemplate<Values>,
  values: Values,
): Promise<void> {
  const owners = await sql.query<{ id: number; locale: string | null }>(
    "SELECT p.id, p.locale FROM memberships m JOIN people p ON p.id = m.person_id WHERE m.organisation_id = $1 AND m.role = 'owner' ORDER BY p.id",
    [organisationId],
  );
  for (const { id, locale } of owners) {
    const to = await emailIn({ vault }, sql, id);
    if (to !== undefined) await mail.send(sql, { template, to, personId: id, locale, organisationId, values });
  }
}

/** What people call somebody who acts, in a transaction that sees them: the name, or else the address. */
export async function nameOf(
  house: Pick<House, 'vault'>,
  sql: Sql,
  principal: { kind: string; id: number } | undefined,
): Promise<string> {
  if (principal?.kind !== 'person') return 'An API key';
  const row = await sql.maybe<{ name: string }>('SELECT name FROM people WHERE id = $1', [principal.id]);
  if (row !== undefined && row.name !== '') return row.name;
  return (await emailIn(house, sql, principal.id)) ?? 'Somebody';
}
