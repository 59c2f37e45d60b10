import { hkdfSync } from 'node:crypto';
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { writePrivateFile } from '../../platform/private_file.ts';

export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

export const rootBytes = 32;
/** The first form: one root and nothing else. */
const oneRoot = 'fairlead-key-1';
/** The form since roots can be changed: a line each, its fingerprint in front, oldest first. */
const manyRoots = 'fairlead-key-2';
/**
 * The form of a restored desk: a root that was made for it, and keys of single purposes that its backup brought along. They
 * stand in the place of what the root would give, so that passwords and API keys hold though the former root is gone.
 */
const rootsAndCarried = 'fairlead-key-3';
/** Every root is tried in no way but by its id, so this is only against a file that is none of ours. */
const rootsMax = 100;

export interface Root {
  /** 16 hex digits; reveals nothing of the root. */
  id: string;
  bytes: Buffer;
}

export function rootOf(bytes: Buffer): Root {
  return {
    id: Buffer.from(hkdfSync('sha256', bytes, Buffer.alloc(0), 'fairlead/1/fingerprint', 8)).toString('hex'),
    bytes,
  };
}

/** @throws KeyFileError when it is no text of ours, with what to do */
export function readRoots(file: string): Root[] {
  const text = readText(file);
  const head = text.split('\n', 1)[0] ?? '';
  const newer = /^fairlead-key-(\d+)$/.exec(head)?.[1];
  if (newer !== undefined && ![oneRoot, manyRoots, rootsAndCarried].includes(head))
    throw new KeyFileError(
      `The key file ${file} is of version ${newer}, and this Fairlead reads 1 to 3: a newer one wrote it. Start that version. Nothing was changed.`,
    );
  const roots = parseRoots(text);
  if (roots === undefined)
    throw new KeyFileError(
      `The key file ${file} cannot be read: it is damaged or was made by another version. Put back a copy of it. Nothing was changed.`,
    );
  return roots;
}

/** @returns undefined for a text of another form, or one that was damaged */
export function parseRoots(text: string): Root[] | undefined {
  const [head, ...lines] = text.split('\n');
  if (head === oneRoot) {
    const root = decode(lines[0] ?? '');
    return root === undefined ? undefined : [rootOf(root)];
  }
  if (head !== manyRoots && head !== rootsAndCarried) return undefined;
  const isCarried = (line: string) => line.startsWith(carriedWord);
  // One that is lost would shut everybody out, without a word on why.
  if (parseCarried(text).size !== lines.filter(isCarried).length) return undefined;
  const roots: Root[] = [];
  for (const line of lines.filter((one) => one !== '' && !isCarried(one))) {
    const [id, body = ''] = line.split(' ');
    const bytes = decode(body);
    if (bytes === undefined || rootOf(bytes).id !== id) return undefined;
    roots.push(rootOf(bytes));
  }
  return roots.length === 0 || roots.length > rootsMax || hasTwins(roots) ? undefined : roots;
}

const carriedWord = 'carried ';

/** Keys by purpose that a backup brought; none in a file of the older forms, and none of a line that cannot be read. */
export function parseCarried(text: string): Map<string, Buffer> {
  const carried = new Map<string, Buffer>();
  if (!text.startsWith(`${rootsAndCarried}\n`)) return carried;
  for (const line of text.split('\n').filter((one) => one.startsWith(carriedWord))) {
    const [purpose = '', body = ''] = line.slice(carriedWord.length).split(' ');
    const bytes = decode(body);
    if (bytes !== undefined) carried.set(purpose, bytes);
  }
  return carried;
}

/** @throws KeyFileError */
export function readCarried(file: string): Map<string, Buffer> {
  return parseCarried(readText(file));
}

/** Roots as an environment variable holds them: each in base64, commas or line ends between them, oldest first. */
export function parseBareRoots(text: string): Root[] | undefined {
  if (text.startsWith('fairlead-key-')) return parseRoots(text);
  const roots = text
    .split(/[\s,]+/)
    .filter((one) => one !== '')
    .map(decode);
  if (roots.length === 0 || roots.length > rootsMax || roots.includes(undefined)) return undefined;
  const found = (roots as Buffer[]).map(rootOf);
  return hasTwins(found) ? undefined : found;
}

/** The first form while there is one root, so that a version from before rotation reads it too. */
export function writeRoots(
  file: string,
  roots: readonly Root[],
  carried: ReadonlyMap<string, Buffer> = new Map(),
): void {
  const [first, ...more] = roots;
  if (carried.size > 0) {
    const lines = [
      ...roots.map(({ id, bytes }) => `${id} ${bytes.toString('base64')}`),
      ...[...carried].map(([purpose, bytes]) => `${carriedWord}${purpose} ${bytes.toString('base64')}`),
    ];
    writeDurably(file, `${rootsAndCarried}\n${lines.join('\n')}\n`);
    return;
  }
  writeDurably(
    file,
    first !== undefined && more.length === 0
      ? `${oneRoot}\n${first.bytes.toString('base64')}\n`
      : `${manyRoots}\n${roots.map(({ id, bytes }) => `${id} ${bytes.toString('base64')}\n`).join('')}`,
  );
}

export function writeDurably(file: string, text: string): void {
  const next = `${file}.new`;
  rmSync(next, { force: true });
  writePrivateFile(next, text);
  renameSync(next, file);
}

function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === rootBytes && bytes.toString('base64') === text ? bytes : undefined;
}

function hasTwins(roots: readonly Root[]): boolean {
  return new Set(roots.map(({ id }) => id)).size !== roots.length;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new KeyFileError(
      `The key file ${file} cannot be read by this user (${(error as NodeJS.ErrnoException).code}). Give it to the user that runs Fairlead, with mode 600. Nothing was changed.`,
    );
  }
}
