import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createGunzip } from 'node:zlib';

/** A value that must not be found, in the forms in which a store might keep it. */
export interface Canary {
  what: string;
  forms: readonly Buffer[];
}

/** Text, UTF-16, base64 at its three alignments, hex, and for an address its packed bytes. */
export function canaryOf(what: string, text: string, packed?: Buffer): Canary {
  const plain = [Buffer.from(text), ...(packed === undefined ? [] : [packed])];
  return {
    what,
    forms: [
      ...plain,
      Buffer.from(text, 'utf16le'),
      ...plain.flatMap((bytes) => [Buffer.from(bytes.toString('hex')), ...base64Forms(bytes)]),
    ],
  };
}

/** Within base64 of something longer the value begins at one of three places; what its neighbours decide is cut off. */
function base64Forms(bytes: Buffer): Buffer[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replaceAll('=', '');
    const from = [0, 2, 3][before] as number;
    return Buffer.from(text.slice(from, text.length - 1));
  });
}

export interface Scanned {
  files: number;
  bytes: number;
  /** Files that this user may not read. */
  closed: number;
  /** What was found, and in which file. */
  found: { what: string; file: string }[];
}

/**
 * Searches every file below the folders that was written since the canaries came in: a value that is new cannot be in an
 * older one. What is compressed by gzip is unpacked; blocks of the warehouse are not (docs/guides/proofs.md).
 * @param sinceMs by the clock of the file system
 */
export async function scanFolders(
  folders: readonly string[],
  sinceMs: number,
  canaries: readonly Canary[],
): Promise<Scanned> {
  const seen: Scanned = { files: 0, bytes: 0, closed: 0, found: [] };
  const longest = Math.max(...canaries.flatMap(({ forms }) => forms.map((form) => form.length)));
  async function search(file: string, name: string): Promise<void> {
    const found = new Set<string>();
    let rest = Buffer.alloc(0);
    const stream = file.endsWith('.gz') ? createReadStream(file).pipe(createGunzip()) : createReadStream(file);
    for await (const piece of stream as AsyncIterable<Buffer>) {
      seen.bytes += piece.length;
      const bytes = Buffer.concat([rest, piece]);
      for (const { what, forms } of canaries) if (forms.some((form) => bytes.includes(form))) found.add(what);
      rest = bytes.subarray(Math.max(0, bytes.length - longest + 1));
    }
    for (const what of found) seen.found.push({ what, file: name });
  }
  for (const folder of new Set(folders))
    for (const entry of list(folder)) {
      const path = join(entry.parentPath, entry.name);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat === undefined || !stat.isFile() || stat.mtimeMs < sinceMs) continue;
      seen.files++;
      try {
        await search(path, relative(folder, path));
      } catch (error) {
        // A file that went away in between, as the stores merge theirs, holds nothing any more.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') seen.closed++;
      }
    }
  return seen;
}

function list(folder: string) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  } catch {
    return [];
  }
}
