import { type NoticeKind, noticeKinds } from '../../../contract/mail.ts';
import type { Advice, DueMessage, MailTemplate } from '../../platform/mail/index.ts';
import { everyOrganisation, type Sql } from '../../platform/postgres/index.ts';
import type { Remind, Reminded, Reminder, TellRoles } from '../../platform/reminder.ts';
import type { House } from '../../platform/subject.ts';
import { queueAlerts } from '../alerts/queue.ts';
import { emailIn, localeIn } from '../people/person.ts';
import { type News, openNews } from './news.ts';
import { type Facts, type NoticeName, wordsOf } from './notice_list.ts';
import { quietUntil } from './quiet_hours.ts';

export interface Notice {
  name: NoticeName;
  facts?: Facts;
  /** A path of this desk. */
  link?: string;
  organisationId?: number;
}

export interface Notices {
  /**
   * Tells a person something, in the caller's transaction: in the app, and by mail where the notice has one and the
   * person wants it. The transaction has to be the person's own, or of the organisation that the notice is about;
   * whoever has left that organisation meanwhile is told nothing of it.
   */
  tell(sql: Sql, personId: number, notice: Notice): Promise<void>;
  /** Tells whoever has one of these roles, and the address for alerts of the organisation, in the transaction of what happened. */
  tellRoles: TellRoles<NoticeName>;
  /** Tells whoever has one of its roles what a reminder finds due, organisation by organisation. */
  remind: Remind<NoticeName>;
  /** Who has something to read that their page does not know. */
  news: News;
  /** Whether a message to somebody may leave now; asked when it is due, so what they have just chosen counts. */
  advise(message: DueMessage): Promise<Advice>;
}

/** Kinds whose mail cannot be turned off: that of an act of one's own account (MAI-01), and of what members have to be told (R16). */
export const kindsWithServiceMail: readonly NoticeKind[] = ['security', 'documents'];

/** A template for each kind, by whose name the reader's choice is found when its message is due. */
export const noticeMails = Object.fromEntries(
  noticeKinds.map((kind) => [
    kind,
    {
      name: `notice_${kind}`,
      kind: 'alert',
      write: ({ subject, sentence, button, link }) => ({
        subject,
        blocks: [
          { kind: 'text', text: sentence },
          { kind: 'button', label: button, href: link },
          { kind: 'note', text: 'Which of these you get is set under Account, Notifications.' },
        ],
      }),
    },
  ]),
) as Record<NoticeKind, MailTemplate<{ subject: string; sentence: string; button: string; link: string }>>;

export function openNotices(house: Pick<House, 'clock' | 'mail' | 'postgres' | 'vault'>): Notices {
  const { clock, mail, postgres } = house;
  const news = openNews(clock);

  async function advise({ template, kind, personId }: DueMessage): Promise<Advice> {
    if (personId === undefined || kind !== 'alert') return 'send';
    const about = noticeKinds.find((one) => template === noticeMails[one].name);
    return postgres.person(personId, async (sql) => {
      if (about !== undefined && !(await choiceOf(sql, personId, about)).byMail) return { unwanted: 'turned_off' };
      const quiet = await sql.maybe<{ from_minute: number; until_minute: number; timezone: string }>(
        'SELECT from_minute, until_minute, timezone FROM quiet_hours WHERE person_id = $1',
        [personId],
      );
      if (quiet === undefined) return 'send';
      const now = clock.now();
      const until = quietUntil(
        { fromMinute: quiet.from_minute, untilMinute: quiet.until_minute, timezone: quiet.timezone },
        now,
      );
      return until > now ? { waitUntilMs: until } : 'send';
    });
  }

  async function remind({ roles, due, onFailed }: Reminder<NoticeName>): Promise<void> {
    for (const organisationId of await everyOrganisation(postgres))
      try {
        await postgres.tenant(organisationId, async (sql) => {
          const named = await sql.one<{ name: string; slug: string }>(
            'SELECT name, slug FROM organisations WHERE id = $1',
            [organisationId],
          );
          const found = await due(sql, { id: organisationId, ...named });
          if (found.length === 0) return;
          await tellRoles(sql, organisationId, roles, found);
        });
      } catch (error) {
        onFailed(organisationId, error);
      }
  }

  async function tellRoles(
    sql: Sql,
    organisationId: number,
    roles: readonly string[],
    found: readonly Reminded<NoticeName>[],
  ): Promise<void> {
    await queueAlerts(sql, organisationId, found, clock.now());
    const people = await sql.query<{ person_id: number }>(
      'SELECT person_id FROM memberships WHERE organisation_id = $1 AND role = ANY ($2) ORDER BY person_id',
      [organisationId, [...roles]],
    );
    for (const { person_id } of people)
      for (const notice of found) await tell(sql, person_id, { ...notice, organisationId });
  }

  async function tell(sql: Sql, personId: number, notice: Notice): Promise<void> {
    const words = wordsOf(notice.name);
    if (words === undefined) throw new TypeError(`There is no notice ${notice.name}: add it to notice_list.ts.`);
    const facts = notice.facts ?? {};
    const email = await emailIn(house, sql, personId);
    if (email === undefined) return;
    await sql.run(
      `INSERT INTO notifications (person_id, organisation_id, kind, notice, facts, link, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [
        personId,
        notice.organisationId ?? null,
        words.kind,
        notice.name,
        JSON.stringify(facts),
        notice.link ?? null,
        new Date(clock.now()),
      ],
    );
    news.told(personId);
    if (words.mails === undefined) return;
    const locale = await localeIn(sql, personId);
    await mail.send(sql, {
      template: noticeMails[words.kind],
      to: email,
      personId,
      locale,
      ...(notice.organisationId === undefined ? {} : { organisationId: notice.organisationId }),
      values: {
        subject: words.mails.subject(facts),
        sentence: words.sentence(facts, locale ?? undefined),
        button: words.mails.button,
        link: mail.link(notice.link ?? '/notifications'),
      },
    });
  }

  return { advise, remind, tell, tellRoles, news };
}

export interface Choice {
  inApp: boolean;
  byMail: boolean;
}
const unlessChosen: Choice = { inApp: true, byMail: true };

export async function choiceOf(sql: Sql, personId: number, kind: NoticeKind): Promise<Choice> {
  return (await choicesOf(sql, personId)).get(kind) ?? unlessChosen;
}

/** What a person has chosen, of every kind. */
export async function choicesOf(sql: Sql, personId: number): Promise<Map<NoticeKind, Choice>> {
  const rows = await sql.query<{ kind: NoticeKind; in_app: boolean; by_mail: boolean }>(
    'SELECT kind, in_app, by_mail FROM notification_choices WHERE person_id = $1',
    [personId],
  );
  const chosen = new Map(rows.map((row) => [row.kind, { inApp: row.in_app, byMail: row.by_mail }]));
  return new Map(noticeKinds.map((kind) => [kind, chosen.get(kind) ?? unlessChosen]));
}
