import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { sha256, zeroHash } from './entry.ts';
import { type Head, merkleRoot } from './merkle.ts';

/** What is signed every full hour: where all chains stood, as one root. */
export interface Checkpoint {
  at: string;
  chains: number;
  root: string;
  /** SHA-256 of the line before it in the file; zeros for the first. */
  previous: string;
  /** First 16 hex digits of the SHA-256 of the public key. */
  key: string;
}

/** A line of the file. Heads are those that moved since the line before; the root covers all. */
export interface SignedCheckpoint extends Checkpoint {
  signature: string;
}
interface Line extends SignedCheckpoint {
  heads: Record<string, [seq: number, hash: string]>;
}

/** Signs and is known by its public key: 32 bytes in base64. Made of 32 secret bytes, so the same root key gives the same one. */
export interface Signer {
  publicKey: string;
  sign(text: string): string;
}

const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex');
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex');

export function signerOf(seed: Buffer): Signer {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Head, seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    publicKey: spki.subarray(spkiHead.length).toString('base64'),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64'),
  };
}

export function keyName(publicKey: string): string {
  return sha256(Buffer.from(publicKey, 'base64')).slice(0, 16);
}

/** @throws TypeError when the text is no public key of 32 bytes in base64 */
export function isSigned(one: SignedCheckpoint, publicKey: string): boolean {
  const key = verifierOf(publicKey);
  return (
    one.key === keyName(publicKey) &&
    verify(null, Buffer.from(signedText(one)), key, Buffer.from(one.signature, 'base64'))
  );
}

/** Was exactly this text signed with the key of this public half? */
export function isSignature(text: string, signature: string, publicKey: string): boolean {
  return verify(null, Buffer.from(text), verifierOf(publicKey), Buffer.from(signature, 'base64'));
}

function verifierOf(publicKey: string): KeyObject {
  const raw = Buffer.from(publicKey, 'base64');
  if (raw.length !== 32) throw new TypeError('A public key of the trail is 32 bytes in base64.');
  return createPublicKey({ key: Buffer.concat([spkiHead, raw]), format: 'der', type: 'spki' });
}

function signedText({ at, chains, root, previous, key }: Checkpoint): string {
  return JSON.stringify(['fairlead audit checkpoint', 1, at, chains, root, previous, key]);
}

/** What the lines of the file say so far. */
export interface History {
  lines: number;
  /** Digest of the last line, which the next one takes in. */
  last: string;
  /** The last checkpoint, and where every chain stood then. */
  newest: SignedCheckpoint | undefined;
  heads: Map<number, Head>;
}

export function noHistory(): History {
  return { lines: 0, last: zeroHash, newest: undefined, heads: new Map() };
}

/** The next line of the file, without its line end. */
export function nextLine(history: History, heads: readonly Head[], signer: Signer, at: string): string {
  const checkpoint: Checkpoint = {
    at,
    chains: heads.length,
    root: merkleRoot(heads),
    previous: history.last,
    key: keyName(signer.publicKey),
  };
  const moved = heads.filter(({ organisation, hash }) => history.heads.get(organisation)?.hash !== hash);
  return JSON.stringify({
    ...checkpoint,
    heads: Object.fromEntries(moved.map(({ organisation, seq, hash }) => [organisation, [seq, hash]])),
    signature: signer.sign(signedText(checkpoint)),
  } satisfies Line);
}

/**
 * Takes the next line into the history.
 * @param publicKey without it the line is believed, which is enough for whoever wrote it
 * @returns what is wrong with it, in a sentence, or undefined
 */
export function takeLine(history: History, text: string, publicKey: string | undefined): string | undefined {
  const number = history.lines + 1;
  const wrong = (what: string) => `Checkpoint ${number} ${what}`;
  let line: Line;
  try {
    line = JSON.parse(text) as Line;
  } catch {
    return wrong('cannot be read: the file of checkpoints was changed.');
  }
  for (const [organisation, [seq, hash]] of Object.entries(line.heads ?? {}))
    history.heads.set(Number(organisation), { organisation: Number(organisation), seq, hash });
  const follows = line.previous === history.last;
  const { heads: _, ...newest } = line;
  Object.assign(history, { lines: number, last: sha256(text), newest });
  if (publicKey === undefined) return undefined;
  if (!isSigned(line, publicKey))
    return wrong(`of ${line.at} is not signed by the key of this desk: it was changed, or another desk wrote it.`);
  if (!follows) return wrong(`of ${line.at} does not follow the one before it: a line was taken out, moved or put in.`);
  if (merkleRoot(headsOf(history)) !== line.root || history.heads.size !== line.chains)
    return wrong(`of ${line.at} signed other heads than it lists: the list was changed.`);
  return undefined;
}

export function headsOf(history: History): Head[] {
  return [...history.heads.values()].sort((a, b) => a.organisation - b.organisation);
}
