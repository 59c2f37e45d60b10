import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestPostgres, openTestVault, type TestPostgres } from '../../../test/stores.ts';
import type { Act } from '../../platform/audit.ts';
import { systemClock } from '../../platform/clock.ts';
import { silentLog } from '../../platform/log.ts';
import { systemRandom } from '../../platform/random.ts';
import type { Vault } from '../../platform/vault.ts';
import { ringOf } from '../keys/index.ts';
import { type BundleEntry, verifyBundle } from './bundle.ts';
import { bundleOf, csvCell, csvOf } from './export.ts';
import { openAudit } from './index.ts';
import { openKeeper } from './keeper.ts';
import { readHead } from './stored.ts';

const north = 1;
const ada = 1;
const keys = ringOf(Buffer.alloc(32, 7));
let store: TestPostgres;
let vault: Vault;
let publicKey: string;
let lines: string[];
let table: string;
let exportAgain: () => Promise<string[]>;

beforeAll(async () => {
  store = await openTestPostgres();
  const { postgres, dataDir } = store;
  vault = openTestVault({ keys, clock: systemClock, postgres });
  const audit = openAudit({ vault, clock: systemClock, random: systemRandom });
  const keeper = openKeeper({ postgres, keys, clock: systemClock, log: silentLog, dataDir });
  publicKey = keeper.publicKey;
  await postgres.within({ organisationId: north, personId: ada }, async (sql) => {
    await sql.run("INSERT INTO organisations (id, name, slug, created_at) VALUES (1, 'North', 'north', now())");
    await sql.run(
      "INSERT INTO people (id, email_digest, email_sealed, name, created_at) VALUES (1, sha256('ada'), 'sealed', 'Ada', now())",
    );
    await sql.run(
      "INSERT INTO memberships (organisation_id, person_id, role, created_at) VALUES (1, 1, 'owner', now())",
    );
  });
  const act: Act = {
    action: 'goal.added',
    actor: { type: 'person', id: ada },
    targets: [{ type: 'goal', id: 7, label: '=HYPERLINK("x")' }],
    details: { kind: 'event' },
    request: { id: 'a1b2c3', address: '203.0.113.77' },
  };
  for (let i = 0; i < 4; i++) await postgres.tenant(north, (sql) => audit.record(sql, north, act));
  // The chain of another organisation is under the same root and not in the file.
  await postgres.system((sql) =>
    audit.record(sql, 'desk', { action: 'operator.granted', actor: { type: 'operator' } }),
  );
  await keeper.checkpoint();
  const parts = { postgres, vault, clock: systemClock, keeper };
  const head = await postgres.tenant(north, (sql) => readHead(sql, north));
  exportAgain = async () => (await wholeOf(bundleOf(parts, north, head))).trim().split('\n');
  lines = await exportAgain();
  table = await wholeOf(csvOf(parts, north, {}, head));
});
afterAll(() => store.close());

async function wholeOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}
async function* streamed(text: readonly string[]) {
  yield* text;
}
const verify = (text: readonly string[], key = publicKey) => verifyBundle(streamed(text), { publicKey: key });
/** Head, checkpoint, entries 1 to 4, end. */
const changed = (line: number, change: (entry: BundleEntry) => void) =>
  lines.map((text, i) => {
    if (i !== line) return text;
    const entry = JSON.parse(text) as BundleEntry;
    change(entry);
    return JSON.stringify(entry);
  });

describe('an exported trail verifies without a database (AUD-04)', () => {
  test('as it is, with names and details opened', async () => {
    expect(lines.length).toBe(7);
    expect(await verify(lines)).toMatchObject({ entries: 4, organisation: north, findings: [] });
    expect(JSON.parse(lines[2] as string)).toMatchObject({
      actor_name: 'Ada',
      labels: ['=HYPERLINK("x")'],
      details: [['kind', 'event']],
      address: '203.0.113.0/24',
    });
    expect(lines.join()).not.toContain('operator.granted');
  });

  test.each<[string, () => string[], string]>([
    [
      'an action was changed',
      () => changed(3, (one) => Object.assign(one.entry, { action: 'goal.removed' })),
      'changed',
    ],
    ['a name was changed', () => changed(3, (one) => Object.assign(one, { actor_name: 'Bob' })), 'changed'],
    ['a detail was changed', () => changed(3, (one) => Object.assign(one, { details: [['kind', 'page']] })), 'changed'],
    [
      'a label was put where none is proved',
      () => changed(3, (one) => Object.assign(one, { details_salt: null })),
      'changed',
    ],
    ['a network was changed', () => changed(3, (one) => Object.assign(one, { address: '198.51.100.0/24' })), 'changed'],
    [
      'a network was taken away',
      () => changed(3, (one) => Object.assign(one, { address: null, address_salt: null })),
      'changed',
    ],
    ['an entry is gone', () => lines.toSpliced(3, 1), 'deleted'],
    ['two lines have changed places', () => lines.with(3, lines[4] as string).with(4, lines[3] as string), 'reordered'],
    ['an entry is there twice', () => lines.toSpliced(3, 0, lines[3] as string), 'forked'],
    ['the end was cut off', () => lines.slice(0, 5), 'truncated'],
    [
      'the end was cut off, and head and end fit',
      () => [
        JSON.stringify({
          ...JSON.parse(lines[0] as string),
          head: { seq: 3, hash: JSON.parse(lines[4] as string).hash },
        }),
        ...lines.slice(1, 5),
        '{"end":3}',
      ],
      'truncated',
    ],
    ['there is no checkpoint', () => lines.toSpliced(1, 1), 'unsigned'],
    [
      'a checkpoint was changed',
      () => lines.with(1, (lines[1] as string).replace(/"at":"\d{4}/, '"at":"2031')),
      'unsigned',
    ],
  ])('not when %s', async (_what, change, kind) => {
    const { findings } = await verify(change());
    expect(findings.map((one) => one.kind)).toContain(kind);
  });

  test('and one with a line that is no entry is refused with its number', async () => {
    const without = (lines[3] as string).replace('"seq"', '"sea"');
    await expect(verify(lines.with(3, without))).rejects.toThrow('Line 4 of the file is no entry');
  });

  test('not when it was signed with another key than the one that is asked for', async () => {
    const other = Buffer.alloc(32, 9).toString('base64');
    expect((await verify(lines, other)).findings[0]).toMatchObject({ kind: 'unsigned' });
  });

  test('also when the key of a person was destroyed: the name is gone, the chain stands (R10)', async () => {
    await vault.shred(north, await vault.subject(north, 'person', String(ada)));
    const after = await exportAgain();
    expect(JSON.parse(after[2] as string)).toMatchObject({ actor_name: null, actor_salt: null });
    expect(await verify(after)).toMatchObject({ entries: 4, findings: [] });
  });
});

test('as a table, a cell that would be a formula begins with an apostrophe', () => {
  expect(table.split('\r\n').length).toBe(6);
  expect(table).not.toMatch(/(^|,|")=HYPERLINK/m);
  expect([csvCell('=1'), csvCell('@a'), csvCell('+1'), csvCell('-1'), csvCell(-1), csvCell('a,"b"')]).toEqual([
    ...["'=1", "'@a", "'+1", "'-1", '-1', '"a,""b"""'],
  ]);
});
