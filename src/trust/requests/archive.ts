import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { escapedWords as escaped } from '../../platform/http/plain_page.ts';
import type { CopiedRecord } from '../../platform/personal_data.ts';
import { csvCell } from '../audit/index.ts';
import { readClass } from '../classes/index.ts';

/** What an archive says of itself: who reads `data.json` needs nothing else. */
export interface ArchiveAbout {
  archive: 'fairlead subject data 1';
  organisation: string;
  /** Who answers for it: a line each, as far as they have said who they are. */
  answering: readonly string[];
  /** Null where a person took along what belongs to their account. */
  request: number | null;
  made_at: string;
}
export interface SubjectArchive extends ArchiveAbout {
  records: CopiedRecord[];
}

const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'What is stored about a person',
  type: 'object',
  required: ['archive', 'organisation', 'answering', 'request', 'made_at', 'records'],
  properties: {
    archive: { const: 'fairlead subject data 1' },
    organisation: { type: 'string', description: 'Who was asked' },
    answering: { type: 'array', items: { type: 'string' }, description: 'Who answers for it' },
    request: { type: ['integer', 'null'], description: 'Number of the request' },
    made_at: { type: 'string', format: 'date-time' },
    records: {
      type: 'array',
      items: {
        type: 'object',
        required: ['table', 'class', 'record'],
        properties: {
          table: { type: 'string', description: 'Where it is stored' },
          class: { type: 'string', pattern: '^D[0-9]+$', description: 'Kind of data' },
          record: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } },
        },
      },
    },
  },
};

/** One ZIP: `data.json`, its schema, one CSV for each table, and a page to read. */
export function writeArchive(about: ArchiveAbout, records: readonly CopiedRecord[]): Buffer {
  const tables = new Map<string, CopiedRecord[]>();
  for (const one of records) tables.set(one.table, [...(tables.get(one.table) ?? []), one]);
  return zipOf([
    ['index.html', pageOf(about, tables)],
    ['data.json', JSON.stringify({ ...about, records }, null, 2)],
    ['schema.json', JSON.stringify(schema, null, 2)],
    ...[...tables].map(([table, rows]): [string, string] => [
      `${table.replaceAll(/[^a-z0-9]+/g, '-')}.csv`,
      csvOf(rows),
    ]),
  ]);
}

/** Reads an archive back. @throws TypeError when it is none of ours */
export function readArchive(zip: Buffer): SubjectArchive {
  const data = filesOfZip(zip).get('data.json');
  const read = data === undefined ? undefined : (JSON.parse(data.toString('utf8')) as SubjectArchive);
  if (read?.archive !== 'fairlead subject data 1' || !Array.isArray(read.records))
    throw new TypeError('This is no archive of what is stored about a person.');
  return read;
}

function namesOf(rows: readonly CopiedRecord[]): string[] {
  return [...new Set(rows.flatMap(({ record }) => Object.keys(record)))];
}

function csvOf(rows: readonly CopiedRecord[]): string {
  const names = namesOf(rows);
  const cell = (value: string | number | boolean | null | undefined) =>
    csvCell(typeof value === 'boolean' ? String(value) : (value ?? null));
  const lines = rows.map(({ record }) => names.map((name) => cell(record[name])).join(','));
  return `${[names.map(csvCell).join(','), ...lines].join('\r\n')}\r\n`;
}

function pageOf(about: ArchiveAbout, tables: ReadonlyMap<string, CopiedRecord[]>): string {
  const sections = [...tables].map(([table, rows]) => {
    const names = namesOf(rows);
    const head = names.map((name) => `<th scope="col">${escaped(name)}</th>`).join('');
    const body = rows
      .map(
        ({ record }) => `<tr>${names.map((name) => `<td>${escaped(String(record[name] ?? ''))}</td>`).join('')}</tr>`,
      )
      .join('');
    const kind = readClass(`${rows[0]?.class} x`)?.contents ?? '';
    return `<h2>${escaped(table)}</h2><p>${escaped(kind)}</p><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
  });
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>What is stored about you</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse}td,th{border:1px solid;padding:.3em .6em;text-align:left;overflow-wrap:anywhere}</style></head><body><main><h1>What ${escaped(about.organisation)} stores about you</h1><p>Made ${escaped(about.made_at)}${about.request === null ? '' : ` for request ${about.request}`}. The same stands in data.json, for programs, with its form in schema.json, and in one CSV file for each table.</p>${
    sections.length === 0 ? '<p>Nothing is stored about you.</p>' : sections.join('')
  }</main>${about.answering.length === 0 ? '' : `<footer>${about.answering.map((line) => `<p>${escaped(line)}</p>`).join('')}</footer>`}</body></html>`;
}

/** A ZIP of small texts (APPNOTE.TXT 4.3), made and read in memory. */
function zipOf(files: readonly (readonly [string, string])[]): Buffer {
  const parts: Buffer[] = [];
  const list: Buffer[] = [];
  let at = 0;
  for (const [name, text] of files) {
    const bytes = Buffer.from(text);
    const packed = deflateRawSync(bytes);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(0x800, 2);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt16LE(0x21, 8);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const head = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name)]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    list.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, place, Buffer.from(name)]));
    parts.push(head, packed);
    at += head.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  const listed = Buffer.concat(list);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, listed, end]);
}

function filesOfZip(zip: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; at + 30 <= zip.length && zip.toString('latin1', at, at + 4) === 'PK\x03\x04'; ) {
    const packed = zip.readUInt32LE(at + 18);
    const nameBytes = zip.readUInt16LE(at + 26);
    const from = at + 30 + nameBytes + zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 30, at + 30 + nameBytes);
    files.set(name, inflateRawSync(zip.subarray(from, from + packed), { maxOutputLength: 256 * 1024 * 1024 }));
    at = from + packed;
  }
  return files;
}
