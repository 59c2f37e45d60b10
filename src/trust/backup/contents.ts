import { createHash, type Hash } from 'node:crypto';
import { BackupError } from './backup_error.ts';
import type { SealedEntry } from './sealed_file.ts';

/** What a backup is called, and what the copy of the key store is called, of which there is one. */
export const wholeName = /^fairlead-(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z\.backup$/;
export const keysName = 'fairlead-keys.backup';

/**
 * Tables whose rows are in no backup, and why. Of the schema `vault` the copy of the key store has what is needed, and goes
 * its own way: a key that is destroyed is gone for every older backup when that copy is next written.
 */
export const notCopied: Readonly<Record<string, string>> = {
  'public.sessions': 'who was signed in signs in again: a copy of a session is not worth a second way in',
  'public.sign_in_steps': 'they live ten minutes',
  'public.taken_links': 'they live five minutes',
  'public.connection_steps': 'they live ten minutes',
  'public.one_time_tokens': 'links of mails that were sent for an hour or a day; new ones are asked for',
  'public.throttles': 'they count failures of the last hours',
  'public.set_up': 'the code of a first start; a restored desk has an owner',
  'public.installation': 'it names the root key, and a restored desk has its own',
  'public.exports': 'their files are not copied; an export is asked for again',
  'public.backups': 'what came of backups on the machine that is lost',
  'vault.roots': 'a restored desk has a root of its own',
  'vault.owner_keys': 'in the copy of the key store',
  'vault.subject_keys': 'in the copy of the key store',
  'vault.destroyed_owners': 'in the copy of the key store',
};

export interface Manifest {
  form: 1;
  kind: 'whole' | 'keys';
  /** The moment that was copied, ISO 8601. */
  made_at: string;
  /** Of the desk that made it. */
  version: string;
  migrations: { postgres: string[]; warehouse: string[] };
}

/** Stands at the end: what the entries before it were. */
export interface Closing {
  tables: Record<string, { rows: number; digest: string }>;
  files: number;
  file_bytes: number;
  /** Over names and bytes of the files, in their order. */
  files_digest: string;
}

/** Counts what is written, and what is read, to the same closing. */
export function openTally() {
  const tables = new Map<string, { rows: number; hash: Hash }>();
  const files = createHash('sha256');
  let fileCount = 0;
  let fileBytes = 0;
  return {
    rows(table: string, texts: readonly string[]) {
      const found = tables.get(table) ?? { rows: 0, hash: createHash('sha256') };
      tables.set(table, found);
      found.rows += texts.length;
      for (const text of texts) found.hash.update(text).update('\n');
    },
    file(name: string, size: number) {
      fileCount += 1;
      fileBytes += size;
      files.update(`${name}\n${size}\n`);
    },
    bytes(part: Buffer) {
      files.update(part);
    },
    closing: (): Closing => ({
      tables: Object.fromEntries(
        [...tables].map(([table, { rows, hash }]) => [table, { rows, digest: hash.copy().digest('hex') }]),
      ),
      files: fileCount,
      file_bytes: fileBytes,
      files_digest: files.copy().digest('hex'),
    }),
  };
}

/** What somebody does with the entries of a backup as they come. Absent: they are checked alone. */
export interface Visitor {
  rows?(table: string, texts: string[]): Promise<void>;
  file?(name: string, body: AsyncIterable<Buffer>): Promise<void>;
  other?(name: string, value: unknown): Promise<void>;
}

/**
 * Goes through a backup, and holds what was read against the counts and digests at its end.
 * @param file as a sentence names it
 * @throws BackupError when something is missing or another
 */
export async function walk(
  entries: AsyncGenerator<SealedEntry>,
  file: string,
  visitor: Visitor = {},
): Promise<{ manifest: Manifest; closing: Closing; entries: number }> {
  const tally = openTally();
  let manifest: Manifest | undefined;
  let closing: Closing | undefined;
  let count = 0;
  for await (const { name, size, body } of entries) {
    count += 1;
    const [kind, rest] = split(name);
    if (kind === 'file') {
      tally.file(rest, size);
      const counted = async function* () {
        for await (const part of body) {
          tally.bytes(part);
          yield part;
        }
      };
      const all = counted();
      await visitor.file?.(rest, all);
      for await (const _ of all);
      continue;
    }
    const value = JSON.parse((await whole(body)).toString('utf8')) as unknown;
    if (kind === 'manifest') manifest = value as Manifest;
    else if (kind === 'closing') closing = value as Closing;
    else if (kind === 'rows') {
      tally.rows(rest, value as string[]);
      await visitor.rows?.(rest, value as string[]);
    } else await visitor.other?.(name, value);
  }
  if (manifest === undefined || closing === undefined || JSON.stringify(closing) !== JSON.stringify(tally.closing()))
    throw new BackupError(
      `The backup ${file} is not whole: its counts do not fit what it holds. Use another backup. Nothing was changed.`,
    );
  return { manifest, closing, entries: count };
}

function split(name: string): [string, string] {
  const at = name.indexOf(' ');
  return at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
}

async function whole(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}
