import { z } from 'zod';
import type { DropReason } from '../../contract/drops.ts';
import {
  newShield,
  type PreviewedKind,
  removedShield,
  restoreShield,
  type Shield,
  type ShieldKind,
  type ShieldList,
  shield,
  shieldKinds,
  shieldLimits,
  shieldList,
  shieldPreview,
  shieldQuestion,
  shieldRemoval,
} from '../../contract/shields.ts';
import { siteOfPath, sitesChanged } from '../accounts/index.ts';
import { actOf } from '../platform/audit.ts';
import { openEmail } from '../platform/email.ts';
import { defineRoute, RequestError, type Route } from '../platform/http/route.ts';
import type { Sql } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';
import type { Vault } from '../platform/vault.ts';
import { WarehouseUnavailable } from '../platform/warehouse/index.ts';
import { zoneOrUtc } from '../platform/zone.ts';
import { siteTarget } from './act_target.ts';
import { inSpan, minutesInSpan } from './in_span.ts';
import { shieldAddressText } from './ingest/shields.ts';
import { stepsOf } from './missing.ts';
import { previewShield } from './shield_preview.ts';
import { isUnknownProxy, namesAddress, ownAddress, readShieldValue, type ShieldValue } from './shield_values.ts';
import { checkSiteLimit } from './site_limit.ts';
import { openUndo } from './undo.ts';

/** The word that each kind's drops are counted under. A rule of its own has no count: the desk counts by reason. */
const reasons: Readonly<Record<ShieldKind, DropReason>> = {
  hostname: 'site_hostname_allowlist',
  blocked_hostname: 'site_hostname_blocklist',
  path: 'site_page_blocklist',
  country: 'site_country_blocklist',
  address: 'site_ip_blocklist',
  referrer: 'site_referrer_blocklist',
  rate: 'throttle',
};

type OfSite = { id: number; organisation_id: number; domain: string; timezone: string };
type ShieldHouse = Pick<House, 'postgres' | 'warehouse' | 'clock' | 'keys' | 'random' | 'config' | 'audit' | 'vault'>;

/** A removed rule as it travels to whoever may take the removal back. */
const removed = {
  kind: z.enum(shieldKinds),
  pattern: z.string().nullable(),
  network: z.string().nullable(),
  digest: z.string().nullable(),
  note: z.string(),
  created_by: z.number().nullable(),
  created_at: z.string(),
};

/** What a site wants dropped before it is stored. A change holds from the next event on; what is stored stays. */
export function shieldRoutes(house: ShieldHouse): Route[] {
  const { postgres, warehouse, clock, keys, audit, vault } = house;
  const deskRate = house.config.siteRate;
  const removal = openUndo(house, 'shield-undo', removed);

  /** What the last 7 days brought; the rules themselves can be read while the warehouse is away. */
  async function readWeek(site: OfSite, signal: AbortSignal): Promise<ShieldList['week']> {
    const { starts, to } = stepsOf('7d', clock.now(), zoneOrUtc(site.timezone));
    const from = starts[0] ?? to;
    const span = { site: site.id, from: from / 1000, to: Math.ceil(to / 1000) };
    const options = { purpose: 'shields', signal };
    try {
      const [drops, stored] = await Promise.all([
        warehouse.read<{ reason: string; counted: string }>(
          `SELECT reason, toString(sum(drops.events)) AS counted FROM drops
          WHERE site_id = {site:UInt64} AND ${minutesInSpan}
            AND reason IN {reasons:Array(String)} GROUP BY reason`,
          { ...span, reasons: Object.values(reasons) },
          options,
        ),
        warehouse.read<{ events: string }>(
          `SELECT toString(count()) AS events FROM events WHERE ${inSpan} AND import_id = 0`,
          span,
          options,
        ),
      ]);
      return {
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        stored: Number(stored[0]?.events ?? 0),
        dropped: shieldKinds.map((kind) => ({
          kind,
          reason: reasons[kind],
          events: Number(drops.find(({ reason }) => reason === reasons[kind])?.counted ?? 0),
        })),
      };
    } catch (error) {
      if (error instanceof WarehouseUnavailable) return null;
      throw error;
    }
  }

  async function preview(site: OfSite, kind: PreviewedKind, value: string, signal: AbortSignal) {
    const allowed = kind === 'hostname' ? await allowedHostnames(site) : [];
    return previewShield(warehouse, site, { kind, value, allowed }, clock.now(), signal);
  }

  /** Globs of the hostnames that the site allows, but for the shield that is about to go. */
  async function allowedHostnames(site: OfSite, without = 0): Promise<string[]> {
    const rows = await postgres.tenant(site.organisation_id, (sql) =>
      sql.query<{ pattern: string }>(
        `SELECT pattern FROM shields WHERE site_id = $1 AND kind = 'hostname' AND id <> $2
         UNION SELECT unnest(hostnames) FROM sites WHERE id = $1`,
        [site.id, without],
      ),
    );
    return rows.map(({ pattern }) => pattern);
  }

  function askInWords(site: OfSite, why: string): never {
    throw new RequestError('conflict', `${why} Repeat it with the site's domain, ${site.domain}, as confirm.`, {
      field: 'confirm',
    });
  }

  /** @throws RequestError conflict when nearly everything would go and nobody has said that this is meant */
  async function checkMeant(site: OfSite, value: ShieldValue, confirm: string | undefined, signal: AbortSignal) {
    if (confirm === site.domain) return;
    if ('isWide' in value && value.isWide)
      askInWords(
        site,
        'This network is a large part of the internet, and nothing can say how many visitors come from it.',
      );
    if (!('pattern' in value)) return;
    const { dropped, stored, confirm: needed } = await preview(site, value.kind, value.pattern, signal);
    if (needed)
      askInWords(
        site,
        `This rule would have dropped ${dropped.events} of the ${stored.events} events of the last 7 days.`,
      );
  }

  /** A hostname that is taken off the list of the allowed ones keeps its visitors out, as long as others are on it. */
  async function checkRemovalMeant(site: OfSite, id: number, confirm: string | undefined, signal: AbortSignal) {
    if (confirm === site.domain) return;
    const [going] = await postgres.tenant(site.organisation_id, (sql) => listShields(vault, sql, site.id, false, id));
    if (going?.kind !== 'hostname') return;
    const [value, ...allowed] = await allowedHostnames(site, id);
    if (value === undefined) return;
    const rest = await previewShield(warehouse, site, { kind: 'hostname', value, allowed }, clock.now(), signal);
    if (rest.confirm)
      askInWords(
        site,
        `Without this hostname the list would have dropped ${rest.dropped.events} of the ${rest.stored.events} events of the last 7 days.`,
      );
  }

  const ofSite = z.object({ domain: z.string() });
  return [
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/shields',
      access: 'site.read',
      summary: 'The shields of a site, and how many events each kind has dropped in the last 7 days.',
      params: ofSite,
      answer: shieldList,
      async handle({ principal, ...request }) {
        const site = await siteOfPath(postgres, request);
        const [shields, week] = await Promise.all([
          postgres.tenant(site.organisation_id, (sql) =>
            listShields(vault, sql, site.id, principal?.kind === 'person'),
          ),
          readWeek(site, request.signal),
        ]);
        return { body: { shields, week, limits: { shields: shieldLimits.perSiteMax, rate: deskRate ?? null } } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/sites/:domain/shield-preview',
      access: 'stats.read',
      summary: 'What a shield would have dropped in the last 7 days. Addresses are stored nowhere, so they have none.',
      params: ofSite,
      query: shieldQuestion,
      answer: shieldPreview,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        const value = readShieldValue(request.query.kind, request.query.value, site, deskRate);
        if (!('pattern' in value)) throw new RequestError('invalid_field', 'Addresses are stored nowhere.');
        return { body: await preview(site, request.query.kind, value.pattern, request.signal) };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites/:domain/shields',
      access: 'site.manage',
      summary: 'Adds a shield. It holds from the next event on; what is stored stays.',
      params: ofSite,
      body: newShield,
      answer: shield,
      async handle({ principal, ...request }) {
        const site = await siteOfPath(postgres, request);
        const { kind, note = '', confirm } = request.body;
        if (namesAddress(note))
          throw new RequestError('invalid_field', 'A note is seen by everybody here: write no address into it.', {
            field: 'note',
          });
        const value =
          kind === 'own_address'
            ? readOwnAddress(request.address, request.headers['x-forwarded-for'])
            : readShieldValue(kind, givenValue(request.body.value), site, deskRate);
        if ('address' in value && note === '')
          throw new RequestError(
            'invalid_field',
            'An address is kept as a digest and shown to nobody, so it needs a name, such as Office.',
            { field: 'note' },
          );
        await checkMeant(site, value, confirm, request.signal);
        const made = await postgres.tenant(site.organisation_id, async (sql) => {
          if (value.kind === 'rate')
            await sql.run(`DELETE FROM shields WHERE site_id = $1 AND kind = 'rate'`, [site.id]);
          await checkSiteLimit(sql, site.id, 'shields', shieldLimits.perSiteMax);
          const id = await insertShield(sql, site, {
            kind: value.kind,
            pattern: 'pattern' in value ? value.pattern : null,
            network: 'network' in value ? value.network : null,
            digest:
              'address' in value ? keys.digest('shield-address', shieldAddressText(site.id, value.address)) : null,
            note,
            created_by: principal?.kind === 'person' ? principal.id : null,
            created_at: new Date(clock.now()),
          });
          if (id !== undefined)
            await audit.record(sql, site.organisation_id, {
              action: 'shield.added',
              ...actOf({ ...request, principal }),
              targets: [{ type: 'shield', id, label: shieldName({ note, ...value }) }, siteTarget(site)],
            });
          return id;
        });
        if (made === undefined) throw new RequestError('conflict', 'This shield is there already.', { field: 'value' });
        await sitesChanged();
        const [row] = await postgres.tenant(site.organisation_id, (sql) =>
          listShields(vault, sql, site.id, principal?.kind === 'person', made),
        );
        if (row === undefined) throw new RequestError('conflict', 'Somebody has removed this shield meanwhile.');
        return { status: 201, body: row };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/sites/:domain/shields/:id',
      access: 'site.manage',
      summary: 'Removes a shield. The answer takes that back within an hour.',
      params: z.object({ domain: z.string(), id: z.coerce.number().int().positive() }),
      query: shieldRemoval,
      answer: removedShield,
      async handle(request) {
        const site = await siteOfPath(postgres, request);
        await checkRemovalMeant(site, request.params.id, request.query.confirm, request.signal);
        const gone = await postgres.tenant(site.organisation_id, async (sql) => {
          const removed = await sql.maybe<StoredShield & { digest: Buffer | null }>(
            `DELETE FROM shields WHERE id = $1 AND site_id = $2
             RETURNING kind, pattern, network::text AS network, digest, note, created_by, created_at`,
            [request.params.id, site.id],
          );
          if (removed === undefined)
            throw new RequestError('not_found', 'There is no shield with this number on this site.');
          await audit.record(sql, site.organisation_id, {
            action: 'shield.removed',
            ...actOf(request),
            targets: [{ type: 'shield', id: request.params.id, label: shieldName(removed) }, siteTarget(site)],
          });
          return removed;
        });
        await sitesChanged();
        const undo = removal.give(site, {
          ...gone,
          digest: gone.digest === null ? null : gone.digest.toString('hex'),
          created_at: gone.created_at.toISOString(),
        });
        return { body: { undo } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/sites/:domain/shield-undo',
      access: 'site.manage',
      summary: 'Takes the removal of a shield back.',
      params: ofSite,
      body: restoreShield,
      answer: shield,
      async handle({ principal, ...request }) {
        const site = await siteOfPath(postgres, request);
        const before = removal.take(site, request.body.undo);
        const made = await postgres.tenant(site.organisation_id, async (sql) => {
          await checkSiteLimit(sql, site.id, 'shields', shieldLimits.perSiteMax);
          const id = await insertShield(sql, site, {
            ...before,
            digest: before.digest === null ? null : Buffer.from(before.digest, 'hex'),
            created_at: new Date(before.created_at),
          });
          if (id !== undefined)
            await audit.record(sql, site.organisation_id, {
              action: 'shield.restored',
              ...actOf({ ...request, principal }),
              targets: [{ type: 'shield', id, label: shieldName(before) }, siteTarget(site)],
            });
          return id;
        });
        if (made === undefined)
          throw new RequestError('conflict', 'This shield is there again, or another rate has taken its place.');
        await sitesChanged();
        const [row] = await postgres.tenant(site.organisation_id, (sql) =>
          listShields(vault, sql, site.id, principal?.kind === 'person', made),
        );
        if (row === undefined) throw new RequestError('conflict', 'Somebody has removed this shield meanwhile.');
        return { status: 201, body: row };
      },
    }),
  ];
}

/** One address is known by its note alone: the trail keeps it no more than the list does. */
function shieldName(one: { kind: string; pattern?: string | null; network?: string | null; note: string }): string {
  return [one.kind, one.pattern ?? one.network, one.note].filter((word) => word != null && word !== '').join(' ');
}

function givenValue(value: string | undefined): string {
  if (value === undefined)
    throw new RequestError('invalid_field', 'A shield of this kind needs a value.', { field: 'value' });
  return value;
}

/** @throws RequestError conflict when the address is a proxy's, through which all visitors come */
function readOwnAddress(address: string, forwardedFor: string | string[] | undefined) {
  const own = ownAddress(address);
  if (own === undefined || isUnknownProxy(address, forwardedFor))
    throw new RequestError(
      'conflict',
      'The desk sees the address of a proxy and not yours, and all visitors come with it. The operator sets FAIRLEAD_TRUSTED_PROXIES first.',
    );
  return own;
}

type StoredShield = {
  kind: ShieldKind;
  pattern: string | null;
  network: string | null;
  digest: Buffer | null;
  note: string;
  created_by: number | null;
  created_at: Date;
};

/** The number of the new row; undefined when there is one like it. */
async function insertShield(sql: Sql, site: OfSite, row: StoredShield): Promise<number | undefined> {
  const made = await sql.maybe<{ id: number }>(
    `INSERT INTO shields (organisation_id, site_id, kind, pattern, network, digest, note, created_by, created_at)
     VALUES ($1, $2, $3, $4, $5::cidr, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING id`,
    [
      site.organisation_id,
      site.id,
      row.kind,
      row.pattern,
      row.network,
      row.digest,
      row.note,
      row.created_by,
      row.created_at,
    ],
  );
  return made?.id;
}

/** A digest is never read here: what is not selected cannot be returned. */
async function listShields(
  vault: Vault,
  sql: Sql,
  siteId: number,
  withNames: boolean,
  id: number | null = null,
): Promise<Shield[]> {
  const rows = await sql.query<
    Omit<Shield, 'added_at' | 'added_by'> & { adder: number | null; adder_email: Buffer | null; created_at: Date }
  >(
    `SELECT s.id, s.kind, coalesce(s.pattern, s.network::text) AS value, s.note,
       CASE WHEN $2 THEN p.id END AS adder, p.email_sealed AS adder_email, s.created_at
     FROM shields s LEFT JOIN people p ON p.id = s.created_by
     WHERE s.site_id = $1 AND ($3::bigint IS NULL OR s.id = $3) ORDER BY s.kind, value, s.note, s.id`,
    [siteId, withNames, id],
  );
  return Promise.all(
    rows.map(async ({ created_at, adder, adder_email, ...row }) => ({
      ...row,
      added_by: adder === null || adder_email === null ? null : await openEmail(vault, { person: adder }, adder_email),
      added_at: created_at.toISOString(),
    })),
  );
}
