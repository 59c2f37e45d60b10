import { relayLimits } from '../../../contract/relay.ts';
import {
  type DestinationKind,
  newRelayDestination,
  type RelayDestination,
  relayDestination,
  relayDestinationChange,
  relayDestinations,
} from '../../../contract/relay_settings.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import { relayChanged } from '../changes.ts';
import { pauseDestination, resumeDestination } from '../deliveries/states.ts';
import { type Destination, SettingsProblem } from '../destinations/destination.ts';
import { destinationOf, destinations } from '../destinations/index.ts';
import {
  checkLimit,
  membersOf,
  note,
  ofDestination,
  ofOrganisation,
  organisationFor,
  removeWithWaiting,
  type SettingsDoors,
  type SettingsHouse,
} from './parts.ts';
import { destinationSecretPlace } from './secrets.ts';

interface Row {
  readonly id: number;
  readonly kind: string;
  readonly name: string;
  readonly settings: Record<string, string>;
  readonly connection_id: number | null;
  readonly has_secret: boolean;
  readonly state: RelayDestination['state'];
  readonly state_reason: string | null;
  readonly state_since: Date;
  readonly unknown_consent: RelayDestination['unknown_consent'];
  readonly test_code: string | null;
  readonly is_dry_run: boolean;
  readonly created_at: Date;
  readonly routes: number;
  readonly waiting: number;
}

const columns = `d.id, d.kind, d.name, d.settings, d.connection_id, d.secret_sealed IS NOT NULL AS has_secret, d.state,
  d.state_reason, d.state_since, d.unknown_consent, d.test_code, d.is_dry_run, d.created_at,
  (SELECT count(*)::int FROM relay_routes r WHERE r.destination_id = d.id AND r.state = 'active') AS routes,
  (SELECT coalesce(sum(w.rows), 0)::int FROM relay_summed w
   WHERE w.organisation_id = current_organisation() AND w.what = 'deliveries' AND w.about = d.id AND w.state IN ('held', 'open')) AS waiting`;

/** Where conversions go: accounts of platforms and webhooks, each with what it needs to be sent to. */
export function destinationRoutes(
  house: SettingsHouse,
  doors: Pick<SettingsDoors, 'connectionProblem' | 'providerOf'>,
): Route[] {
  const { postgres, clock, vault } = house;
  const target = ({ id, name }: { id: number; name: string }) => ({ type: 'relay_destination', id, label: name });

  async function one(sql: Sql, id: number): Promise<Row> {
    const row = await sql.maybe<Row>(`SELECT ${columns} FROM relay_destinations d WHERE d.id = $1`, [id]);
    if (row === undefined) throw new RequestError('not_found', 'There is no destination with this number here.');
    return row;
  }

  async function checkConnection(
    sql: Sql,
    organisationId: number,
    id: number | null | undefined,
    kind: string,
  ): Promise<void> {
    const problem = id == null ? undefined : await doors.connectionProblem(sql, organisationId, id, kind);
    if (problem !== undefined) throw new RequestError('invalid_field', problem, { field: 'connection_id' });
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/destinations',
      access: 'relay.read',
      summary: 'Where conversions go, and every kind of destination with what its form asks for.',
      params: ofOrganisation,
      answer: relayDestinations,
      async handle(request) {
        const organisation = organisationFor(request);
        const rows = await postgres.tenant(organisation, (sql) =>
          sql.query<Row>(`SELECT ${columns} FROM relay_destinations d ORDER BY d.name, d.id`),
        );
        return {
          body: {
            destinations: rows.map(shown),
            kinds: destinations.map((one) => shownKind(one, doors.providerOf(one.id))),
            limits: { destinations: relayLimits.destinationsMax },
          },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/organisations/:organisation/relay/destinations',
      access: 'relay.manage',
      summary: 'Adds a destination. Its token is sealed and in no answer. Nothing goes there before a route does.',
      params: ofOrganisation,
      body: newRelayDestination,
      answer: relayDestination,
      async handle(request) {
        const organisation = organisationFor(request);
        const { body } = request;
        const destination = destinationOf(body.kind);
        if (destination === undefined)
          throw new RequestError('invalid_field', 'There is no destination of this kind.', { field: 'kind' });
        const settings = settingsOf(destination, body.settings);
        checkTrials(destination, body);
        checkCredential(destination, body);
        const at = new Date(clock.now());
        const made = await postgres.tenant(organisation, async (sql) => {
          await checkLimit(sql, organisation, 'relay_destinations', relayLimits.destinationsMax);
          await checkConnection(sql, organisation, body.connection_id, body.kind);
          const { id } = await sql.one<{ id: number }>(
            `INSERT INTO relay_destinations
               (organisation_id, kind, name, settings, connection_id, unknown_consent, test_code, is_dry_run, state_since, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) RETURNING id`,
            [
              ...[organisation, body.kind, body.name, JSON.stringify(settings), body.connection_id ?? null],
              ...[body.unknown_consent ?? 'block_in_consent_regions', body.test_code ?? null, body.is_dry_run ?? false],
              at,
            ],
          );
          if (body.secret !== undefined)
            await sql.run('UPDATE relay_destinations SET secret_sealed = $2 WHERE id = $1', [
              ...[id, await vault.seal(destinationSecretPlace(organisation, id), body.secret)],
            ]);
          await note(house, sql, request, 'relay.destination_added', target({ id, name: body.name }), {
            kind: body.kind,
          });
          return shown(await one(sql, id));
        });
        await relayChanged();
        return { status: 201, body: made };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/organisations/:organisation/relay/destinations/:destination',
      access: 'relay.read',
      summary: 'One destination and how it stands.',
      params: ofDestination,
      answer: relayDestination,
      async handle(request) {
        const organisation = organisationFor(request);
        const row = await postgres.tenant(organisation, (sql) => one(sql, request.params.destination));
        return { body: shown(row) };
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/api/organisations/:organisation/relay/destinations/:destination',
      access: 'relay.manage',
      summary:
        'Changes a destination. Paused, it keeps its queue; resumed, also after the platform refused, what waits is sent. Settings are replaced as a whole.',
      params: ofDestination,
      body: relayDestinationChange,
      answer: relayDestination,
      async handle(request) {
        const organisation = organisationFor(request);
        const { body, params } = request;
        const changed = await postgres.tenant(organisation, async (sql) => {
          const before = await one(sql, params.destination);
          const destination = destinationOf(before.kind);
          const set: [column: string, value: unknown][] = [];
          if (body.settings !== undefined) {
            if (destination === undefined)
              throw new RequestError('conflict', 'This desk knows this kind of destination no longer. Delete it.');
            set.push(['settings', JSON.stringify(settingsOf(destination, body.settings))]);
          }
          if (destination !== undefined) {
            checkTrials(destination, body);
            checkCredential(destination, body);
          }
          await checkConnection(sql, organisation, body.connection_id, before.kind);
          for (const name of ['name', 'connection_id', 'unknown_consent', 'test_code', 'is_dry_run'] as const)
            if (body[name] !== undefined) set.push([name, body[name]]);
          // A token that is not sent with any more is not kept, whoever asks for the change.
          const secret = body.connection_id == null ? body.secret : null;
          if (secret !== undefined)
            set.push([
              'secret_sealed',
              secret === null ? null : await vault.seal(destinationSecretPlace(organisation, before.id), secret),
            ]);
          const state = body.state ?? (isMended(before.state, body) ? 'active' : before.state);
          if (state !== before.state) {
            const lane = { organisationId: organisation, destinationId: before.id };
            await (state === 'active' ? resumeDestination : pauseDestination)(sql, lane, clock.now());
          }
          if (set.length > 0)
            await sql.run(
              `UPDATE relay_destinations SET ${set.map(([column], at) => `${column} = $${at + 2}`).join(', ')} WHERE id = $1`,
              [before.id, ...set.map(([, value]) => value)],
            );
          const after = await one(sql, before.id);
          await note(house, sql, request, 'relay.destination_changed', target(after), {
            ...{ members: membersOf(body), state: after.state },
          });
          return shown(after);
        });
        await relayChanged();
        return { body: changed };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/organisations/:organisation/relay/destinations/:destination',
      access: 'relay.manage',
      summary:
        'Removes a destination with its routes and its secret; what waits for it is cancelled. What was sent stays written.',
      params: ofDestination,
      async handle(request) {
        const organisation = organisationFor(request);
        await removeWithWaiting(house, organisation, 'destination_id', {
          find: (sql) => one(sql, request.params.destination),
          async stop(sql, gone) {
            const lane = { organisationId: organisation, destinationId: gone.id };
            await pauseDestination(sql, lane, clock.now());
            await note(house, sql, request, 'relay.destination_changed', target(gone), {
              ...{ members: 'state', state: 'paused' },
            });
          },
          async remove(sql, gone, cancelled) {
            await sql.run('DELETE FROM relay_destinations WHERE id = $1', [gone.id]);
            await note(house, sql, request, 'relay.destination_removed', target(gone), { cancelled });
          },
        });
        await relayChanged();
        return { status: 204 };
      },
    }),
  ];
}

/** Whether what its platform refused is another now: then it is tried, and nobody has to say so. */
function isMended(
  state: RelayDestination['state'],
  { secret, connection_id, settings }: { secret?: unknown; connection_id?: unknown; settings?: unknown },
): boolean {
  const hasAccess = secret != null || connection_id != null;
  return state === 'reconnect' ? hasAccess : state === 'misconfigured' && (hasAccess || settings !== undefined);
}

function shown(row: Row): RelayDestination {
  return {
    ...row,
    state_since: row.state_since.toISOString(),
    created_at: row.created_at.toISOString(),
  };
}

function shownKind(destination: Destination, provider: string): DestinationKind {
  const { picks } = destination;
  const fields = Object.entries(destination.fields);
  const code = fields.find(([, field]) => field.isTestCode === true)?.[1];
  return {
    ...{ id: destination.id, label: destination.label },
    fields: fields
      .filter(([, field]) => field.isTestCode !== true)
      .map(([name, { label, what, required = false, choices }]) => ({
        ...{ name, label, what, required, choices: choices === undefined ? null : [...choices] },
      })),
    secret: shownSecret(destination),
    provider,
    picks:
      picks === undefined
        ? null
        : {
            ...{ target: picks.target, account: picks.account ?? null },
            ...{ through: picks.through ?? null, counting: picks.counting ?? null },
          },
    test: destination.asTest === undefined ? null : code === undefined ? 'switch' : 'code',
    test_code: code === undefined ? null : { label: code.label, what: code.what },
    has_dry_run: destination.asDryRun !== undefined,
    ...{ purposes: [...destination.purposes], batch_max: destination.batchMax },
  };
}

function shownSecret({ secret }: Destination): DestinationKind['secret'] {
  return secret === undefined ? null : { label: secret.label, what: secret.what };
}

/** What is kept of the settings: those that the kind has, as it reads them. A test code is set as such, and is none. */
function settingsOf(destination: Destination, given: Readonly<Record<string, string>>): Record<string, string> {
  const names = Object.entries(destination.fields)
    .filter(([, field]) => field.isTestCode !== true)
    .map(([name]) => name);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new RequestError('invalid_field', `${destination.label} has no setting "${unknown.slice(0, 40)}".`, {
      field: `settings.${unknown}`,
    });
  try {
    const read = destination.settings(given) as Record<string, unknown>;
    return Object.fromEntries(
      names.flatMap((name) => (typeof read[name] === 'string' ? [[name, read[name] as string]] : [])),
    );
  } catch (error) {
    if (!(error instanceof SettingsProblem)) throw error;
    const field = error.field === '' ? 'settings' : `settings.${error.field}`;
    throw new RequestError('invalid_field', error.message, { field });
  }
}

/** A token that is used nowhere would lie here for nothing. */
function checkCredential(
  { label, credential }: Destination,
  { secret, connection_id }: { secret?: string | null | undefined; connection_id?: number | null | undefined },
): void {
  if (secret != null && connection_id != null)
    throw new RequestError('invalid_field', 'A destination is sent with a connection or with a token of its own.', {
      field: 'secret',
    });
  if (credential.kind !== 'none') return;
  const field = secret != null ? 'secret' : connection_id != null ? 'connection_id' : undefined;
  if (field !== undefined) throw new RequestError('invalid_field', `${label} takes no token.`, { field });
}

/** What the platform cannot do is not set: it would be sent for good. */
function checkTrials(
  destination: Destination,
  { test_code, is_dry_run }: { test_code?: string | null | undefined; is_dry_run?: boolean | undefined },
): void {
  if (test_code != null && destination.asTest === undefined)
    throw new RequestError('invalid_field', `${destination.label} takes no test events.`, { field: 'test_code' });
  if (is_dry_run === true && destination.asDryRun === undefined)
    throw new RequestError('invalid_field', `${destination.label} cannot check without counting.`, {
      field: 'is_dry_run',
    });
}
