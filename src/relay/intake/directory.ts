import type { Condition, Mapping, SignatureScheme } from '../../../contract/mapping.ts';
import type { SourceKind } from '../../../contract/relay_settings.ts';
import type { Clock } from '../../platform/clock.ts';
import { repeat } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { everywhere, type Postgres, type Sql } from '../../platform/postgres/index.ts';
import type { FreshKeys, Vault } from '../../platform/vault.ts';
import { readMapping } from '../mapping/plan.ts';
import { presetOf } from '../sources/presets/index.ts';
import type { Signing } from '../sources/signature.ts';

/** Other processes change sources too (the app beside its collectors), and tell nobody: look again this often. */
const refreshMs = 15_000;

/** A source as its requests need it, in memory: taking one in asks no database. */
export interface RunningSource {
  readonly id: number;
  readonly organisationId: number;
  readonly siteId: number | null;
  readonly kind: SourceKind;
  readonly state: 'active' | 'paused' | 'organisation_suspended';
  readonly mapping: Mapping | undefined;
  readonly mappingVersion: number;
  readonly ping: Condition | undefined;
  readonly signing: Signing | undefined;
  readonly unmappedStatus: 202 | 422;
  readonly doublesMinutes: number;
  readonly rawDays: number;
  /** How many requests it takes in a minute; null = as many as come. */
  readonly requestsPerMinute: number | null;
  /** Kinds of the destinations that its routes lead to: for them identifiers are hashed. */
  readonly kinds: readonly string[];
  /** The event goals of its site, where those are what it takes in. */
  readonly goals: readonly EventGoal[];
  /** Do its conversions have the click ids of their visits? */
  readonly clickIds: boolean;
  /** Do they have the address and the agent of the visitor's browser? */
  readonly ipAndAgent: boolean;
  /** Do they have what pixels of the platforms that its routes lead to keep in that browser? */
  readonly browserIds: boolean;
  /** Is counted what the pixels of its site are called with? */
  readonly pixelCalls: boolean;
}

/** A goal that is reached by an event of this name; with a property, by one that carries this value. */
export interface EventGoal {
  readonly name: string;
  readonly event: string;
  readonly property: { readonly name: string; readonly value: string } | null;
}

export interface SourceDirectory {
  /** @param digest hex of the keyed digest of the secret in the address @param now milliseconds since 1970 */
  byAddress(digest: string, now: number): RunningSource | undefined;
  byId(id: number): RunningSource | undefined;
  all(): Iterable<RunningSource>;
  freshKeys(organisationId: number): FreshKeys | undefined;
  /** Resolves when a reading that began after this call is over; it never throws. */
  refresh(): Promise<void>;
  stop(): void;
}

interface Row {
  id: number;
  organisation_id: number;
  site_id: number | null;
  kind: SourceKind;
  preset: string | null;
  state: 'active' | 'paused';
  suspended: boolean;
  address: string | null;
  former_address: string | null;
  former_until: Date | null;
  signature_scheme: SignatureScheme | null;
  signature_header: string | null;
  secret_sealed: Buffer | null;
  former_secret_sealed: Buffer | null;
  former_secret_until: Date | null;
  mapping: unknown;
  mapping_version: number;
  unmapped_status: 202 | 422;
  doubles_minutes: number;
  raw_days: number;
  requests_per_minute: number | null;
  kinds: string[];
  goals: EventGoal[];
  click_ids: boolean;
  ip_and_agent: boolean;
  browser_ids: boolean;
  pixel_calls: boolean;
}

interface Parts {
  readonly postgres: Pick<Postgres, 'system' | 'tenant'>;
  readonly vault: Pick<Vault, 'open' | 'fresh'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after each reading. */
  readonly onRead?: (sources: Iterable<RunningSource>) => void;
}

/** Keeps sources as the tables have them. While Postgres is away the last list goes on: taking in does not depend on it. */
export async function openSourceDirectory(parts: Parts): Promise<SourceDirectory> {
  const { clock, log } = parts;
  let byAddress = new Map<string, { source: RunningSource; until: number }>();
  let byId = new Map<number, RunningSource>();
  const held = new Map<number, FreshKeys>();
  const secrets = openSecrets(parts.vault);
  /** By source and version: nothing of a version changes, and to check one takes longer than to use it. */
  let mappings = new Map<string, Mapping | undefined>();
  let reading: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  async function take() {
    const rows = await everywhere(parts.postgres, (sql) => readRows(sql, clock.now()));
    const addresses = new Map<string, { source: RunningSource; until: number }>();
    const ids = new Map<number, RunningSource>();
    const organisations = new Set<number>();
    const read = new Map<string, Mapping | undefined>();
    for (const row of rows) {
      const name = `${row.id} ${row.mapping_version}`;
      const mapping = mappings.has(name) ? mappings.get(name) : ownMapping(row.mapping);
      read.set(name, mapping);
      const source = await sourceOf(row, mapping, secrets, clock.now());
      ids.set(source.id, source);
      organisations.add(source.organisationId);
      if (row.former_address !== null && row.former_until !== null)
        addresses.set(row.former_address, { source, until: row.former_until.getTime() });
      if (row.address !== null) addresses.set(row.address, { source, until: Number.POSITIVE_INFINITY });
    }
    for (const id of organisations) if (!held.has(id)) held.set(id, await parts.vault.fresh(id));
    for (const [id, keys] of held)
      if (!organisations.has(id)) {
        keys.close();
        held.delete(id);
      }
    secrets.keepOnly(new Set(ids.keys()));
    mappings = read;
    byAddress = addresses;
    byId = ids;
    parts.onRead?.(ids.values());
  }
  async function read() {
    while (again && !stopped) {
      again = false;
      try {
        await take();
      } catch (error) {
        log.error('relay.sources_not_read', {}, error);
      }
    }
    reading = undefined;
  }
  function refresh(): Promise<void> {
    // A change during a reading may have come too late for it.
    again = true;
    reading ??= read();
    return reading;
  }
  await take();
  const stop = repeat(clock, refreshMs, refresh, { onError: () => {} });
  return {
    byAddress(digest, now) {
      const found = byAddress.get(digest);
      return found !== undefined && found.until > now ? found.source : undefined;
    },
    byId: (id) => byId.get(id),
    all: () => byId.values(),
    freshKeys: (organisationId) => held.get(organisationId),
    refresh,
    stop() {
      stopped = true;
      stop();
      for (const keys of held.values()) keys.close();
    },
  };
}

/** The sources of one organisation as they are now, for who works on its requests later. */
export async function readSources(
  postgres: Pick<Postgres, 'tenant'>,
  vault: Pick<Vault, 'open'>,
  organisationId: number,
  now: number,
): Promise<RunningSource[]> {
  const rows = await postgres.tenant(organisationId, (sql) => readRows(sql, now));
  const secrets = openSecrets(vault);
  const sources: RunningSource[] = [];
  for (const row of rows) sources.push(await sourceOf(row, ownMapping(row.mapping), secrets, now));
  return sources;
}

async function readRows(sql: Sql, now: number): Promise<Row[]> {
  return sql.query<Row>(
    `SELECT s.id, s.organisation_id, w.id AS site_id, s.kind, s.preset, s.state, o.status = 'suspended' AS suspended,
       encode(s.address_digest, 'hex') AS address, encode(s.former_digest, 'hex') AS former_address, s.former_until,
       s.signature_scheme, s.signature_header, s.secret_sealed, s.former_secret_sealed, s.former_secret_until,
       m.mapping, s.mapping_version, s.unmapped_status, s.doubles_minutes, s.raw_days, s.requests_per_minute,
       ARRAY(SELECT DISTINCT d.kind FROM relay_routes r JOIN relay_destinations d ON d.id = r.destination_id
         WHERE r.source_id = s.id ORDER BY d.kind) AS kinds,
       s.click_ids, s.ip_and_agent, s.browser_ids, s.pixel_calls, coalesce(g.goals, '[]') AS goals
     FROM relay_sources s JOIN organisations o ON o.id = s.organisation_id
     LEFT JOIN relay_mappings m ON m.source_id = s.id AND m.version = s.mapping_version
     -- One that was handed over to somebody else is no site of this organisation any more.
     LEFT JOIN sites w ON w.id = s.site_id
     LEFT JOIN LATERAL (
       SELECT json_agg(json_build_object('name', goals.name, 'event', pattern, 'property', CASE WHEN property IS NOT NULL
         THEN json_build_object('name', property, 'value', property_value) END) ORDER BY goals.id) AS goals
       FROM goals WHERE goals.site_id = w.id AND goals.kind = 'event'
     ) g ON s.kind = 'goals'
     WHERE o.status <> 'closed' AND NOT (o.status = 'closing' AND o.status_until <= $1) ORDER BY s.id`,
    [new Date(now)],
  );
}

function ownMapping(given: unknown): Mapping | undefined {
  if (given === null) return undefined;
  const read = readMapping(given);
  return 'mapping' in read ? read.mapping : undefined;
}

async function sourceOf(row: Row, own: Mapping | undefined, secrets: Secrets, now: number): Promise<RunningSource> {
  const preset = row.preset === null ? undefined : presetOf(row.preset);
  return {
    ...{ id: row.id, organisationId: row.organisation_id, siteId: row.site_id, kind: row.kind },
    state: row.suspended ? 'organisation_suspended' : row.state,
    // Without one of its own it is read by its preset.
    mapping: own ?? preset?.mapping,
    mappingVersion: row.mapping_version,
    ping: preset?.ping,
    signing: await signingOf(row, secrets, now),
    ...{ unmappedStatus: row.unmapped_status, doublesMinutes: row.doubles_minutes, rawDays: row.raw_days },
    requestsPerMinute: row.requests_per_minute,
    kinds: row.kinds,
    ...{ goals: row.goals, clickIds: row.click_ids, ipAndAgent: row.ip_and_agent },
    ...{ browserIds: row.browser_ids, pixelCalls: row.pixel_calls },
  };
}

async function signingOf(row: Row, secrets: Secrets, now: number): Promise<Signing | undefined> {
  const scheme = row.signature_scheme;
  if (scheme === null) return undefined;
  const all: string[] = [];
  if (row.secret_sealed !== null) all.push(await secrets.open(row, 'secret_sealed', row.secret_sealed));
  const isFormerGood = row.former_secret_until !== null && row.former_secret_until.getTime() > now;
  if (row.former_secret_sealed !== null && isFormerGood)
    all.push(await secrets.open(row, 'former_secret_sealed', row.former_secret_sealed));
  // Where a signature is asked for and there is no secret, nobody can have signed.
  return { scheme, secrets: all, ...(row.signature_header !== null && { header: row.signature_header }) };
}

type Secrets = ReturnType<typeof openSecrets>;

/** Opened once for as long as they are the same: each opening is an act that is written down. */
function openSecrets(vault: Pick<Vault, 'open'>) {
  const opened = new Map<string, { sealed: Buffer; plain: string; sourceId: number }>();
  return {
    async open(row: Row, column: 'secret_sealed' | 'former_secret_sealed', sealed: Buffer): Promise<string> {
      const name = `${row.id} ${column}`;
      const known = opened.get(name);
      if (known?.sealed.equals(sealed) === true) return known.plain;
      const place = { organisationId: row.organisation_id, table: 'relay_sources', column, row: row.id } as const;
      const plain = (await vault.open({ ...place, class: 'D9' }, sealed, { purpose: 'relay.verify' })).toString('utf8');
      opened.set(name, { sealed, plain, sourceId: row.id });
      return plain;
    },
    keepOnly(ids: ReadonlySet<number>): void {
      for (const [name, { sourceId }] of opened) if (!ids.has(sourceId)) opened.delete(name);
    },
  };
}
