import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Connection } from '../../contract/connections.ts';
import { type ConnectedDesk, openConnectedDesk, password, type Side } from '../../test/connected.ts';
import { dumpedRows, standsIn } from '../../test/stores.ts';
import { createOrganisation, removeWhatIsClosed } from '../accounts/index.ts';
import { onConnection } from './index.ts';

/** Google and Meta are emulators, written from the reference by somebody else; the rest is as a desk has it. */
vi.setConfig({ hookTimeout: 60_000, testTimeout: 60_000 });
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const datamanager = 'https://www.googleapis.com/auth/datamanager';
const adwords = 'https://www.googleapis.com/auth/adwords';
let all: ConnectedDesk;

beforeAll(async () => {
  all = await openConnectedDesk();
});
afterAll(() => all.close());
beforeEach(() => all.reset());

const ask = (...given: Parameters<ConnectedDesk['desk']['ask']>) => all.desk.ask(...given);
const begin: ConnectedDesk['begin'] = (...given) => all.begin(...given);
const answer: ConnectedDesk['answer'] = (...given) => all.answer(...given);
async function connect(side: Side = all.north, body: { provider: string } = { provider: 'google' }) {
  const begun = await begin(side, body);
  expect([begun.status, begun.body.error]).toEqual([201, undefined]);
  const { url } = begun.body;
  const made = await answer(side, await all.consent(url), { provider: body.provider });
  expect([made.status, made.body.error]).toEqual([201, undefined]);
  return made.body as Connection;
}
const list = async (side: Side = all.north) =>
  (await ask('GET', all.at(side), side.cookie)).body.connections as Connection[];
interface Received {
  method: string;
  path: string;
  body: unknown;
}
function asked(emulated: ConnectedDesk['meta'], wanted: string): Received[] {
  const { requests } = emulated.admin('GET', '/received') as { requests: Received[] };
  return requests.filter(({ path, body }) => `${path} ${String(body)}`.includes(wanted));
}
const tokensOf = (side: Side) =>
  all.desk.house.postgres.tenant(side.organisationId, (sql) =>
    sql.query<{ connection_id: number; access_token: Buffer }>(
      'SELECT connection_id, access_token FROM connection_tokens',
    ),
  );
const acts = async (side: Side, action: string) =>
  (
    await all.desk.house.postgres.tenant(side.organisationId, (sql) =>
      sql.query('SELECT 1 FROM audit.entries WHERE action = $1', [action]),
    )
  ).length;
const told = (side: Side, notice: string) =>
  all.desk.house.postgres.person(side.personId, (sql) =>
    sql.query<{ facts: Record<string, string>; link: string }>(
      'SELECT facts, link FROM notifications WHERE notice = $1 ORDER BY id',
      [notice],
    ),
  );
const fresh = (id: number, side: Side = all.north) => all.connections.freshToken(side.organisationId, id);
/** The platform did not take that one. */
function refused(id: number, given: Awaited<ReturnType<typeof fresh>>, side: Side = all.north) {
  if (!('token' in given)) throw new Error('There is no token.');
  return all.connections.refusedToken(side.organisationId, id, given.version);
}
async function setColumns(side: Side, id: number, columns: string, values: unknown[]) {
  await all.desk.house.postgres.tenant(side.organisationId, (sql) =>
    sql.run(`UPDATE connections SET ${columns} WHERE id = $1`, [id, ...values]),
  );
}

describe('connecting by signing in at a platform', () => {
  it('asks for sending alone, with PKCE and a state, and keeps what was granted', async () => {
    const { status, body } = await begin(all.north);
    expect(status).toBe(201);
    const url = new URL(body.url);
    expect(url.origin + url.pathname).toBe(`${all.google.url}/o/oauth2/v2/auth`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      ...{ response_type: 'code', client_id: 'app-1', redirect_uri: 'http://desk.test/connect/google' },
      ...{ scope: datamanager, access_type: 'offline', prompt: 'consent', include_granted_scopes: 'true' },
      ...{ code_challenge_method: 'S256', code_challenge: expect.stringMatching(/^[\w-]{43}$/) },
      state: expect.stringMatching(new RegExp(`^${all.north.organisationId}\\.[\\w-]{43}$`)),
    });
    const back = await all.consent(body.url);
    expect(back).toMatchObject({ back: 'http://desk.test/connect/google', state: url.searchParams.get('state') });
    const made = await answer(all.north, back);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      ...{ provider: 'google', kind: 'oauth', label: 'Google Ads', state: 'connected', reason: null },
      ...{ scopes: [datamanager], expires_at: null, trouble: null, renews: true, created_by: all.north.personId },
    });
    expect(await list()).toEqual([made.body]);
    expect(await acts(all.north, 'connection.made')).toBeGreaterThan(0);
    const given = await fresh(made.body.id);
    if (!('token' in given)) throw new Error('There is no token.');
    expect(all.google.scopesOf(given.token)).toEqual([datamanager]);
    // Only the verifier itself has this digest, and it was never written down.
    const [exchange] = asked(all.google, 'grant_type=authorization_code');
    const verifier = new URLSearchParams(String(exchange?.body)).get('code_verifier') ?? '';
    expect(createHash('sha256').update(verifier).digest('base64url')).toBe(url.searchParams.get('code_challenge'));
    expect(standsIn(await dumpedRows(all.desk.database), verifier)).toEqual([]);
  });

  it('adds a permission when it is needed, and keeps what was there', async () => {
    const { id } = await connect();
    const { body } = await begin(all.north, { provider: 'google', scopes: ['adwords'], connection: id });
    expect(new URL(body.url).searchParams.get('scope')).toBe(`${datamanager} ${adwords}`);
    const more = await answer(all.north, await all.consent(body.url));
    expect(more.body).toMatchObject({ id, scopes: [datamanager, adwords] });
    expect((await list()).length).toBe(1);
    expect(await acts(all.north, 'connection.authorised')).toBe(1);
  });

  it('takes nothing for granted: a box that was unticked was not granted, and none is no connection', async () => {
    const both = { provider: 'google', scopes: ['datamanager', 'adwords'] };
    all.google.admin('POST', '/platform', { grants: [adwords] });
    const some = await answer(all.north, await all.consent((await begin(all.north, both)).body.url));
    expect(some.body.scopes).toEqual([adwords]);
    all.google.admin('POST', '/platform', { grants: ['openid'], user: 'user-2' });
    const none = await begin(all.south, both);
    const refused = await answer(all.south, await all.consent(none.body.url));
    expect([refused.status, refused.body.error.code]).toEqual([409, 'provider_refused']);
    expect(await list(all.south)).toEqual([]);
  });

  it('says what was cancelled at the platform, and a scope that there is none of', async () => {
    all.google.admin('POST', '/platform', { consent: 'deny' });
    const back = await all.consent((await begin(all.north)).body.url);
    const refused = await answer(all.north, back, { error: back.error });
    expect([refused.status, refused.body.error.message]).toEqual([409, expect.stringContaining('cancelled')]);
    const unknown = await begin(all.north, { provider: 'google', scopes: ['gmail'] });
    expect([unknown.status, unknown.body.error.field]).toEqual([400, 'scopes']);
    const missing = await begin(all.north, { provider: 'linkedin' });
    expect([missing.status, missing.body.error.message]).toEqual([
      ...[409, expect.stringContaining('FAIRLEAD_LINKEDIN_CLIENT_ID')],
    ]);
  });
});

describe('a state counts once, for ten minutes, in the sign-in and the organisation that began (AUT-07)', () => {
  it('a replay', async () => {
    const back = await all.consent((await begin(all.north)).body.url);
    expect((await answer(all.north, back)).status).toBe(201);
    const again = await answer(all.north, back);
    expect([again.status, again.body.error.code]).toEqual([410, 'link_expired']);
    expect((await list()).length).toBe(1);
  });

  it('another sign-in of the same person, which does not use it up for the one that began', async () => {
    const back = await all.consent((await begin(all.north)).body.url);
    const other = { ...all.north };
    await all.signIn(other);
    const refused = await answer(other, back);
    expect([refused.status, refused.body.error.code]).toEqual([403, 'forbidden']);
    expect((await answer(all.north, back)).status).toBe(201);
  });

  it('another organisation, and somebody of it', async () => {
    const back = await all.consent((await begin(all.north)).body.url);
    expect((await answer(all.south, back)).body.error.code).toBe('forbidden');
    const into = await ask('POST', all.at(all.north, '-answers'), all.south.cookie, {
      ...pick(back),
      provider: 'google',
    });
    expect(into.status).toBe(404);
    expect([await list(all.north), await list(all.south)]).toEqual([[], []]);
  });

  it('one that nobody sent out, and one that is too old', async () => {
    const state = `${all.north.organisationId}.${'A'.repeat(43)}`;
    expect((await answer(all.north, { state, code: 'code-x' })).body.error.code).toBe('forbidden');
    const back = await all.consent((await begin(all.north)).body.url);
    all.travel(10 * minute + 1);
    const late = await answer(all.north, back);
    expect([late.status, late.body.error.code]).toEqual([410, 'link_expired']);
    expect(asked(all.google, 'grant_type=authorization_code')).toEqual([]);
  });

  it('a code of another beginning: its verifier is another one (PKCE)', async () => {
    const first = await all.consent((await begin(all.north)).body.url);
    const second = await all.consent((await begin(all.north)).body.url);
    const mixed = await answer(all.north, { state: second.state as string, code: first.code as string });
    expect([mixed.status, mixed.body.error.message]).toEqual([409, expect.stringContaining('invalid_grant')]);
    expect(await list()).toEqual([]);
  });

  it('the answer of another platform, and one that names another issuer', async () => {
    const back = await all.consent((await begin(all.north)).body.url);
    expect((await answer(all.north, back, { provider: 'meta' })).body.error.code).toBe('forbidden');
    const elsewhere = await answer(all.north, back, { iss: 'https://elsewhere.example' });
    expect([elsewhere.status, elsewhere.body.error.code]).toEqual([403, 'forbidden']);
    const right = await all.consent((await begin(all.north)).body.url);
    expect((await answer(all.north, right, { iss: all.google.url })).status).toBe(201);
  });

  it('no more than fifty that are not finished, and what is over goes by the clock', async () => {
    for (let count = 0; count < 50; count++) expect((await begin(all.north)).status).toBe(201);
    expect((await begin(all.north)).body.error.code).toBe('rate_limited');
    all.travel(20 * minute + 1);
    await all.signIn(all.north);
    await all.connections.renewDue();
    expect((await begin(all.north)).status).toBe(201);
  });
});
const pick = ({ state, code }: Record<string, string>) => ({ state, code });

describe('tokens', () => {
  it('are in clear in no table, no log line and no answer (CRY-02)', async () => {
    const { id } = await connect();
    all.travel(31 * minute);
    await all.connections.renewDue();
    for (const side of [all.north, all.south]) await all.signIn(side);
    const pasted = await ask('POST', all.at(all.north), all.north.cookie, {
      ...{ provider: 'snap', secret: 'canary-of-a-pasted-secret' },
    });
    expect(pasted.status).toBe(201);
    const given = await fresh(id);
    if (!('token' in given)) throw new Error('There is no token.');
    const bodies = asked(all.google, '/token').map(({ body }) => new URLSearchParams(String(body)));
    const refresh = bodies.find((body) => body.has('refresh_token'))?.get('refresh_token') ?? '';
    expect(refresh.length).toBeGreaterThan(20);
    const rows = await dumpedRows(all.desk.database);
    for (const secret of [given.token, refresh, 'canary-of-a-pasted-secret', 'google / secret', 'app-1|']) {
      expect(standsIn(rows, secret)).toEqual([]);
      expect(all.lines.join('\n')).not.toContain(secret);
      expect(JSON.stringify(await list())).not.toContain(secret);
    }
    // What one row holds opens in no other.
    const other = (await connect(all.south)).id;
    const [own] = await tokensOf(all.north);
    await all.desk.house.postgres.tenant(all.south.organisationId, (sql) =>
      sql.run('UPDATE connection_tokens SET access_token = $2 WHERE connection_id = $1', [other, own?.access_token]),
    );
    await expect(fresh(other, all.south)).rejects.toThrow();
    expect(await acts(all.north, 'secret.opened')).toBeGreaterThan(0);
  });

  it('are renewed at half of their life, and before they are used when they are over', async () => {
    const { id } = await connect();
    all.travel(29 * minute);
    await all.connections.renewDue();
    expect(asked(all.google, 'grant_type=refresh_token').length).toBe(0);
    all.travel(2 * minute);
    await all.connections.renewDue();
    await all.connections.renewDue();
    expect(asked(all.google, 'grant_type=refresh_token').length).toBe(1);
    await all.signIn(all.north);
    expect((await list())[0]).toMatchObject({ id, state: 'connected', refreshed_at: expect.any(String) });
    all.travel(2 * hour);
    const given = await fresh(id);
    expect('token' in given && all.google.scopesOf(given.token)).toEqual([datamanager]);
    expect(asked(all.google, 'grant_type=refresh_token').length).toBe(2);
  });

  it('are renewed by one call, however many ask at once and in however many processes', async () => {
    const { id } = await connect();
    all.travel(2 * hour);
    const other = all.another();
    const given = await Promise.all([
      ...Array.from({ length: 5 }, () => fresh(id)),
      ...Array.from({ length: 5 }, () => other.freshToken(all.north.organisationId, id)),
      all.connections.renewDue(),
    ]);
    expect(asked(all.google, 'grant_type=refresh_token').length).toBe(1);
    const tokens = new Set(given.flatMap((one) => (typeof one === 'object' && 'token' in one ? [one.token] : [])));
    expect(tokens.size).toBe(1);
  });

  it('rotate: a refresh token that the platform replaces is the one that is used next', async () => {
    all.google.admin('POST', '/platform', { rotates: true });
    const { id } = await connect();
    for (let count = 0; count < 4; count++) {
      all.travel(2 * hour);
      expect(await fresh(id)).toHaveProperty('token');
    }
  });

  it('that are revoked at the platform end the connection once: destroyed, told, and nothing goes out', async () => {
    const { id } = await connect();
    const inside = <Row extends object>(text: string) =>
      all.desk.house.postgres.tenant(all.north.organisationId, (sql) => sql.query<Row>(text));
    await inside(
      `INSERT INTO alert_hooks (organisation_id, host, url_sealed, secret_sealed, kinds, created_at)
       VALUES (current_organisation(), 'alerts.example', '', '', '{organisation}', now()) RETURNING organisation_id`,
    );
    const [{ body }] = asked(all.google, '/token') as [Received];
    expect(body).toContain('authorization_code');
    all.google.admin('POST', '/platform', { expire: 'all' });
    all.travel(2 * hour);
    expect(await Promise.all([fresh(id), fresh(id)])).toEqual([{ reconnect: 'revoked' }, { reconnect: 'revoked' }]);
    expect(await tokensOf(all.north)).toEqual([]);
    await all.signIn(all.north);
    expect((await list())[0]).toMatchObject({
      ...{ id, state: 'needs_attention', reason: 'revoked' },
      trouble: { class: 'auth', answer: 'invalid_grant' },
    });
    const notices = await told(all.north, 'connection_ended');
    expect(notices.length).toBe(1);
    expect(notices[0]?.facts).toMatchObject({ platform: 'Google Ads', connection: 'Google Ads' });
    expect(await told(all.south, 'connection_ended')).toEqual([]);
    // Once, however many people were told, and no name that somebody gave by hand.
    expect(await inside('SELECT notice, facts FROM alert_posts')).toEqual([
      { notice: 'connection_ended', facts: { platform: 'Google Ads', organisation: expect.any(String) } },
    ]);
    await inside('DELETE FROM alert_hooks RETURNING organisation_id');
    const calls = asked(all.google, 'grant_type=refresh_token').length;
    await all.connections.renewDue();
    expect(await fresh(id)).toEqual({ reconnect: 'revoked' });
    expect(asked(all.google, 'grant_type=refresh_token').length).toBe(calls);
    // And somebody authorises it again, under the same number.
    all.google.admin('POST', '/platform', { expire: null });
    const again = await begin(all.north, { provider: 'google', connection: id });
    expect((await answer(all.north, await all.consent(again.body.url))).body).toMatchObject({ id, state: 'connected' });
    expect(await fresh(id)).toHaveProperty('token');
  });

  it('are not given up for a platform that is away, or a client that the operator has to mend', async () => {
    const { id } = await connect();
    all.travel(2 * hour);
    for (const [step, reason] of [
      [{ chaos: 'html_502' }, 'http_502'],
      [{ chaos: 'drop_answer' }, 'no_answer'],
      [{ status: 401, body: { error: 'invalid_client' } }, 'invalid_client'],
      [{ status: 429, headers: { 'retry-after': '120' }, body: {} }, 'http_429'],
      [{ status: 200, body: '<html>' }, 'html'],
      [{ status: 200, body: {} }, 'no_token'],
    ] as const) {
      all.google.admin('POST', '/next', [step]);
      const given = await fresh(id);
      expect(given).toEqual({ later: reason, afterMs: expect.any(Number) });
      if (reason === 'http_429') expect((given as { afterMs: number }).afterMs).toBeGreaterThan(115_000);
    }
    await all.signIn(all.north);
    expect((await list())[0]).toMatchObject({ state: 'connected', trouble: { class: 'retry', answer: 'no_token' } });
    expect(await fresh(id)).toHaveProperty('token');
    expect((await list())[0]?.trouble).toBeNull();
  });

  it('that a platform refuses before their time are replaced, or end the connection', async () => {
    const { id } = await connect();
    const before = await fresh(id);
    const after = await refused(id, before);
    expect('token' in after && 'token' in before && after.token !== before.token).toBe(true);
    // Whoever still has the first one gets what is there now.
    expect(await refused(id, before)).toEqual(after);
    expect(asked(all.google, 'grant_type=refresh_token').length).toBe(1);
    const pasted = (
      await ask('POST', all.at(all.north), all.north.cookie, {
        provider: 'meta',
        secret: 'EAABpasted',
        label: 'Events',
      })
    ).body as Connection;
    const own = await fresh(pasted.id);
    expect(own).toMatchObject({ token: 'EAABpasted', scopes: [] });
    expect(await refused(pasted.id, own)).toEqual({ reconnect: 'revoked' });
    expect((await list()).find((one) => one.id === pasted.id)).toMatchObject({ state: 'needs_attention' });
  });

  describe('that somebody authorises anew while the platform still thinks about the ones before', () => {
    const late = [
      ['another token', { chaos: 'latency', ms: 0 }],
      ['invalid_grant', { status: 400, body: { error: 'invalid_grant' } }],
      ['a refusal for now', { status: 429, headers: { 'retry-after': '120' }, body: {} }],
    ] as const;
    it.each(late)('stay, whatever comes late: %s', async (_, step) => {
      const { id } = await connect();
      all.travel(2 * hour);
      await all.signIn(all.north);
      const ended = (await told(all.north, 'connection_ended')).length;
      all.google.admin('POST', '/next', [{ ...step, isHeld: true }]);
      const waiting = fresh(id);
      await vi.waitFor(() => expect(asked(all.google, 'grant_type=refresh_token').length).toBe(1));
      const { body } = await begin(all.north, { provider: 'google', scopes: ['adwords'], connection: id });
      expect((await answer(all.north, await all.consent(body.url))).status).toBe(201);
      const before = await tokensOf(all.north);
      expect(all.google.admin('POST', '/release')).toEqual({ released: 1 });
      const given = await waiting;
      expect('token' in given && all.google.scopesOf(given.token)).toEqual([datamanager, adwords]);
      expect(await fresh(id)).toEqual(given);
      expect(await tokensOf(all.north)).toEqual(before);
      expect(await list()).toMatchObject([
        { id, state: 'connected', scopes: [datamanager, adwords], refreshed_at: null, trouble: null },
      ]);
      expect((await told(all.north, 'connection_ended')).length).toBe(ended);
      expect(asked(all.google, 'grant_type=refresh_token').length).toBe(1);
      // And they are renewed in their turn.
      all.travel(2 * hour);
      expect(await fresh(id)).toHaveProperty('token');
      expect(asked(all.google, 'grant_type=refresh_token').length).toBe(2);
    });

    it('stay, too, when the timer saw them run out before', async () => {
      const paste = async (more: object) =>
        (await ask('POST', all.at(all.north), all.north.cookie, { provider: 'snap', ...more })).body as Connection;
      const { id } = await paste({ secret: 'one-that-runs-out' });
      await setColumns(all.north, id, 'expires_at = $2', [new Date(all.now() - 1)]);
      const { id: first } = await connect();
      await setColumns(all.north, first, 'refresh_at = $2', [new Date(all.now() - 1)]);
      all.google.admin('POST', '/next', [{ status: 500, body: {}, isHeld: true }]);
      const looking = all.connections.renewDue();
      await vi.waitFor(() => expect(asked(all.google, 'grant_type=refresh_token').length).toBe(1));
      await paste({ secret: 'another-that-lasts', connection: id });
      all.google.admin('POST', '/release');
      await looking;
      expect(await fresh(id)).toMatchObject({ token: 'another-that-lasts', scopes: [] });
    });
  });

  it('of another address of the platform go nowhere until somebody authorises again', async () => {
    const { id } = await connect();
    const moved = all.another({ FAIRLEAD_GOOGLE_OAUTH_URL: all.meta.url });
    all.meta.admin('POST', '/reset', {});
    await moved.renewDue();
    expect(await moved.freshToken(all.north.organisationId, id)).toEqual({ reconnect: 'base_url_changed' });
    expect((await list())[0]).toMatchObject({ state: 'paused', reason: 'base_url_changed' });
    expect((await told(all.north, 'connection_paused')).length).toBe(1);
    // Back at the first address it stays so: who answered there meanwhile, nobody knows.
    expect(await fresh(id)).toEqual({ reconnect: 'base_url_changed' });
    expect(asked(all.meta, 'token')).toEqual([]);
    const again = await begin(all.north, { provider: 'google', connection: id });
    expect((await answer(all.north, await all.consent(again.body.url))).body.state).toBe('connected');
    // One that nobody has looked at yet is held back where it would be used.
    const other = (await connect(all.south)).id;
    expect(await moved.freshToken(all.south.organisationId, other)).toEqual({ reconnect: 'base_url_changed' });
    expect(asked(all.meta, 'token')).toEqual([]);
  });
});

describe('a pasted secret', () => {
  it('is kept where the platform has one, replaced under its number, and shown to nobody', async () => {
    const secret = 'a-secret-of-a-webhook';
    const made = await ask('POST', all.at(all.north), all.north.cookie, { provider: 'webhook', secret, label: 'Till' });
    expect(made.body).toMatchObject({ kind: 'pasted', label: 'Till', state: 'connected', renews: false, scopes: [] });
    expect(JSON.stringify(made.body)).not.toContain(secret);
    const next = await ask('POST', all.at(all.north), all.north.cookie, {
      ...{ provider: 'webhook', secret: 'another-secret-of-it', connection: made.body.id },
    });
    expect(next.body).toMatchObject({ id: made.body.id, label: 'Till' });
    expect(await fresh(made.body.id)).toMatchObject({ token: 'another-secret-of-it', scopes: [] });
    const elsewhere = await ask('POST', all.at(all.north), all.north.cookie, {
      ...{ provider: 'snap', secret: 'one-of-another-platform', connection: made.body.id },
    });
    expect(elsewhere.status).toBe(409);
    for (const body of [
      { provider: 'google', secret: 'no-token-is-pasted-here' },
      { provider: 'snap', secret: 'with a blank' },
      { provider: 'snap', secret: 'line\nbreak-of-a-header' },
      { provider: 'snap', secret: 'short' },
      { provider: 'snap', secret: 'x'.repeat(4_097) },
      { provider: 'nobody', secret: 'a-secret-of-nobody' },
    ])
      expect((await ask('POST', all.at(all.north), all.north.cookie, body)).status).toBe(400);
  });
});

it('a pasted secret that was replaced while the one before was used is not ended by the refusal of that one', async () => {
  const paste = async (secret: string, more: object = {}) =>
    (await ask('POST', all.at(all.north), all.north.cookie, { provider: 'tiktok', secret, ...more }))
      .body as Connection;
  const { id } = await paste('the-secret-before');
  const before = await fresh(id);
  const ended = (await told(all.north, 'connection_ended')).length;
  await paste('the-secret-of-now', { connection: id });
  const now = await refused(id, before);
  expect(now).toMatchObject({ token: 'the-secret-of-now' });
  expect(await fresh(id)).toEqual(now);
  expect(await list()).toMatchObject([{ id, state: 'connected' }]);
  expect((await told(all.north, 'connection_ended')).length).toBe(ended);
  // Refused itself, it is over.
  expect(await refused(id, now)).toEqual({ reconnect: 'revoked' });
  expect(await tokensOf(all.north)).toEqual([]);
  expect((await told(all.north, 'connection_ended')).length).toBe(ended + 1);
});

it('what waited for a connection goes on with it as it is authorised again or its secret is replaced, and not as one is made', async () => {
  const on: unknown[] = [];
  const stop = onConnection({
    preview: async () => [],
    stop: async () => undefined,
    cancel: async () => [],
    async goOn(sql, organisationId, connectionId) {
      const [row] = await sql.query('SELECT state FROM connections WHERE id = $1', [connectionId]);
      on.push([organisationId, connectionId, row]);
    },
  });
  try {
    const { id } = await connect();
    const paste = (more: object) =>
      ask('POST', all.at(all.north), all.north.cookie, { provider: 'snap', secret: 'a-secret-of-snap', ...more });
    const pasted = (await paste({})).body.id;
    expect(on).toEqual([]);
    const again = await begin(all.north, { provider: 'google', connection: id });
    expect((await answer(all.north, await all.consent(again.body.url))).status).toBe(201);
    expect((await paste({ connection: pasted })).status).toBe(201);
    const of = all.north.organisationId;
    expect(on).toEqual([
      [of, id, { state: 'connected' }],
      [of, pasted, { state: 'connected' }],
    ]);
  } finally {
    stop();
  }
});

describe('disconnecting', () => {
  it('revokes at the platform, destroys the tokens and stops what sends with them in one transaction, and then cancels what waits (REL-05, RET-07)', async () => {
    const { id } = await connect();
    const before = await fresh(id);
    if (!('token' in before)) throw new Error('There is no token.');
    const stopped: unknown[] = [];
    const cancelled: unknown[] = [];
    const stop = onConnection({
      preview: async () => [{ what: 'queued sends', count: 12 }],
      async stop(sql, organisationId, connectionId) {
        const tokens = await sql.query('SELECT 1 FROM connection_tokens WHERE connection_id = $1', [connectionId]);
        stopped.push([organisationId, connectionId, tokens.length]);
      },
      async cancel(_postgres, organisationId, connectionId) {
        cancelled.push([organisationId, connectionId, stopped.length]);
        return [{ what: 'queued sends', count: 12 }];
      },
      goOn: async () => undefined,
    });
    try {
      const preview = await ask('GET', all.at(all.north, `/${id}/disconnection`), all.north.cookie);
      expect(preview.body).toEqual({ revokes: true, cancels: [{ what: 'queued sends', count: 12 }] });
      const ended = await ask('DELETE', all.at(all.north, `/${id}`), all.north.cookie);
      expect(ended.body).toEqual({ revoked: 'revoked', cancelled: [{ what: 'queued sends', count: 12 }] });
    } finally {
      stop();
    }
    expect(stopped).toEqual([[all.north.organisationId, id, 0]]);
    expect(cancelled).toEqual([[all.north.organisationId, id, 1]]);
    expect(asked(all.google, '/revoke').length).toBe(1);
    expect(all.google.scopesOf(before.token)).toBeUndefined();
    expect(await tokensOf(all.north)).toEqual([]);
    expect((await list())[0]).toMatchObject({ state: 'disconnected', reason: 'by_hand', scopes: [], accounts: [] });
    expect(await fresh(id)).toEqual({ reconnect: 'by_hand' });
    expect(await acts(all.north, 'connection.disconnected')).toBe(1);
    expect((await ask('DELETE', all.at(all.north, `/${id}`), all.north.cookie)).status).toBe(404);
  });

  it('stays when what waits can be cancelled only in part: the platform was told, and nothing is sent', async () => {
    const { id } = await connect();
    const noted = await acts(all.north, 'connection.disconnected');
    const stop = onConnection({
      preview: async () => [{ what: 'queued sends', count: 200_000 }],
      stop: async () => undefined,
      async cancel() {
        throw new Error('A store is away.');
      },
      goOn: async () => undefined,
    });
    expect((await ask('DELETE', all.at(all.north, `/${id}`), all.north.cookie)).status).toBe(500);
    stop();
    expect((await list())[0]).toMatchObject({ state: 'disconnected', reason: 'by_hand' });
    expect(await tokensOf(all.north)).toEqual([]);
    expect(await acts(all.north, 'connection.disconnected')).toBe(noted + 1);
  });

  it('is undone as a whole when what sends cannot be stopped', async () => {
    const { id } = await connect();
    const stop = onConnection({
      preview: async () => [],
      async stop() {
        throw new Error('A store is away.');
      },
      cancel: async () => [],
      goOn: async () => undefined,
    });
    expect((await ask('DELETE', all.at(all.north, `/${id}`), all.north.cookie)).status).toBe(500);
    stop();
    expect((await list())[0]).toMatchObject({ state: 'connected' });
    expect((await tokensOf(all.north)).length).toBe(1);
  });

  it('destroys the tokens when the platform is away, and says that it did not revoke', async () => {
    const { id } = await connect();
    all.google.admin('POST', '/next', [{ chaos: 'html_502' }]);
    const ended = await ask('DELETE', all.at(all.north, `/${id}`), all.north.cookie);
    expect(ended.body).toEqual({ revoked: 'failed', cancelled: [] });
    expect(await tokensOf(all.north)).toEqual([]);
    const pasted = (
      await ask('POST', all.at(all.north), all.north.cookie, { provider: 'ga4', secret: 'a-measurement-secret' })
    ).body as Connection;
    const gone = await ask('DELETE', all.at(all.north, `/${pasted.id}`), all.north.cookie);
    expect(gone.body).toEqual({ revoked: 'not_possible', cancelled: [] });
    expect(await tokensOf(all.north)).toEqual([]);
  });

  it('of a closed organisation comes before its tokens are destroyed; who is away is asked for six hours, and the receipt says so (REL-05, RET-15)', async () => {
    // What is sealed in its trail is unreadable afterwards, so it is looked at on its way there.
    const noted: { action: string; details?: object | undefined }[] = [];
    const record: typeof all.house.audit.record = (sql, of, act) => {
      noted.push(act);
      return all.house.audit.record(sql, of, act);
    };
    const house = { ...all.house, audit: { ...all.house.audit, record } };
    const email = 'owner@west.example';
    const hash = await all.desk.accounts.passwords.hash(password);
    const made = await house.postgres.system((sql) =>
      createOrganisation(sql, house, { email, organisation: 'west', hash }),
    );
    const west: Side = { email, ...made, cookie: '' };
    await all.signIn(west);
    const { id } = await connect(west);
    const given = await fresh(id, west);
    if (!('token' in given)) throw new Error('There is no token.');
    await connect(west, { provider: 'meta' });
    const inside = <Row extends object>(text: string) =>
      house.postgres.tenant(west.organisationId, (sql) => sql.query<Row>(text));
    await house.postgres.tenant(west.organisationId, (sql) =>
      sql.run("UPDATE organisations SET status = 'closed', status_since = $2 WHERE id = $1", [
        ...[west.organisationId, new Date(all.now())],
      ]),
    );
    // Each process of these tests asks.
    all.meta.admin('POST', '/next', Array(60).fill({ chaos: 'html_502' }));
    expect(await removeWhatIsClosed(house)).toBe(0);
    expect(all.google.scopesOf(given.token)).toBeUndefined();
    expect((await tokensOf(west)).length).toBe(1);
    const once = asked(all.meta, '/me/permissions').length;
    expect(await removeWhatIsClosed(house)).toBe(0);
    expect(asked(all.google, '/revoke').length).toBe(1);
    expect(asked(all.meta, '/me/permissions').length).toBe(2 * once);
    all.travel(6 * hour);
    expect(await removeWhatIsClosed(house)).toBe(1);
    expect(await inside('SELECT FROM connection_tokens UNION ALL SELECT FROM connections')).toEqual([]);
    expect(noted.filter(({ action }) => action === 'organisation.removed')).toMatchObject([
      { details: { not_revoked: 'meta' } },
      { details: { not_revoked: 'meta' } },
    ]);
    expect(await acts(west, 'connection.disconnected')).toBe(2);
  });

  it('in the review of access is that of its own page', async () => {
    const { id } = await connect();
    const [access] = all.connections.access ?? [];
    const { postgres } = all.house;
    const listed = () =>
      postgres.tenant(
        all.north.organisationId,
        (sql) => access?.list(sql, all.north.organisationId) ?? Promise.resolve([]),
      );
    expect(await listed()).toMatchObject([
      { id, label: 'Google Ads (google)', gives: `an account there, ${datamanager}` },
    ]);
    const before = await access?.before?.(all.north.organisationId, id);
    const request = { principal: undefined, address: '127.0.0.1', requestId: 'x' } as never;
    await postgres.tenant(all.north.organisationId, async (sql) =>
      access?.remove(sql, all.north.organisationId, id, request, before),
    );
    const cancelled: unknown[] = [];
    const stop = onConnection({
      ...{ preview: async () => [], stop: async () => undefined, goOn: async () => undefined },
      async cancel(_postgres, ...of) {
        cancelled.push(of);
        return [];
      },
    });
    await access?.after?.(all.north.organisationId);
    stop();
    expect(cancelled).toEqual([[all.north.organisationId, undefined]]);
    expect([await listed(), await tokensOf(all.north), asked(all.google, '/revoke').length]).toEqual([[], [], 1]);
  });

  it('leaves a line that goes thirty days later', async () => {
    const { id } = await connect();
    await ask('DELETE', all.at(all.north, `/${id}`), all.north.cookie);
    const executor = all.connections.executors?.find(({ line }) => line === 'connections');
    if (executor?.works !== 'in the transaction') throw new Error('There is no executor.');
    const ask30 = (ahead: number) => ({
      ...{ organisationId: all.north.organisationId, nowMs: all.now() + ahead, cutMs: all.now() + ahead - 30 * day },
      ...{ siteCutMs: () => 0, holds: { everything: false, siteIds: new Set<number>(), personIds: new Set<number>() } },
    });
    expect(await executor.due(ask30(29 * day))).toEqual([]);
    expect(await executor.due(ask30(31 * day))).toMatchObject([{ table: 'connections', rows: 1 }]);
    const ended = await all.desk.house.postgres.tenant(all.north.organisationId, (sql) =>
      executor.end(ask30(31 * day), sql),
    );
    expect(ended).toMatchObject([{ table: 'connections', rows: 1 }]);
    expect(await list()).toEqual([]);
  });
});

describe('Meta', () => {
  it('gives sixty days for two hours, which are renewed by the day', async () => {
    const made = await connect(all.north, { provider: 'meta' });
    const days = (Date.parse(made.expires_at ?? '') - all.now()) / day;
    expect(days).toBeGreaterThan(59);
    expect(days).toBeLessThan(60.1);
    expect(made).toMatchObject({ scopes: ['ads_read'], renews: true });
    expect(asked(all.meta, 'fb_exchange_token=').length).toBe(1);
    all.travel(day + minute);
    await all.connections.renewDue();
    expect(asked(all.meta, 'fb_exchange_token=').length).toBe(2);
    await all.signIn(all.north);
    expect(Date.parse((await list())[0]?.expires_at ?? '')).toBeGreaterThan(Date.parse(made.expires_at ?? ''));
  });

  it('is told of 14, 7 and 2 days before the end, once each, to owners of that organisation alone', async () => {
    const { id } = await connect(all.north, { provider: 'meta' });
    const before = (await told(all.north, 'connection_ending')).length;
    const count = async () => (await told(all.north, 'connection_ending')).length - before;
    const endsAt = all.now() + 20 * day;
    await setColumns(all.north, id, 'expires_at = $2', [new Date(endsAt)]);
    const counts: number[] = [];
    for (const left of [20, 15, 14, 10, 7, 6.9, 3, 2, 1.5, 0.5]) {
      all.travel(endsAt - left * day - all.now());
      await all.connections.remind();
      await all.connections.remind();
      counts.push(await count());
    }
    expect(counts).toEqual([0, 0, 1, 1, 2, 2, 2, 3, 3, 3]);
    const said = await told(all.north, 'connection_ending');
    expect(said.slice(before).map(({ facts }) => facts.days)).toEqual(['14 days', '7 days', '2 days']);
    expect(await told(all.south, 'connection_ending')).toEqual([]);
  });

  it('lists accounts and pixels with what is in the way of each', async () => {
    const { id } = await connect(all.north, { provider: 'meta' });
    const accounts = await ask('GET', all.at(all.north, `/${id}/accounts`), all.north.cookie);
    expect(accounts.body).toMatchObject({
      accounts: [
        { id: '1', name: 'Shop', currency: 'EUR', timezone: 'Europe/Berlin', through: null, problems: [] },
        { id: '2', name: 'Shop abroad', problems: [{ code: 'account_blocked', blocks: true }] },
      ],
      left_off: 0,
    });
    expect((await list())[0]?.accounts).toEqual([
      { id: '1', name: 'Shop' },
      { id: '2', name: 'Shop abroad' },
    ]);
    const targets = await ask('GET', all.at(all.north, `/${id}/targets?account=1`), all.north.cookie);
    expect(targets.body).toMatchObject({
      problems: [{ code: 'permission', blocks: true }],
      targets: [
        { id: '900', name: 'Shop pixel', problems: [] },
        { id: '901', name: 'Old pixel', problems: [{ code: 'account_blocked' }] },
      ],
    });
    const wide = await begin(all.north, { provider: 'meta', scopes: ['ads_management'], connection: id });
    await answer(all.north, await all.consent(wide.body.url), { provider: 'meta' });
    const after = await ask('GET', all.at(all.north, `/${id}/targets?account=1`), all.north.cookie);
    expect(after.body.problems).toEqual([]);
    expect((await ask('GET', all.at(all.north, `/${id}/targets?account=../x`), all.north.cookie)).status).toBe(400);
  });

  it('that was taken back there ends the connection at the first list', async () => {
    const { id } = await connect(all.north, { provider: 'meta' });
    const given = await fresh(id);
    if (!('token' in given)) throw new Error('There is no token.');
    await fetch(`${all.meta.url}/v25.0/me/permissions`, {
      ...{ method: 'DELETE', headers: { authorization: `Bearer ${given.token}` } },
    });
    const refused = await ask('GET', all.at(all.north, `/${id}/accounts`), all.north.cookie);
    expect([refused.status, refused.body.error.code]).toEqual([409, 'provider_refused']);
    expect((await list())[0]).toMatchObject({ state: 'needs_attention', reason: 'revoked' });
  });

  it('is taken back there when it is disconnected here', async () => {
    const { id } = await connect(all.north, { provider: 'meta' });
    const ended = await ask('DELETE', all.at(all.north, `/${id}`), all.north.cookie);
    expect(ended.body.revoked).toBe('revoked');
    expect(asked(all.meta, '/me/permissions').map(({ method }) => method)).toEqual(['DELETE']);
  });
});

it('nobody of another organisation reaches a connection, its lists or its end (AUT-13)', async () => {
  const { id } = await connect();
  for (const [method, rest, body] of [
    ['GET', '', undefined],
    ['POST', '-authorisations', { provider: 'google', connection: id }],
    ['POST', '', { provider: 'snap', secret: 'a-secret-of-a-stranger' }],
    ['PATCH', `/${id}`, { label: 'mine' }],
    ['GET', `/${id}/accounts`, undefined],
    ['GET', `/${id}/targets?account=1`, undefined],
    ['GET', `/${id}/disconnection`, undefined],
    ['DELETE', `/${id}`, undefined],
  ] as const) {
    expect((await ask(method, all.at(all.north, rest), all.south.cookie, body)).status, `${method} ${rest}`).toBe(404);
    // And by its number among one's own there is none.
    if (rest.startsWith('/'))
      expect((await ask(method, all.at(all.south, rest), all.south.cookie, body)).status).toBe(404);
  }
  const own = await begin(all.south, { provider: 'google', connection: id });
  expect(own.status).toBe(404);
  expect(await all.connections.freshToken(all.south.organisationId, id)).toEqual({ reconnect: 'unknown' });
  expect((await list())[0]).toMatchObject({ id, state: 'connected', label: 'Google Ads' });
  const renamed = await ask('PATCH', all.at(all.north, `/${id}`), all.north.cookie, { label: 'Shop in Europe' });
  expect(renamed.body.label).toBe('Shop in Europe');
});
