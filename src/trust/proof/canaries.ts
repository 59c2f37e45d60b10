import { createReadStream, readdirSync, statSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type Clock, systemClock } from '../../platform/clock.ts';
import type { SealedFolder } from '../../platform/sealed_folder.ts';
import { isPacked, lookInside, type Search } from './look_inside.ts';

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
  /** Of these, those that were sealed or packed and were looked into. */
  opened: number;
  /** Sealed ones that nobody opened: another's, not whole yet, of no row, or damaged. */
  sealed: number;
  /** Packed ones that were not unpacked, or not all of them: they were searched as they lie. */
  packed: number;
  /** Sealed or packed ones that were not looked through to their end, because the scan had its time or its bytes. */
  cut: number;
  /** Files that this user may not read. */
  closed: number;
  /** What was found, and in which file. */
  found: { what: string; file: string }[];
}

/** What a scan may spend on what it opens; files that lie as they are, are searched whatever they take. */
const scanLimits = { ms: 20_000, bytes: 4_000_000_000 };

export interface ScanOptions {
  /** What a sealed file says; undefined for one that nobody opens, 'plain' for one that is not sealed. */
  open?: (path: string) => Promise<AsyncIterable<Buffer> | undefined> | 'plain';
  clock?: Pick<Clock, 'monotonic'>;
  limits?: { ms: number; bytes: number };
}

class LimitReached extends Error {}

/**
 * Searches every file below the folders that was written since the canaries came in: a value that is new cannot be in an
 * older one. What is gzip, zstd or ZIP is unpacked, and what is sealed is opened by who seals it, within limits; blocks of
 * the warehouse are counted as packed (docs/guides/proofs.md).
 * @param sinceMs by the clock of the file system
 */
export async function scanFolders(
  folders: readonly string[],
  sinceMs: number,
  canaries: readonly Canary[],
  { open = () => 'plain', clock = systemClock, limits = scanLimits }: ScanOptions = {},
): Promise<Scanned> {
  const seen: Scanned = { files: 0, bytes: 0, opened: 0, sealed: 0, packed: 0, cut: 0, closed: 0, found: [] };
  const longest = Math.max(...canaries.flatMap(({ forms }) => forms.map((form) => form.length)));
  const began = clock.monotonic();
  let openedBytes = 0;
  const isSpent = () => openedBytes > limits.bytes || clock.monotonic() - began > limits.ms;

  /** One behind the other: a value may lie over the edge of two pieces. */
  function searchFor(found: Set<string>): Search {
    let rest = Buffer.alloc(0);
    return (piece) => {
      seen.bytes += piece.length;
      const bytes = Buffer.concat([rest, piece]);
      for (const { what, forms } of canaries) if (forms.some((form) => bytes.includes(form))) found.add(what);
      rest = bytes.subarray(Math.max(0, bytes.length - longest + 1));
    };
  }
  function limited(search: Search): Search {
    return (piece) => {
      openedBytes += piece.length;
      if (isSpent()) throw new LimitReached();
      search(piece);
    };
  }
  /** @returns whether it was looked into to its end */
  async function inside(
    source: AsyncIterable<Buffer>,
    found: Set<string>,
    kind: 'sealed' | 'packed',
  ): Promise<boolean> {
    if (isSpent()) {
      seen.cut++;
      return false;
    }
    try {
      const { unopened } = await lookInside(source, () => limited(searchFor(found)));
      seen.opened++;
      if (unopened) seen.packed++;
      return !unopened;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
      seen[error instanceof LimitReached ? 'cut' : kind]++;
      return false;
    }
  }
  async function search(file: string, name: string): Promise<void> {
    const found = new Set<string>();
    const opening = open(file);
    if (opening !== 'plain') {
      const said = await opening.catch(() => undefined);
      if (said === undefined) seen.sealed++;
      else await inside(said, found, 'sealed');
    } else {
      const packed = packedAs(await frontOf(file));
      if (packed === 'warehouse') seen.packed++;
      // As it lies, too, where it was not unpacked whole: what is stored in it plainly is seen that way.
      if (packed !== 'unpackable' || !(await inside(createReadStream(file), found, 'packed'))) {
        const whole = searchFor(found);
        for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) whole(piece);
      }
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

/** How the files of a data directory are opened by the parts of the desk that seal them. */
export function openerOf(dataDir: string, sealed: readonly SealedFolder[], organisationId?: number) {
  return (path: string): ReturnType<NonNullable<ScanOptions['open']>> => {
    const [folder = '', ...name] = relative(dataDir, path).split(sep);
    const found = sealed.find((one) => one.folder === folder);
    return found === undefined ? 'plain' : found.open(name.join('/'), organisationId);
  };
}

async function frontOf(file: string): Promise<Buffer> {
  const handle = await openFile(file);
  try {
    const front = Buffer.alloc(25);
    return front.subarray(0, (await handle.read(front, 0, front.length, 0)).bytesRead);
  } finally {
    await handle.close();
  }
}

/** A block of ClickHouse: a digest of 16 bytes, how it is packed (LZ4, ZSTD, several), its lengths packed and unpacked. */
function packedAs(front: Buffer): 'unpackable' | 'warehouse' | undefined {
  if (isPacked(front)) return 'unpackable';
  if (front.length < 25 || ![0x82, 0x90, 0x91].includes(front[16] as number)) return undefined;
  const [packed, plain] = [front.readUInt32LE(17), front.readUInt32LE(21)];
  return packed > 9 && packed < 1 << 27 && plain > 0 && plain < 1 << 27 ? 'warehouse' : undefined;
}

function list(folder: string) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  } catch {
    return [];
  }
}
