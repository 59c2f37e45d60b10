import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Challenge } from '../../contract/errors.ts';
import { solved } from '../../test/solved_challenge.ts';
import { openTestPostgres, type TestPostgres } from '../../test/stores.ts';
import { stillClock } from '../platform/clock.ts';
import type { RequestError } from '../platform/http/route.ts';
import { systemRandom } from '../platform/random.ts';
import type { KeyRing } from '../platform/subject.ts';
import { forgetThrottles, networkOf, openThrottles, type Proof, resetLimit, signInLimit } from './throttle.ts';

let store: TestPostgres;
const clock = stillClock(Date.UTC(2026, 10, 28, 9));
const digest: KeyRing['digest'] = (purpose, value) => createHmac('sha256', purpose).update(value).digest();
const open = () => openThrottles({ postgres: store.postgres, clock, random: systemRandom, keys: { digest } });
let accounts = 0;
const newAccount = () => `person-${++accounts}@shop.example`;

beforeAll(async () => {
  store = await openTestPostgres();
});
afterAll(() => store.close());

/** A try with a wrong password: 'failed' when it was let in, otherwise the refusal. */
async function guess(who: { account?: string; address: string }, proof?: Proof, throttles = open()) {
  return throttles.enter(signInLimit, who, proof).then(
    () => 'failed' as const,
    (error: RequestError) => error,
  );
}
const challengeOf = (refusal: RequestError | 'failed') => (refusal as RequestError).challenge as Challenge;

describe('guessing a password', () => {
  it('is stopped after five tries from twelve rotating addresses, in two processes together (AUT-10)', async () => {
    const account = newAccount();
    const processes = [open(), open()] as const;
    const ends = [];
    for (let tries = 0; tries < 12; tries++) {
      const who = { account, address: `198.51.${tries}.7` };
      const end = await guess(who, undefined, processes[tries % 2]);
      ends.push(end === 'failed' ? end : end.code);
    }
    expect(ends).toEqual([...Array(5).fill('failed'), ...Array(7).fill('rate_limited')]);
  });

  it('is stopped after twenty tries from one /64 or /24, whatever the account', async () => {
    for (const address of [(n: number) => `2001:db8:5:6::${n.toString(16)}`, (n: number) => `192.0.2.${n}`]) {
      for (let tries = 1; tries <= 20; tries++)
        expect(await guess({ account: newAccount(), address: address(tries) })).toBe('failed');
      const refused = await guess({ account: newAccount(), address: address(99) });
      expect((refused as RequestError).code).toBe('rate_limited');
    }
    expect(await guess({ account: newAccount(), address: '2001:db8:5:7::1' }), 'the next /64').toBe('failed');
    expect(await guess({ account: newAccount(), address: '192.0.3.1' }), 'the next /24').toBe('failed');
  });

  it('costs work that doubles, counts once, and is bound to who asked', async () => {
    const who = { account: newAccount(), address: '198.18.0.1' };
    for (let tries = 0; tries < 5; tries++) expect(await guess(who)).toBe('failed');
    const first = challengeOf(await guess(who));
    expect(first).toMatchObject({ bits: 17, wait_seconds: 0 });
    const proof = solved(first);
    const others: [string, Proof | undefined, string][] = [
      ['no answer', { token: first.token, answer: 'x' }, who.account],
      ['a changed challenge', { ...proof, token: proof.token.replace(/^./, 'A') }, who.account],
      ['for another account', proof, newAccount()],
    ];
    for (const [title, given, account] of others.slice(0, 2))
      expect(await guess({ ...who, account }, given), title).not.toBe('failed');
    const another = { ...who, account: others[2]?.[2] as string };
    for (let tries = 0; tries < 5; tries++) await guess(another);
    expect(await guess(another, proof), 'for another account').not.toBe('failed');
    expect(await guess(who, proof)).toBe('failed');
    expect((await guess(who, proof)) as RequestError, 'used already').toMatchObject({ code: 'rate_limited' });
    expect(challengeOf(await guess(who)).bits).toBe(18);
    clock.travel(11 * 60_000);
    expect(challengeOf(await guess(who)).bits, 'still counted').toBe(18);
    clock.travel(5 * 60_000);
    expect(await guess(who), 'a quarter of an hour after the last failure').toBe('failed');
  });

  it('a person who solves and knows the password is in, and what failed before is forgotten', async () => {
    const who = { account: newAccount(), address: '198.18.1.1' };
    for (let tries = 0; tries < 5; tries++) await guess(who);
    const entered = await open().enter(signInLimit, who, solved(challengeOf(await guess(who))));
    await entered.succeeded();
    for (let tries = 0; tries < 5; tries++) expect(await guess(who)).toBe('failed');
    expect(await guess(who)).not.toBe('failed');
  });

  it('a try that failed for another reason is taken back, and no more than that', async () => {
    const who = { account: newAccount(), address: '198.18.2.1' };
    for (let tries = 0; tries < 4; tries++) await guess(who);
    const entered = await open().enter(signInLimit, who);
    await entered.takeBack();
    expect(await guess(who)).toBe('failed');
    expect(await guess(who)).not.toBe('failed');
  });

  it('many at once are counted as many', async () => {
    const who = { account: newAccount(), address: '198.18.3.1' };
    const ends = await Promise.all(Array.from({ length: 12 }, () => guess(who)));
    expect(ends.filter((end) => end === 'failed')).toHaveLength(5);
  });

  it('a network that goes on waits longer each time, and no work shortens that', async () => {
    const address = '198.18.4.1';
    for (let tries = 0; tries < 20; tries++) await guess({ account: newAccount(), address });
    const who = { account: newAccount(), address };
    const first = challengeOf(await guess(who));
    expect(first.wait_seconds).toBe(2);
    const proof = solved(first);
    expect(await guess(who, proof), 'too early').not.toBe('failed');
    clock.travel(2_000);
    expect(await guess(who, proof)).toBe('failed');
    expect(challengeOf(await guess(who)).wait_seconds).toBe(4);
  });
});

it('three links for a new password an hour, and then the next when the hour is over', async () => {
  const subject = newAccount();
  for (let taken = 0; taken < resetLimit.most; taken++) await open().take(resetLimit, subject);
  const refused = await open()
    .take(resetLimit, subject)
    .catch((error: RequestError) => error);
  expect(refused).toMatchObject({ code: 'rate_limited', headers: { 'retry-after': '3600' } });
  clock.travel(resetLimit.windowMs);
  await open().take(resetLimit, subject);
});

it('the table names nobody; old rows go, and a flood pushes out those that slow nobody down', async () => {
  const who = { account: newAccount(), address: '203.0.113.77' };
  for (let tries = 0; tries < 5; tries++) await guess(who);
  const rows = () =>
    store.postgres.system((sql) => sql.query<{ row: string }>('SELECT throttles::text AS row FROM throttles'));
  const text = JSON.stringify(await rows());
  for (const secret of [who.account, '203.0.113', Buffer.from(who.account).toString('hex')])
    expect(text).not.toContain(secret);
  for (let n = 0; n < 8; n++) await guess({ account: newAccount(), address: `198.19.${n}.1` });
  await store.postgres.retention((sql) =>
    sql.one('SELECT retention.delete_old_throttles($1, $2) AS gone', [new Date(clock.now()), 4]),
  );
  expect(await rows()).toHaveLength(4);
  expect(await guess(who), 'still slowed down').not.toBe('failed');
  clock.travel(86_400_000);
  await forgetThrottles(store.postgres, clock);
  expect(await rows()).toEqual([]);
});

it.each([
  ['203.0.113.7', '203.0.113'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:db8:1:2::', '2001:db8:1:2'],
  ['::1', '0:0:0:0'],
  ['2001:0db8:0001:0002::9', '2001:db8:1:2'],
])('the network of %s is %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
