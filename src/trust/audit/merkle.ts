import { sha256 } from './entry.ts';

/** Where a chain stands: its newest entry. */
export interface Head {
  organisation: number;
  seq: number;
  hash: string;
}

/** One step from a leaf to the root: the digest beside, and on which side it stands. */
export type Step = readonly ['left' | 'right', string];

/**
 * Root over all heads in rising order of their organisations. Leaves and nodes are told apart by their first byte
 * (RFC 6962, 2.1), so that no node can pass for a leaf; a node without a neighbour moves up as it is.
 */
export function merkleRoot(heads: readonly Head[]): string {
  let level = heads.map(leaf);
  if (level.length === 0) return sha256('');
  while (level.length > 1) level = raised(level);
  return level[0] as string;
}

/** The way from one head to the root, which shows that it was signed and says nothing of the other chains. */
export function merklePath(heads: readonly Head[], organisation: number): Step[] {
  let index = heads.findIndex((head) => head.organisation === organisation);
  let level = heads.map(leaf);
  const path: Step[] = [];
  while (level.length > 1) {
    const beside = index % 2 === 0 ? index + 1 : index - 1;
    const digest = level[beside];
    if (digest !== undefined) path.push([beside < index ? 'left' : 'right', digest]);
    level = raised(level);
    index >>= 1;
  }
  return path;
}

export function rootOf(head: Head, path: readonly Step[]): string {
  return path.reduce(
    (digest, [side, other]) => (side === 'left' ? node(other, digest) : node(digest, other)),
    leaf(head),
  );
}

function raised(level: readonly string[]): string[] {
  const next: string[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const [left, right] = [level[i] as string, level[i + 1]];
    next.push(right === undefined ? left : node(left, right));
  }
  return next;
}

function leaf({ organisation, seq, hash }: Head): string {
  return sha256(Buffer.concat([Buffer.of(0), Buffer.from(`${organisation} ${seq} ${hash}`)]));
}

function node(left: string, right: string): string {
  return sha256(Buffer.concat([Buffer.of(1), Buffer.from(left + right, 'hex')]));
}
