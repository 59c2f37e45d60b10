import { z } from 'zod';
import {
  mailLimits,
  type NoticeKind,
  noticePreferences,
  noticePreferencesChange,
  notifications,
  type UnreadCount,
  unreadCount,
} from '../../../contract/mail.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { isZone } from '../../platform/zone.ts';
import { localeIn } from '../people/person.ts';
import type { News } from './news.ts';
import { type Facts, wordsOf } from './notice_list.ts';
import { choicesOf, kindsWithServiceMail } from './notices.ts';
import { personOf } from './person_of.ts';
import { minuteOfText, textOfMinute } from './quiet_hours.ts';

interface Row {
  id: number;
  kind: NoticeKind;
  notice: string;
  facts: Facts;
  link: string | null;
  organisation: string | null;
  created_at: Date;
  read_at: Date | null;
}

/** What a person is told in the app, and what they want to be told. */
export function noticeRoutes(house: Omit<House, 'authenticate'>, news: Pick<News, 'shown'>): Route[] {
  const { audit, clock, mail, postgres } = house;

  /** Kinds that the person wants to see here; what is turned off is kept and not shown. */
  async function shownKinds(sql: Sql, personId: number): Promise<NoticeKind[]> {
    return [...(await choicesOf(sql, personId))].filter(([, { inApp }]) => inApp).map(([kind]) => kind);
  }

  /** The line over the page is shown whatever kinds somebody has switched off (rule R16). */
  async function counted(sql: Sql, personId: number): Promise<UnreadCount> {
    const kinds = await shownKinds(sql, personId);
    const newest = await sql.maybe<Pick<Row, 'id' | 'notice' | 'facts' | 'link'>>(
      `SELECT id, notice, facts, link FROM notifications
       WHERE person_id = $1 AND read_at IS NULL AND kind = 'documents' ORDER BY id DESC LIMIT 1`,
      [personId],
    );
    const locale = newest === undefined ? null : await localeIn(sql, personId);
    const sentence = newest && wordsOf(newest.notice)?.sentence(newest.facts, locale ?? undefined);
    return {
      unread: await unread(sql, personId, kinds),
      document: newest === undefined || sentence === undefined ? null : { id: newest.id, sentence, link: newest.link },
    };
  }
  async function unread(sql: Sql, personId: number, kinds: NoticeKind[]): Promise<number> {
    const { n } = await sql.one<{ n: number }>(
      'SELECT count(*) AS n FROM notifications WHERE person_id = $1 AND read_at IS NULL AND kind = ANY($2)',
      [personId, kinds],
    );
    return n;
  }

  type Preferences = z.infer<typeof noticePreferences>;
  async function preferences(sql: Sql, personId: number): Promise<Omit<Preferences, 'mail_is_on'>> {
    const quiet = await sql.maybe<{ from_minute: number; until_minute: number; timezone: string }>(
      'SELECT from_minute, until_minute, timezone FROM quiet_hours WHERE person_id = $1',
      [personId],
    );
    return {
      quiet:
        quiet === undefined
          ? null
          : {
              from: textOfMinute(quiet.from_minute),
              until: textOfMinute(quiet.until_minute),
              timezone: quiet.timezone,
            },
      kinds: [...(await choicesOf(sql, personId))].map(([kind, { inApp, byMail }]) => ({
        kind,
        in_app: inApp,
        mail: byMail || kindsWithServiceMail.includes(kind),
        mail_fixed: kindsWithServiceMail.includes(kind),
      })),
    };
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/notifications',
      access: 'signed-in',
      summary: 'What you were told in the app, newest first; `unread=true` for what you have not read.',
      query: z.strictObject({
        before: z.coerce.number().int().positive().optional(),
        unread: z.enum(['true', 'false']).default('false'),
      }),
      answer: notifications,
      async handle(request) {
        const personId = personOf(request);
        return {
          body: await postgres.person(personId, async (sql) => {
            const kinds = await shownKinds(sql, personId);
            const locale = (await localeIn(sql, personId)) ?? undefined;
            const rows = await sql.query<Row>(
              `SELECT n.id, n.kind, n.notice, n.facts, n.link, o.name AS organisation, n.created_at, n.read_at
               FROM notifications n LEFT JOIN organisations o ON o.id = n.organisation_id
               WHERE n.person_id = $1 AND n.id < $2 AND n.kind = ANY($3) AND ($4 = false OR n.read_at IS NULL)
               ORDER BY n.id DESC LIMIT $5`,
              [
                personId,
                request.query.before ?? Number.MAX_SAFE_INTEGER,
                kinds,
                request.query.unread === 'true',
                mailLimits.notificationsMax,
              ],
            );
            return {
              unread: await unread(sql, personId, kinds),
              notifications: rows.map((row) => ({
                id: row.id,
                kind: row.kind,
                sentence:
                  wordsOf(row.notice)?.sentence(row.facts, locale) ??
                  'Something happened that this version has no words for.',
                link: row.link,
                organisation: row.organisation,
                at: row.created_at.toISOString(),
                read: row.read_at !== null,
              })),
              next: rows.length < mailLimits.notificationsMax ? null : (rows.at(-1)?.id ?? null),
            };
          }),
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/notifications/count',
      access: 'signed-in',
      summary: 'How many notifications you have not read, and the newest of them about a document that has changed.',
      answer: unreadCount,
      async handle(request) {
        const personId = personOf(request);
        const body = await postgres.person(personId, (sql) => counted(sql, personId));
        news.shown(personId);
        return { body };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/notifications/readings',
      access: 'signed-in',
      summary: 'Marks a notification as read, or it and everything older.',
      body: z.strictObject({ id: z.number().int().positive(), and_older: z.boolean().default(false) }),
      answer: unreadCount,
      async handle(request) {
        const personId = personOf(request);
        const { body } = request;
        return {
          body: await postgres.person(personId, async (sql) => {
            await sql.run(
              `UPDATE notifications SET read_at = $2
               WHERE person_id = $1 AND read_at IS NULL AND (id = $3 OR ($4 AND id < $3))`,
              [personId, new Date(clock.now()), body.id, body.and_older],
            );
            return counted(sql, personId);
          }),
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/notification-preferences',
      access: 'signed-in',
      summary: 'What you are told in the app and by mail, and your quiet hours.',
      answer: noticePreferences,
      async handle(request) {
        const personId = personOf(request);
        const mail_is_on = await mail.isOn();
        return { body: { mail_is_on, ...(await postgres.person(personId, (sql) => preferences(sql, personId))) } };
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/api/notification-preferences',
      access: 'signed-in',
      summary: 'Changes what you are told. Mail about your own access cannot be turned off.',
      body: noticePreferencesChange,
      answer: noticePreferences,
      async handle(request) {
        const personId = personOf(request);
        const { quiet, kinds = [] } = request.body;
        if (quiet !== undefined && quiet !== null) {
          if (quiet.from === quiet.until)
            throw new RequestError(
              'invalid_field',
              '"quiet.until" is the same as its beginning: quiet hours take part of a day.',
              {
                field: 'quiet.until',
              },
            );
          if (!isZone(quiet.timezone))
            throw new RequestError('invalid_field', '"quiet.timezone" is no time zone such as Europe/Berlin.', {
              field: 'quiet.timezone',
            });
        }
        const fixed = kinds.findIndex((one) => !one.mail && kindsWithServiceMail.includes(one.kind));
        if (fixed >= 0)
          throw new RequestError(
            'invalid_field',
            'Mail about the security of your account cannot be turned off: it is how you hear of what you did not do.',
            { field: `kinds.${fixed}.mail` },
          );
        const mail_is_on = await mail.isOn();
        const changed = await postgres.person(personId, async (sql) => {
          if (quiet === null) await sql.run('DELETE FROM quiet_hours WHERE person_id = $1', [personId]);
          else if (quiet !== undefined)
            await sql.run(
              `INSERT INTO quiet_hours (person_id, from_minute, until_minute, timezone) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (person_id) DO UPDATE SET from_minute = $2, until_minute = $3, timezone = $4`,
              [personId, minuteOfText(quiet.from), minuteOfText(quiet.until), quiet.timezone],
            );
          for (const one of kinds)
            await sql.run(
              `INSERT INTO notification_choices (person_id, kind, in_app, by_mail) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (person_id, kind) DO UPDATE SET in_app = $3, by_mail = $4`,
              [personId, one.kind, one.in_app, one.mail],
            );
          await audit.recordOfPerson(sql, personId, { action: 'notification.changed', ...actOf(request) });
          return preferences(sql, personId);
        });
        return { body: { mail_is_on, ...changed } };
      },
    }),
  ];
}
