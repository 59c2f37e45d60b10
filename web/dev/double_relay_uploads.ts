import type { Mapping } from '../../contract/mapping.ts';
import type { RelaySource } from '../../contract/relay_settings.ts';
import type { RelayUpload, UploadReport } from '../../contract/relay_uploads.ts';
import { readMapping } from '../../src/relay/mapping/plan.ts';
import { previewRows } from '../../src/relay/uploads/preview.ts';
import type { TableRow } from '../../src/relay/uploads/table.ts';

/**
 * Sources of files in the double: one with a file that was tried (4), one with none (5), one whose file is being taken (6), and
 * one that nobody has mapped yet (7). What a preview says is made by the desk's own code.
 */
const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const columns = [
  'Bestellung',
  'Datum',
  'Betrag',
  'Währung',
  'E-Mail',
  'Telefon',
  'Google Click ID',
  'Notiz der Filiale',
];
const cells = [
  ['B-20411', '27.11.2026 09:15', '1.249,50', 'EUR', 'ada@mail.example', '+49 30 901820', 'Cj0KCQiA1-first', ''],
  ['B-20412', '27.11.2026 10:02', '89,90', 'EUR', 'grace.hopper@mail.example', '', '', 'abgeholt'],
  ['B-20413', '31.11.2026 10:40', '89,9O', 'EUR', 'mary@mail.example', '', '', 'abgeholt'],
  ['B-20414', '27.11.2026 11:31', '20,00', 'EURO', 'katherine@mail.example', '+49 40 5550199', '', ''],
  [
    'B-20415',
    '27.11.2026 12:18',
    '449,00',
    'EUR',
    '',
    '+49 89 5550123',
    'Cj0KCQiA1-a-rather-long-click-id-of-google-ads-as-they-are',
    '',
  ],
  ['B-20416', '27.11.2026 15:55', '12,00', 'EUR', 'emmy@mail.example', '', '', 'Umtausch'],
];
const rows: TableRow[] = cells.map((some, at) => ({
  row: at + 2,
  record: Object.fromEntries(
    columns.map((name, column) => [name, some[column] ?? '']).filter(([, cell]) => cell !== ''),
  ),
}));
const mapping: Mapping = {
  fields: {
    event_name: { default: 'purchase' },
    order_id: 'Bestellung',
    occurred_at: { path: 'Datum', apply: [{ date: { timezone: 'Europe/Berlin', order: 'dmy' } }] },
    value: { path: 'Betrag', apply: [{ number: { decimal: ',' } }] },
    currency: { path: 'Währung', apply: ['upper'] },
    'user.email': 'E-Mail',
    'user.phone': 'Telefon',
    'click_ids.gclid': 'Google Click ID',
  },
};
const report: UploadReport = {
  ...{ rows: 12_480, fresh: 11_902, known: 431, repeated: 12, wrong: 135, ignored: 0, incomplete: 0 },
  identities: { order: 12_300, event: 0, words: 45 },
  events: [{ name: 'purchase', count: 12_345 }],
  ...{ first_at: ago(60 * 24 * 31), last_at: ago(60 * 20) },
  problems: [
    { field: 'value', reason: 'invalid', rows: 88, first_rows: [4, 61, 388, 402, 977] },
    { field: 'currency', reason: 'unknown_currency', rows: 31, first_rows: [5, 91] },
    { field: 'occurred_at', reason: 'invalid', rows: 16, first_rows: [4] },
  ],
  ...{ unused_columns: ['Notiz der Filiale'], missing_columns: [] },
};
const upload = (some: Partial<RelayUpload>): RelayUpload => ({
  ...{
    id: 90,
    source_id: 4,
    file_name: 'filialen-november.csv',
    size: 1_840_233,
    received: 1_840_233,
    next_part: null,
  },
  ...{ state: 'done', format: { kind: 'csv', encoding: 'latin-1', separator: ';' }, mapping_version: 1 },
  ...{ is_mapping_old: false, progress: null, report: null, same_file_as: null, failure: null },
  rows: { read: 0, fresh: 0, doubles: 0, wrong: 0, ignored: 0 },
  problems: { listed: 0, beyond: 0 },
  ...{ created_at: ago(30), started_at: null, finished_at: null, expires_at: ago(-60 * 24 * 7) },
  ...some,
});
const source = (id: number, name: string, mapping_version: number): RelaySource => ({
  ...{
    id,
    name,
    kind: 'upload',
    preset: null,
    site: { id: 1, domain: 'shop.example' },
    state: 'active',
    address: null,
  },
  ...{ click_ids: false, ip_and_agent: false, browser_ids: false, pixel_calls: false },
  ...{ requests_per_minute: null, rate_refused_today: 0 },
  ...{ signature: null, mapping_version, unmapped_status: 202, doubles_minutes: 10, raw_days: 7, intake_days: 90 },
  ...{
    created_at: ago(60_000),
    last_request_at: null,
    requests_today: 0,
    conversions_today: 811,
    unmapped: 0,
    routes: 1,
  },
});
const past = [
  upload({
    ...{ id: 88, file_name: 'filialen-oktober.csv', report, finished_at: ago(2_900), started_at: ago(2_902) },
    rows: { read: 9_811, fresh: 9_702, doubles: 40, wrong: 69, ignored: 0 },
    problems: { listed: 69, beyond: 0 },
  }),
  upload({
    ...{
      id: 87,
      file_name: 'kassen_export_alle_filialen_mit_einem_recht_langen_namen.xls',
      state: 'failed',
      finished_at: ago(2_960),
    },
    failure:
      'This is a workbook of the old format (XLS), or one with a password. Save it as XLSX without a password, or as CSV.',
  }),
  upload({
    ...{ id: 85, file_name: 'september.xlsx', finished_at: ago(4_100), format: { kind: 'xlsx', sheet: 'Kasse' } },
    rows: { read: 8_120, fresh: 8_120, doubles: 0, wrong: 0, ignored: 0 },
  }),
];

export function uploadsOf() {
  const sources = new Map([
    [4, source(4, 'Sales in shops', 1)],
    [5, source(5, 'Sales by phone', 0)],
    [6, source(6, 'Contracts', 1)],
    [7, source(7, 'Fairs', 0)],
  ]);
  const open = new Map([
    [
      4,
      upload({
        state: 'checked',
        report,
        same_file_as: { id: 88, file_name: 'filialen-oktober.csv', mapping_version: 1 },
      }),
    ],
    [
      6,
      upload({
        id: 91,
        source_id: 6,
        state: 'running',
        progress: 0.42,
        report,
        rows: { read: 5_200, fresh: 4_930, doubles: 190, wrong: 80, ignored: 0 },
      }),
    ],
    [7, upload({ id: 92, source_id: 7, state: 'uploaded', mapping_version: null })],
  ]);
  return function answer(method: string, path: string, body: unknown): { status: number; body?: unknown } | undefined {
    const [, id, rest = ''] = /^\/api\/organisations\/\d+\/relay\/sources\/([4-7])(\/.*)?$/.exec(path) ?? [];
    const found = sources.get(Number(id));
    if (found === undefined) return undefined;
    const one = open.get(found.id);
    if (rest === '') return { status: 200, body: found };
    if (rest === '/captures') return { status: 200, body: { captures: [] } };
    if (rest === '/uploads' && method === 'GET')
      return { status: 200, body: { uploads: [...(one === undefined ? [] : [one]), ...(found.id === 4 ? past : [])] } };
    if (rest === '/mappings' && method === 'POST') {
      found.mapping_version += 1;
      return { status: 201, body: { version: found.mapping_version } };
    }
    if (rest.startsWith('/mappings/')) return { status: 200, body: { mapping } };
    if (one === undefined) return undefined;
    if (rest.endsWith('/preview')) {
      const given = (body as { mapping?: unknown }).mapping;
      const read = readMapping(given ?? (found.mapping_version === 0 ? { fields: {} } : mapping));
      const seen = previewRows(
        { columns, timezone: null },
        rows,
        'mapping' in read ? read.mapping : undefined,
        Date.now(),
      );
      const problem = 'problem' in read ? read.problem : null;
      return { status: 200, body: { format: one.format, sheets: [], mapping_problem: problem, ...seen } };
    }
    if (rest.endsWith('/check'))
      Object.assign(one, { state: 'checked', report, mapping_version: found.mapping_version });
    if (rest.endsWith('/start')) Object.assign(one, { state: 'running', progress: 0 });
    if (method === 'DELETE') {
      open.delete(found.id);
      return { status: 204 };
    }
    return { status: 202, body: one };
  };
}
