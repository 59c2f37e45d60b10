import { uuidOf } from '../platform/random.ts';
import type { House } from '../platform/subject.ts';
import { relayChanged } from './changes.ts';
import { readSources } from './intake/directory.ts';
import { load } from './intake/loader.ts';
import { makeRecord } from './intake/record.ts';
import { sealingOf } from './intake/running.ts';
import { takeRequest } from './sources/capture.ts';
import { presetOf } from './sources/presets/index.ts';

type DemoHouse = Pick<House, 'postgres' | 'vault' | 'keys' | 'random' | 'clock' | 'log'>;

/** Accounts that the doubles of a demo know, and the token that they take. */
const accounts: Readonly<Record<string, { name: string; settings: object; token: string }>> = {
  'meta-capi': { name: 'Meta, shop', settings: { dataset_id: '1234567890' }, token: 'token' },
  'google-data-manager': {
    name: 'Google Ads, shop',
    settings: { customer_id: '1234567890', conversion_action_id: '555' },
    token: 'token',
  },
  tiktok: { name: 'TikTok, shop', settings: { pixel_id: 'C4A1B2C3D4E5F6G7H8I9' }, token: 'token' },
  linkedin: { name: 'LinkedIn, shop', settings: { conversion_id: '104012' }, token: 'expired' },
};

/** A demo's source: the secret of its address, and the way to give it conversions of the past. */
export interface DemoRelay {
  readonly path: string;
  /** Takes what came at its time, as if it had come then. */
  takePast(came: readonly { readonly body: object; readonly atMs: number }[]): Promise<void>;
}

/** Sets up a source, a destination for each double that is there, and routes between them. */
export async function openDemoRelay(
  house: DemoHouse,
  given: { organisationId: number; siteId: number; kinds: readonly string[] },
): Promise<DemoRelay> {
  const { postgres, vault, keys, random, clock } = house;
  const { organisationId, siteId } = given;
  const now = new Date(clock.now());
  const secret = random.bytes(32).toString('base64url');
  const sourceId = await postgres.tenant(organisationId, async (sql) => {
    const source = await sql.one<{ id: number }>(
      `INSERT INTO relay_sources (organisation_id, site_id, name, kind, preset, address_digest, created_at)
       VALUES ($1, $2, 'Shop orders', 'http', 'canonical', $3, $4) RETURNING id`,
      [organisationId, siteId, keys.digest('relay-source', secret), now],
    );
    await sql.run(
      `INSERT INTO relay_mappings (organisation_id, source_id, version, mapping, created_at) VALUES ($1, $2, 1, $3, $4)`,
      [organisationId, source.id, JSON.stringify(presetOf('canonical')?.mapping), now],
    );
    await sql.run('UPDATE relay_sources SET mapping_version = 1 WHERE id = $1', [source.id]);
    for (const kind of given.kinds) {
      const account = accounts[kind];
      if (account === undefined) continue;
      const destination = await sql.one<{ id: number }>(
        `INSERT INTO relay_destinations (organisation_id, kind, name, settings, state, state_since, created_at)
         VALUES ($1, $2, $3, $4, 'active', $5, $5) RETURNING id`,
        [organisationId, kind, account.name, JSON.stringify(account.settings), now],
      );
      const place = {
        organisationId,
        table: 'relay_destinations',
        column: 'secret_sealed',
        row: destination.id,
      } as const;
      await sql.run('UPDATE relay_destinations SET secret_sealed = $2 WHERE id = $1', [
        destination.id,
        await vault.seal({ ...place, class: 'D9' }, account.token),
      ]);
      await sql.run(
        `INSERT INTO relay_routes (organisation_id, source_id, destination_id, rules, created_at) VALUES ($1, $2, $3, '{}', $4)`,
        [organisationId, source.id, destination.id, now],
      );
    }
    return source.id;
  });
  await relayChanged();
  return {
    path: `/in/${secret}`,
    async takePast(came) {
      const sources = await readSources(postgres, vault, organisationId, clock.now());
      const source = sources.find(({ id }) => id === sourceId);
      if (source?.mapping === undefined) return;
      const freshKeys = await vault.fresh(organisationId);
      const records = [];
      for (const { body, atMs } of came) {
        const request = { method: 'POST', url: '/in/(address)', headers: json, body: JSON.stringify(body) };
        for (const conversion of takeRequest(request, { mapping: source.mapping }, atMs).conversions) {
          const at = { request: uuidOf(random), at: atMs, freshKeys };
          const record = await makeRecord(conversion, source, at, sealingOf(house));
          if (record !== undefined) records.push(record);
        }
      }
      freshKeys.close();
      await load(house, organisationId, records);
    },
  };
}

const json = { 'content-type': 'application/json' };
