import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';

/** A file's bytes as they go over the wire; undefined where compressing gains nothing, as with fonts and pictures. */
export interface Packed {
  gzip: Buffer | undefined;
  brotli: Buffer | undefined;
}

const packedAlready = ['.woff2', '.png', '.ico'];
const endings = { gzip: '.gz', brotli: '.br' } as const;

/** Compresses as small as it goes: half a second of a processor for 300 KB. */
export function pack(plain: Buffer, extension: string): Packed {
  if (packedAlready.includes(extension)) return { gzip: undefined, brotli: undefined };
  return {
    gzip: gzipSync(plain, { level: 9 }),
    brotli: brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  };
}

/** Writes the packed forms of every file of a folder beside it, for `packedBeside` at each later start. */
export function packFolder(folder: string): void {
  for (const name of listFiles(folder)) {
    const plain = readFileSync(join(folder, name));
    const { gzip, brotli } = pack(plain, extname(name));
    if (gzip !== undefined) writeFileSync(join(folder, name + endings.gzip), gzip);
    if (brotli !== undefined) writeFileSync(join(folder, name + endings.brotli), brotli);
  }
}

/**
 * The packed forms that lie beside a file. They are unpacked and compared, which takes a hundredth of packing: a
 * browser must never get another file than the one that is there.
 * @returns undefined when one is missing, damaged, or of another state of the file
 */
export function packedBeside(file: string, plain: Buffer): Packed | undefined {
  if (packedAlready.includes(extname(file))) return { gzip: undefined, brotli: undefined };
  try {
    const gzip = readFileSync(file + endings.gzip);
    const brotli = readFileSync(file + endings.brotli);
    return gunzipSync(gzip).equals(plain) && brotliDecompressSync(brotli).equals(plain) ? { gzip, brotli } : undefined;
  } catch {
    return undefined;
  }
}

/** The files of a folder and of those below it, without packed forms that lie beside their file; none without a folder. */
export function listFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length));
  const all = new Set(names);
  return names.filter(
    (name) => !Object.values(endings).some((e) => name.endsWith(e) && all.has(name.slice(0, -e.length))),
  );
}
