import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { withArchive } from '../imports/archive.ts';
import { writeZip } from './zip_writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-zip-'));
afterAll(() => rmSync(folder, { recursive: true }));
const contents = { first: 'a'.repeat(3_000_000), second: 'b,"ü"\r\n', empty: '', last: 'c'.repeat(70_000) };
const files = Object.entries(contents).map(([name, text]) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return { name, path, isPacked: name === 'last' };
});

/** Reads it back by what takes archives of others in. */
function read(file: string): Promise<Record<string, string>> {
  return withArchive(createReadStream(file), async ({ members }) => {
    const texts: Record<string, string> = {};
    for (const member of members) {
      const pieces: Buffer[] = [];
      for await (const piece of member.read()) pieces.push(piece);
      texts[member.name] = Buffer.concat(pieces).toString();
    }
    return texts;
  });
}

it.each([
  ['as it is', undefined, 20],
  // Only content of 60,000 bytes and more is large.
  ['with the extension for 64 bits', 0x10_0000 + 60_000, 45],
  ['with everything in the extension, places too', 2_000, 45],
])('an archive %s comes back whole, the same bytes each time', async (name, wideFrom, version) => {
  const file = join(folder, `${name}.zip`);
  const options = wideFrom === undefined ? {} : { wideFrom };
  await writeZip(file, files, options);
  expect(await read(file)).toEqual(contents);
  const bytes = readFileSync(file);
  expect(bytes.readUInt16LE(4)).toBe(version);
  expect(bytes.includes(Buffer.from('PK\x06\x06', 'latin1'))).toBe(wideFrom === 2_000);
  await writeZip(file, files, options);
  expect(readFileSync(file).equals(bytes)).toBe(true);
});

it('stops when it is called off', async () => {
  const stop = new AbortController();
  stop.abort(new Error('not wanted'));
  await expect(writeZip(join(folder, 'x.zip'), files, { signal: stop.signal })).rejects.toThrow('not wanted');
});
