import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { QueryOverCeiling, RowRefused, WarehouseUnavailable } from './errors.ts';
import { warehouseLimits } from './limits.ts';
import type { Warehouse } from './warehouse.ts';

/** A table with a view behind it, as small as shows every rule. */
export const agreementTables = `
CREATE TABLE {{table:things}}
(
    site UInt64 COMMENT 'D3 site',
    at DateTime64(3, 'UTC') COMMENT 'D3 time',
    word String COMMENT 'D3 text',
    small UInt8 COMMENT 'D3 small number',
    price Decimal(18, 3) COMMENT 'D3 amount',
    props Map(LowCardinality(String), String) COMMENT 'D3 pairs'
)
ENGINE = {{engine:MergeTree}} ORDER BY (site, at) SETTINGS {{durable}};

CREATE TABLE {{table:thing_counts}} (site UInt64 COMMENT 'D3 site', things UInt64 COMMENT 'D3 how many')
ENGINE = {{engine:SummingMergeTree(things)}} ORDER BY site SETTINGS {{durable}};

CREATE MATERIALIZED VIEW {{table:thing_counts_from_things}} TO {{local:thing_counts}} AS
SELECT site, count() AS things FROM {{local:things}} GROUP BY site;
`;

const thing = { site: '1', at: '2026-03-01 10:00:00.123', word: 'a', small: 7, price: '12.5', props: { k: 'v' } };
const lines = (...rows: unknown[]) => Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));

/** Text that has broken a quoting rule somewhere before. */
export const hostileTexts = [
  "'",
  "\\'",
  "\\'; DROP TABLE things; --",
  '\\',
  '\\N',
  '{site:UInt64}',
  "') UNION ALL SELECT file('/etc/passwd') --",
  'a\tb\nc\rd\be\ff',
  'nul:\0:nul',
  '\u2028\u2029\ufeff',
  '😀 ünïcödé 漢字 العربية',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is hostile text on purpose.
  '`"$(id)${x}%s%n',
  'x'.repeat(100_000),
];

/** What a warehouse promises, whichever way ClickHouse runs. Both tests beside this file run it. */
export function keepsTheAgreement(open: () => Warehouse): void {
  let nextSite = 100;
  const site = () => String(nextSite++);
  const count = async (id: string) => {
    const [row] = await open().read<{ things: string; counted: string }>(
      `SELECT (SELECT count() FROM things WHERE site = {site:UInt64}) AS things,
              (SELECT sum(things) FROM thing_counts WHERE site = {site:UInt64}) AS counted`,
      { site: id },
    );
    return [Number(row?.things), Number(row?.counted)];
  };

  test('64-bit integers and decimals arrive as text, to the last digit', async () => {
    const id = '18446744073709551615';
    await open().insert('things', lines({ ...thing, site: id }), 'digits');
    expect(
      await open().read('SELECT site, at, small, price, props FROM things WHERE site = {id:UInt64}', { id }),
    ).toEqual([{ site: id, at: '2026-03-01 10:00:00.123', small: 7, price: '12.5', props: { k: 'v' } }]);
  });

  test.each(hostileTexts)('a parameter and a stored value come back as they went in (%#)', async (text) => {
    const id = site();
    await open().insert('things', lines({ ...thing, site: id, word: text, props: { [text]: text } }), `text:${id}`);
    const [row] = await open().read<Record<string, unknown>>(
      `SELECT {text:String} AS bound, {list:Array(String)}[2] AS listed, word, props, word = {text:String} AS same
       FROM things WHERE site = {id:UInt64} AND word IN {list:Array(String)}`,
      { text, list: ['other', text], id },
    );
    expect(row).toEqual({ bound: text, listed: text, word: text, props: { [text]: text }, same: 1 });
  });

  test.each([
    ['number', 'UInt64', 9007199254740991, '9007199254740991'],
    ['bigint', 'UInt64', 18446744073709551615n, '18446744073709551615'],
    ['negative', 'Int32', -5, -5],
    ['date', 'Date', '2026-03-01', '2026-03-01'],
    ['empty list', 'Array(String)', [], []],
    ['list of numbers', 'Array(UInt32)', [1, 2], [1, 2]],
    ['empty text', 'String', '', ''],
  ])('a parameter may be a %s', async (_name, type, value, expected) => {
    expect(await open().read(`SELECT {value:${type}} AS value`, { value })).toEqual([{ value: expected }]);
  });

  test('a parameter without a value, or a value without a parameter, is a mistake of ours and said so', async () => {
    await open().read('SELECT {site:UInt64} AS s', { site: 1 });
    await expect(open().read('SELECT {site:UInt64} AS s')).rejects.toThrow(
      'The parameter site of this statement has no value.',
    );
    await expect(open().read('SELECT 1', { site: 1 })).rejects.toThrow('The statement has no parameter site.');
    await expect(open().read('SELECT {at:Int64}', { at: 0.5 })).rejects.toThrow(
      'The parameter at of this statement is no whole number.',
    );
  });

  test.each([
    ['INSERT INTO things SELECT * FROM things'],
    ['DROP TABLE things'],
    ['ALTER TABLE things DELETE WHERE 1'],
    ['SELECT 1 SETTINGS max_execution_time = 0'],
    ['SET max_memory_usage = 0'],
    ["SELECT * FROM url('http://127.0.0.1:9/', 'CSV', 'a String')"],
    ["SELECT * FROM file('/etc/passwd', 'LineAsString')"],
  ])('a reader only reads: %s', async (statement) => {
    await expect(open().read(statement)).rejects.toThrow();
    expect(await open().read('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('the same token goes in once, in the table and in what is derived from it', async () => {
    const id = site();
    const rows = lines({ ...thing, site: id }, { ...thing, site: id });
    await open().insert('things', rows, `once:${id}`);
    await open().insert('things', rows, `once:${id}`);
    expect(await count(id)).toEqual([2, 2]);
    await open().insert('things', rows, `twice:${id}`);
    expect(await count(id)).toEqual([4, 4]);
  });

  // An integer beyond its column's range is not among these: the engine's parser wraps it (300 in a UInt8 is 44).
  test.each<[string, string]>([
    ['text in a number', JSON.stringify({ ...thing, small: 'many' })],
    ['a negative number', JSON.stringify({ ...thing, small: -1 })],
    ['a fraction in an integer', JSON.stringify({ ...thing, small: 1.5 })],
    ['null', JSON.stringify({ ...thing, word: null })],
    ['a list in a text', JSON.stringify({ ...thing, word: ['a'] })],
    ['an object in a number', JSON.stringify({ ...thing, small: {} })],
    ['no time', JSON.stringify({ ...thing, at: 'yesterday' })],
    ['a decimal too great', JSON.stringify({ ...thing, price: '1e30' })],
    ['an unknown column', JSON.stringify({ ...thing, other: 1 })],
    ['half a line', JSON.stringify(thing).slice(0, 40)],
    ['no JSON', 'hello'],
  ])('a segment with a bad row is refused whole, and nothing else suffers: %s', async (name, line) => {
    const id = site();
    const bad = line.replace('"site":"1"', `"site":"${id}"`);
    const segment = Buffer.concat([
      lines({ ...thing, site: id }),
      Buffer.from(`${bad}\n`),
      lines({ ...thing, site: id }),
    ]);
    await expect(open().insert('things', segment, `bad:${id}`)).rejects.toBeInstanceOf(RowRefused);
    expect(await count(id), name).toEqual([0, 0]);
    await open().insert('things', lines({ ...thing, site: id }), `good:${id}`);
    expect(await count(id)).toEqual([1, 1]);
  });

  test('a row that leaves columns out gets their defaults', async () => {
    const id = site();
    await open().insert('things', lines({ site: id }), `short:${id}`);
    expect(await open().read('SELECT word, small, price, props FROM things WHERE site = {id:UInt64}', { id })).toEqual([
      { word: '', small: 0, price: '0', props: {} },
    ]);
  });

  test('rows may be arrays in an order that is said; one that ends early gets the defaults', async () => {
    const id = site();
    const columns = ['small', 'site', 'props', 'word'];
    const rows = `${JSON.stringify([7, id, { k: 'v' }, hostileTexts[4]])}\n[8,"${id}"]\n`;
    await open().insert('things', Buffer.from(rows), `arrays:${id}`, columns);
    expect(
      await open().read('SELECT word, small, props FROM things WHERE site = {id:UInt64} ORDER BY small', { id }),
    ).toEqual([
      { word: hostileTexts[4], small: 7, props: { k: 'v' } },
      { word: '', small: 8, props: {} },
    ]);
    await expect(
      open().insert('things', Buffer.from(`["seven","${id}"]\n`), `arrays:bad:${id}`, columns),
    ).rejects.toBeInstanceOf(RowRefused);
    await expect(
      open().insert('things', Buffer.from('[1]\n'), `arrays:hostile:${id}`, ['small) SELECT 1 --']),
    ).rejects.toBeInstanceOf(TypeError);
  });

  test('half a surrogate pair is stored as something that can be read again', async () => {
    const id = site();
    const line = `{"site":"${id}","word":"a\\ud800b"}\n`;
    await open()
      .insert('things', Buffer.from(line), `surrogate:${id}`)
      .catch((error) => {
        expect(error).toBeInstanceOf(RowRefused);
      });
    expect(await open().read('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test.each<[string, string, QueryOverCeiling['ceiling']]>([
    ['too many rows come out', 'SELECT number FROM numbers(2000000)', 'rows'],
    ['it takes too long', 'SELECT count() FROM numbers(3) WHERE sleepEachRow(0.3) = 0', 'seconds'],
  ])('a question that asks too much is told which limit it met: %s', async (_name, statement, ceiling) => {
    const error = await open()
      .read(statement, {}, { seconds: ceiling === 'seconds' ? 0.2 : 10 })
      .catch((reason) => reason);
    expect(error).toBeInstanceOf(QueryOverCeiling);
    expect(error).toMatchObject({ ceiling });
  });

  test('what may take longer than a reader is asked where its ceiling does not end it', async () => {
    const asked = "SELECT toUInt32(getSetting('max_execution_time')) AS seconds";
    expect(await open().read(asked)).toEqual([{ seconds: warehouseLimits.readSeconds }]);
    expect(await open().read(asked, {}, { seconds: warehouseLimits.readSeconds + 1 })).toEqual([{ seconds: 0 }]);
  });

  test('whoever gives up is let go at once, and the next question gets its answer', async () => {
    const giveUp = new AbortController();
    const asked = open().read('SELECT sleepEachRow(0.4) FROM numbers(1)', {}, { signal: giveUp.signal });
    setTimeout(() => giveUp.abort(new Error('gone')), 30);
    await expect(asked).rejects.toThrow('gone');
    expect(await open().read('SELECT 2 AS two')).toEqual([{ two: 2 }]);
  });

  test('questions run side by side and keep their own parameters', async () => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) => open().read('SELECT {n:UInt32} AS n FROM numbers(2)', { n })),
    );
    expect(answers).toEqual(Array.from({ length: 30 }, (_, n) => [{ n }, { n }]));
  });

  test('a name that is not one of ours never becomes SQL', async () => {
    await expect(open().insert('things; DROP TABLE things', lines(thing), 'x')).rejects.toBeInstanceOf(TypeError);
    await expect(open().insert('things', lines(thing), "x' , readonly = '0")).rejects.toBeInstanceOf(TypeError);
  });

  test('rows go into a file of this machine as JSON, which only its owner may read, and into memory as Parquet', async () => {
    const id = site();
    await open().insert('things', lines(...hostileTexts.map((word) => ({ ...thing, site: id, word }))), `file:${id}`);
    const folder = await mkdtemp(join(tmpdir(), 'fairlead-file-'));
    const select = 'SELECT word, small, props FROM things WHERE site = {id:UInt64} ORDER BY word';
    const json = join(folder, "it's json");
    // What was in it before is longer.
    await writeFile(json, 'x'.repeat(2_000_000));
    await open().writeFile(select, { id }, json);
    const rows = (await readFile(json, 'utf8')).trimEnd().split('\n');
    expect(rows.map((row) => JSON.parse(row))).toEqual(await open().read(select, { id }));
    const made = join(folder, 'new');
    await open().writeFile(select, { id }, made);
    expect((await stat(made)).mode & 0o777).toBe(0o600);
    const failing = 'SELECT throwIf(number = 9) FROM numbers(10)';
    await expect(open().writeFile(failing, {}, json)).rejects.toThrow();
    await expect(open().writeFile('SELECT {id:UInt64}', {}, json)).rejects.toThrow('has no value');
    const bytes = await open().parquet(select, { id });
    expect([bytes.toString('latin1', 0, 4), bytes.toString('latin1', bytes.length - 4)]).toEqual(['PAR1', 'PAR1']);
    await expect(open().parquet(failing, {})).rejects.toThrow();
    await expect(open().parquet('SELECT {id:UInt64}', {})).rejects.toThrow('has no value');
    expect(await open().read('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await rm(folder, { recursive: true });
  });

  test('it is well, and says how much disk it uses', async () => {
    expect(await open().health()).toEqual({ ok: true });
    const disk = await open().diskBytes();
    expect(disk.tables.things).toBeGreaterThan(0);
    expect(disk.total).toBeGreaterThanOrEqual(disk.tables.things ?? 0);
  });
}

/** After `close`: to be the last test of a file. */
export function refusesWhenClosed(open: () => Warehouse): void {
  test('a closed warehouse says so', async () => {
    await open().close();
    await expect(open().read('SELECT 1')).rejects.toBeInstanceOf(WarehouseUnavailable);
    await expect(open().insert('things', lines(thing), 'late')).rejects.toBeInstanceOf(WarehouseUnavailable);
    expect(await open().health()).toEqual({ ok: false });
  });
}
