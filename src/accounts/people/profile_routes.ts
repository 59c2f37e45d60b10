import { z } from 'zod';
import { peopleLimits } from '../../../contract/limits.ts';
import { account, accountChange } from '../../../contract/people.ts';
import { openEmail } from '../../platform/email.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { isNamedZone } from '../../platform/zone.ts';
import { readPicture } from '../picture.ts';
import { ownAct, type People, personOf } from './parts.ts';
import { personIn } from './person.ts';

/** What a person is called and looks like, and how they read numbers. */
export function profileRoutes(people: People): Route[] {
  const { postgres, clock, audit, mail, vault } = people.house;

  return [
    defineRoute({
      method: 'GET',
      path: '/api/account',
      access: 'signed-in',
      summary: 'What belongs to the person who asks: profile, and which ways to sign in there are.',
      answer: account,
      async handle(request) {
        return { body: await accountOf(personOf(request).id) };
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/api/account',
      access: 'signed-in',
      summary: 'Changes name, username, timezone or locale.',
      body: accountChange,
      answer: account,
      async handle(request) {
        const { id } = personOf(request);
        const change = request.body;
        if (typeof change.timezone === 'string' && !isNamedZone(change.timezone))
          throw new RequestError(
            'invalid_field',
            `"${change.timezone}" is not a timezone. Write an IANA name such as Europe/Berlin.`,
            { field: 'timezone' },
          );
        const locale = typeof change.locale === 'string' ? localeOf(change.locale) : change.locale;
        await postgres.person(id, async (sql) => {
          const before = await personIn(people.house, sql, id);
          const next = {
            name: change.name ?? before.name,
            username: change.username === undefined ? before.username : change.username,
            timezone: change.timezone === undefined ? before.timezone : change.timezone,
            locale: locale === undefined ? before.locale : locale,
          };
          if (next.username !== null && next.username !== before.username) await refuseTaken(sql, next.username);
          const changed = (Object.keys(next) as (keyof typeof next)[]).filter((one) => next[one] !== before[one]);
          if (changed.length === 0) return;
          await sql.run('UPDATE people SET name = $2, username = $3, timezone = $4, locale = $5 WHERE id = $1', [
            id,
            next.name,
            next.username,
            next.timezone,
            next.locale,
          ]);
          await audit.recordOfPerson(sql, id, ownAct(request, id, 'person.changed', { fields: changed.join(' ') }));
        });
        return { body: await accountOf(id) };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/account/avatar',
      access: 'signed-in',
      summary: 'Sets the picture of the person who asks: a PNG, JPEG or WebP file of at most 256 KB, as bytes.',
      rawBodyBytesMax: peopleLimits.avatarBytesMax,
      async handle(request) {
        const { id } = personOf(request);
        const picture = request.body as unknown as Buffer;
        const type = readPicture(picture, 'picture');
        await postgres.person(id, async (sql) => {
          await sql.run(
            `INSERT INTO avatars (person_id, type, picture, changed_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (person_id) DO UPDATE SET type = $2, picture = $3, changed_at = $4`,
            [id, type, picture, new Date(clock.now())],
          );
          await audit.recordOfPerson(sql, id, ownAct(request, id, 'person.changed', { fields: 'avatar' }));
        });
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/account/avatar',
      access: 'signed-in',
      summary: 'Takes the picture away.',
      async handle(request) {
        const { id } = personOf(request);
        await postgres.person(id, async (sql) => {
          const gone = await sql.run('DELETE FROM avatars WHERE person_id = $1', [id]);
          if (gone === 1)
            await audit.recordOfPerson(sql, id, ownAct(request, id, 'person.changed', { fields: 'avatar' }));
        });
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/people/:id/avatar',
      access: 'signed-in',
      summary: 'The picture of the person who asks, or of a colleague.',
      params: z.object({ id: z.coerce.number().int().positive() }),
      answersFile: true,
      async handle(request) {
        const { id } = personOf(request);
        const wanted = request.params.id;
        const found = await pictureFor(id, wanted);
        if (found === undefined)
          throw new RequestError('not_found', 'There is no picture of this person, or you do not work together.');
        return {
          headers: {
            'content-type': found.type,
            'x-content-type-options': 'nosniff',
            'content-security-policy': "default-src 'none'; sandbox",
            'content-disposition': 'inline; filename="avatar"',
            'cache-control': 'private, max-age=300',
          },
          body: found.picture,
        };
      },
    }),
  ];

  async function accountOf(id: number): Promise<z.infer<typeof account>> {
    const mailIsOn = await mail.isOn();
    return postgres.person(id, async (sql) => {
      const person = await personIn(people.house, sql, id);
      const more = await sql.one<{
        new_digest: Buffer | null;
        new_sealed: Buffer | null;
        avatar_at: Date | null;
        password_at: Date | null;
        authenticator_at: Date | null;
        codes: number;
      }>(
        `SELECT
           t.digest AS new_digest, t.email_sealed AS new_sealed,
           (SELECT changed_at FROM avatars WHERE person_id = $1) AS avatar_at,
           (SELECT changed_at FROM passwords WHERE person_id = $1) AS password_at,
           (SELECT confirmed_at FROM authenticators WHERE person_id = $1) AS authenticator_at,
           (SELECT count(*) FROM recovery_codes WHERE person_id = $1) AS codes
         FROM people p LEFT JOIN one_time_tokens t ON t.person_id = p.id AND t.kind = 'change-email' AND t.expires_at > $2
         WHERE p.id = $1 LIMIT 1`,
        [id, new Date(clock.now())],
      );
      return {
        id,
        email: person.email,
        email_verified: person.email_verified_at !== null,
        new_email:
          more.new_digest === null || more.new_sealed === null
            ? null
            : await openEmail(vault, { token: more.new_digest, person: id }, more.new_sealed),
        name: person.name,
        username: person.username,
        // The moment makes the address of a new picture a new one.
        avatar: more.avatar_at === null ? null : `/api/people/${id}/avatar?of=${more.avatar_at.getTime()}`,
        timezone: person.timezone,
        locale: person.locale,
        has_password: more.password_at !== null,
        password_changed_at: more.password_at?.toISOString() ?? null,
        authenticator_since: more.authenticator_at?.toISOString() ?? null,
        recovery_codes_left: more.codes,
        mail_is_on: mailIsOn,
      };
    });
  }

  /** One's own, or that of somebody in one of one's organisations, each looked at through its own door. */
  async function pictureFor(asker: number, wanted: number): Promise<{ type: string; picture: Buffer } | undefined> {
    const read = (sql: Sql) =>
      sql.maybe<{ type: string; picture: Buffer }>('SELECT type, picture FROM avatars WHERE person_id = $1', [wanted]);
    if (asker === wanted) return postgres.person(asker, read);
    const organisations = await postgres.person(asker, (sql) =>
      sql.query<{ organisation_id: number }>('SELECT organisation_id FROM memberships WHERE person_id = $1', [asker]),
    );
    for (const { organisation_id } of organisations) {
      const found = await postgres.tenant(organisation_id, read);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async function refuseTaken(sql: Sql, username: string): Promise<void> {
    const taken = await sql.query('SELECT 1 FROM lookup.person_by_username($1)', [username]);
    if (taken.length > 0)
      throw new RequestError('conflict', 'Somebody on this desk has this username. Choose another.', {
        field: 'username',
      });
  }
}

function localeOf(text: string): string {
  try {
    const [first] = Intl.getCanonicalLocales(text);
    if (first !== undefined) return first;
  } catch {}
  throw new RequestError('invalid_field', `"${text}" is not a language tag. Write one such as en-GB or de.`, {
    field: 'locale',
  });
}
