import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openSendingHouse, type SendingHouse } from '../../../test/relay/sending_house.ts';
import { systemClock } from '../../platform/clock.ts';
import type { HeldScope } from '../../platform/executor.ts';
import { systemRandom } from '../../platform/random.ts';
import type { House } from '../../platform/subject.ts';
import { heldIn } from '../../trust/windows/index.ts';
import { uploadExecutor } from './index.ts';
import { openUploadStore, type UploadStore } from './store.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const dayMs = 86_400_000;
let aheadMs = 0;
const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
let house: SendingHouse;
let store: UploadStore;
let dataDir: string;
const sources: number[] = [];
const uploads: number[] = [];

/** A file waits to be taken at a source of a site that is held, at one of another site, and at one of no site. */
beforeAll(async () => {
  house = await openSendingHouse({ clock, baseUrls: {} });
  store = openUploadStore({ postgres: house.store.postgres, clock, random: systemRandom });
  dataDir = mkdtempSync(join(tmpdir(), 'fairlead-held-'));
  mkdirSync(join(dataDir, 'relay_uploads'));
  const { organisation } = house;
  await house.inside(async (sql) => {
    const sites = await sql.query<{ id: number }>(
      `INSERT INTO sites (organisation_id, domain, timezone, currency, created_at)
       SELECT $1, domain, 'UTC', 'EUR', now() FROM unnest($2::text[]) AS u (domain) RETURNING id`,
      [organisation, ['held.example', 'free.example']],
    );
    for (const site of [sites[0]?.id, sites[1]?.id, null]) {
      const { id } = await sql.one<{ id: number }>(
        `INSERT INTO relay_sources (organisation_id, site_id, name, kind, created_at) VALUES ($1, $2, 'Files', 'upload', now()) RETURNING id`,
        [organisation, site],
      );
      sources.push(id);
    }
    await hold('site', sites[0]?.id as number);
  });
  for (const source of sources) {
    const { id } = await store.begin({ organisation, source }, { name: 'sales.csv', size: 10 }, null);
    uploads.push(id);
    const file = join(dataDir, 'relay_uploads', String(id));
    writeFileSync(file, '0123456789');
    utimesSync(file, new Date(clock.now()), new Date(clock.now()));
  }
});
afterAll(async () => {
  rmSync(dataDir, { recursive: true, force: true });
  await house.close();
});

const hold = (scope: 'site' | 'class', of: number | string) =>
  house.inside((sql) =>
    sql.run(
      `INSERT INTO legal_holds (organisation_id, scope, site_id, class, called, reason, owner, review_on, placed_by, placed_at)
       VALUES ($1, $2, $3, $4, 'it', 'Claim 12', 'Legal', current_date + 30, 1, now())`,
      [house.organisation, scope, scope === 'site' ? of : null, scope === 'class' ? of : null],
    ),
  );
const release = () => house.inside((sql) => sql.run('UPDATE legal_holds SET released_at = now(), released_by = 1'));
const there = async () => {
  const rows = await house.inside((sql) => sql.query<{ id: number }>('SELECT id FROM relay_uploads ORDER BY id'));
  return rows.map(({ id }) => uploads.indexOf(id));
};
async function due(organisationId: number | null) {
  const holds: HeldScope = await house.inside((sql) => heldIn(sql, house.organisation, 'relay-uploads'));
  const executor = uploadExecutor({ postgres: house.store.postgres, config: { dataDir } } as unknown as House);
  const found = await executor.due({ organisationId, nowMs: clock.now(), cutMs: 0, siteCutMs: () => 0, holds });
  return found.map(({ table, rows, isHeld }) => ({ table, rows, isHeld }));
}
const remove = (place: number) =>
  store.remove(
    { organisation: house.organisation, source: sources[place] as number },
    uploads[place] as number,
    async () => {},
  );

it('keeps what a hold on a site or on the class matches, file and line, shows it as held, and ends it after the release (RET-21)', async () => {
  aheadMs = 9 * dayMs;
  // Of those that are over, the one of the held site stands apart, before the sweep and after.
  const apart = (table: string) => [
    { table, rows: 1, isHeld: true },
    { table, rows: 2, isHeld: false },
  ];
  expect((await due(house.organisation)).sort((a) => (a.isHeld ? -1 : 1))).toEqual(apart('relay_uploads'));
  expect((await due(null)).sort((a) => (a.isHeld ? -1 : 1))).toEqual(apart('relay_uploads'));
  expect([...(await store.sweep())]).toEqual([uploads[0]]);
  expect(await there()).toEqual([0]);
  expect(await due(house.organisation)).toEqual([{ table: 'relay_uploads', rows: 1, isHeld: true }]);
  expect([...(await store.heldFiles(house.organisation))]).toEqual([String(uploads[0])]);
  await expect(remove(0)).rejects.toMatchObject({ code: 'conflict' });

  await release();
  await hold('class', 'D5');
  await store.sweep();
  expect(await there()).toEqual([0]);
  await release();
  expect(await due(house.organisation)).toEqual([{ table: 'relay_uploads', rows: 1, isHeld: false }]);
  expect([...(await store.heldFiles(house.organisation))]).toEqual([]);
  await store.sweep();
  expect(await there()).toEqual([]);
});

it('lets somebody remove what no hold keeps', async () => {
  aheadMs = 0;
  await hold('site', 1);
  const { id } = await store.begin(
    { organisation: house.organisation, source: sources[2] as number },
    { name: 'sales.csv', size: 10 },
    null,
  );
  uploads[2] = id;
  expect(await remove(2)).toBe(true);
  expect(await there()).toEqual([]);
});
