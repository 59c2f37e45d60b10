import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';
import { destinationClickIds } from '../contract/destinations.ts';

/** Optional chaining is the newest syntax: Chrome 80, Firefox 74, Safari 13.1. An older browser runs nothing of it. */
const target = 'es2020';
const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url));

export interface Size {
  raw: number;
  /** Level 9. */
  gzip: number;
  /** Quality 11. */
  brotli: number;
}

/** The script as it is served at `/js/fairlead.js`, with its sizes in bytes. Touches no file but the sources. */
export const buildTracker = async (): Promise<{ code: string; bytes: Size }> => {
  const code = await bundle('src/tracker.ts', 'iife');
  return { code, bytes: sizeOf(code) };
};

/** What the script loads where a tag says `data-persistence="storage"`: a module, served at `/js/fairlead-storage.js`. */
export const buildStorage = async (): Promise<{ code: string; bytes: Size }> => {
  const code = await bundle('src/storage.ts', 'esm');
  return { code, bytes: sizeOf(code) };
};

/** What the script loads where a tag says `data-pixels`: a module, served at `/js/fairlead-pixels.js`. */
export const buildPixels = async (): Promise<{ code: string; bytes: Size }> => {
  const code = await bundle('src/pixels.ts', 'esm');
  return { code, bytes: sizeOf(code) };
};

/** What npm publishes: by entry, one module and the types that TypeScript writes for it. */
const packageEntries = { index: 'src/index.ts', pixels: 'src/pixels_package.ts' } as const;
const buildPackage = async () => {
  for (const [name, entry] of Object.entries(packageEntries))
    await writeFile(pathOf(`dist/${name}.js`), await bundle(entry, 'esm'));
  const types = ['--declaration', '--emitDeclarationOnly', '--noEmit', 'false', '--rootDir', pathOf('src')];
  const compiler = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')));
  await promisify(execFile)(process.execPath, [
    compiler,
    ...['--ignoreConfig', '--strict', '--target', target, '--module', 'esnext', '--moduleResolution', 'bundler'],
    ...['--lib', 'esnext,dom,dom.iterable', '--types', '', '--allowImportingTsExtensions'],
    ...types,
    ...['--outDir', pathOf('dist'), ...Object.values(packageEntries).map(pathOf)],
  ]);
  // A declaration file keeps the `.ts` endings of its source, which resolve only where the sources are.
  for (const file of (await readdir(pathOf('dist'))).filter((name) => name.endsWith('.d.ts'))) {
    const text = await readFile(pathOf(`dist/${file}`), 'utf8');
    await writeFile(pathOf(`dist/${file}`), text.replaceAll(/(from '\.\/\w+)\.ts'/g, "$1.js'"));
  }
};

/**
 * esbuild joins the files, terser makes them small: about 40 bytes smaller in brotli than esbuild alone. No unsafe
 * transformation is on, because each was measured to save nothing, and no property is renamed.
 */
const bundle = async (entry: string, format: 'iife' | 'esm'): Promise<string> => {
  const joined = await build({
    entryPoints: [pathOf(entry)],
    bundle: true,
    write: false,
    format,
    target,
    charset: 'utf8',
    logLevel: 'silent',
  });
  // In a regular expression's own text, since one that is put together when it runs is longer.
  const source = (joined.outputFiles[0]?.text ?? '').replaceAll(
    '|__CLICK_IDS__',
    destinationClickIds.map((name) => `|${name}`).join(''),
  );
  const { code } = await minify(source, {
    ecma: 2020,
    module: format === 'esm',
    compress: { passes: 3 },
    format: { comments: false },
  });
  if (!code) throw new Error(`terser made nothing of ${entry}: look at what esbuild made of it.`);
  return code;
};

const sizeOf = (code: string): Size => ({
  raw: Buffer.byteLength(code),
  gzip: gzipSync(code, { level: 9 }).length,
  brotli: brotliCompressSync(code, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: Buffer.byteLength(code) },
  }).length,
});

if (import.meta.main) {
  await mkdir(pathOf('dist'), { recursive: true });
  const files = {
    'fairlead.js': buildTracker,
    'fairlead-storage.js': buildStorage,
    'fairlead-pixels.js': buildPixels,
  };
  for (const [file, make] of Object.entries(files)) {
    const { code, bytes } = await make();
    await writeFile(pathOf(`dist/${file}`), code);
    process.stdout.write(`dist/${file}  raw ${bytes.raw}  gzip ${bytes.gzip}  brotli ${bytes.brotli} bytes\n`);
  }
  // What npm publishes beside the script; a desk that serves the script needs none of it.
  if (process.argv.includes('--package')) await buildPackage();
}
