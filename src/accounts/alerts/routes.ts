import {
  type AlertHook,
  type AlertPost,
  alertHookAnswer,
  alertHookChange,
  alertTest,
  madeAlertHook,
} from '../../../contract/alert_hooks.ts';
import { alertLimits, type PostedKind, postedKinds } from '../../../contract/alert_kinds.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { organisationOfPath } from '../organisations/found.ts';
import { ofOrganisation } from '../organisations/parts.ts';
import { type AlertHouse, type Due, dueSelect, hookPlace, type openAlertPosts, type SealedOfHook } from './posts.ts';

const secretBytes = 32;
const overlapMs = alertLimits.rotationHours * 3_600_000;

/** The address that alerts of an organisation are posted to. What is secret of it is said once, or never. */
export function alertRoutes(house: AlertHouse, posts: Pick<ReturnType<typeof openAlertPosts>, 'post'>): Route[] {
  const { postgres, clock, vault, audit, random } = house;
  const path = '/api/organisations/:organisation/alert-hook';

  async function read(sql: Sql): Promise<AlertHook | null> {
    const row = await sql.maybe<{
      host: string;
      is_active: boolean;
      kinds: PostedKind[];
      created_at: Date;
      failing_since: Date | null;
      former_secret_until: Date | null;
    }>('SELECT host, is_active, kinds, created_at, failing_since, former_secret_until FROM alert_hooks');
    if (row === undefined) return null;
    const made = await sql.query<Omit<AlertPost, 'at' | 'next_at'> & { created_at: Date; next_at: Date }>(
      'SELECT id, notice, created_at, state, tries, next_at, problem FROM alert_posts ORDER BY id DESC LIMIT $1',
      [alertLimits.postsShownMax],
    );
    const { former_secret_until: formerUntil, ...hook } = row;
    return {
      ...hook,
      created_at: row.created_at.toISOString(),
      failing_since: row.failing_since?.toISOString() ?? null,
      former_until: formerUntil !== null && formerUntil.getTime() > clock.now() ? formerUntil.toISOString() : null,
      posts: made.map(({ created_at, next_at, ...post }) => ({
        ...{ ...post, at: created_at.toISOString() },
        next_at: post.state === 'waiting' && post.tries > 0 ? next_at.toISOString() : null,
      })),
    };
  }
  async function there(sql: Sql): Promise<AlertHook> {
    const hook = await read(sql);
    if (hook === null)
      throw new RequestError('not_found', 'Alerts of this organisation are posted nowhere. Set an address first.');
    return hook;
  }
  const seal = (id: number, column: SealedOfHook, text: string | Buffer) => vault.seal(hookPlace(id, column), text);
  const newSecret = () => `whsec_${random.bytes(secretBytes).toString('base64')}`;
  const note = (
    sql: Sql,
    id: number,
    request: Parameters<typeof actOf>[0],
    action: string,
    details: Record<string, string> = {},
  ) => audit.record(sql, id, { action, ...actOf(request), targets: [{ type: 'organisation', id }], details });

  return [
    defineRoute({
      method: 'GET',
      path,
      access: 'organisation.manage',
      summary: 'Where alerts of the organisation are posted to, and what became of the last ones.',
      params: ofOrganisation,
      answer: alertHookAnswer,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        return { body: { hook: await postgres.tenant(id, read) } };
      },
    }),
    defineRoute({
      method: 'PUT',
      path,
      access: 'organisation.manage',
      summary:
        'Sets the address for alerts, or which are posted. The first one brings the secret for signatures, once.',
      params: ofOrganisation,
      body: alertHookChange,
      answer: madeAlertHook,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const { url, is_active, kinds } = request.body;
        const body = await postgres.tenant(id, async (sql) => {
          const before = await read(sql);
          if (before === null && url === undefined)
            throw new RequestError('invalid_field', 'Say the https address that alerts are posted to.', {
              field: 'url',
            });
          const host = url === undefined ? undefined : new URL(url).host;
          const secret = before === null ? newSecret() : null;
          if (before === null)
            await sql.run(
              `INSERT INTO alert_hooks (organisation_id, host, url_sealed, secret_sealed, is_active, kinds, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)`,
              [
                ...[
                  id,
                  host,
                  await seal(id, 'url_sealed', url as string),
                  await seal(id, 'secret_sealed', secret as string),
                ],
                ...[is_active ?? true, kinds ?? [...postedKinds], new Date(clock.now())],
              ],
            );
          else
            await sql.run(
              `UPDATE alert_hooks SET host = coalesce($2, host), url_sealed = coalesce($3, url_sealed), kinds = coalesce($4, kinds),
                 is_active = coalesce($5, is_active),
                 failing_since = CASE WHEN $2::text IS NULL THEN failing_since END, told_at = CASE WHEN $2::text IS NULL THEN told_at END
               WHERE organisation_id = $1`,
              [
                ...[id, host ?? null, url === undefined ? null : await seal(id, 'url_sealed', url)],
                ...[kinds ?? null, is_active ?? null],
              ],
            );
          await note(sql, id, request, host === undefined ? 'alerts.changed' : 'alerts.address_set', {
            ...(host !== undefined && { host }),
            ...(kinds !== undefined && { kinds: kinds.join(' ') }),
            ...(is_active !== undefined && { is_active: String(is_active) }),
          });
          return { hook: await there(sql), secret };
        });
        return { body };
      },
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/secrets`,
      access: 'organisation.manage',
      summary:
        'Replaces the secret that alerts are signed with. The new one is in this answer and never again; for a day the one before signs too.',
      params: ofOrganisation,
      answer: madeAlertHook,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const secret = newSecret();
        const body = await postgres.tenant(id, async (sql) => {
          await there(sql);
          const before = await sql.one<{ secret_sealed: Buffer }>(
            'SELECT secret_sealed FROM alert_hooks WHERE organisation_id = $1 FOR UPDATE',
            [id],
          );
          // It moves to another column, and opens only where it was sealed for.
          const former = await vault.open(hookPlace(id, 'secret_sealed'), before.secret_sealed, {
            ...{ purpose: 'alerts.rotate', sql },
          });
          await sql.run(
            `UPDATE alert_hooks SET secret_sealed = $2, former_secret_sealed = $3, former_secret_until = $4
             WHERE organisation_id = $1`,
            [
              ...[id, await seal(id, 'secret_sealed', secret), await seal(id, 'former_secret_sealed', former)],
              new Date(clock.now() + overlapMs),
            ],
          );
          await note(sql, id, request, 'alerts.secret_replaced');
          return { hook: await there(sql), secret };
        });
        return { status: 201, body };
      },
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/tests`,
      access: 'organisation.manage',
      summary: 'Posts a test to the address for alerts now, once, and says what came of it.',
      params: ofOrganisation,
      answer: alertTest,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const due = await postgres.tenant(id, async (sql) => {
          await there(sql);
          const { id: post } = await sql.one<{ id: number }>(
            `INSERT INTO alert_posts (organisation_id, notice, facts, created_at, next_at)
             VALUES ($1, 'test', '{}', $2, 'infinity') RETURNING id`,
            [id, new Date(clock.now())],
          );
          await note(sql, id, request, 'alerts.tested');
          return sql.one<Due>(`${dueSelect} WHERE p.id = $1`, [post]);
        });
        const problem = (await posts.post(due)) ?? null;
        return { body: { problem, hook: await postgres.tenant(id, there) } };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path,
      access: 'organisation.manage',
      summary: 'Takes the address for alerts away, with its secret and the list of what was posted there.',
      params: ofOrganisation,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        await postgres.tenant(id, async (sql) => {
          const gone = await there(sql);
          await sql.run('DELETE FROM alert_posts WHERE organisation_id = $1', [id]);
          await sql.run('DELETE FROM alert_hooks WHERE organisation_id = $1', [id]);
          await note(sql, id, request, 'alerts.address_removed', { host: gone.host });
        });
        return { status: 204 };
      },
    }),
  ];
}
