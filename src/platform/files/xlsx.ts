import { type Archive, type Bytes, type Member, readArchive } from './archive.ts';
import type { ArchiveLimits } from './limits.ts';
import { refused } from './refused.ts';
import { openParser, readXml } from './xml.ts';

/** What a workbook may cost. */
export interface WorkbookLimits extends ArchiveLimits {
  readonly columnsMax: number;
  readonly cellCharsMax: number;
  /** Texts of all sheets stand in one table, which is in memory while a sheet is read. */
  readonly textCharsMax: number;
}

/** A row that has something in it. @property row its number in the sheet, from 1 @property cells undefined where it has too many, or one that is too long */
export interface SheetRow {
  readonly row: number;
  readonly cells: readonly string[] | undefined;
}

export interface Workbook {
  /** Names of the sheets that can be seen, in their order. */
  readonly sheets: readonly string[];
  /** @throws RequestError where there is no such sheet, or it is damaged */
  rows(sheet: string): AsyncGenerator<SheetRow>;
}

/**
 * A workbook of Excel, LibreOffice or Google (ECMA-376, XLSX). Cells are text: numbers with the fifteen digits that a sheet
 * has of them, dates as `2026-11-30 09:15:00`, what a formula came to. Nothing of it is run.
 * @throws RequestError, in a sentence, where it is none or costs more than it may
 */
export async function readWorkbook(file: Bytes, size: number, limits: WorkbookLimits): Promise<Workbook> {
  const archive = await readArchive(file, size, limits);
  const listed = await sheetsOf(archive);
  const dates = await dateStyles(archive);
  let texts: Promise<string[]> | undefined;
  return {
    sheets: listed.sheets.map(({ name }) => name),
    async *rows(sheet) {
      const path = listed.sheets.find(({ name }) => name === sheet)?.path;
      const member = path === undefined ? undefined : memberOf(archive, path);
      if (member === undefined) throw refused('There is no sheet of this name in the workbook. Choose another one.');
      texts ??= sharedTexts(archive, limits);
      yield* rowsOf(member, { texts: await texts, dates, is1904: listed.is1904, limits });
    },
  };
}

const noWorkbook =
  'The file is a ZIP archive and no workbook: save it as XLSX, or as CSV (a workbook with a password cannot be read).';

function memberOf({ members }: Archive, path: string): Member | undefined {
  return members.find(({ name }) => name === path);
}

async function sheetsOf(archive: Archive): Promise<{ sheets: { name: string; path: string }[]; is1904: boolean }> {
  const workbook = memberOf(archive, 'xl/workbook.xml');
  const links = memberOf(archive, 'xl/_rels/workbook.xml.rels');
  if (workbook === undefined || links === undefined) throw refused(noWorkbook);
  const targets = new Map<string, string>();
  await readXml(
    links.read(),
    {
      open(name, attribute) {
        if (name !== 'Relationship') return;
        const target = attribute('Target') ?? '';
        targets.set(attribute('Id') ?? '', target.startsWith('/') ? target.slice(1) : `xl/${target}`);
      },
    },
    'The list of sheets',
  );
  const sheets: { name: string; path: string }[] = [];
  let is1904 = false;
  await readXml(
    workbook.read(),
    {
      open(name, attribute) {
        if (name === 'workbookPr') is1904 = ['1', 'true'].includes(attribute('date1904') ?? '');
        if (name !== 'sheet' || (attribute('state') ?? 'visible') !== 'visible') return;
        const path = targets.get(attribute('r:id') ?? '');
        if (path !== undefined) sheets.push({ name: attribute('name') ?? '', path });
      },
    },
    'The list of sheets',
  );
  if (sheets.length === 0) throw refused('The workbook has no sheet that can be seen.');
  return { sheets, is1904 };
}

/** For each style whether it shows a number as a date (18.8.30 of ECMA-376 part 1 lists the formats that every sheet knows). */
async function dateStyles(archive: Archive): Promise<boolean[]> {
  const styles = memberOf(archive, 'xl/styles.xml');
  if (styles === undefined) return [];
  const own = new Map<number, boolean>();
  const found: boolean[] = [];
  let inCells = false;
  await readXml(
    styles.read(),
    {
      open(name, attribute) {
        if (name === 'numFmt') own.set(Number(attribute('numFmtId')), isDateFormat(attribute('formatCode') ?? ''));
        if (name === 'cellXfs') inCells = true;
        if (name !== 'xf' || !inCells) return;
        const format = Number(attribute('numFmtId') ?? 0);
        found.push(own.get(format) ?? isBuiltInDate(format));
      },
      close(name) {
        if (name === 'cellXfs') inCells = false;
      },
    },
    'The list of styles',
  );
  return found;
}

function isBuiltInDate(format: number): boolean {
  return (
    (format >= 14 && format <= 22) ||
    (format >= 27 && format <= 36) ||
    (format >= 45 && format <= 47) ||
    (format >= 50 && format <= 58)
  );
}

/** A letter of a date outside of quotes, escapes and brackets; `[h]` is one in brackets. */
function isDateFormat(code: string): boolean {
  const [first = ''] = code.split(';', 1);
  const bare = first.replaceAll(/"[^"]*"|\\.|_.|\*./g, '').replaceAll(/\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, '');
  return /[dmyhs]/i.test(bare.replaceAll(/general/gi, ''));
}

async function sharedTexts(archive: Archive, limits: WorkbookLimits): Promise<string[]> {
  const member = memberOf(archive, 'xl/sharedStrings.xml');
  if (member === undefined) return [];
  const texts: string[] = [];
  let chars = 0;
  let text: string | undefined;
  let isText = false;
  let isPhonetic = false;
  await readXml(
    member.read(),
    {
      open(name) {
        if (name === 'si') text = '';
        if (name === 'rPh') isPhonetic = true;
        if (name === 't') isText = !isPhonetic;
      },
      close(name) {
        if (name === 't') isText = false;
        if (name === 'rPh') isPhonetic = false;
        if (name !== 'si' || text === undefined) return;
        texts.push(plainText(text));
        text = undefined;
      },
      text(piece) {
        if (!isText || text === undefined) return;
        chars += piece.length;
        if (chars > limits.textCharsMax)
          throw refused(
            `The texts of the workbook have more than ${limits.textCharsMax} characters: send it in parts, or as CSV.`,
          );
        text += piece;
      },
    },
    'The table of texts',
  );
  return texts;
}

/** What XML cannot hold stands as `_x000D_`. */
function plainText(text: string): string {
  if (!text.includes('_x')) return text;
  return text.replaceAll(/_x([0-9A-Fa-f]{4})_/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

interface Reading {
  readonly texts: readonly string[];
  readonly dates: readonly boolean[];
  readonly is1904: boolean;
  readonly limits: WorkbookLimits;
}

async function* rowsOf(member: Member, reading: Reading): AsyncGenerator<SheetRow> {
  const { limits } = reading;
  let ready: SheetRow[] = [];
  let row = 0;
  let cells: string[] = [];
  let isTooMuch = false;
  let column = -1;
  let kind = 'n';
  let style = 0;
  let value: string | undefined;
  let isValue = false;
  const parser = openParser(
    {
      open(name, attribute) {
        if (name === 'row') {
          row = Number(attribute('r') ?? row + 1);
          cells = [];
          isTooMuch = false;
          column = -1;
        } else if (name === 'c') {
          const place = attribute('r');
          column = place === undefined ? column + 1 : columnOf(place);
          kind = attribute('t') ?? 'n';
          style = Number(attribute('s') ?? 0);
          value = undefined;
        } else if (name === 'v' || name === 't') isValue = true;
      },
      close(name) {
        if (name === 'v' || name === 't') isValue = false;
        else if (name === 'c' && value !== undefined) {
          const text = cellText(value, kind, style, reading);
          if (text === '') return;
          if (column >= limits.columnsMax || text.length > limits.cellCharsMax) isTooMuch = true;
          else {
            while (cells.length < column) cells.push('');
            cells[column] = text;
          }
        } else if (name === 'row' && (isTooMuch || cells.length > 0))
          ready.push({ row, cells: isTooMuch ? undefined : cells });
      },
      text(piece) {
        if (!isValue) return;
        value = (value ?? '') + piece;
        if (value.length > limits.cellCharsMax) {
          isTooMuch = true;
          value = value.slice(0, limits.cellCharsMax);
        }
      },
    },
    'A sheet',
  );
  const decoder = new TextDecoder('utf-8');
  for await (const piece of member.read()) {
    parser.push(decoder.decode(piece, { stream: true }));
    const now = ready;
    ready = [];
    yield* now;
  }
  parser.push(decoder.decode());
  parser.end();
  yield* ready;
}

/** `B7` is column 1. */
function columnOf(place: string): number {
  let column = 0;
  for (const sign of place) {
    const letter = sign.charCodeAt(0) - 64;
    if (letter < 1 || letter > 26) break;
    column = column * 26 + letter;
  }
  return column - 1;
}

function cellText(value: string, kind: string, style: number, { texts, dates, is1904 }: Reading): string {
  if (kind === 's') return texts[Number(value)] ?? '';
  if (kind === 'b') return value === '1' ? 'true' : 'false';
  if (kind === 'inlineStr' || kind === 'str') return plainText(value);
  if (kind !== 'n') return value;
  return dates[style] === true ? dateText(value, is1904) : numberText(value);
}

/** A sheet has fifteen digits of a number: what stands behind them is the noise of its binary form (12.300000000000001). */
export function numberText(value: string): string {
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number)) return value;
  const text = String(Number(number.toPrecision(15)));
  return text.includes('e') ? number.toFixed(20).replace(/\.?0+$/, '') : text;
}

const dayMs = 86_400_000;
/** Day 0 of the system of 1900, in which day 60 (29 February 1900) never was. */
const epochMs = Date.UTC(1899, 11, 30);
const epoch1904Ms = Date.UTC(1904, 0, 1);
/** 31 December 9999, the last that a sheet knows. */
const serialMax = 2_958_466;

/** Days since the epoch of the workbook → `2026-11-30`, `2026-11-30 09:15:00`, or `09:15:00` for a time without a day. */
export function dateText(value: string, is1904: boolean): string {
  const days = Number(value);
  if (value.trim() === '' || !Number.isFinite(days) || days < 0 || days >= serialMax) return value;
  const ms = Math.round(days * 86_400) * 1_000;
  const iso = new Date((is1904 ? epoch1904Ms : epochMs) + ms).toISOString();
  const clock = iso.slice(11, 19);
  if (days < 1 && !is1904) return clock;
  return ms % dayMs === 0 ? iso.slice(0, 10) : `${iso.slice(0, 10)} ${clock}`;
}
