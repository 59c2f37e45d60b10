import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { ArchiveManifest, OrganisationArchive } from '../../contract/organisation_archives.ts';
import { archiveFiles } from '../../src/analytics/archive/file_classes.ts';
import { verifyBundle } from '../../src/trust/audit/index.ts';
import { findUndeclared } from '../../src/trust/classes/index.ts';
import { canaryOf, scanFolders } from '../../src/trust/proof/index.ts';
import { layPreparedDesk } from '../prepared_cluster.ts';
import { openCommandLine, type ServedDesk } from './cli.ts';

/** Everything of an organisation as one file, by its owner, before it is closed; the desk is killed twice meanwhile. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const cli = openCommandLine();
const password = 'a harbour of quiet rope';
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0';
let server: ServedDesk;
let organisation = 0;
let owner = '';
let apiKey = '';

async function call(method: string, path: string, body?: unknown) {
  const answer = await fetch(server.base + path, {
    method,
    headers: { cookie: owner, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const isJson = answer.headers.get('content-type')?.includes('json') === true && bytes.length > 0;
  return { status: answer.status, headers: answer.headers, bytes, body: isJson ? JSON.parse(bytes.toString()) : {} };
}
const at = (rest = '') => `/api/organisations/${organisation}${rest}`;
async function signIn() {
  const answer = await fetch(`${server.base}/api/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'owner@shop.example', password }),
  });
  owner = answer.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
}
const folder = () => join(cli.dataDir, 'archives');
/** What of the organisation can be read in the files of an archive that is not whole, byte for byte. */
async function readable() {
  const words = ['shop.example', '/of-1', 'Shop Ltd', 'ana@', 'lost laptop', 'Firefox', 'PK\x03\x04', '"rows"'];
  const { files, found, closed } = await scanFolders(
    [folder()],
    0,
    words.map((word) => canaryOf(word, word)),
  );
  return { hasFiles: files > 3, closed, found };
}

beforeAll(async () => {
  await layPreparedDesk(cli.dataDir);
  server = await cli.serve({ FAIRLEAD_CRASH_POINT: 'archive.site:1' });
  const setUp = await cli.run(
    [
      'setup',
      '--email',
      'owner@shop.example',
      '--organisation',
      'Shop',
      '--site',
      'shop.example',
      '--site',
      'blog.example',
    ],
    { input: password },
  );
  expect(setUp.code, setUp.err).toBe(0);
  const made = JSON.parse(setUp.out) as { organisation_id: number; api_key: string };
  organisation = made.organisation_id;
  apiKey = made.api_key;
  await signIn();
  const now = Date.now();
  const events = [3, 2, 1, 0].flatMap((day) =>
    ['shop.example', 'blog.example'].map((site) => ({
      ...{ name: 'pageview', domain: site, url: `https://${site}/of-${day}` },
      time: new Date(now - day * 86_400_000 - 60_000).toISOString(),
      ...{ ip: '192.0.2.7', user_agent: firefox },
    })),
  );
  const taken = await fetch(`${server.base}/api/event`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(events),
  });
  expect(taken.status).toBe(202);
  const party = {
    ...{ legal_name: 'Shop Ltd', address: '', jurisdiction: '', registration: '', contact: '' },
    ...{ officer: '', representative: '', authority: '', measuring_basis: '' },
  };
  const rows: [string, string, unknown][] = [
    ['POST', '/api/sites/shop.example/goals', { kind: 'event', match: 'Signup', name: 'Signed up' }],
    ['POST', '/api/sites/shop.example/annotations', { day: '2026-11-01', note: 'new prices' }],
    ['POST', '/api/keys', { name: 'till', scopes: ['stats:read'] }],
    ['POST', at('/invitations'), { email: 'ana@shop.example', role: 'viewer' }],
    ['PUT', at('/identity'), party],
    [
      'POST',
      at('/requests'),
      { kind: 'access', received_on: new Date(now - 86_400_000).toISOString().slice(0, 10), email: 'who@asks.example' },
    ],
    [
      'POST',
      at('/incidents'),
      {
        ...{ title: 'lost laptop', what: 'in a train', severity: 'low', classes: ['D7'], sites: [] },
        began_at: new Date(now - 7_200_000).toISOString(),
        known_at: new Date(now - 3_600_000).toISOString(),
      },
    ],
  ];
  for (const [method, path, body] of rows) {
    const answer = await call(method, path, body);
    expect([path, answer.status < 300, answer.status < 300 ? '' : answer.bytes.toString()]).toEqual([path, true, '']);
  }
});
afterAll(async () => {
  await server.stop('SIGKILL');
  await cli.close();
});

let made: OrganisationArchive;
let zip: Buffer;

it('is made in the background, through two kills, and lies sealed from the first byte', async () => {
  const dead = once(server.process, 'exit');
  const begun = await call('POST', at('/archives'));
  expect([begun.status, begun.body]).toEqual([201, expect.objectContaining({ state: 'waiting', sites: 2, bytes: 0 })]);
  await dead;
  // One site was whole when the desk died; it is gone on with, and the desk dies once more before it is sealed.
  expect(existsSync(join(folder(), `${begun.body.id}.part`, 'note.json'))).toBe(true);
  expect(await readable()).toEqual({ hasFiles: true, closed: 0, found: [] });
  server = await cli.serve({ FAIRLEAD_CRASH_POINT: 'archive.packed:1' });
  await once(server.process, 'exit');
  expect(await readable()).toEqual({ hasFiles: true, closed: 0, found: [] });
  expect(existsSync(join(folder(), String(begun.body.id)))).toBe(false);
  server = await cli.serve();
  await vi.waitFor(
    async () => {
      [made] = (await call('GET', at('/archives'))).body.archives;
      expect(made).toMatchObject({ id: begun.body.id, state: 'done', sites_done: 2, failure: null });
    },
    { timeout: 60_000, interval: 100 },
  );
  expect(readdirSync(folder())).toEqual([String(made.id)]);
  expect(findUndeclared([`archives/${made.id}`], archiveFiles)).toEqual([]);
  const stored = readFileSync(join(folder(), String(made.id)));
  expect([statSync(folder()).mode & 0o777, statSync(join(folder(), String(made.id))).mode & 0o777]).toEqual([
    0o700, 0o600,
  ]);
  expect([stored.length, stored.includes('shop.example'), stored.includes('PK\x03\x04')]).toEqual([
    made.bytes,
    false,
    false,
  ]);
  const fetched = await call('GET', at(`/archives/${made.id}/file`));
  expect([fetched.status, fetched.headers.get('content-disposition')]).toEqual([
    200,
    `attachment; filename="shop-${made.created_at.slice(0, 10)}.zip"`,
  ]);
  zip = fetched.bytes;
});

it('holds what belongs to the organisation, with a list that is true, and no secret (DSR-14)', async () => {
  const files = filesOf(zip);
  const manifest = JSON.parse(String(files.get('manifest.json'))) as ArchiveManifest;
  expect([...files.keys()].sort()).toEqual(
    ['index.html', 'manifest.json', ...manifest.files.map(({ name }) => name)].sort(),
  );
  for (const { name, bytes, sha256, rows } of manifest.files) {
    const content = files.get(name) as Buffer;
    expect([name, content.length, createHash('sha256').update(content).digest('hex'), linesOf(content).length]).toEqual(
      [...[name, bytes, sha256, rows]],
    );
    expect(String(files.get('index.html'))).toContain(sha256);
  }
  const read = (table: string) => linesOf(files.get(`organisation/${table}.ndjson`) as Buffer);
  expect(read('sites').map(({ domain }) => domain)).toEqual(expect.arrayContaining(['shop.example', 'blog.example']));
  expect(read('goals')[0]).toMatchObject({ name: 'Signed up', pattern: 'Signup' });
  expect(read('annotations')[0]).toMatchObject({ note: 'new prices', day: '2026-11-01' });
  expect(read('api_keys').map(({ name }) => name)).toContain('till');
  expect(read('memberships')).toEqual([expect.objectContaining({ role: 'owner', email: 'owner@shop.example' })]);
  expect(read('invitations')[0]).toMatchObject({ email: 'ana@shop.example' });
  expect(read('organisation_identities')[0]).toMatchObject({ legal_name: 'Shop Ltd' });
  expect(read('subject_requests')[0]).toMatchObject({ kind: 'access', email: 'who@asks.example' });
  expect(read('incidents')[0]).toMatchObject({ title: 'lost laptop' });
  const names = Object.keys(read('api_keys')[0] ?? {});
  expect(names.filter((name) => /digest|last4|secret|hash/.test(name))).toEqual([]);
  expect(manifest.columns_left_out.api_keys).toEqual(expect.arrayContaining(['digest']));
  expect(manifest.unopened).toBe(0);
  const secret = apiKey.split('_').slice(2).join('_');
  expect(secret.length).toBeGreaterThan(20);
  for (const [name, content] of files) expect([name, content.includes(secret)]).toEqual([name, false]);
  const audit = await verifyBundle(
    (async function* () {
      yield* String(files.get('audit/audit.ndjson')).trimEnd().split('\n');
    })(),
    {},
  );
  expect([audit.findings, audit.organisation, audit.entries > 5]).toEqual([[], organisation, true]);
});

it('its events go into a site again, and no id of a visitor is among them', async () => {
  const events = filesOf(zip).get('sites/shop.example/events.ndjson') as Buffer;
  const lines = linesOf(events);
  expect(lines.map(({ url }) => url).sort()).toEqual([0, 1, 2, 3].map((day) => `https://shop.example/of-${day}`));
  expect(Object.keys(lines[0] ?? {}).filter((name) => /visitor|visit_id|^ip$/.test(name))).toEqual([]);
  await call('POST', '/api/sites', { domain: 'again.example', timezone: 'UTC', currency: 'EUR' });
  const file = cli.write('again.ndjson', events.toString());
  const taken = await cli.run(['import', 'events', file, '--site', 'again.example']);
  expect(JSON.parse(taken.out)).toMatchObject({ stored: lines.length, stopped: {} });
});

it('is deleted with its file; there is one at a time', async () => {
  expect((await call('POST', at('/archives'))).status).toBe(201);
  expect((await call('POST', at('/archives'))).body.error?.code).toBe('conflict');
  const gone = await call('DELETE', at(`/archives/${made.id}`));
  expect([gone.status, existsSync(join(folder(), String(made.id)))]).toEqual([204, false]);
  expect((await call('GET', at(`/archives/${made.id}/file`))).status).toBe(404);
  expect((await call('GET', at('/archives/7777/file'))).status).toBe(404);
});

function linesOf(content: Buffer): Record<string, unknown>[] {
  const text = content.toString().trimEnd();
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line));
}

/** By the list at its end. */
function filesOf(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = archive.readUInt32LE(archive.length - 6); archive.readUInt32LE(at) === 0x0201_4b50; ) {
    const [method, packed, nameBytes] = [
      archive.readUInt16LE(at + 10),
      archive.readUInt32LE(at + 20),
      archive.readUInt16LE(at + 28),
    ];
    const head = archive.readUInt32LE(at + 42);
    const content = archive.subarray(head + 30 + nameBytes, head + 30 + nameBytes + packed);
    files.set(archive.toString('utf8', at + 46, at + 46 + nameBytes), method === 0 ? content : inflateRawSync(content));
    at += 46 + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return files;
}
