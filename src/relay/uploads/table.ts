import { plainCell } from '../../../contract/cells.ts';
import { isForbiddenName, parsePath } from '../../../contract/mapping_path.ts';
import { relayUploadLimits as limits } from '../../../contract/relay.ts';
import type { UploadEncoding, UploadFormat } from '../../../contract/relay_uploads.ts';
import { type CsvForm, readRecords } from '../../platform/files/csv.ts';
import { archiveLimits } from '../../platform/files/limits.ts';
import { refused } from '../../platform/files/refused.ts';
import type { UploadedFile } from '../../platform/files/sealed_parts.ts';
import { readWorkbook, type WorkbookLimits } from '../../platform/files/xlsx.ts';
import type { Names } from '../mapping/data.ts';

/** A row of a file as a record: what stands in each column, by the column's name. Empty cells are not in it. */
export interface TableRow {
  /** Its line in a CSV file, its number in a sheet, from 1. */
  readonly row: number;
  /** Undefined where it cannot be read at all, and `problem` says why. */
  readonly record: Names | undefined;
  readonly problem?: 'too_large' | 'too_many';
  /** Columns in which a formula came to an error, such as `#N/A`. They are not in the record. */
  readonly failed?: readonly string[];
}

export interface Table {
  readonly columns: readonly string[];
  /** Google's template says its timezone above the names of the columns. */
  readonly timezone: string | null;
  /** Once. @throws RequestError where the file is damaged, or larger than it may be */
  readonly rows: AsyncGenerator<TableRow>;
}

const workbookLimits: WorkbookLimits = {
  ...archiveLimits,
  archiveBytesMax: limits.fileBytesMax,
  expandedBytesMax: limits.expandedBytesMax,
  columnsMax: limits.columnsMax,
  cellCharsMax: limits.cellCharsMax,
  textCharsMax: limits.textCharsMax,
};

/**
 * What a file is, by what is in it. Its name says nothing. Of a CSV file without a mark at its beginning the bytes say
 * which encoding it is: what is not UTF-8 is taken for Latin-1, and whoever knows better says so.
 * @throws RequestError where it is neither CSV nor XLSX
 */
export async function detectFormat(
  file: UploadedFile,
  size: number,
): Promise<{ format: UploadFormat; sheets: string[] }> {
  const head = Buffer.alloc(Math.min(size, 4_096));
  await file.read(head, 0, head.length, 0);
  if (head.toString('latin1', 0, 4) === 'PK\x03\x04') {
    const { sheets } = await readWorkbook(file, size, workbookLimits);
    return { format: { kind: 'xlsx', sheet: sheets[0] as string }, sheets: [...sheets] };
  }
  if (head.subarray(0, 4).equals(oldOffice))
    throw refused(
      'This is a workbook of the old format (XLS), or one with a password. Save it as XLSX without a password, or as CSV.',
    );
  const encoding = markedEncoding(head) ?? ((await isUtf8(file)) ? 'utf-8' : 'latin-1');
  if (encoding !== 'utf-16le' && encoding !== 'utf-16be' && head.includes(0))
    throw refused('This is neither a CSV file nor a workbook (XLSX). Choose another file.');
  return { format: { kind: 'csv', encoding, separator: await separatorOf(file, encoding) }, sheets: [] };
}

const oldOffice = Buffer.from([0xd0, 0xcf, 0x11, 0xe0]);

function markedEncoding(head: Buffer): UploadEncoding | undefined {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8';
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  // Without a mark: a text in Latin letters has a zero in every second byte.
  const zeros = [0, 0];
  for (let at = 0; at < head.length; at++) if (head[at] === 0) (zeros[at % 2] as number)++;
  const half = head.length / 4;
  if ((zeros[1] as number) > half && zeros[0] === 0) return 'utf-16le';
  if ((zeros[0] as number) > half && zeros[1] === 0) return 'utf-16be';
  return undefined;
}

async function isUtf8(file: UploadedFile): Promise<boolean> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const piece of file.stream()) decoder.decode(piece, { stream: true });
    decoder.decode();
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

type Separator = (UploadFormat & { kind: 'csv' })['separator'];
const separators: readonly Separator[] = [',', ';', '\t'];

/** The one by which the names of the columns fall into the most of them. */
async function separatorOf(file: UploadedFile, encoding: UploadEncoding): Promise<Separator> {
  let best: { separator: Separator; columns: number } = { separator: ',', columns: 0 };
  for (const separator of separators) {
    for await (const { cells } of recordsOf(file, { encoding, separator })) {
      if (isParameters(cells?.[0])) continue;
      // More than may be: it is refused, and not for having one.
      const columns = cells?.length ?? limits.columnsMax;
      if (columns > best.columns) best = { separator, columns };
      break;
    }
  }
  return best.separator;
}

const decoders: Readonly<Record<UploadEncoding, NonNullable<CsvForm['encoding']>>> = {
  'utf-8': 'utf-8',
  'utf-16le': 'utf-16le',
  'utf-16be': 'utf-16be',
  // What is called Latin-1 is Windows-1252 nearly always: the same letters, and the euro sign.
  'latin-1': 'windows-1252',
};

async function* recordsOf(
  file: UploadedFile,
  { encoding, separator }: { encoding: UploadEncoding; separator: Separator },
): AsyncGenerator<{ row: number; cells: readonly string[] | undefined }> {
  const form = { charsMax: limits.rowCharsMax, columnsMax: limits.columnsMax, separator, isStrict: true };
  try {
    for await (const { line, cells } of readRecords(file.stream(), { ...form, encoding: decoders[encoding] }))
      yield { row: line, cells };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw refused(`The file is not ${encodingNames[encoding]} throughout. Choose another encoding.`);
  }
}

const encodingNames: Readonly<Record<UploadEncoding, string>> = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16 (little-endian)',
  'utf-16be': 'UTF-16 (big-endian)',
  'latin-1': 'Latin-1 (Windows-1252)',
};

/** Opens a file by a format that it may have. @throws RequestError where it has no names of columns, or too many */
export async function openTable(file: UploadedFile, size: number, format: UploadFormat): Promise<Table> {
  const records =
    format.kind === 'csv'
      ? recordsOf(file, format)
      : (await readWorkbook(file, size, workbookLimits)).rows(format.sheet);
  let timezone: string | null = null;
  for (;;) {
    const next = await records.next();
    if (next.done === true) throw refused('There is nothing in the file.');
    const { cells } = next.value;
    if (isParameters(cells?.[0])) {
      timezone = /TimeZone=([^;,]{1,64})/i.exec((cells ?? []).join(';'))?.[1]?.trim() ?? null;
      continue;
    }
    if (cells === undefined)
      throw refused(
        `The first row, with the names of the columns, has more than ${limits.columnsMax} columns or ${limits.rowCharsMax} characters.`,
      );
    const columns = columnsOf(cells);
    return { columns, timezone, rows: rowsOf(records, columns) };
  }
}

function isParameters(cell: string | undefined): boolean {
  return cell !== undefined && /^\s*Parameters\s*:/i.test(cell);
}

/**
 * Names by which a mapping finds the columns. A second one of the same name gets its number, and one without a name is called
 * by its place; what no path of a mapping can say is replaced by what looks like it.
 */
function columnsOf(cells: readonly string[]): string[] {
  const columns: string[] = [];
  let last = cells.length;
  while (last > 0 && cells[last - 1]?.trim() === '') last--;
  if (last === 0) throw refused('The first row has no names of columns.');
  for (const [at, cell] of cells.slice(0, last).entries()) {
    const plain = plainCell(cell)
      .replaceAll(/\s+/g, ' ')
      .trim()
      .replaceAll('"', "'")
      .replaceAll(']', ')')
      .toWellFormed();
    if (plain.length > limits.columnCharsMax)
      throw refused(`The name of column ${at + 1} has more than ${limits.columnCharsMax} characters.`);
    const name = plain === '' || isForbiddenName(plain) ? `Column ${at + 1}` : plain;
    let own = name;
    for (let count = 2; columns.includes(own); count++) own = `${name} (${count})`;
    columns.push(own);
  }
  return columns;
}

const failures = new Set(['#N/A', '#REF!', '#VALUE!', '#DIV/0!', '#NAME?', '#NUM!', '#NULL!', '#ERROR!']);

async function* rowsOf(
  records: AsyncGenerator<{ row: number; cells: readonly string[] | undefined }>,
  columns: readonly string[],
): AsyncGenerator<TableRow> {
  let rows = 0;
  for await (const { row, cells } of records) {
    if (cells?.every((cell) => cell.trim() === '')) continue;
    if (++rows > limits.rowsMax) throw refused(`The file has more than ${limits.rowsMax} rows. Send it in parts.`);
    yield cells === undefined ? { row, record: undefined, problem: 'too_large' } : rowOf(row, cells, columns);
  }
}

function rowOf(row: number, cells: readonly string[], columns: readonly string[]): TableRow {
  if (cells.slice(columns.length).some((cell) => cell.trim() !== ''))
    return { row, record: undefined, problem: 'too_many' };
  const record: Record<string, string> = Object.create(null);
  let failed: string[] | undefined;
  for (const [at, name] of columns.entries()) {
    const cell = plainCell(cells[at] ?? '').trim();
    if (cell === '') continue;
    if (cell.length > limits.cellCharsMax) return { row, record: undefined, problem: 'too_large' };
    if (failures.has(cell)) {
      failed ??= [];
      failed.push(name);
    } else record[name] = cell;
  }
  return { row, record, ...(failed !== undefined && { failed }) };
}

/** The path by which a mapping finds a column. */
export function pathOfColumn(column: string): string {
  const [step, ...rest] = parsePath(column)?.steps ?? [];
  const isBare = !column.startsWith('$') && rest.length === 0 && step?.kind === 'name' && step.name === column;
  return isBare ? column : `["${column}"]`;
}
