import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Connection } from '../../contract/connections.ts';
import { type ConnectedDesk, openConnectedDesk } from '../../test/connected.ts';

/** A grant whose time is over is told apart from one that somebody took back. The platforms are emulators. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 });
const hour = 3_600_000;
let all: ConnectedDesk;

beforeAll(async () => {
  all = await openConnectedDesk();
});
afterAll(() => all.close());
beforeEach(() => all.reset());

const ask = (method: string, rest = '', body?: object) =>
  all.desk.ask(method, all.at(all.north, rest), all.north.cookie, body);
async function connect(provider: 'google' | 'meta'): Promise<Connection> {
  const { url } = (await all.begin(all.north, { provider })).body;
  return (await all.answer(all.north, await all.consent(url), { provider })).body;
}
const list = async () => (await ask('GET')).body.connections as Connection[];
const told = () =>
  all.desk.house.postgres.person(all.north.personId, (sql) =>
    sql.query<{ facts: Record<string, string> }>(
      "SELECT facts FROM notifications WHERE notice = 'connection_ended' ORDER BY id",
    ),
  );

it('what Meta says has expired ends as expired, and those who can authorise again are told so', async () => {
  const { id } = await connect('meta');
  all.meta.admin('POST', '/platform', { expire: 'all' });
  const over = await ask('GET', `/${id}/accounts`);
  expect([over.status, over.body.error.message]).toEqual([
    ...[409, 'This connection has expired: authorise it again under Connections.'],
  ]);
  expect(await list()).toMatchObject([
    { id, state: 'needs_attention', reason: 'expired', trouble: { class: 'auth', answer: '190.463' } },
  ]);
  expect(await told()).toMatchObject([{ facts: { why: 'the time for which it was authorised is over' } }]);
});

it.each([
  [true, 'expired'],
  [false, 'revoked'],
])('a pasted token is what the platform said of it as it was sent with: expired is %s', async (isExpired, reason) => {
  const { id } = (await ask('POST', '', { provider: 'meta', secret: 'EAABpasted', label: 'Events' })).body;
  const given = await all.connections.freshToken(all.north.organisationId, id);
  const version = 'version' in given ? given.version : '';
  expect(await all.connections.refusedToken(all.north.organisationId, id, version, isExpired)).toEqual({
    reconnect: reason,
  });
  expect(await list()).toMatchObject([{ id, state: 'needs_attention', reason }]);
});

it('what its platform named an end of has expired once that has come, whatever word the platform has for it', async () => {
  const { id } = await connect('google');
  await all.desk.house.postgres.tenant(all.north.organisationId, (sql) =>
    sql.run('UPDATE connections SET expires_at = $2 WHERE id = $1', [id, new Date(all.now() + hour)]),
  );
  all.google.admin('POST', '/platform', { expire: 'all' });
  all.travel(2 * hour);
  expect(await all.connections.freshToken(all.north.organisationId, id)).toEqual({ reconnect: 'expired' });
  await all.signIn(all.north);
  expect(await list()).toMatchObject([{ reason: 'expired', trouble: { answer: 'invalid_grant' } }]);
});
