import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isCurrency } from '../../../contract/currency.ts';
import type { OrganisationStatus } from '../../../contract/organisation_status.ts';
import {
  newOrganisation,
  type OrganisationDetails,
  organisation,
  organisationChange,
  organisationLimits,
  slugTyped,
} from '../../../contract/organisations.ts';
import { actOf } from '../../platform/audit.ts';
import { openEmail } from '../../platform/email.ts';
import { defineRoute, type Principal, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { dayMs, isNamedZone } from '../../platform/zone.ts';
import { readPicture } from '../picture.ts';
import { reservedSlugs, slugOf } from '../set_up.ts';
import { gone, lockOrganisation, organisationOfPath } from './found.ts';
import { refuseOtherSlug } from './members.ts';
import { type OrganisationParts, ofOrganisation } from './parts.ts';
import { changeStatus } from './status_changes.ts';
import { effectiveStatus } from './statuses.ts';

/** The organisation itself: what it is called, where it is found, what a new site begins with, and its end. */
export function generalRoutes(parts: OrganisationParts): Route[] {
  const { postgres, audit, clock, vault } = parts.house;

  async function read(sql: Sql): Promise<OrganisationDetails> {
    const row = await sql.maybe<Row>(
      `SELECT o.id, o.name, o.slug, o.status, o.status_reason, o.status_until, o.timezone, o.currency, o.language, o.created_at,
         l.version AS logo, ARRAY(SELECT f.slug FROM former_slugs f ORDER BY f.replaced_at DESC) AS former_slugs,
         CASE WHEN f.expires_at > $1 THEN f.expires_at END AS offer_until,
         b.id AS by_id, b.name AS by_name, b.email_sealed AS by_email, t.id AS to_id, t.name AS to_name, t.email_sealed AS to_email
       FROM organisations o LEFT JOIN organisation_logos l ON l.organisation_id = o.id
       LEFT JOIN ownership_offers f ON f.organisation_id = o.id
       LEFT JOIN people b ON b.id = f.offered_by LEFT JOIN people t ON t.id = f.offered_to
       WHERE o.id = current_organisation()`,
      [new Date(clock.now())],
    );
    if (row === undefined) throw gone();
    const { offer_until, by_id, by_name, by_email, to_id, to_name, to_email, created_at, status_until, ...rest } = row;
    const person = async (id: number, name: string, sealed: Buffer) => ({
      ...{ id, name, email: await openEmail(vault, { person: id }, sealed) },
    });
    return {
      ...rest,
      status: effectiveStatus({ status: row.status, until: status_until }, clock.now()),
      status_until: status_until?.toISOString() ?? null,
      created_at: created_at.toISOString(),
      ownership_offer:
        offer_until === null
          ? null
          : {
              by: await person(by_id, by_name, by_email),
              to: await person(to_id, to_name, to_email),
              expires_at: offer_until.toISOString(),
            },
    };
  }

  return [
    defineRoute({
      method: 'POST',
      path: '/api/organisations',
      access: 'signed-in',
      summary: 'Makes a further organisation, for owners of one and for whoever runs the desk.',
      body: newOrganisation,
      answer: organisation,
      async handle(request) {
        const principal = request.principal as Principal;
        if (principal.kind !== 'person')
          throw new RequestError('not_found', 'An API key belongs to one organisation and makes no other.');
        checkDefaults(request.body);
        const made = await postgres.person(principal.id, async (sql) => {
          const { owned } = await sql.one<{ owned: number }>(
            "SELECT count(*)::int AS owned FROM memberships WHERE person_id = $1 AND role = 'owner'",
            [principal.id],
          );
          if (owned === 0 && principal.isOperator !== true)
            throw new RequestError(
              'not_found',
              'Owners of an organisation, and whoever runs this desk, can make another one. Ask one of them.',
            );
          if (owned >= organisationLimits.ownedMax)
            throw new RequestError(
              'conflict',
              `One person owns at most ${organisationLimits.ownedMax} organisations. Hand one on, or close one.`,
            );
          const { id } = await sql.one<{ id: number }>("SELECT nextval('organisations_id_seq') AS id");
          await sql.query("SELECT set_config('fairlead.organisation', $1, true)", [String(id)]);
          const now = new Date(clock.now());
          const { name, timezone = 'UTC', currency = 'EUR' } = request.body;
          await sql.run(
            'INSERT INTO organisations (id, name, slug, timezone, currency, created_at) VALUES ($1, $2, $3, $4, $5, $6)',
            [id, name, slugOf(name, id), timezone, currency, now],
          );
          await sql.run(
            "INSERT INTO memberships (organisation_id, person_id, role, created_at) VALUES ($1, $2, 'owner', $3)",
            [id, principal.id, now],
          );
          await audit.record(sql, id, {
            action: 'organisation.created',
            ...actOf(request),
            targets: [{ type: 'organisation', id, label: name }],
          });
          return read(sql);
        });
        return { status: 201, body: made };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation',
      access: 'organisation.read',
      summary: 'One organisation, by number, name in addresses, or a former one.',
      params: ofOrganisation,
      answer: organisation,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        return { body: await postgres.tenant(id, read) };
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/api/organisations/:organisation',
      access: 'organisation.manage',
      summary: 'Changes name, address and defaults. The former address leads to the new one.',
      params: ofOrganisation,
      body: organisationChange,
      answer: organisation,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const { body } = request;
        checkDefaults(body);
        if (body.slug !== undefined && reservedSlugs.includes(body.slug))
          throw new RequestError('conflict', 'This address is kept for pages of the desk itself. Take another.', {
            field: 'slug',
          });
        return postgres.tenant(id, async (sql) => {
          const before = await lockOrganisation(sql, id);
          if (body.slug !== undefined && body.slug !== before.slug)
            await changeSlug(sql, id, { from: before.slug, to: body.slug, now: new Date(clock.now()) });
          await sql.run(
            `UPDATE organisations SET name = coalesce($2, name), slug = coalesce($3, slug), timezone = coalesce($4, timezone),
               currency = coalesce($5, currency), language = coalesce($6, language) WHERE id = $1`,
            [
              id,
              body.name ?? null,
              body.slug ?? null,
              body.timezone ?? null,
              body.currency ?? null,
              body.language ?? null,
            ],
          );
          const after = await read(sql);
          await audit.record(sql, id, {
            action:
              body.name === undefined && body.slug === undefined ? 'organisation.changed' : 'organisation.renamed',
            ...actOf(request),
            targets: [{ type: 'organisation', id, label: after.name }],
            details: { changed: Object.keys(body).join(' '), slug_before: before.slug, slug: after.slug },
          });
          return { body: after };
        });
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/logo',
      access: 'organisation.read',
      summary: 'The logo of an organisation: PNG, JPEG or WebP.',
      params: ofOrganisation,
      query: z.strictObject({ v: z.string().max(32).optional() }),
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const logo = await postgres.tenant(id, (sql) =>
          sql.maybe<{ kind: string; bytes: Buffer; version: string }>(
            'SELECT kind, bytes, version FROM organisation_logos',
          ),
        );
        if (logo === undefined) throw new RequestError('not_found', 'This organisation has no logo.');
        return {
          // Bytes of a stranger: whatever they are, a browser makes nothing of them but a picture.
          headers: {
            'content-type': logo.kind,
            'content-security-policy': "default-src 'none'; sandbox",
            'content-disposition': 'inline; filename="logo"',
            'cache-control': 'private, max-age=3600',
            etag: `"${logo.version}"`,
          },
          body: logo.bytes,
        };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/logo',
      access: 'organisation.manage',
      summary: 'Sets the logo: the bytes of a PNG, JPEG or WebP of at most 256 KB.',
      params: ofOrganisation,
      rawBodyBytesMax: organisationLimits.logoBytesMax,
      answer: z.object({ logo: z.string() }),
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const bytes = request.body as unknown as Buffer;
        const kind = readPicture(bytes, 'logo');
        const version = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
        await postgres.tenant(id, async (sql) => {
          await sql.run(
            `INSERT INTO organisation_logos (organisation_id, kind, bytes, version, changed_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (organisation_id) DO UPDATE SET kind = $2, bytes = $3, version = $4, changed_at = $5`,
            [id, kind, bytes, version, new Date(clock.now())],
          );
          await audit.record(sql, id, {
            action: 'organisation.changed',
            ...actOf(request),
            targets: [{ type: 'organisation', id }],
            details: { changed: 'logo', kind },
          });
        });
        return { body: { logo: version } };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/organisations/:organisation/logo',
      access: 'organisation.manage',
      summary: 'Takes the logo away.',
      params: ofOrganisation,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        await postgres.tenant(id, async (sql) => {
          const removed = await sql.run('DELETE FROM organisation_logos WHERE organisation_id = $1', [id]);
          if (removed === 0) return;
          await audit.record(sql, id, {
            action: 'organisation.changed',
            ...actOf(request),
            targets: [{ type: 'organisation', id }],
            details: { changed: 'logo', kind: null },
          });
        });
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/organisations/:organisation/closing',
      access: 'organisation.own',
      summary: 'Begins to close an organisation: for 30 days everything works and it can be taken back.',
      params: ofOrganisation,
      body: slugTyped,
      answer: organisation,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const until = new Date(clock.now() + organisationLimits.closingDays * dayMs);
        const body = await postgres.tenant(id, async (sql) => {
          refuseOtherSlug((await lockOrganisation(sql, id)).slug, request.body.slug);
          await changeStatus(parts, sql, id, { to: 'closing', until, by: actOf(request) });
          return read(sql);
        });
        parts.statuses.forget();
        return { body };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/organisations/:organisation/closing',
      access: 'organisation.own',
      summary: 'Takes the closing of an organisation back.',
      params: ofOrganisation,
      answer: organisation,
      async handle(request) {
        const id = await organisationOfPath(postgres, request);
        const body = await postgres.tenant(id, async (sql) => {
          await lockOrganisation(sql, id);
          await changeStatus(parts, sql, id, { to: 'active', from: 'closing', by: actOf(request) });
          return read(sql);
        });
        parts.statuses.forget();
        return { body };
      },
    }),
  ];
}

interface Row {
  id: number;
  name: string;
  slug: string;
  status: OrganisationStatus;
  status_reason: string | null;
  status_until: Date | null;
  timezone: string;
  currency: string;
  language: string;
  created_at: Date;
  logo: string | null;
  former_slugs: string[];
  offer_until: Date | null;
  /** Of the offer, where there is one. */
  by_id: number;
  by_name: string;
  by_email: Buffer;
  to_id: number;
  to_name: string;
  to_email: Buffer;
}

function checkDefaults({ timezone, currency }: { timezone?: string | undefined; currency?: string | undefined }): void {
  if (timezone !== undefined && !isNamedZone(timezone))
    throw new RequestError(
      'invalid_field',
      `"${timezone}" is not a timezone. Write an IANA name such as Europe/Berlin.`,
      { field: 'timezone' },
    );
  if (currency !== undefined && !isCurrency(currency))
    throw new RequestError('invalid_field', `"${currency}" is not a currency. Write an ISO 4217 code such as EUR.`, {
      field: 'currency',
    });
}

/**
 * A name in addresses leads to one organisation, as the present name or as a former one. Two tables cannot share a
 * unique key, so renames wait for each other.
 */
async function changeSlug(sql: Sql, id: number, { from, to, now }: { from: string; to: string; now: Date }) {
  await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('slugs of organisations', 0))");
  const { organisation_id: holder } = await sql.one<{ organisation_id: number | null }>(
    'SELECT organisation_id FROM lookup.organisation_by_slug($1)',
    [to],
  );
  if (holder !== null && holder !== id)
    throw new RequestError(
      'conflict',
      `The address ${to} is taken, or leads to an organisation that had it. Take another.`,
      {
        field: 'slug',
      },
    );
  await sql.run('DELETE FROM former_slugs WHERE slug = $1', [to]);
  await sql.run('INSERT INTO former_slugs (slug, organisation_id, replaced_at) VALUES ($1, $2, $3)', [from, id, now]);
  await sql.run(
    'DELETE FROM former_slugs WHERE slug IN (SELECT slug FROM former_slugs WHERE organisation_id = $1 ORDER BY replaced_at DESC OFFSET $2)',
    [id, organisationLimits.formerSlugsMax],
  );
}
