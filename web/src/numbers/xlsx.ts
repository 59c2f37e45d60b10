import { safeText } from '../../../contract/cells.ts';

/** A cell of a sheet: text, a number with the way in which the sheet shows it (a format code of Excel), or nothing. */
export type SheetCell = string | { value: number; format: string } | null;

/** Rows of a sheet, its head among them, as Excel has them. Its texts are up to 32,767 characters, ours up to 2,000. */
const rowsMax = 1_048_576;

/**
 * A table as an Excel workbook of one sheet (ECMA-376): the head bold and frozen, numbers as numbers.
 *
 * A text is marked as text, so no sheet runs it. It gets the apostrophe of our CSV all the same: a sheet that is saved
 * as CSV loses that mark, and the text would be a formula for whoever opens that file.
 * @throws Error with a sentence when a sheet cannot hold so many rows
 */
export async function workbook(
  name: string,
  head: readonly string[],
  rows: readonly (readonly SheetCell[])[],
): Promise<Blob> {
  if (rows.length >= rowsMax)
    throw new Error(`A sheet holds at most ${rowsMax - 1} rows and this list has ${rows.length}: take it as CSV.`);
  const formats = [...new Set(rows.flat().map((cell) => (typeof cell === 'object' ? cell?.format : undefined)))].filter(
    (format) => format !== undefined,
  );
  return zip([
    ['[Content_Types].xml', contentTypes],
    ['_rels/.rels', relations('officeDocument', 'xl/workbook.xml')],
    ['xl/workbook.xml', book(name)],
    ['xl/_rels/workbook.xml.rels', relations('worksheet', 'worksheets/sheet1.xml', 'styles', 'styles.xml')],
    ['xl/styles.xml', styles(formats)],
    ['xl/worksheets/sheet1.xml', sheet(head, rows, formats)],
  ]);
}

const xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const documents = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const sheets = 'application/vnd.openxmlformats-officedocument.spreadsheetml';
const contentTypes = `${xml}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${sheets}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${sheets}.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="${sheets}.styles+xml"/></Types>`;

/** Kinds and targets in turns. */
function relations(...pairs: string[]): string {
  const found: string[] = [];
  for (let at = 0; at < pairs.length; at += 2)
    found.push(`<Relationship Id="rId${at / 2 + 1}" Type="${documents}/${pairs[at]}" Target="${pairs[at + 1]}"/>`);
  return `${xml}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${found.join('')}</Relationships>`;
}

/** A sheet's name has at most 31 characters, and none that its references use. */
function book(name: string): string {
  const plain = [...name.replace(/[[\]:*?/\\']/g, ' ').trim()].slice(0, 31).join('') || 'List';
  return `${xml}<workbook ${main} xmlns:r="${documents}"><sheets><sheet name="${escaped(plain)}" sheetId="1" r:id="rId1"/></sheets></workbook>`;
}

/** The first style is plain, the second the head's, and then one for each format of numbers. */
function styles(formats: readonly string[]): string {
  const own = formats.map((format, at) => `<numFmt numFmtId="${164 + at}" formatCode="${escaped(format)}"/>`);
  const used = formats.map(
    (_, at) => `<xf numFmtId="${164 + at}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>`,
  );
  const font = '<name val="Calibri"/><family val="2"/>';
  return `${xml}<styleSheet ${main}>${formats.length === 0 ? '' : `<numFmts count="${formats.length}">${own.join('')}</numFmts>`}<fonts count="2"><font><sz val="11"/>${font}</font><font><b/><sz val="11"/>${font}</font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="${formats.length + 2}"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>${used.join('')}</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`;
}

function sheet(head: readonly string[], rows: readonly (readonly SheetCell[])[], formats: readonly string[]): string {
  const styleOf = new Map(formats.map((format, at) => [format, at + 2]));
  const lines = [head, ...rows].map((cells, row) => {
    const written = cells.map((cell, column) => {
      if (cell === null) return '';
      const place = `r="${columnName(column)}${row + 1}"`;
      if (typeof cell === 'object') return `<c ${place} s="${styleOf.get(cell.format)}"><v>${cell.value}</v></c>`;
      return `<c ${place}${row === 0 ? ' s="1"' : ''} t="inlineStr"><is><t xml:space="preserve">${escaped(safeText(cell))}</t></is></c>`;
    });
    return `<row r="${row + 1}">${written.join('')}</row>`;
  });
  const widths = `<cols><col min="1" max="1" width="48" customWidth="1"/>${head.length > 1 ? `<col min="2" max="${head.length}" width="16" customWidth="1"/>` : ''}</cols>`;
  return `${xml}<worksheet ${main}><sheetViews><sheetView tabSelected="1" workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>${widths}<sheetData>${lines.join('')}</sheetData></worksheet>`;
}

/** 0 → A, 25 → Z, 26 → AA. */
function columnName(at: number): string {
  const last = String.fromCharCode(65 + (at % 26));
  return at < 26 ? last : columnName(Math.floor(at / 26) - 1) + last;
}

const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/**
 * XML has no way to write most control characters, so the format has one of its own, `_x0007_`; a text that looks like
 * that gets its first sign written so.
 */
function escaped(text: string): string {
  return (
    text
      .toWellFormed()
      .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
      .replace(/[\0-\x08\x0b-\x1f\ufffe\uffff]/g, (sign) => `_x${sign.charCodeAt(0).toString(16).padStart(4, '0')}_`)
      .replace(/[&<>"]/g, (sign) => named[sign] as string)
  );
}

/** A ZIP (APPNOTE.TXT 4.3), packed by the browser itself. */
async function zip(files: readonly (readonly [name: string, text: string])[]): Promise<Blob> {
  const parts: BlobPart[] = [];
  const list: BlobPart[] = [];
  let at = 0;
  for (const [name, text] of files) {
    const plain = new TextEncoder().encode(text);
    const packing = new Blob([plain]).stream().pipeThrough(new CompressionStream('deflate-raw'));
    const packed = await new Response(packing).arrayBuffer();
    const title = new TextEncoder().encode(name);
    // Version 2.0, names in UTF-8, deflated, 1 January 1980, checksum, both sizes, the name's length, no extra field.
    const fields = numbers([
      ...([
        [2, 20],
        [2, 0x800],
        [2, 8],
        [2, 0],
        [2, 0x21],
        [4, crc32(plain)],
      ] as const),
      ...([
        [4, packed.byteLength],
        [4, plain.length],
        [2, title.length],
        [2, 0],
      ] as const),
    ]);
    const head = [numbers([[4, 0x0403_4b50]]), fields, title];
    parts.push(...head, packed);
    // No comment, the first disk, no attributes, and where the member begins.
    list.push(
      numbers([
        [4, 0x0201_4b50],
        [2, 20],
      ]),
      fields,
      numbers([
        [2, 0],
        [2, 0],
        [2, 0],
        [4, 0],
        [4, at],
      ]),
      title,
    );
    at += 30 + title.length + packed.byteLength;
  }
  const listBytes = new Blob(list).size;
  const end = numbers([
    ...([
      [4, 0x0605_4b50],
      [2, 0],
      [2, 0],
      [2, files.length],
      [2, files.length],
    ] as const),
    ...([
      [4, listBytes],
      [4, at],
      [2, 0],
    ] as const),
  ]);
  return new Blob([...parts, ...list, end], { type: `${sheets}.sheet` });
}

/** Numbers of so many bytes each, the lowest byte first. */
function numbers(fields: readonly (readonly [bytes: 2 | 4, value: number])[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}
