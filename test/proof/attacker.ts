import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { filesBelow } from './scan/scan.ts';
import { viewsOf } from './scan/streams.ts';

/** What the attacker knows of one visitor. */
export interface Visitor {
  readonly siteId: number;
  readonly address: string;
  readonly userAgent: string;
}

export interface Attack {
  /** Stored ids that were recomputed, with the salt and where it lay. */
  readonly hits: readonly { readonly id: string; readonly salt: Buffer; readonly file: string }[];
  /** Each once, wherever it lies again. */
  readonly windowsTried: number;
  readonly bytes: number;
}

const saltBytes = 32;
/** What files in an archive and pages of a database begin at a multiple of. */
const blockBytes = 512;
/** 32 random bytes have fewer different values than this once in 10^7 draws; zeros, text and tables always do. */
const differentMin = 22;

/**
 * Someone who has every byte that a desk has stored, knows how ids are made and whom to look for, and tries every 32
 * bytes anywhere, in files and in what is packed in them, as the salt: as they are, and read as hex or base64.
 */
export function attack(
  folders: readonly string[],
  { siteId, address, userAgent }: Visitor,
  ids: ReadonlySet<string>,
  visitorId: VisitorId,
): Attack {
  const hits: { id: string; salt: Buffer; file: string }[] = [];
  const seen = new Set<string>();
  const tried = new Set<string>();
  let windowsTried = 0;
  let bytes = 0;
  for (const { path, shown } of filesBelow(folders))
    for (const view of viewsOf(readFileSync(path)))
      for (const piece of [view.bytes, ...decoded(view.bytes)]) {
        const digest = hash('sha256', piece, 'base64');
        if (seen.has(digest)) continue;
        seen.add(digest);
        bytes += piece.length;
        for (let from = 0; from < piece.length; from += blockBytes) {
          const block = piece.subarray(from, from + blockBytes + saltBytes - 1);
          // The same bytes give the same ids: a backup beside its original, or a page that four databases share.
          const name = hash('sha256', block, 'base64');
          if (tried.has(name)) continue;
          tried.add(name);
          for (const window of windowsOf(block)) {
            windowsTried++;
            const id = visitorId(window, siteId, address, userAgent);
            if (ids.has(id)) hits.push({ id, salt: Buffer.from(window), file: shown });
          }
        }
      }
  return { hits, windowsTried, bytes };
}

type VisitorId = (salt: Buffer, siteId: number, address: string, userAgent: string) => string;

/** Every 32 bytes that may be random. */
function* windowsOf(bytes: Buffer): Generator<Buffer> {
  const counts = new Uint16Array(256);
  let different = 0;
  for (let end = 0; end < bytes.length; end++) {
    const comes = bytes[end] as number;
    if (counts[comes] === 0) different++;
    (counts[comes] as number)++;
    if (end >= saltBytes) {
      const goes = bytes[end - saltBytes] as number;
      (counts[goes] as number)--;
      if (counts[goes] === 0) different--;
    }
    if (end >= saltBytes - 1 && different >= differentMin) yield bytes.subarray(end - saltBytes + 1, end + 1);
  }
}

/** Runs of hex and of base64 that are long enough for a salt, as bytes, from each place where a byte may begin. */
function* decoded(bytes: Buffer): Generator<Buffer> {
  const text = bytes.toString('latin1');
  for (const [run] of text.matchAll(/[0-9a-f]{64,}|[0-9A-F]{64,}/g))
    for (const from of [0, 1]) yield Buffer.from(run.slice(from), 'hex');
  for (const [run] of text.matchAll(/[\w+/-]{43,}/g))
    for (const from of [0, 1, 2, 3]) yield Buffer.from(run.slice(from), 'base64');
}
