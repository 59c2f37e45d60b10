import { expect, it } from 'vitest';
import { relayUploadLimits } from '../../../contract/relay.ts';
import type { UploadFormat } from '../../../contract/relay_uploads.ts';
import type { UploadedFile } from '../../platform/files/sealed_parts.ts';
import { xlsxOf } from '../../platform/files/xlsx_rig.ts';
import { zipOf } from '../../platform/files/zip_rig.ts';
import { mappingOf } from '../mapping/rig.ts';
import { columnsReadBy, personalColumns, readRow } from './rows.ts';
import { detectFormat, openTable, pathOfColumn } from './table.ts';

function fileOf(bytes: Buffer): UploadedFile {
  return {
    bytesRead: 0,
    read: async (into, offset, length, position) => ({
      bytesRead: bytes.copy(into, offset, position, Math.min(position + length, bytes.length)),
    }),
    async *stream() {
      for (let at = 0; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000);
    },
    close: async () => {},
  };
}
async function tableOf(bytes: Buffer, format?: UploadFormat) {
  const file = fileOf(bytes);
  const seen = await detectFormat(file, bytes.length);
  const table = await openTable(file, bytes.length, format ?? seen.format);
  const rows: unknown[] = [];
  for await (const row of table.rows) rows.push({ ...row, record: row.record && { ...row.record } });
  return { format: seen.format, columns: table.columns, timezone: table.timezone, rows };
}
const utf16 = (text: string, isBig: boolean) => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return isBig ? bytes.swap16() : bytes;
};
const csv = 'Name;Wert\nMüller;"12,50"\n';

it.each<[string, Buffer, string]>([
  ['UTF-8', Buffer.from(csv), 'utf-8'],
  ['UTF-8 with its mark', Buffer.from(`\ufeff${csv}`), 'utf-8'],
  ['UTF-16 as Excel writes it', utf16(csv, false), 'utf-16le'],
  ['UTF-16 the other way round', utf16(csv, true), 'utf-16be'],
  ['UTF-16 without its mark', utf16(csv, false).subarray(2), 'utf-16le'],
  ['Latin-1', Buffer.from(csv, 'latin1'), 'latin-1'],
])('%s is seen in the bytes', async (_what, bytes, encoding) => {
  const { format, columns, rows } = await tableOf(bytes);
  expect(format).toEqual({ kind: 'csv', encoding, separator: ';' });
  expect(columns).toEqual(['Name', 'Wert']);
  expect(rows).toEqual([{ row: 2, record: { Name: 'Müller', Wert: '12,50' } }]);
});

it('reads what is called Latin-1 with its euro sign, and refuses an encoding that does not fit', async () => {
  const euro = Buffer.from([0x61, 0x0a, 0x80, 0x0a]);
  expect((await tableOf(euro)).rows).toEqual([{ row: 2, record: { a: '€' } }]);
  await expect(tableOf(euro, { kind: 'csv', encoding: 'utf-8', separator: ',' })).rejects.toThrow(
    'is not UTF-8 throughout',
  );
});

it.each([
  [',', 'a,b,c'],
  [';', 'a;b,c;d'],
  ['\t', 'a\tb,c\td'],
  [',', 'alone'],
  [';', '"a,b,c";d'],
])('the separator %j is seen in %j', async (separator, head) => {
  expect((await tableOf(Buffer.from(`${head}\n`))).format).toMatchObject({ separator });
});

it('passes over the line of parameters of Google, and says its timezone', async () => {
  const text =
    'Parameters:TimeZone=America/New_York,,\nGoogle Click ID,Conversion Name,Conversion Time\nCj0,Lead,11/30/2026 09:15:00\n';
  expect(await tableOf(Buffer.from(text))).toMatchObject({
    timezone: 'America/New_York',
    columns: ['Google Click ID', 'Conversion Name', 'Conversion Time'],
    rows: [{ row: 3, record: { 'Google Click ID': 'Cj0' } }],
  });
});

it('names every column, so that a mapping can say it', async () => {
  const { columns } = await tableOf(Buffer.from('id,id,,"a ""b"" [c]",__proto__, two  words ,,\n1,2,3,4,5,6\n'));
  expect(columns).toEqual(['id', 'id (2)', 'Column 3', "a 'b' [c)", 'Column 5', 'two words']);
  expect(columns.map(pathOfColumn)).toEqual(['id', 'id (2)', 'Column 3', `["a 'b' [c)"]`, 'Column 5', 'two words']);
});

it('says of a row why it cannot be read, and goes on', async () => {
  const text = `a,b\n1\n,\n1,2,3\n1,2,\n${'x'.repeat(relayUploadLimits.rowCharsMax + 1)}\n"${'y'.repeat(relayUploadLimits.cellCharsMax + 1)}",1\n'=1,#N/A\n`;
  expect((await tableOf(Buffer.from(text))).rows).toEqual([
    { row: 2, record: { a: '1' } },
    { row: 4, record: undefined, problem: 'too_many' },
    { row: 5, record: { a: '1', b: '2' } },
    { row: 6, record: undefined, problem: 'too_large' },
    { row: 7, record: undefined, problem: 'too_large' },
    { row: 8, record: { a: '=1' }, failed: ['b'] },
  ]);
});

it.each<[string, Buffer, RegExp]>([
  ['nothing in it', Buffer.from('\n\n'), /nothing in the file/],
  ['a workbook of the old format', Buffer.from('d0cf11e0a1b11ae1', 'hex'), /old format \(XLS\)/],
  ['an archive that is no workbook', zipOf([{ name: 'a', text: 'b' }]), /no workbook/],
  ['a picture', Buffer.from('\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR', 'latin1'), /neither a CSV file nor a workbook/],
  ['no names of columns', Buffer.from(',,\n1,2\n'), /no names of columns/],
  ['too many columns', Buffer.from(`${'a,'.repeat(relayUploadLimits.columnsMax)}a\n`), /more than 200 columns/],
])('a file with %s is refused in a sentence', async (_what, bytes, sentence) => {
  await expect(tableOf(bytes)).rejects.toThrow(sentence);
});

it('a sheet gives the same rows as a CSV file, and has a limit for its rows', async () => {
  const sheet = xlsxOf({
    Offline: [
      ['Order', 'Total'],
      ['A-1', 19.9],
      ['A-2', { xml: '<c t="e"><v>#DIV/0!</v></c>' }],
    ],
  });
  expect(await tableOf(sheet)).toMatchObject({
    format: { kind: 'xlsx', sheet: 'Offline' },
    rows: [
      { row: 2, record: { Order: 'A-1', Total: '19.9' } },
      { row: 3, record: { Order: 'A-2' }, failed: ['Total'] },
    ],
  });
  const many = Buffer.from(`a\n${'1\n'.repeat(relayUploadLimits.rowsMax + 1)}`);
  await expect(tableOf(many)).rejects.toThrow(`more than ${relayUploadLimits.rowsMax} rows`);
});

const mapping = mappingOf({
  cases: [
    { when: { path: 'Art', equals: 'Test' }, ignore: true },
    {
      fields: {
        event_name: { default: 'sale' },
        occurred_at: { path: 'Datum', apply: [{ date: { timezone: 'Europe/Berlin', order: 'dmy' } }] },
        value: { path: 'Wert', apply: [{ number: { decimal: ',' } }] },
        currency: { default: 'EUR' },
        'user.email': 'E-Mail',
        'user.first_name': { template: '{{["Vor.name"]}}' },
      },
    },
  ],
});
const now = Date.UTC(2026, 10, 30, 12);
const row = (record: Record<string, string>, failed?: string[]) =>
  readRow({ row: 7, record, ...(failed && { failed }) }, mapping, columnsReadBy(mapping), now);

it('a decimal comma and a date of a place are read by the mapping; a row without a time has none of its own', () => {
  expect(row({ Datum: '30.11.2026 09:15', Wert: '1.234,50', 'E-Mail': 'a@person.example' })).toEqual({
    ...{ row: 7, isIgnored: false, problems: [] },
    conversions: [
      {
        ...{ event_name: 'sale', occurred_at: '2026-11-30T09:15:00+01:00', value: '1234.50', currency: 'EUR' },
        user: { email: 'a@person.example' },
      },
    ],
  });
  expect(row({ Wert: '1' }).problems).toEqual([{ field: 'occurred_at', reason: 'missing' }]);
  const received = mappingOf({ fields: { event_name: { default: 'a' }, occurred_at: '$received_at' } });
  expect(readRow({ row: 2, record: { a: '1' } }, received, new Set(), now).problems).toEqual([
    { field: 'occurred_at', reason: 'missing' },
  ]);
});

it('says the field and never the value; a formula that failed counts where its column is read', () => {
  expect(row({ Datum: '31.11.2026', Wert: '12.5.0' }).problems).toEqual([
    { field: 'occurred_at', reason: 'invalid' },
    { field: 'value', reason: 'invalid' },
  ]);
  expect(row({ Datum: '30.11.2026' }, ['Wert', 'Notiz'])).toMatchObject({
    ...{ conversions: [], problems: [{ field: 'Wert', reason: 'formula' }] },
  });
  expect(row({ Datum: '30.11.2026' }, ['Notiz']).conversions).toHaveLength(1);
  expect(row({ Art: 'Test' })).toMatchObject({ isIgnored: true, conversions: [], problems: [] });
});

it('knows which columns a mapping reads, and which of them are of a person', () => {
  expect([...columnsReadBy(mapping)].sort()).toEqual(['Art', 'Datum', 'E-Mail', 'Vor.name', 'Wert']);
  expect([...personalColumns(mapping)].sort()).toEqual(['E-Mail', 'Vor.name']);
});
