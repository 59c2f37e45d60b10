import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What became of a test or proof when it ran: written by `npm test` and `npm run proof`, read by the desk of that tree. */
export interface Proved {
  readonly id: string;
  readonly kind: 'test' | 'proof';
  readonly file: string;
  readonly ok: boolean;
  /** How many tests of the file name the requirement; 1 for a proof. */
  readonly tests: number;
  readonly at: string;
  /** The commit that was checked out, or null outside of git. */
  readonly commit: string | null;
  /** Digest of the sources as they were, committed or not: a result holds for these and no others. */
  readonly tree: string;
  /** What a proof saw, or why it failed. */
  readonly seen?: string;
}

/** The root of the product that this module belongs to. */
export const productRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** Beside what else is made of the sources; not in git. */
export const provedFile = (root: string) => join(root, '.cache', 'proved.ndjson');

const sources = ['contract', 'emulators', 'scripts', 'sdk', 'src', 'test', 'web'];
const alone = ['package.json', 'package-lock.json'];
const passedOver = new Set(['node_modules', 'dist', 'pictures', '.vite']);
/** Beyond this the file is written anew with the newest line of each test and proof. */
const bytesMax = 1024 * 1024;

/** Names this state of the sources: tests included, documents not. About 50 ms. */
export function digestOfTree(root: string): string {
  const hash = createHash('sha256');
  const take = (path: string) =>
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0');
  function walk(folder: string): void {
    const entries = readdirSync(join(root, folder), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (passedOver.has(entry.name)) continue;
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) take(path);
    }
  }
  for (const folder of sources) if (existsSync(join(root, folder))) walk(folder);
  for (const file of alone) if (existsSync(join(root, file))) take(file);
  return hash.digest('hex').slice(0, 32);
}

/** Adds what was just seen. Several programs of a run may do so at once: each adds whole lines. */
export function addProved(root: string, lines: readonly Proved[]): void {
  if (lines.length === 0) return;
  const file = provedFile(root);
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  if (statSync(file).size <= bytesMax) return;
  const newest = [...readProved(root).values()];
  writeFileSync(`${file}.new`, newest.map((line) => `${JSON.stringify(line)}\n`).join(''));
  renameSync(`${file}.new`, file);
}

/** The newest result of each, by `keyOf`. Empty where nothing ran; a line that was cut off is passed over. */
export function readProved(root: string): Map<string, Proved> {
  const file = provedFile(root);
  const found = new Map<string, Proved>();
  if (!existsSync(file)) return found;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (!line.endsWith('}')) continue;
    const one = JSON.parse(line) as Proved;
    found.set(keyOf(one), one);
  }
  return found;
}

export function keyOf({ id, kind, file }: Pick<Proved, 'id' | 'kind' | 'file'>): string {
  return `${id} ${kind} ${file}`;
}
