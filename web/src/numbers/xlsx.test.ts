import { crc32, inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { workbook } from './xlsx.ts';

/** The members of an archive, each checked against its checksum. */
async function members(file: Blob): Promise<Record<string, string>> {
  const archive = Buffer.from(await file.arrayBuffer());
  const found: Record<string, string> = {};
  let at = archive.readUInt32LE(archive.length - 6);
  for (let left = archive.readUInt16LE(archive.length - 12); left > 0; left--) {
    expect(archive.readUInt32LE(at)).toBe(0x0201_4b50);
    const nameBytes = archive.readUInt16LE(at + 28);
    const head = archive.readUInt32LE(at + 42);
    expect(archive.readUInt32LE(head)).toBe(0x0403_4b50);
    const packed = archive.subarray(head + 30 + nameBytes, head + 30 + nameBytes + archive.readUInt32LE(at + 20));
    const content = inflateRawSync(packed);
    expect([content.length, crc32(content)]).toEqual([archive.readUInt32LE(at + 24), archive.readUInt32LE(at + 16)]);
    found[archive.toString('utf8', at + 46, at + 46 + nameBytes)] = content.toString();
    at += 46 + nameBytes;
  }
  expect(archive.readUInt32LE(at)).toBe(0x0605_4b50);
  return found;
}
const count = (value: number) => ({ value, format: '#,##0' });

test('numbers are numbers in their format, the head is bold and stays', async () => {
  const file = await workbook(
    'Pages [all]/*',
    ['Page', 'Views', 'Share'],
    [
      ['/a', count(1_204), { value: 0.382, format: '0.0%' }],
      ['/b', count(0), null],
    ],
  );
  expect(file.type).toBe('application/vnd.openxmlformats-officedocument.spreadsheetml.sheet');
  const parts = await members(file);
  expect(Object.keys(parts)[0]).toBe('[Content_Types].xml');
  expect(parts['xl/workbook.xml']).toContain('<sheet name="Pages  all"');
  const sheet = parts['xl/worksheets/sheet1.xml'] ?? '';
  expect(sheet).toContain('<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>');
  expect(sheet).toContain('<c r="B1" s="1" t="inlineStr"><is><t xml:space="preserve">Views</t></is></c>');
  expect(sheet).toContain('<c r="B2" s="2"><v>1204</v></c><c r="C2" s="3"><v>0.382</v></c>');
  expect(sheet).toContain('<c r="B3" s="2"><v>0</v></c></row>');
  expect(parts['xl/styles.xml']).toContain('<numFmt numFmtId="165" formatCode="0.0%"/>');
});

test('a text is never a formula, neither here nor in a CSV that a sheet makes of it, and comes back as it is', async () => {
  const texts = ['=HYPERLINK("x")', '@a', '-12.5', 'a\tb\u0007c', '_x0041_', '<b>&"</b>', 'a\ud800b', ' x ', '😀'];
  const sheet = (
    await members(
      await workbook(
        'x',
        ['Name'],
        texts.map((text) => [text]),
      ),
    )
  )['xl/worksheets/sheet1.xml'];
  expect(sheet).not.toContain('<f>');
  const cells = [...(sheet ?? '').matchAll(/<t xml:space="preserve">([^<]*)<\/t>/g)].map(([, cell = '']) =>
    cell
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&')
      .replace(/_x([0-9a-fA-F]{4})_/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))),
  );
  expect(cells.slice(1)).toEqual([
    ...['\'=HYPERLINK("x")', "'@a", '-12.5', 'a\tb\u0007c', '_x0041_', '<b>&"</b>', 'a\ufffdb', ' x ', '😀'],
  ]);
});

test('columns go on behind Z, and a sheet that would be too long is refused', async () => {
  const head = Array.from({ length: 28 }, (_, at) => `c${at}`);
  const sheet = (await members(await workbook('x', head, [])))['xl/worksheets/sheet1.xml'];
  expect(sheet).toMatch(/r="Z1".*r="AA1".*r="AB1"/);
  await expect(workbook('x', ['a'], new Array(1_048_576).fill([null]))).rejects.toThrow('take it as CSV');
});
