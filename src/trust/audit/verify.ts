import { dayMs } from '../../platform/zone.ts';
import { chainHash, commitment, type Entry, entryDigest, zeroHash } from './entry.ts';
import type { Head } from './merkle.ts';
import { followPage, type Page } from './page.ts';

/** An entry as it stands in its chain, with what may have been dropped or opened beside it. */
export interface Link {
  seq: number;
  hash: string;
  entry: Entry;
  /** Null once it was dropped by age. */
  address: string | null;
  addressSalt: string | null;
}

/** What is wrong, where, in a sentence for people. */
export interface Finding {
  kind: 'changed' | 'deleted' | 'reordered' | 'truncated' | 'forked' | 'unsigned';
  organisation: number;
  seq: number;
  sentence: string;
}

/** Networks of entries may be gone once they are this old, and must be gone a little later. */
export const addressDays = 90;
/** After so many findings the rest would say the same. */
export const findingsMax = 100;

interface Read {
  link: Link;
  digest: string;
}

export interface Verifier {
  /** The next entry as it lies in the store or the file. */
  take(link: Link): void;
  /**
   * Many entries at once.
   * @returns the time of the last one; undefined where they are not taken, and have to come one by one
   */
  takePage(page: Page): string | undefined;
  /** @param head where the chain is said to stand; undefined where nobody says it */
  end(head: { seq: number; hash: string } | undefined): { entries: number; findings: Finding[]; last: Head };
}

/**
 * Holds one chain against itself and against what was signed. Works entry by entry, so a chain of any length passes
 * through in constant memory.
 * @param options.base what comes before the first entry: number and hash of the last one that was removed by age
 * @param options.signed numbers and hashes that signed checkpoints hold for this chain, in rising order
 * @param options.nowMs when the entries were read: an address may be missing only from then on ninety days back
 */
export function openVerifier(options: {
  organisation: number;
  base?: { seq: number; hash: string };
  signed?: readonly { seq: number; hash: string; at: string }[];
  nowMs: number;
}): Verifier {
  const { organisation, base = { seq: 0, hash: zeroHash }, signed = [], nowMs } = options;
  const findings: Finding[] = [];
  let expected = base.seq + 1;
  /** Undefined after a hole: the next hash is then taken as it is. */
  let previous: string | undefined = base.hash;
  let held: Read | undefined;
  /** After two that changed places: what the entry behind them goes on with. */
  let resume: { seq: number; hash: string } | undefined;
  const holes: { from: number; to: number; finding: Finding }[] = [];
  let entries = 0;
  let nextSigned = 0;
  /** Of several that signed the same entry the first counts, here and below. */
  const signedAt = new Map(signed.toReversed().map(({ seq, hash }) => [seq, hash]));
  const keptSince = new Date(nowMs - addressDays * dayMs + dayMs).toISOString();
  const of = organisation === 0 ? 'the desk' : `organisation ${organisation}`;

  function say(kind: Finding['kind'], seq: number, sentence: string): Finding {
    const finding = { kind, organisation, seq, sentence };
    if (findings.length < findingsMax) findings.push(finding);
    return finding;
  }

  /** Judges an entry when the one behind it is known, since only both together tell a changed text from a swap. */
  function judge(one: Read, next: Read | undefined): void {
    const { link, digest } = one;
    const { seq } = link;
    const name = `Entry ${seq} of ${of} (${link.entry.action}, ${link.entry.at})`;
    if (seq < expected) {
      sayOutOfOrder(seq, name);
      return;
    }
    if (seq > expected) {
      const missing =
        seq - expected === 1 ? `Entry ${expected} of ${of} is` : `Entries ${expected} to ${seq - 1} of ${of} are`;
      const finding = say('deleted', expected, `${missing} missing before entry ${seq}: deleted.`);
      holes.push({ from: expected, to: seq - 1, finding });
      previous = undefined;
    }
    let goesOnWith = link.hash;
    if (resume?.seq === seq) goesOnWith = resume.hash;
    else if (previous !== undefined) {
      const right = chainHash(previous, seq, digest);
      if (right !== link.hash) goesOnWith = sayWrongHash(one, next, { before: previous, right }, name);
    }
    checkAddress(link, name);
    expected = seq + 1;
    previous = goesOnWith;
    entries++;
    while (nextSigned < signed.length && (signed[nextSigned] as { seq: number }).seq < seq) nextSigned++;
    const checkpoint = signed[nextSigned];
    if (checkpoint?.seq === seq && checkpoint.hash !== link.hash)
      say(
        'forked',
        seq,
        `${name} is not the one that the checkpoint of ${checkpoint.at} signed: the chain was written anew at or before it.`,
      );
  }

  function sayOutOfOrder(seq: number, name: string): void {
    const hole = holes.find(({ from, to }) => seq >= from && seq <= to);
    if (hole === undefined) say('forked', seq, `${name} is the second one with this number: the chain was forked.`);
    else
      Object.assign(hole.finding, {
        kind: 'reordered',
        sentence: `${name} stands behind entry ${expected - 1}: moved.`,
      });
  }

  /** @returns the hash that the entry behind it goes on with */
  function sayWrongHash(
    { link, digest }: Read,
    next: Read | undefined,
    { before, right }: { before: string; right: string },
    name: string,
  ): string {
    const { seq } = link;
    if (next?.link.seq === seq + 1) {
      if (chainHash(right, seq + 1, next.digest) === next.link.hash) {
        say('changed', seq, `The hash of ${name} was changed; its text was not.`);
        return right;
      }
      const first = chainHash(before, seq, next.digest);
      if (first === next.link.hash || first === link.hash) {
        say('reordered', seq, `${name} and entry ${seq + 1} have changed places.`);
        resume = { seq: seq + 1, hash: chainHash(first, seq + 1, digest) };
        return first;
      }
    }
    say(
      'changed',
      seq,
      link.entry.organisation === organisation
        ? `${name} was changed: its text does not give its hash.`
        : `${name} belongs to the chain of another organisation.`,
    );
    return link.hash;
  }

  function checkAddress({ seq, entry, address, addressSalt }: Link, name: string): void {
    if (entry.address_commitment === null) {
      if (address !== null || addressSalt !== null)
        say('changed', seq, `${name} was changed: it had no network when it was written.`);
      return;
    }
    if (address === null || addressSalt === null) {
      if (address !== null || addressSalt !== null || Date.parse(entry.at) > nowMs - addressDays * dayMs + dayMs)
        say('changed', seq, `The network of ${name} was taken away before its ${addressDays} days were over.`);
      return;
    }
    if (commitment(Buffer.from(addressSalt, 'hex'), address) !== entry.address_commitment)
      say('changed', seq, `The network of ${name} was changed.`);
  }

  return {
    take(link) {
      const one = { link, digest: entryDigest(link.entry) };
      if (held !== undefined) judge(held, one);
      held = one;
    },
    takePage(page) {
      if (resume !== undefined && resume.seq >= expected) return undefined;
      if (held !== undefined) {
        // Whether the one behind it has to be known too is only asked of an entry that is not right by itself.
        const { link, digest } = held;
        if (link.seq !== expected || previous === undefined || chainHash(previous, link.seq, digest) !== link.hash)
          return undefined;
        judge(held, undefined);
        held = undefined;
      }
      if (previous === undefined) return undefined;
      const from = { organisation, seq: expected - 1, hash: previous };
      const reached = followPage(page, from, { signed: signedAt, keptSince });
      if (reached === undefined) return undefined;
      expected = reached.seq + 1;
      previous = reached.hash;
      entries += page.rows;
      return reached.at;
    },
    end(head) {
      if (held !== undefined) judge(held, undefined);
      held = undefined;
      const seq = expected - 1;
      const lost = signed.findLast((one) => one.seq > seq);
      if (lost !== undefined)
        say(
          'truncated',
          seq + 1,
          `The chain of ${of} ends with entry ${seq}, and the checkpoint of ${lost.at} signed entry ${lost.seq}: its end was cut off.`,
        );
      else if (head !== undefined && head.seq > seq)
        say(
          'truncated',
          seq + 1,
          `The chain of ${of} ends with entry ${seq}, and should end with ${head.seq}: its end was cut off.`,
        );
      else if (head !== undefined && (head.seq !== seq || (previous !== undefined && head.hash !== previous)))
        say(
          'forked',
          seq,
          `The chain of ${of} ends with entry ${seq}, and its head says ${head.seq} with another hash.`,
        );
      return { entries, findings, last: { organisation, seq, hash: previous ?? zeroHash } };
    },
  };
}
