import type { Sql } from '../../platform/postgres/index.ts';
import { chainHash, commitment, sha256 } from './entry.ts';

/**
 * Entries of a chain as the database writes them out in one piece, for whoever only wants to know that they are right:
 * a line for each with a tab between its columns, and its targets beside it. A row as an object costs this process
 * twice as much.
 */
export interface Page {
  rows: number;
  /** Rows of which no column that must be there is null. */
  whole: number;
  /** Number of the last one; null where there is none. */
  last: number | null;
  lines: string | null;
  targets: string | null;
}

/**
 * Null is told apart from every text: of a text by the mark before it, of bytes since hex has no hyphen. The time is as
 * PostgreSQL writes it, which costs it half of `to_char`.
 */
const pageText = `SELECT count(*) AS rows,
    count(*) FILTER (WHERE num_nulls(entry, at, action, class, outcome, actor_type, targets, hash) = 0) AS whole,
    max(seq) AS last, string_agg(targets::text, E'\\n') AS targets,
    string_agg(concat_ws(E'\\t', seq, entry, at, action, class, outcome, coalesce('=' || reason, ''), actor_type,
      coalesce('=' || actor, ''), coalesce('=' || request_id, ''), coalesce(encode(actor_commitment, 'hex'), '-'),
      coalesce(encode(sha256(actor_name), 'hex'), '-'), coalesce(encode(details_commitment, 'hex'), '-'),
      coalesce(encode(sha256(details), 'hex'), '-'), coalesce(encode(address_commitment, 'hex'), '-'),
      coalesce('=' || address, ''), coalesce(encode(address_salt, 'hex'), '-'), encode(hash, 'hex')), E'\\n') AS lines
  FROM (SELECT * FROM audit.entries WHERE organisation_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4) AS page`;
const columns = 18;

export function readPage(
  sql: Sql,
  organisation: number,
  { after, through, count }: { after: number; through: number; count: number },
): Promise<Page> {
  return sql.one<Page>(pageText, [organisation, after, through, count]);
}

/** What JSON would write in another way. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const escaped = /["\\\u0000-\u001f]/;
/** Targets as nearly all are: kind and name, of signs that do not stand for the form itself. */
const plainTargets = /^\[(?:\{"id": "[^"\\[\]{}]*", "type": "[^"\\[\]{}]*"\}(?:, (?=\{)|(?=\])))*\]$/;

/**
 * Follows the chain through a page.
 * @param from the entry before it
 * @param parts.signed what signed checkpoints hold, by number
 * @param parts.keptSince networks of entries after this moment must be there; ISO 8601
 * @returns where the chain stands after it; undefined where a row is anything but exactly right, or written in a way that
 *   this does not read: whoever asks then takes the rows one by one, and hears what is wrong, if something is
 */
export function followPage(
  { rows, whole, lines, targets }: Page,
  from: { organisation: number; seq: number; hash: string },
  { signed, keptSince }: { signed: ReadonlyMap<number, string>; keptSince: string },
): { seq: number; hash: string; at: string } | undefined {
  if (lines === null || targets === null || whole !== rows) return undefined;
  const all = lines.split('\n');
  const allTargets = targets.split('\n');
  if (all.length !== rows || allTargets.length !== rows) return undefined;
  let { seq, hash } = from;
  let at: string | undefined;
  for (let i = 0; i < rows; i++) {
    const line = (all[i] as string).split('\t');
    const whom = allTargets[i] as string;
    if (line.length !== columns || !plainTargets.test(whom)) return undefined;
    const cells = line as unknown as Cells;
    seq++;
    at = isoOf(cells[2]);
    if (at === undefined || cells[0] !== String(seq) || escaped.test(wordsOf(cells))) return undefined;
    hash = chainHash(hash, seq, sha256(textOf(from.organisation, cells, at, whom)));
    if (hash !== cells[17] || !isNetworkRight(cells, at, keptSince) || (signed.get(seq) ?? hash) !== hash)
      return undefined;
  }
  return at === undefined ? undefined : { seq, hash, at };
}

type Cells = [
  ...[seq: string, entry: string, time: string, action: string, kind: string, outcome: string, reason: string],
  ...[actorType: string, actor: string, request: string, actorCommitment: string, actorSealed: string],
  ...[detailsCommitment: string, detailsSealed: string, addressCommitment: string, address: string, salt: string],
  hash: string,
];

/** The columns that can hold any text; the others have forms of their own. */
function wordsOf(cells: Cells): string {
  return cells[3] + cells[4] + cells[5] + cells[6] + cells[7] + cells[8] + cells[9];
}

/** The same as `entryDigest` takes in, of columns that need no escape. */
function textOf(organisation: number, cells: Cells, at: string, targets: string): string {
  const [, entry, , action, kind, outcome, reason, actorType, actor, request] = cells;
  const digests = `${hexOf(cells[10])},${hexOf(cells[11])},${hexOf(cells[12])},${hexOf(cells[13])},${hexOf(cells[14])}`;
  const pairs = targets
    .replaceAll('{"id": "', '[["id","')
    .replaceAll('", "type": "', '"],["type","')
    .replaceAll('"}, ', '"]],')
    .replaceAll('"}', '"]]');
  return `[1,${organisation},"${entry}","${at}","${action}","${kind}","${outcome}",${markedOf(reason)},"${actorType}",${markedOf(actor)},${pairs},${markedOf(request)},${digests}]`;
}

function markedOf(text: string): string {
  return text === '' ? 'null' : `"${text.slice(1)}"`;
}

function hexOf(digits: string): string {
  return digits === '-' ? 'null' : `"${digits}"`;
}

/** '2026-11-30 05:24:16.2+00' as it stands in an entry; undefined where it is finer than that, or written otherwise. */
function isoOf(time: string): string | undefined {
  const end = time.length - 3;
  if (time[10] !== ' ' || !time.endsWith('+00')) return undefined;
  const part = time.slice(11, end);
  if (end === 23) return `${time.slice(0, 10)}T${part}Z`;
  if (end === 19) return `${time.slice(0, 10)}T${part}.000Z`;
  if (end === 21 || end === 22) return `${time.slice(0, 10)}T${part.padEnd(12, '0')}Z`;
  return undefined;
}

function isNetworkRight(cells: Cells, at: string, keptSince: string): boolean {
  const [committed, address, salt] = [cells[14], cells[15], cells[16]];
  if (committed === '-') return address === '' && salt === '-';
  if (address === '' || salt === '-') return address === '' && salt === '-' && at <= keptSince;
  return commitment(Buffer.from(salt, 'hex'), address.slice(1)) === committed;
}
