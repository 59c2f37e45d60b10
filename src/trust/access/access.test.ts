import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AccessReviewAnswer } from '../../../contract/access_review.ts';
import { type AccountsHouse, openAccountsHouse } from '../../../test/accounts_house.ts';
import { createOrganisation } from '../../accounts/index.ts';
import { systemClock } from '../../platform/clock.ts';
import { dayMs } from '../../platform/zone.ts';
import { ringOf } from '../keys/index.ts';
import { openAccessReviews } from './index.ts';
import { quarterOf } from './quarter.ts';

/** A real database, a real listener, and a clock that is turned to the middle of a quarter. */
const began = Date.UTC(2027, 1, 10, 12);
let aheadMs = began - systemClock.now();
const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
const password = 'a harbour of quiet rope';
const side = (name: string) => ({ email: `owner@${name}.example`, personId: 0, organisationId: 0, cookie: '' });
const [north, south, admin, officer] = [side('north'), side('south'), side('admin'), side('officer')];
let desk: AccountsHouse;
let reviews: ReturnType<typeof openAccessReviews>;

beforeAll(async () => {
  desk = await openAccountsHouse({
    ...{ clock, keys: ringOf(Buffer.alloc(32, 7)), trustedProxies: 1, inbox: true },
    more(house, accounts) {
      reviews = openAccessReviews(house, accounts.notices, () => accounts.access ?? []);
      return reviews.routes ?? [];
    },
  });
  const hash = await desk.accounts.passwords.hash(password);
  for (const one of [north, south, admin, officer])
    Object.assign(
      one,
      await desk.house.postgres.system((sql) =>
        createOrganisation(sql, desk.house, { email: one.email, organisation: one.email.slice(6, -8), hash }),
      ),
    );
  // The clock is turned beyond the days in which a second factor has to be set up.
  for (const one of [north, south, admin, officer]) await within("UPDATE organisations SET second_factor = 'off'", one);
  await desk.house.postgres.tenant(north.organisationId, async (sql) => {
    for (const [one, role] of [
      [admin, 'admin'],
      [officer, 'privacy-officer'],
    ] as const)
      await sql.run('INSERT INTO memberships (organisation_id, person_id, role, created_at) VALUES ($1, $2, $3, $4)', [
        ...[north.organisationId, one.personId, role, new Date(clock.now())],
      ]);
  });
});
afterAll(() => desk.close());

/** Signs in where the session before is over by the turned clock. */
async function ask(by: typeof north, method: string, rest: string, body?: unknown, of = north) {
  const path = `/api/organisations/${of.organisationId}/${rest}`;
  const answer = await desk.ask(method, path, by.cookie, body);
  if (answer.status !== 401) return answer;
  by.cookie = (await desk.ask('POST', '/api/sessions', '', { email: by.email, password })).cookies;
  return desk.ask(method, path, by.cookie, body);
}
const within = <T extends object>(text: string, of = north) =>
  desk.house.postgres.within({ organisationId: of.organisationId, personId: of.personId }, (sql) => sql.query<T>(text));
const told = () =>
  within<{ notice: string }>("SELECT notice FROM notifications WHERE notice LIKE 'access_%' ORDER BY id").then((rows) =>
    rows.map(({ notice }) => notice),
  );
const read = async (by = north, id = 0): Promise<AccessReviewAnswer> => {
  const { reviews: all } = (await ask(by, 'GET', 'access-reviews')).body;
  return (await ask(by, 'GET', `access-reviews/${id === 0 ? all[0].id : id}`)).body;
};
type Line = AccessReviewAnswer['lines'][number];
const decision = ({ kind, id, gives }: Line, word = 'confirmed') => ({ kind, id, gives, decision: word });
const check = async () => {
  const [one] = reviews.checks ?? [];
  return [(await one?.run())?.state, (await one?.own?.(north.organisationId))?.state];
};

test('a review begins with each quarter, is told of three times at most, and is red once it is overdue', async () => {
  expect(quarterOf(Date.UTC(2026, 11, 31, 23, 59))).toEqual({
    name: '2026-Q4',
    first: '2026-10-01',
    next: '2027-01-01',
  });
  // Founded in this quarter: nobody is asked yet, and somebody may begin.
  await reviews.remind();
  expect((await ask(north, 'GET', 'access-reviews')).body).toEqual({
    ...{ reviews: [], quarter: '2027-Q1', next_on: '2027-04-01' },
  });
  aheadMs += 50 * dayMs;
  // Two at once, and again: one review, told once.
  await Promise.all([reviews.remind(), reviews.remind()]);
  await reviews.remind();
  expect(await told()).toEqual(['access_review_due']);
  expect((await read()).review).toMatchObject({ quarter: '2027-Q2', due_on: '2027-05-01', state: 'open' });
  expect(await check()).toEqual(['ok', 'ok']);
  aheadMs += 24 * dayMs;
  for (const _ of [1, 2]) await reviews.remind();
  aheadMs += 8 * dayMs;
  for (const _ of [1, 2]) await reviews.remind();
  expect(await told()).toEqual(['access_review_due', 'access_review_due', 'access_review_overdue']);
  expect((await read()).review.state).toBe('overdue');
  expect(await check()).toEqual(['wrong', 'wrong']);
  expect((await ask(north, 'POST', 'access-reviews', {})).status).toBe(409);
  await desk.mail.deliver();
  const mailed = (desk.mail.inbox?.list() ?? []).filter(({ letter }) => /access/.test(letter.subject));
  // Owner and privacy officer, and nobody else of the organisation.
  expect(new Set(mailed.map(({ to }) => to)).has(officer.email)).toBe(true);
  expect(
    mailed
      .filter(({ letter }) => /north/.test(letter.text))
      .map(({ to }) => to)
      .includes(admin.email),
  ).toBe(false);
});

test('who decides confirms or removes at once, each decision stays as it was made, and the review is done when nothing is left', async () => {
  const key = { name: 'till', scopes: ['stats:read'] };
  const { body: made } = await desk.ask('POST', `/api/keys?organisation_id=${north.organisationId}`, north.cookie, key);
  expect((await ask(north, 'POST', 'roles', { name: 'Desk', permissions: ['stats.read'] })).status).toBe(201);
  const invited = { email: 'new@north.example', role: 'viewer', team_ids: [], team_sites_only: false };
  expect((await ask(north, 'POST', 'invitations', invited)).status).toBe(201);
  const { review, lines } = await read();
  const line = (kind: string, label: RegExp) => lines.find((one) => one.kind === kind && label.test(one.label)) as Line;
  expect(lines.map(({ kind }) => kind)).toEqual(['member', 'member', 'member', 'invitation', 'role', 'key']);
  expect(line('key', /till/)).toMatchObject({ id: made.id, gives: 'stats:read, every site, without an end' });
  expect(line('role', /Desk/)).toMatchObject({ gives: 'stats.read' });
  const decide = (by: typeof north, ...decisions: unknown[]) =>
    ask(by, 'POST', `access-reviews/${review.id}/decisions`, { decisions });

  // The officer confirms and cannot remove; the admin reads; another organisation finds nothing.
  expect((await decide(officer, decision(line('key', /till/), 'removed'))).status).toBe(403);
  expect((await decide(admin, decision(line('key', /till/)))).status).toBe(404);
  expect((await ask(south, 'GET', `access-reviews/${review.id}`)).status).toBe(404);
  expect((await ask(south, 'GET', `access-reviews/${review.id}`, undefined, south)).status).toBe(404);
  expect((await read(officer)).lines.map((one) => one.may_remove)).toEqual(lines.map(() => false));

  // All of it or nothing: the only owner cannot be removed, so the key before it stays.
  const refused = await decide(
    north,
    decision(line('key', /till/), 'removed'),
    decision(line('member', /north/), 'removed'),
  );
  expect([refused.status, refused.body.error.code]).toEqual([409, 'last_owner']);
  expect((await read()).lines).toHaveLength(6);
  expect((await decide(north, { ...decision(line('member', /admin/)), gives: 'viewer' })).status).toBe(409);

  const removed = await decide(
    ...([north, decision(line('key', /till/), 'removed'), decision(line('member', /admin/), 'removed')] as const),
    ...[decision(line('invitation', /new/), 'removed'), decision(line('role', /Desk/), 'removed')],
  );
  expect(removed.status).toBe(201);
  expect(
    (await desk.ask('GET', '/api/session', admin.cookie)).body.organisations.map((one: { id: number }) => one.id),
  ).toEqual([admin.organisationId]);
  expect(await within('SELECT 1 FROM api_keys WHERE revoked_at IS NULL')).toEqual([]);
  expect(removed.body.lines.map((one: Line) => one.kind)).toEqual(['member', 'member']);
  expect((await read()).review.done_at).toBeNull();

  // Two who confirm the last two at once: it is done, and once.
  const left = removed.body.lines as Line[];
  const ends = await Promise.all([
    decide(officer, decision(left[0] as Line)),
    decide(north, decision(left[1] as Line)),
  ]);
  expect(ends.map(({ status }) => status)).toEqual([201, 201]);
  const done = await read();
  expect([done.review.state, done.review.confirmed, done.review.removed]).toEqual(['done', 2, 4]);
  // Another organisation is late with its own.
  expect(await check()).toEqual(['wrong', 'ok']);
  expect(done.decisions.map(({ kind, label, decision: word, by }) => [kind, label, word, by.name]).slice(2)).toEqual([
    ['role', 'Desk', 'removed', north.email],
    ['invitation', null, 'removed', north.email],
    ['member', null, 'removed', north.email],
    ['key', expect.stringMatching(/^till/), 'removed', north.email],
  ]);
  const acts = await within<{ action: string; n: number }>(
    "SELECT action, count(*)::int AS n FROM audit.entries WHERE action ~ '^access|removed$|revoked$' GROUP BY 1 ORDER BY 1",
  );
  expect(acts.map(({ action, n }) => `${action} ${n}`)).toEqual([
    ...['access.review_done 1', 'access.reviewed 3', 'invitation.revoked 1', 'key.revoked 1', 'member.removed 1'],
    'role.removed 1',
  ]);
  // What gives more than was confirmed is open again, and no row is ever changed or removed.
  await within(`UPDATE memberships SET role = 'admin' WHERE person_id = ${officer.personId}`);
  const after = (await read()).lines.find(({ id }) => id === officer.personId);
  expect([after?.confirmed, after?.has_changed]).toEqual([null, true]);
  for (const change of ["UPDATE access_decisions SET gives = 'x'", 'UPDATE access_reviews SET due_on = now()'])
    await expect(within(change)).rejects.toThrow(/permission denied/);
  await within('DELETE FROM access_decisions');
  expect((await read()).decisions).toHaveLength(6);
});

test('one that was missed stays red through the next quarter, until that one is done', async () => {
  aheadMs += 92 * dayMs;
  await reviews.remind();
  expect((await read()).review).toMatchObject({ quarter: '2027-Q3', state: 'open', confirmed: 0 });
  const old = (await ask(north, 'GET', 'access-reviews')).body.reviews[1];
  expect((await read(north, old.id)).lines).toEqual([]);
  aheadMs += 92 * dayMs;
  await reviews.remind();
  const { reviews: all } = (await ask(north, 'GET', 'access-reviews')).body;
  expect(all.map(({ state }: { state: string }) => state)).toEqual(['open', 'missed', 'done']);
  expect(await check()).toEqual(['wrong', 'wrong']);
  const now = await read();
  const late = await ask(north, 'POST', `access-reviews/${all[1].id}/decisions`, {
    decisions: now.lines.map((one) => decision(one)),
  });
  expect(late.status).toBe(409);
  expect(
    (
      await ask(north, 'POST', `access-reviews/${all[0].id}/decisions`, {
        decisions: now.lines.map((one) => decision(one)),
      })
    ).body.review.state,
  ).toBe('done');
  expect((await check())[1]).toBe('ok');
});
