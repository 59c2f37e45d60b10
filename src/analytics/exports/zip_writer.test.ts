import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { withArchive } from '../../platform/files/archive.ts';
import { systemRandom } from '../../platform/random.ts';
import { plainForm } from './form.ts';
import { sealedForm } from './sealed_file.ts';
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

it('an archive that is sealed while it is written opens as the one that is not, over parts, and nothing of it lies plain', async () => {
  const form = sealedForm({ of: 'organisation archive', id: 7, key: Buffer.alloc(32, 1) }, systemRandom);
  const noise = systemRandom.bytes(2_500_000).toString('base64');
  const sources = await Promise.all(
    Object.entries({ ...contents, noise, 'noise again': `${noise}x` }).map(async ([name, text]) => {
      const [plain, sealed] = [join(folder, name), join(folder, `${name}.sealed`)];
      const isPacked = name.startsWith('noise');
      writeFileSync(plain, text);
      if (isPacked) {
        const placed = await form.place(sealed);
        await placed.write(Buffer.from(text), 0);
        await placed.end();
        await placed.close();
      } else writeFileSync(sealed, Buffer.concat([form.kept(text.slice(0, 5)), form.kept(text.slice(5))]));
      return { name, plain, sealed, isPacked };
    }),
  );
  const [plain, sealed] = [join(folder, 'plain.zip'), join(folder, 'sealed.zip')];
  await writeZip(
    plain,
    sources.map((one) => ({ ...one, path: one.plain })),
  );
  await writeZip(
    sealed,
    sources.map((one) => ({ ...one, path: one.sealed })),
    { form },
  );
  const whole = async (pieces: AsyncIterable<Buffer>) => {
    const all: Buffer[] = [];
    for await (const piece of pieces) all.push(piece);
    return Buffer.concat(all);
  };
  expect((await whole(form.readPlaced(sealed))).equals(await whole(plainForm.read(plain)))).toBe(true);
  for (const word of ['first', 'noise again', noise.slice(0, 20)])
    expect(readFileSync(sealed).includes(word), word).toBe(false);
});

it('stops when it is called off', async () => {
  const stop = new AbortController();
  stop.abort(new Error('not wanted'));
  await expect(writeZip(join(folder, 'x.zip'), files, { signal: stop.signal })).rejects.toThrow('not wanted');
});
