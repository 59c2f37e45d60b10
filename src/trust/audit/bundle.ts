import { isSigned, keyName } from './checkpoint.ts';
import { commitment, type Entry } from './entry.ts';
import type { Proof } from './keeper.ts';
import { rootOf } from './merkle.ts';
import { type Finding, openVerifier, type Verifier } from './verify.ts';

/**
 * A trail as a file that anybody can verify without this desk: a head, the signed checkpoints with the way from this
 * chain to their root, every entry with what could be opened of it, and an end. One JSON object a line.
 */
export interface BundleHead {
  fairlead_audit: 1;
  organisation: number;
  exported_at: string;
  public_key: string;
  base: { seq: number; hash: string };
  head: { seq: number; hash: string };
}
export interface BundleEntry {
  seq: number;
  hash: string;
  entry: Entry;
  address: string | null;
  address_salt: string | null;
  /** Null where there was none, or where its key was destroyed. */
  actor_name: string | null;
  actor_salt: string | null;
  labels: (string | null)[] | null;
  details: [string, unknown][] | null;
  details_salt: string | null;
}
export type BundleLine = BundleHead | Proof | BundleEntry | { end: number };

export interface BundleVerification {
  entries: number;
  organisation: number;
  exportedAt: string;
  publicKey: string;
  signedTo: string | undefined;
  findings: Finding[];
}

/**
 * Verifies a bundle, line by line, without any database.
 * @param options.publicKey the key as the page shows it; without it the file's own is believed
 * @throws BundleError when the file is no bundle at all
 */
export async function verifyBundle(
  lines: AsyncIterable<string>,
  options: { publicKey?: string },
): Promise<BundleVerification> {
  let head: BundleHead | undefined;
  let verifier: Verifier | undefined;
  let end: number | undefined;
  let number = 0;
  const proofs: Proof[] = [];
  const extra: Finding[] = [];
  const say = (kind: Finding['kind'], seq: number, sentence: string) =>
    void extra.push({ kind, organisation: head?.organisation ?? 0, seq, sentence });

  for await (const text of lines) {
    number++;
    if (text === '') continue;
    const line = parsed(text, number);
    if (head === undefined) {
      if (!('fairlead_audit' in line))
        throw new BundleError('This file is no export of an audit log: its first line does not say so.');
      head = line;
      continue;
    }
    if ('checkpoint' in line) proofs.push(line);
    else if ('end' in line) end = line.end;
    else if ('entry' in line) {
      if (!isEntry(line)) throw new BundleError(`Line ${number} of the file is no entry: a part of it is missing.`);
      verifier ??= begin(head);
      checkOpened(line);
      verifier.take({
        seq: line.seq,
        hash: line.hash,
        entry: line.entry,
        address: line.address,
        addressSalt: line.address_salt,
      });
    }
  }
  if (head === undefined) throw new BundleError('This file is empty.');
  verifier ??= begin(head);
  const { entries, findings } = verifier.end(head.head);
  if (end === undefined) say('truncated', head.head.seq, 'The file has no end: it was cut off, or its download was.');
  return {
    entries,
    organisation: head.organisation,
    exportedAt: head.exported_at,
    publicKey: head.public_key,
    signedTo: proofs.at(-1)?.checkpoint.at,
    findings: [...extra, ...findings],
  };

  function begin({ organisation, base, exported_at: exportedAt, public_key: own }: BundleHead): Verifier {
    const key = options.publicKey ?? own;
    if (key !== own)
      say('unsigned', 0, `The file was signed with the key ${keyName(own)}, and not with the one that was given.`);
    const signed = proofs.filter(({ checkpoint, head: at, path }) => {
      const isOurs =
        isSigned(checkpoint, key) && rootOf(at, path) === checkpoint.root && at.organisation === organisation;
      if (!isOurs)
        say(
          'unsigned',
          at.seq,
          `The checkpoint of ${checkpoint.at} is not signed by this key, or does not hold this chain.`,
        );
      return isOurs;
    });
    if (signed.length === 0)
      say('unsigned', 0, 'No signed checkpoint is in the file: an end that was cut off would not show.');
    if (base.seq > 0 && !signed.some(({ head: at }) => at.seq === base.seq && at.hash === base.hash))
      say(
        'unsigned',
        base.seq,
        `Entries up to ${base.seq} were removed, and no signed checkpoint says that the chain stood there.`,
      );
    return openVerifier({
      organisation,
      base,
      signed: signed
        .map(({ checkpoint, head: at }) => ({ seq: at.seq, hash: at.hash, at: checkpoint.at }))
        .filter(({ seq }) => seq > base.seq),
      nowMs: Date.parse(exportedAt),
    });
  }

  /** What was opened for the reader is what was committed to. */
  function checkOpened({ seq, entry, ...opened }: BundleEntry): void {
    if (
      opened.actor_salt !== null &&
      commitment(Buffer.from(opened.actor_salt, 'hex'), String(opened.actor_name)) !== entry.actor_commitment
    )
      say('changed', seq, `The name of who did entry ${seq} (${entry.action}) was changed.`);
    if (opened.actor_salt === null && opened.actor_name !== null)
      say('changed', seq, `A name was put into entry ${seq} (${entry.action}).`);
    if (
      opened.details_salt !== null &&
      commitment(Buffer.from(opened.details_salt, 'hex'), JSON.stringify([opened.labels, opened.details])) !==
        entry.details_commitment
    )
      say('changed', seq, `The details of entry ${seq} (${entry.action}) were changed.`);
    if (opened.details_salt === null && (opened.labels !== null || opened.details !== null))
      say('changed', seq, `Details were put into entry ${seq} (${entry.action}).`);
  }
}

export class BundleError extends Error {
  override readonly name = 'BundleError';
}

const isText = (value: unknown) => value === null || typeof value === 'string';

/** Has it the members that are read of it? What they say is judged by their digests. */
function isEntry(line: BundleEntry): boolean {
  const { seq, hash, entry, address, address_salt, actor_name, actor_salt, details_salt } = line;
  return (
    Number.isInteger(seq) &&
    typeof hash === 'string' &&
    Array.isArray(entry?.targets) &&
    entry.targets.every((target: unknown) => typeof target === 'object' && target !== null) &&
    [address, address_salt, actor_name, actor_salt, details_salt].every(isText)
  );
}

function parsed(text: string, number: number): BundleLine {
  try {
    return JSON.parse(text) as BundleLine;
  } catch {
    throw new BundleError(`Line ${number} of the file is no JSON: it was cut off or damaged there.`);
  }
}
