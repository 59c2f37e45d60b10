import { createHmac, hkdfSync } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writePrivateFile } from '../../platform/private_file.ts';
import type { Random } from '../../platform/random.ts';
import type { KeyPurpose, KeyRing } from '../../platform/subject.ts';

export { openSeal, type Seal } from './seal.ts';
export type { KeyRing };

export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

const rootBytes = 32;
const headLine = 'fairlead-key-1';

/**
 * The root of every secret of this installation is 32 random bytes in one 0600 file beside the data directory,
 * never inside it, so that a copy of the data is worth nothing without a second theft. Purposes get keys of
 * their own by HKDF; the root itself is used for nothing else.
 *
 * Opens the key file, or makes it on the very first start. The data directory remembers the fingerprint of the
 * key it was written under: a missing or different key file stops the start instead of quietly making a new one,
 * because sealed data would be lost at that moment.
 * @throws KeyFileError with the fact and the next step.
 */
export function openKeyRing(options: { keyFile: string; dataDir: string; random: Random }): KeyRing {
  const memory = join(options.dataDir, 'key.fingerprint');
  const remembered = existsSync(memory) ? readFileSync(memory, 'utf8').trim() : undefined;
  if (!existsSync(options.keyFile)) {
    if (remembered !== undefined)
      throw new KeyFileError(
        `The key file ${options.keyFile} is missing, and the data in ${options.dataDir} was written under the key ${remembered}. Put that file back, or name it in FAIRLEAD_KEY_FILE. Nothing was changed.`,
      );
    mkdirSync(dirname(options.keyFile), { recursive: true, mode: 0o700 });
    writeDurably(options.keyFile, `${headLine}\n${options.random.bytes(rootBytes).toString('base64')}\n`);
  }
  const ring = ringOf(readRoot(options.keyFile));
  if (remembered === undefined) writeDurably(memory, `${ring.fingerprint}\n`);
  else if (remembered !== ring.fingerprint)
    throw new KeyFileError(
      `The key file ${options.keyFile} holds the key ${ring.fingerprint}, but the data in ${options.dataDir} was written under ${remembered}. Name the right file in FAIRLEAD_KEY_FILE. Nothing was changed.`,
    );
  chmodSync(options.keyFile, 0o600);
  return ring;
}

function readRoot(file: string): Buffer {
  const [head, body] = readText(file).split('\n');
  const root = Buffer.from(body ?? '', 'base64');
  if (head !== headLine || root.length !== rootBytes)
    throw new KeyFileError(
      `The key file ${file} cannot be read: it is damaged or was made by another version. Put back a copy of it. Nothing was changed.`,
    );
  return root;
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

/** A ring from given bytes: for tests and one-shot commands. */
export function ringOf(root: Buffer): KeyRing {
  const derived = new Map<KeyPurpose, Buffer>();
  const derive = (purpose: KeyPurpose) => {
    const have = derived.get(purpose);
    if (have !== undefined) return have;
    const key = Buffer.from(hkdfSync('sha256', root, Buffer.alloc(0), `fairlead/1/${purpose}`, 32));
    derived.set(purpose, key);
    return key;
  };
  return {
    derive,
    digest: (purpose, value) => createHmac('sha256', derive(purpose)).update(value).digest(),
    fingerprint: Buffer.from(hkdfSync('sha256', root, Buffer.alloc(0), 'fairlead/1/fingerprint', 8)).toString('hex'),
  };
}

function writeDurably(file: string, text: string): void {
  const next = `${file}.new`;
  rmSync(next, { force: true });
  writePrivateFile(next, text);
  renameSync(next, file);
}
