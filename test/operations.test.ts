import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createOrganisation } from '../src/accounts/index.ts';
import { type Desk, openDesk } from '../src/app/desk.ts';
import { type Clock, systemClock } from '../src/platform/clock.ts';
import { readConfig } from '../src/platform/config.ts';
import { browserOf } from '../src/platform/http/browser.ts';
import { silentLog } from '../src/platform/log.ts';
import type { Operation } from '../src/platform/operations.ts';
import { PostgresAway, type Sql } from '../src/platform/postgres/index.ts';
import { systemRandom } from '../src/platform/random.ts';
import { runs } from '../src/trust/operations/jobs.ts';
import { namesNow } from '../src/trust/operations/read.ts';
import { looks, operationOf } from '../src/trust/operations/requests.ts';
import { openWriter, pseudonymOf, waitingMax } from '../src/trust/operations/writer.ts';
import { readReceipts } from '../src/trust/windows/receipts.ts';
import { callWords, jobWords } from '../web/src/operations/words.ts';
import { layPreparedDesk } from './prepared_cluster.ts';
import { eraseStores } from './stores.ts';

/** One desk whose clock is turned; what the calls give to whom is in test/routes. */
vi.setConfig({ hookTimeout: 240_000, testTimeout: 60_000 });

const dayMs = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'fairlead-operations-'));
let nowMs = systemClock.now();
const clock: Clock = { ...systemClock, now: () => nowMs };
let desk: Desk;
const north = { organisation: 0, person: 0 };
const south = { organisation: 0, person: 0 };

beforeAll(async () => {
  const config = readConfig({ FAIRLEAD_DATA_DIR: join(folder, 'data'), FAIRLEAD_KEY_FILE: join(folder, 'keys', 'k') });
  await layPreparedDesk(config.dataDir);
  desk = await openDesk({ config, clock, random: systemRandom, log: silentLog });
  await desk.begin();
  for (const [name, side] of Object.entries({ north, south })) {
    const made = await desk.house.postgres.system((sql) =>
      createOrganisation(sql, desk.house, { email: `owner@${name}.example`, organisation: name, hash: 'none' }),
    );
    side.organisation = made.organisationId;
    side.person = made.personId;
  }
});
afterAll(async () => {
  const { directories } = desk.house.postgres;
  await desk.close();
  await eraseStores({ directories }, folder);
});

const inside = <T>(side: typeof north | undefined, work: (sql: Sql) => Promise<T>) =>
  side === undefined ? desk.house.postgres.system(work) : desk.house.postgres.tenant(side.organisation, work);
const linesOf = (side: typeof north | undefined) =>
  inside(side, (sql) =>
    sql.query<{ id: number; action: string; actor: string | null; code: string | null; object_id: string | null }>(
      'SELECT id, action, actor, code, object_id FROM operations ORDER BY id',
    ),
  );
const networksOf = (side: typeof north) =>
  inside(side, (sql) => sql.query<{ network: string }>('SELECT network FROM operation_networks'));
const act = (side: typeof north, more: Partial<Operation> = {}): Operation => ({
  ...{ kind: 'request', action: 'POST /api/sites', outcome: 'done', organisationId: side.organisation },
  ...{ actor: { type: 'person', id: side.person }, address: '203.0.113.77', ...more },
});

test('networks go after 90 days and lines after twelve months, each by the nightly run with a receipt (RET-11)', async () => {
  for (const side of [north, south]) desk.operations.note(act(side));
  await vi.waitFor(async () => expect(await linesOf(south)).toHaveLength(1), 5_000);
  expect(await networksOf(north)).toEqual([{ network: '203.0.113.0/24' }]);
  const { organisation } = north;
  const taken = async () =>
    (await inside(north, (sql) => readReceipts(sql, organisation, {}))).receipts
      .filter(({ line }) => line.startsWith('operation'))
      .map(({ line, rows_gone, rows_past_due }) => [line, rows_gone, rows_past_due]);
  await desk.windows.night.run();
  expect(await taken()).toEqual([]);
  nowMs += 91 * dayMs;
  await desk.windows.night.run();
  expect([await networksOf(north), (await linesOf(north)).length]).toEqual([[], 1]);
  nowMs += 275 * dayMs;
  await desk.windows.night.run();
  expect([(await linesOf(north)).length, (await linesOf(south)).length]).toEqual([0, 0]);
  expect((await taken()).sort()).toEqual([
    ['operation-networks', 1, 0],
    ['operations', 1, 0],
  ]);
});

test('the log names nobody: a pseudonym of each organisation, whose name is gone with the membership', async () => {
  const { vault, postgres } = desk.house;
  const mine = await pseudonymOf(vault, north.organisation, north.person);
  expect(mine).not.toBe(await pseudonymOf(vault, south.organisation, north.person));
  desk.operations.note(act(north, { object: { kind: 'person', id: String(north.person) } }));
  await vi.waitFor(async () => expect(await linesOf(north)).toHaveLength(1), 5_000);
  expect(await linesOf(north)).toMatchObject([{ actor: mine, object_id: mine }]);
  expect([...(await namesNow(desk.house, north.organisation))]).toEqual([[mine, 'owner@north.example']]);
  await postgres.within({ organisationId: north.organisation, personId: north.person }, (sql) =>
    sql.run('DELETE FROM memberships WHERE person_id = $1', [north.person]),
  );
  expect((await namesNow(desk.house, north.organisation)).size).toBe(0);
});

test('a job that is said in the log, and a call that fails, stand in it: host and kind of error, and nothing of what was sent', async () => {
  const { outbound, log } = desk.house;
  const url = 'https://nowhere.invalid/secret-path?token=s3cret';
  await outbound.send({ method: 'POST', url, body: 's3cret body', purpose: 'test.purpose' });
  // A mail server is what whoever runs the desk has set: its host stands there, and nobody's address.
  log.warn('mail.later', { host: 'post.nowhere.invalid', reason: 'busy', code: 451, tries: 1 });
  log.error('export.failed', { export: 7, organisation: north.organisation }, new TypeError('quotes s3cret'));
  await vi.waitFor(async () => expect((await linesOf(north)).at(-1)?.action).toBe('export'), 5_000);
  expect((await linesOf(north)).at(-1)).toMatchObject({ code: 'type_error', object_id: '7' });
  const called = (await linesOf(undefined)).find(({ action }) => action === 'test.purpose');
  expect(called).toMatchObject({ code: 'not_registered', object_id: 'nowhere.invalid' });
  const mailed = (await linesOf(undefined)).find(({ action }) => action === 'mail');
  expect(mailed).toMatchObject({ code: 'busy', object_id: 'post.nowhere.invalid' });
  expect(JSON.stringify(await linesOf(undefined))).not.toContain('s3cret');

  const source = join(import.meta.dirname, '../src');
  const all = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.endsWith('operations/jobs.ts'))
    .map((name) => readFileSync(join(source, name), 'utf8'))
    .join('\n');
  for (const event of Object.keys(runs)) expect(all, event).toContain(`'${event}'`);
  expect(Object.keys(jobWords).sort()).toEqual([...new Set(Object.values(runs).map(({ job }) => job))].sort());
  // As the register has them: each purpose of a call has words on the page.
  const register = readFileSync(join(source, 'trust/register/receivers.ts'), 'utf8');
  const purposes = [...register.matchAll(/(?:purposes: |signIn = )\[([^\]]+)\]/g)].flatMap(([, list = '']) =>
    [...list.matchAll(/'([a-z_.]+)'/g)].map(([, purpose]) => purpose as string),
  );
  expect(Object.keys(callWords).sort()).toEqual([...new Set(purposes)].sort());
  for (const look of looks) expect(all, look).toContain(`path: '${look.slice(5)}'`);
});

test('a question is no act, whatever carries it, and who opened a page is not in the log (SHR-08)', () => {
  const answered = (route: string, status: number) =>
    operationOf({
      ...{ address: '203.0.113.77', method: 'POST', route, status, ms: 1, requestId: 'a' },
      asked: {
        ...{ principal: { kind: 'person', id: 1 }, organisationId: 1, siteId: 1, object: undefined, code: undefined },
        ...{ isFile: false, browser: null },
      },
    })?.outcome;
  for (const look of looks) expect([answered(look, 200), answered(look, 500)], look).toEqual([undefined, 'failed']);
  expect(answered('POST /api/sites/:domain/goals', 201)).toBe('done');
});

test('noting waits for nothing: what comes while the database is away is kept as far as there is room, and the rest is counted', async () => {
  let isAway = true;
  const postgres = {
    ...desk.house.postgres,
    tenant: (...asked: Parameters<typeof desk.house.postgres.tenant>) =>
      isAway
        ? Promise.reject(new PostgresAway('ECONNREFUSED', { cause: undefined }))
        : desk.house.postgres.tenant(...asked),
  } as typeof desk.house.postgres;
  const writer = openWriter({ clock, log: silentLog, stores: () => ({ postgres, vault: desk.house.vault }) });
  const began = performance.now();
  for (let i = 0; i < waitingMax + 50; i++) writer.note(act(south, { action: 'POST /api/many' }));
  expect(performance.now() - began).toBeLessThan(500);
  await writer.flush();
  expect(writer.lost()).toBe(50);
  isAway = false;
  await writer.stop();
  expect(writer.lost()).toBe(50);
  expect((await linesOf(south)).filter(({ action }) => action === 'POST /api/many')).toHaveLength(waitingMax);
});

test.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0', 'Firefox 142'],
  [
    'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 Edg/139.0',
    'Edge 139',
  ],
  ['Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15', 'Safari 18'],
  ['curl/8.5.0', null],
])('of a browser its name and main version are kept: %s', (agent, kept) => expect(browserOf(agent)).toBe(kept));
