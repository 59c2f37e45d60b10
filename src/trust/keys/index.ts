import { hkdfSync } from 'node:crypto';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openHmac } from '../../platform/hmac.ts';
import { type KeySource, readKeySource } from '../../platform/key_source.ts';
import { makePrivateFolder } from '../../platform/private_file.ts';
import type { Random } from '../../platform/random.ts';
import type { KeyPurpose, KeyRing } from '../../platform/subject.ts';
import {
  KeyFileError,
  parseBareRoots,
  parseCarried,
  type Root,
  readCarried,
  readRoots,
  rootBytes,
  rootOf,
  writeDurably,
  writeRoots,
} from './key_file.ts';

export { KeyFileError, readRoots } from './key_file.ts';
export { openSeal, type Seal } from './seal.ts';
export type { KeyRing };

/** The ring of an open desk, whose file can be changed. */
export interface KeptKeyRing extends KeyRing {
  /** Puts another root behind the last. @returns its id @throws KeyFileError when the key does not lie in a file */
  addRoot(random: Random): string;
  /** Takes a root out of the file. @throws KeyFileError for the first one, from which everything is derived */
  dropRoot(id: string): void;
}

/**
 * The roots of every secret of this installation are 32 random bytes each, in one 0600 file beside the data directory,
 * never inside it, so that a copy of the data is worth nothing without a second theft. Purposes get keys of
 * their own by HKDF; a root itself is used for nothing else.
 *
 * Passwords, sessions, digests and peppers come from the first root and no other, so a change of root ends none of them.
 * What wraps the keys of organisations is the newest root that the database has been told of (trust/vault).
 *
 * Opens the key file, or makes it on the very first start. The data directory remembers the fingerprint of the
 * first root that it was written under: a missing or different key file stops the start instead of quietly making a
 * new one, because sealed data would be lost at that moment.
 * @param options.source the key from the operator's environment, which takes the place of the file
 * @throws KeyFileError with the fact and the next step.
 */
export function openKeyRing(options: {
  keyFile: string;
  dataDir: string;
  random: Random;
  source?: KeySource | undefined;
}): KeptKeyRing {
  const { keyFile, source } = options;
  const memory = join(options.dataDir, 'key.fingerprint');
  const remembered = existsSync(memory) ? readFileSync(memory, 'utf8').trim() : undefined;
  if (source === undefined && !existsSync(keyFile)) {
    if (remembered !== undefined)
      throw new KeyFileError(
        `The key file ${keyFile} is missing, and the data in ${options.dataDir} was written under the key ${remembered}. Put that file back, or name it in FAIRLEAD_KEY_FILE. Nothing was changed.`,
      );
    try {
      makePrivateFolder(dirname(keyFile));
      writeRoots(keyFile, [rootOf(options.random.bytes(rootBytes))]);
    } catch (error) {
      throw new KeyFileError(
        `The key file ${keyFile} cannot be made by this user (${(error as NodeJS.ErrnoException).code}). Name a place that it may write to in FAIRLEAD_KEY_FILE. Nothing was changed.`,
      );
    }
  }
  const named = source === undefined ? `The key file ${keyFile}` : source.variable;
  const given = source === undefined ? undefined : readSource(source);
  let roots = given === undefined ? readRoots(keyFile) : given.roots;
  const carried = given === undefined ? readCarried(keyFile) : given.carried;
  const [first] = roots as [Root, ...Root[]];
  if (remembered === undefined) writeDurably(memory, `${first.id}\n`);
  else if (remembered !== first.id)
    throw new KeyFileError(
      `${named} holds the key ${first.id}, but the data in ${options.dataDir} was written under ${remembered}. ${source === undefined ? 'Name the right file in FAIRLEAD_KEY_FILE' : 'Give the right key, or take the variable out'}. Nothing was changed.`,
    );
  if (source === undefined) chmodSync(keyFile, 0o600);

  function fileToChange(): string {
    if (source === undefined) return keyFile;
    throw new KeyFileError(
      `The key comes from ${source.variable}, which Fairlead cannot change. Change it there (roots are 32 random bytes in base64, with commas between them, the newest last) and start again. Nothing was changed in it.`,
    );
  }
  /** Another process of this desk may have changed the file. */
  function readAgain(): void {
    if (source !== undefined) return;
    const now = readRoots(keyFile);
    if (now[0]?.id === first.id) roots = now;
  }
  return {
    ...ringFrom(
      first,
      {
        ids: () => roots.map(({ id }) => id),
        wrapping(id) {
          if (!roots.some((root) => root.id === id)) readAgain();
          const root = roots.find((one) => one.id === id);
          return root && wrappingKey(root);
        },
      },
      carried,
    ),
    addRoot(random) {
      const file = fileToChange();
      const added = rootOf(random.bytes(rootBytes));
      const next = [...readRoots(file), added];
      writeRoots(file, next, carried);
      roots = next;
      return added.id;
    },
    dropRoot(id) {
      const file = fileToChange();
      if (id === first.id)
        throw new KeyFileError(
          `The root ${id} stays: passwords, sessions and digests are derived from it. Nothing was changed.`,
        );
      const next = readRoots(file).filter((root) => root.id !== id);
      writeRoots(file, next, carried);
      roots = next;
    },
  };
}

function readSource(source: KeySource): { roots: Root[]; carried: Map<string, Buffer> } {
  let text: string;
  try {
    text = readKeySource(source);
  } catch (error) {
    throw new KeyFileError(
      `${source.variable} gave no key: ${(error as Error).message}. Run it by hand as the user that runs Fairlead. Nothing was changed.`,
    );
  }
  const roots = parseBareRoots(text.trim());
  if (roots === undefined)
    throw new KeyFileError(
      `${source.variable} holds no key that can be read: 32 bytes in base64 are expected (openssl rand -base64 32), older roots first with commas between them. Nothing was changed.`,
    );
  return { roots, carried: parseCarried(text.trim()) };
}

/** A ring from given bytes, oldest root first: for tests and one-shot commands. */
export function ringOf(...bytes: [Buffer, ...Buffer[]]): KeyRing {
  const roots = bytes.map(rootOf) as [Root, ...Root[]];
  return ringFrom(roots[0], {
    ids: () => roots.map(({ id }) => id),
    wrapping(id) {
      const root = roots.find((one) => one.id === id);
      return root && wrappingKey(root);
    },
  });
}

/** @param carried keys that stand in the place of what the first root gives for their purposes */
function ringFrom(first: Root, roots: KeyRing['roots'], carried: ReadonlyMap<string, Buffer> = new Map()): KeyRing {
  const derived = new Map(carried as ReadonlyMap<KeyPurpose, Buffer>);
  derived.delete('vault');
  const derive = (purpose: KeyPurpose) => {
    const have = derived.get(purpose);
    if (have !== undefined) return have;
    const key = deriveFrom(first, purpose);
    derived.set(purpose, key);
    return key;
  };
  const digests = new Map<KeyPurpose, (value: string | Buffer) => Buffer>();
  const digestUnder = (purpose: KeyPurpose) => {
    const have = digests.get(purpose);
    if (have !== undefined) return have;
    const made = openHmac(derive(purpose));
    digests.set(purpose, made);
    return made;
  };
  return {
    derive,
    digest: (purpose, value) => digestUnder(purpose)(value),
    fingerprint: first.id,
    roots,
  };
}

/**
 * What goes into the copy of the key store in the place of the root, from which none of it can be counted back: without
 * these, no password, API key or link of a restored desk would hold. What is left out dies with the machine, and is meant
 * to: sessions, steps of signing in, undo offers, parts of uploads. `vault` wraps keys, which are wrapped anew.
 */
export const carriedPurposes = [
  ...(['password', 'api-key', 'shield-address', 'contact-click', 'foreign-secret', 'vault-pepper'] as const),
  ...(['audit-pseudonym', 'audit-checkpoint', 'one-time-token', 'person-email', 'recovery-code'] as const),
  ...(['mail-address', 'unsubscribe', 'identity', 'passkey-person', 'share-link'] as const),
  ...(['relay-source', 'relay-identity', 'relay-event-id'] as const),
] satisfies readonly KeyPurpose[];

/**
 * Writes the key file of a restored desk: a new root, and what its backup carried.
 * @returns the root's id, and the 32 bytes under which it wraps
 */
export function writeRestoredKeyFile(
  file: string,
  random: Random,
  carried: ReadonlyMap<string, Buffer>,
): { id: string; wrapping: Buffer } {
  const root = rootOf(random.bytes(rootBytes));
  makePrivateFolder(dirname(file));
  writeRoots(file, [root], carried);
  return { id: root.id, wrapping: wrappingKey(root) };
}

function wrappingKey(root: Root): Buffer {
  return deriveFrom(root, 'vault');
}

function deriveFrom(root: Root, purpose: KeyPurpose): Buffer {
  return Buffer.from(hkdfSync('sha256', root.bytes, Buffer.alloc(0), `fairlead/1/${purpose}`, 32));
}
