import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Canary } from './canaries.ts';
import { depthMax, piecesOf } from './streams.ts';

/** A canary that was found: which, in which form, where. */
export interface Find {
  readonly canary: string;
  readonly group: string;
  readonly form: string;
  readonly file: string;
  /** What was opened to get there; '' for the file itself, 'name' when it is the file's name. */
  readonly inside: string;
  /** Too short to be evidence by itself. */
  readonly isWeak: boolean;
}

/** The same, before it is known in which file. */
type Sight = Omit<Find, 'file' | 'inside'> & { readonly inside: readonly string[] };

export interface Scan {
  readonly finds: readonly Find[];
  readonly files: number;
  /** Of the files as they are. */
  readonly bytes: number;
  /** With all that was unpacked from them; what is the same in several places is looked at and counted once. */
  readonly bytesLooked: number;
  /** Pieces that were recognised and cannot be read, by kind and file: the proof has to look there in another way. */
  readonly unread: readonly string[];
}

/**
 * Looks for every canary in every form, in all files below the folders, in what is packed in them, and in their names.
 * @param folders folders, or single files
 */
export function scan(folders: readonly string[], canaries: readonly Canary[]): Scan {
  const search = searchFor(canaries);
  const finds = new Map<string, Find>();
  const unread = new Set<string>();
  const known = new Map<string, { depth: number; sights: readonly Sight[] }>();
  let files = 0;
  let bytes = 0;
  let bytesLooked = 0;

  function look(content: Buffer, isName = false): Sight[] {
    const sights = new Map<string, Sight>();
    bytesLooked += content.length;
    search(content, (canary, form, isWeak) =>
      sights.set(`${canary.canary}\t${form}`, { ...canary, form, isWeak, inside: isName ? ['name'] : [] }),
    );
    return [...sights.values()];
  }
  function lookInto(content: Buffer, depth: number, shown: string): readonly Sight[] {
    const digest = createHash('sha256').update(content).digest('base64');
    const before = known.get(digest);
    // What was met nearer to the surface was opened at least as far.
    if (before !== undefined && before.depth <= depth) return before.sights;
    const sights = look(content);
    if (depth < depthMax)
      for (const [name, piece] of piecesOf(content, (what) => unread.add(`${what} in ${shown}`))) {
        if (name.startsWith('tar entry')) sights.push(...look(Buffer.from(name), true));
        for (const sight of lookInto(piece, depth + 1, shown))
          sights.push({ ...sight, inside: [name, ...sight.inside] });
      }
    known.set(digest, { depth, sights });
    return sights;
  }
  for (const { path, shown } of filesBelow(folders)) {
    files++;
    const content = readFileSync(path);
    bytes += content.length;
    for (const { inside, ...sight } of [...look(Buffer.from(shown), true), ...lookInto(content, 0, shown)]) {
      const find = { ...sight, file: shown, inside: inside.join(' > ') };
      const key = `${find.canary}\t${find.form}\t${shown}\t${find.inside}`;
      if (!finds.has(key)) finds.set(key, find);
    }
  }
  return { finds: [...finds.values()], files, bytes, bytesLooked, unread: [...unread] };
}

/** This many of a group's addresses, found in forms of four bytes, are no accident any more. */
export const weakFindsMin = 8;

/**
 * The finds that are evidence. Most forms say at least 48 bits, which 200 MB of noise hold once in a million scans.
 * Four bytes are different: noise of that size holds a given packed IPv4 address, in one of two orders, with a chance
 * of 9 %. So each way in uses 16 addresses, none of whose bytes is text, and their short forms count when eight or more
 * different addresses of the same way are found. By chance that happens once in 27,000 scans of pure noise; a store that
 * keeps addresses holds all sixteen. What does not count is returned too.
 */
export function leaked(finds: readonly Find[]): { certain: readonly Find[]; chance: readonly Find[] } {
  const weak = finds.filter(({ isWeak }) => isWeak);
  const countOf = (group: string) =>
    new Set(weak.filter((find) => find.group === group).map(({ canary }) => canary)).size;
  const guilty = new Set(
    [...new Set(weak.map(({ group }) => group))].filter((group) => countOf(group) >= weakFindsMin),
  );
  const isCertain = ({ isWeak, group }: Find) => !isWeak || guilty.has(group);
  return { certain: finds.filter(isCertain), chance: finds.filter((find) => !isCertain(find)) };
}

/** The first finds as a sentence for a person. */
export function sentenceOf(finds: readonly Find[]): string {
  const told = finds.slice(0, 3).map(({ canary, form, file, inside }) => {
    const where = inside === '' ? file : inside === 'name' ? `the name ${file}` : `${file} (${inside})`;
    return `${canary} as ${form} in ${where}`;
  });
  return `${told.join('; ')}${finds.length > told.length ? ` and ${finds.length - told.length} more` : ''}`;
}

export function* filesBelow(folders: readonly string[]): Generator<{ path: string; shown: string }> {
  for (const folder of folders) {
    if (!lstatSync(folder).isDirectory()) {
      yield { path: folder, shown: folder };
      continue;
    }
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) yield { path, shown: relative(folder, path) };
    }
  }
}

type Told = (canary: { canary: string; group: string }, form: string, isWeak: boolean) => void;

/** All patterns at once: their first four bytes are looked up at each place, and what begins like one is compared. */
function searchFor(canaries: readonly Canary[]): (bytes: Buffer, found: Told) => void {
  type Pattern = { canary: string; group: string; form: string; bytes: Buffer; isWeak: boolean };
  const byStart = new Map<number, Pattern[]>();
  const filter = new Uint8Array(2 ** (32 - filterShift));
  for (const { name, group, forms } of canaries)
    for (const form of forms) {
      const start = form.bytes.readInt32LE(0);
      const pattern = { canary: name, group, form: form.name, bytes: form.bytes, isWeak: form.isWeak === true };
      byStart.set(start, [...(byStart.get(start) ?? []), pattern]);
      filter[Math.imul(start, filterFactor) >>> filterShift] = 1;
    }
  return (bytes, found) => {
    if (bytes.length < 4) return;
    let start = bytes.readInt32LE(0);
    for (let at = 0; ; ) {
      if (filter[Math.imul(start, filterFactor) >>> filterShift] === 1)
        for (const pattern of byStart.get(start) ?? [])
          if (bytes.compare(pattern.bytes, 0, undefined, at, Math.min(at + pattern.bytes.length, bytes.length)) === 0)
            found(pattern, pattern.form, pattern.isWeak);
      if (++at + 4 > bytes.length) return;
      start = (start >>> 8) | ((bytes[at + 3] as number) << 24);
    }
  };
}
const filterFactor = 0x9e3779b1;
const filterShift = 10;
