import { zipOf } from './zip_rig.ts';

/** A cell of a workbook that a test makes. @property style 0 = general, 1 = a date of the sheet, 2 = a format of its own */
export type RigCell = string | number | boolean | null | { readonly xml: string };

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** `B7` for column 1 of row 7. */
export function placeOf(column: number, row: number): string {
  let letters = '';
  for (let left = column + 1; left > 0; left = Math.floor((left - 1) / 26))
    letters = String.fromCharCode(65 + ((left - 1) % 26)) + letters;
  return `${letters}${row}`;
}

/** A workbook as ECMA-376 describes it, written from that and not from the reader: texts in the shared table. For tests. */
export function xlsxOf(
  sheets: Readonly<Record<string, readonly (readonly RigCell[])[]>>,
  { is1904 = false, hidden = [] }: { is1904?: boolean; hidden?: readonly string[] } = {},
): Buffer {
  const texts = new Map<string, number>();
  const cellOf = (cell: RigCell, place: string): string => {
    if (cell === null) return '';
    if (typeof cell === 'object') return cell.xml.replace('<c', `<c r="${place}"`);
    if (typeof cell === 'number') return `<c r="${place}"><v>${cell}</v></c>`;
    if (typeof cell === 'boolean') return `<c r="${place}" t="b"><v>${cell ? 1 : 0}</v></c>`;
    const at = texts.get(cell) ?? texts.size;
    texts.set(cell, at);
    return `<c r="${place}" t="s"><v>${at}</v></c>`;
  };
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
  const links = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
  const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
  const names = Object.keys(sheets);
  const members = names.map((name, at) => {
    const rows = (sheets[name] ?? []).map(
      (cells, row) =>
        `<row r="${row + 1}">${cells.map((cell, column) => cellOf(cell, placeOf(column, row + 1))).join('')}</row>`,
    );
    return {
      name: `xl/worksheets/sheet${at + 1}.xml`,
      text: `${head}<worksheet xmlns="${main}"><dimension ref="A1"/><sheetData>${rows.join('')}</sheetData></worksheet>`,
    };
  });
  return zipOf([
    {
      name: 'xl/workbook.xml',
      text: `${head}<workbook xmlns="${main}" xmlns:r="${links}"><workbookPr${is1904 ? ' date1904="1"' : ''}/><sheets>${names
        .map(
          (name, at) =>
            `<sheet name="${escaped(name)}" sheetId="${at + 1}"${hidden.includes(name) ? ' state="hidden"' : ''} r:id="rId${at + 1}"/>`,
        )
        .join('')}</sheets></workbook>`,
    },
    {
      name: 'xl/_rels/workbook.xml.rels',
      text: `${head}<Relationships>${names
        .map((_, at) => `<Relationship Id="rId${at + 1}" Type="x" Target="worksheets/sheet${at + 1}.xml"/>`)
        .join('')}</Relationships>`,
    },
    {
      name: 'xl/styles.xml',
      text: `${head}<styleSheet xmlns="${main}"><numFmts count="2"><numFmt numFmtId="164" formatCode="dd/mm/yyyy\\ hh:mm"/><numFmt numFmtId="165" formatCode="&quot;day&quot;\\ 0.00"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>`,
    },
    ...members,
    {
      name: 'xl/sharedStrings.xml',
      text: `${head}<sst xmlns="${main}">${[...texts.keys()].map((text) => `<si><t xml:space="preserve">${escaped(text)}</t></si>`).join('')}</sst>`,
    },
  ]);
}
