import { relayLimits } from '../../../contract/relay.ts';
import type { SourceKind } from '../../../contract/relay_settings.ts';
import {
  madeRelaySource,
  madeSigningSecret,
  newRelaySource,
  newSigningSecret,
  relayCaptures,
  relaySource,
  relaySourceChange,
  relaySourceContents,
  relaySources,
} from '../../../contract/relay_settings.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { refuseLineWhileHeld } from '../../trust/windows/index.ts';
import { relayChanged } from '../changes.ts';
import { listCaptures } from '../intake/captures.ts';
import { presetOf, presets } from '../sources/presets/index.ts';
import {
  checkLimit,
  membersOf,
  note,
  ofOrganisation,
  ofSource,
  organisationFor,
  removeWithWaiting,
  type SettingsHouse,
} from './parts.ts';
import { openSourceSecrets, sealSourceSecret } from './secrets.ts';
import { cameOf, shownSource, sourceRow, sourceRows } from './source_rows.ts';

/** 256 bits: nobody guesses one, and whoever has it needs nothing else to send. */
const addressBytes = 32;
/** What only goals have; all are off as a source is made. */
const goalSwitches = ['click_ids', 'ip_and_agent', 'browser_ids', 'pixel_calls'] as const;
const overlapMs = relayLimits.rotationHours * 3_600_000;

/** Where conversions come from: each source with an address of its own, which is shown once. */
export function sourceRoutes(house: SettingsHouse): Route[] {
  const { postgres, clock, keys, random, vault, mail } = house;

  function newAddress(): { digest: Buffer; address: string } {
    const secret = random.bytes(addressBytes).toString('base64url');
    return { digest: keys.digest('relay-source', secret), address: mail.link(`/in/${secret}`) };
  }
  const shown = async (sql: Sql, id: number) =>
    shownSource(await sourceRow(sql, id, clock.now()), clock.now(), undefined);
  const target = ({ id, name }: { id: number; name: string }) => ({ type: 'relay_source', id, label: name });

  async function checkSite(sql: Sql, id: number | null | undefined): Promise<void> {
    if (id == null) return;
    if ((await sql.maybe('SELECT FROM sites WHERE id = $1', [id])) === undefined)
      throw new RequestError('invalid_field', 'There is no site with this number here.', { field: 'site_id' });
  }

  /** Kept requests and uploads go with their source. @throws RequestError conflict that says which hold keeps them */
  async function refuseWhileHeld(sql: Sql, organisation: number, source: { id: number; site_id: number | null }) {
    for (const [table, line] of [
      ['relay_captures', 'relay-captures'],
      ['relay_uploads', 'relay-uploads'],
    ] as const) {
      const one = await sql.maybe(`SELECT FROM ${table} WHERE source_id = $1 LIMIT 1`, [source.id]);
      if (one !== undefined) await refuseLineWhileHeld(sql, organisation, line, source.site_id);
    }
  }

  /** What only goals have, since others get from their senders what they get; and what only requests have. */
  function checkKind(
    kind: SourceKind,
    given: {
      readonly site_id?: number | null | undefined;
      readonly click_ids?: boolean | undefined;
      readonly ip_and_agent?: boolean | undefined;
      readonly requests_per_minute?: number | null | undefined;
      readonly browser_ids?: boolean | undefined;
      readonly pixel_calls?: boolean | undefined;
    },
  ): void {
    if (kind === 'goals' && given.site_id === null)
      throw new RequestError('invalid_field', 'Say which site it is whose goals become conversions.', {
        field: 'site_id',
      });
    if (kind !== 'http' && given.requests_per_minute != null)
      throw new RequestError('invalid_field', 'Only requests are limited by their rate; this source gets none.', {
        field: 'requests_per_minute',
      });
    if (kind === 'goals') return;
    for (const field of goalSwitches)
      if (given[field] === true)
        throw new RequestError(
          'invalid_field',
          'Only a source of goals has this; others take what their senders send.',
          {
            field,
          },
        );
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/sources',
      access: 'relay.read',
      summary: 'Where conversions come from, with what came lately, and the presets that a source can begin with.',
      params: ofOrganisation,
      answer: relaySources,
      async handle(request) {
        const organisation = organisationFor(request);
        const rows = await postgres.tenant(organisation, (sql) => sourceRows(sql, clock.now()));
        const came = await cameOf(house, organisation);
        return {
          body: {
            sources: rows.map((row) => shownSource(row, clock.now(), came)),
            presets: presets.map(({ id, label, kind = 'http' as const, signature, template }) => ({
              ...{ id, label, kind, signature: signature ?? null, template: template ?? null },
            })),
            limits: { sources: relayLimits.sourcesMax },
          },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/relay/sources',
      access: 'relay.manage',
      summary: 'Makes a source. Its address is in this answer and never again: whoever has it can send.',
      params: ofOrganisation,
      body: newRelaySource,
      answer: madeRelaySource,
      async handle(request) {
        const organisation = organisationFor(request);
        const { name, kind, site_id, preset: presetId, signature } = request.body;
        const preset = presetId === undefined ? undefined : presetOf(presetId);
        if (presetId !== undefined && preset === undefined)
          throw new RequestError('invalid_field', 'There is no preset of this name.', { field: 'preset' });
        if (kind !== 'http' && signature !== undefined)
          throw new RequestError('invalid_field', 'Only requests are signed; this source gets none.', {
            field: 'signature',
          });
        checkKind(kind, { ...request.body, site_id: site_id ?? null });
        const made = kind === 'http' ? newAddress() : undefined;
        const at = new Date(clock.now());
        const source = await postgres.tenant(organisation, async (sql) => {
          await checkLimit(sql, organisation, 'relay_sources', relayLimits.sourcesMax);
          await checkSite(sql, site_id);
          const { id } = await sql.one<{ id: number }>(
            `INSERT INTO relay_sources
               (organisation_id, site_id, name, kind, preset, address_digest, signature_scheme, signature_header, mapping_version, created_at,
                click_ids, ip_and_agent, browser_ids, pixel_calls)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id`,
            [
              ...[organisation, site_id ?? null, name, kind, presetId ?? null, made?.digest ?? null],
              ...[signature?.scheme ?? null, signature?.header ?? null, preset === undefined ? 0 : 1, at],
              ...goalSwitches.map((one) => request.body[one] ?? false),
            ],
          );
          if (preset !== undefined)
            await sql.run(
              `INSERT INTO relay_mappings (organisation_id, source_id, version, mapping, note, created_at, created_by)
               VALUES ($1, $2, 1, $3, $4, $5, $6)`,
              [
                ...[organisation, id, JSON.stringify(preset.mapping), `The preset ${preset.label}`, at],
                request.principal?.kind === 'person' ? request.principal.id : null,
              ],
            );
          if (signature !== undefined)
            await sql.run('UPDATE relay_sources SET secret_sealed = $2 WHERE id = $1', [
              ...[id, await sealSourceSecret(vault, organisation, id, signature.secret)],
            ]);
          await note(house, sql, request, 'relay.source_created', target({ id, name }), {
            ...{ kind, preset: presetId ?? null, signature: signature?.scheme ?? null },
            ...(kind === 'goals' && {
              ...Object.fromEntries(goalSwitches.map((one) => [one, request.body[one] ?? false])),
            }),
          });
          return shown(sql, id);
        });
        await relayChanged();
        return { status: 201, body: { source, address: made?.address ?? null } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/sources/:source',
      access: 'relay.read',
      summary:
        'One source and how it is set. Its address and its secret are not in it: the desk cannot say them again.',
      params: ofSource,
      answer: relaySource,
      async handle(request) {
        const organisation = organisationFor(request);
        const row = await postgres.tenant(organisation, (sql) => sourceRow(sql, request.params.source, clock.now()));
        return { body: shownSource(row, clock.now(), await cameOf(house, organisation)) };
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/api/organisations/:organisation/relay/sources/:source',
      access: 'relay.manage',
      summary: 'Changes a source from the next request on. Paused, it refuses what comes.',
      params: ofSource,
      body: relaySourceChange,
      answer: relaySource,
      async handle(request) {
        const organisation = organisationFor(request);
        const { body, params } = request;
        const { signature } = body;
        const changed = await postgres.tenant(organisation, async (sql) => {
          const before = await sourceRow(sql, params.source, clock.now());
          await checkSite(sql, body.site_id);
          checkKind(before.kind, body);
          if (signature != null && before.kind !== 'http')
            throw new RequestError('invalid_field', 'Only requests are signed; this source gets none.', {
              field: 'signature',
            });
          const set: [column: string, value: unknown][] = [
            ...(
              [
                ...([
                  'name',
                  'site_id',
                  'state',
                  'unmapped_status',
                  'doubles_minutes',
                  'raw_days',
                  'intake_days',
                  'requests_per_minute',
                ] as const),
                ...goalSwitches,
              ] as const
            )
              .filter((one) => body[one] !== undefined)
              .map((one): [string, unknown] => [one, body[one]]),
          ];
          if (signature !== undefined)
            set.push(
              ['signature_scheme', signature?.scheme ?? null],
              ['signature_header', signature?.header ?? null],
              [
                'secret_sealed',
                signature && (await sealSourceSecret(vault, organisation, before.id, signature.secret)),
              ],
              // What was signed the other way is of another sender: nothing of it goes on.
              ['former_secret_sealed', null],
              ['former_secret_until', null],
            );
          if (set.length > 0)
            await sql.run(
              `UPDATE relay_sources SET ${set.map(([column], at) => `${column} = $${at + 2}`).join(', ')} WHERE id = $1`,
              [before.id, ...set.map(([, value]) => value)],
            );
          const after = await shown(sql, before.id);
          await note(house, sql, request, 'relay.source_changed', target(after), {
            ...{ members: membersOf(body), state: after.state },
            ...(after.kind === 'goals' && Object.fromEntries(goalSwitches.map((one) => [one, after[one]]))),
          });
          return after;
        });
        await relayChanged();
        return { body: changed };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/relay/sources/:source/addresses',
      access: 'relay.manage',
      summary: 'Gives a source a new address, in this answer and never again. The one before goes on for 24 hours.',
      params: ofSource,
      answer: madeRelaySource,
      async handle(request) {
        const organisation = organisationFor(request);
        const { digest, address } = newAddress();
        const source = await postgres.tenant(organisation, async (sql) => {
          const before = await sourceRow(sql, request.params.source, clock.now());
          if (before.kind !== 'http')
            throw new RequestError('conflict', 'This source gets no requests, so it has no address.');
          await sql.run(
            `UPDATE relay_sources SET former_digest = address_digest, address_digest = $2,
               former_until = CASE WHEN address_digest IS NOT NULL THEN $3::timestamptz END WHERE id = $1`,
            [before.id, digest, new Date(clock.now() + overlapMs)],
          );
          await note(house, sql, request, 'relay.address_replaced', target(before));
          return shown(sql, before.id);
        });
        await relayChanged();
        return { status: 201, body: { source, address } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/relay/sources/:source/secrets',
      access: 'relay.manage',
      summary:
        'Replaces what a sender signs with; the secret before is taken for 24 hours more. Without one in the body the desk makes it, and says it once.',
      params: ofSource,
      body: newSigningSecret,
      answer: madeSigningSecret,
      async handle(request) {
        const organisation = organisationFor(request);
        const given = request.body.secret;
        const secret = given ?? random.bytes(addressBytes).toString('base64url');
        const source = await postgres.tenant(organisation, async (sql) => {
          const before = await sourceRow(sql, request.params.source, clock.now());
          if (before.signature_scheme === null)
            throw new RequestError('conflict', 'The sender of this source does not sign. Say how it does first.');
          // It moves to another column, and opens only where it was sealed for.
          const [former] = await openSourceSecrets(vault, { ...before, former_secret_sealed: null }, clock.now(), {
            ...{ purpose: 'relay.rotate', sql },
          });
          await sql.run(
            `UPDATE relay_sources SET secret_sealed = $2, former_secret_sealed = $3, former_secret_until = $4 WHERE id = $1`,
            [
              before.id,
              await sealSourceSecret(vault, organisation, before.id, secret),
              former === undefined
                ? null
                : await sealSourceSecret(vault, organisation, before.id, former, 'former_secret_sealed'),
              former === undefined ? null : new Date(clock.now() + overlapMs),
            ],
          );
          await note(house, sql, request, 'relay.secret_replaced', target(before));
          return shown(sql, before.id);
        });
        await relayChanged();
        return { status: 201, body: { source, secret: given === undefined ? secret : null } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/sources/:source/contents',
      access: 'relay.read',
      summary: 'What goes with a source when it is deleted, and what stays.',
      params: ofSource,
      answer: relaySourceContents,
      async handle(request) {
        const organisation = organisationFor(request);
        const contents = await postgres.tenant(organisation, async (sql) => {
          const { id } = await sourceRow(sql, request.params.source, clock.now());
          return sql.one<{ mappings: number; routes: number; captures: number; waiting: number; conversions: number }>(
            `SELECT (SELECT count(*)::int FROM relay_mappings WHERE source_id = $1) AS mappings,
               (SELECT count(*)::int FROM relay_routes WHERE source_id = $1) AS routes,
               (SELECT count(*)::int FROM relay_captures WHERE source_id = $1) AS captures,
               (SELECT count(*)::int FROM relay_deliveries d JOIN relay_routes r ON r.id = d.route_id
                WHERE r.source_id = $1 AND d.state IN ('held', 'waiting')) AS waiting,
               (SELECT count(*)::int FROM relay_conversions WHERE source_id = $1) AS conversions`,
            [id],
          );
        });
        return { body: contents };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/organisations/:organisation/relay/sources/:source',
      access: 'relay.manage',
      summary:
        'Deletes a source with its mappings, routes and kept requests; what waits to be sent is cancelled. Conversions stay.',
      params: ofSource,
      async handle(request) {
        const organisation = organisationFor(request);
        await removeWithWaiting(house, organisation, 'source_id', {
          async find(sql) {
            const found = await sourceRow(sql, request.params.source, clock.now());
            await refuseWhileHeld(sql, organisation, found);
            return found;
          },
          stop: (sql, gone) => note(house, sql, request, 'relay.source_changed', target(gone), { members: 'routes' }),
          async remove(sql, gone, cancelled) {
            await sql.run('DELETE FROM relay_sources WHERE id = $1', [gone.id]);
            await note(house, sql, request, 'relay.source_deleted', target(gone), { cancelled });
          },
        });
        await relayChanged();
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/sources/:source/captures',
      access: 'relay.read',
      summary:
        'The requests that are kept of a source for seven days, the newest first: when each came. What they say is in a trial.',
      params: ofSource,
      answer: relayCaptures,
      async handle(request) {
        const organisation = organisationFor(request);
        const captures = await postgres.tenant(organisation, async (sql) =>
          listCaptures(sql, (await sourceRow(sql, request.params.source, clock.now())).id),
        );
        return {
          body: {
            captures: captures.map(({ received_at, ...one }) => ({ ...one, received_at: received_at.toISOString() })),
          },
        };
      },
    }),
  ];
}
