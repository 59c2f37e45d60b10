import type { House } from '../../platform/subject.ts';
import type { BundleLine } from './bundle.ts';
import { zeroHash } from './entry.ts';
import type { Keeper } from './keeper.ts';
import { type Filters, type FullRow, nextEntries, type Opened, openReader, shownEntry } from './read.ts';
import { linkOf, type StoredHead, seeChain } from './stored.ts';

type Parts = Pick<House, 'postgres' | 'vault' | 'clock'> & { keeper: Keeper };

/** Entries that are read and opened at once. */
const pageRows = 500;

/** The whole chain with what it takes to verify it elsewhere, one JSON object a line (trust/audit/bundle.ts reads it). */
export async function* bundleOf(
  parts: Parts,
  organisation: number,
  head: StoredHead | undefined,
): AsyncGenerator<string> {
  const { keeper, clock } = parts;
  const line = (value: BundleLine) => `${JSON.stringify(value)}\n`;
  const base = { seq: head?.base_seq ?? 0, hash: head?.base_hash ?? zeroHash };
  const end = { seq: head?.seq ?? 0, hash: head?.hash ?? zeroHash };
  yield line({
    fairlead_audit: 1,
    organisation,
    exported_at: new Date(clock.now()).toISOString(),
    public_key: keeper.publicKey,
    base,
    head: end,
  });
  // What came while this was being prepared is in the next export.
  for (const proof of await keeper.proofs(organisation, base)) if (proof.head.seq <= end.seq) yield line(proof);
  for await (const rows of entriesOf(parts, organisation, {}, { after: base.seq, through: end.seq })) {
    let piece = '';
    for (const { row, opened } of rows) {
      const { seq, hash, entry, address, addressSalt } = linkOf(row);
      piece += line({
        ...{ seq, hash, entry, address, address_salt: addressSalt },
        ...{ actor_name: opened.name, actor_salt: opened.nameSalt },
        ...{ labels: opened.labels, details: opened.details, details_salt: opened.detailsSalt },
      });
    }
    yield piece;
  }
  yield line({ end: end.seq - base.seq });
}

const csvColumns = [
  ...['number', 'time', 'action', 'what', 'outcome', 'reason', 'actor_type', 'actor', 'actor_name', 'targets'],
  ...['details', 'network', 'request', 'hash'],
] as const;

/** The same for a table program: what is asked for, oldest first. */
export async function* csvOf(
  parts: Parts,
  organisation: number,
  asked: Filters,
  head: StoredHead | undefined,
): AsyncGenerator<string> {
  yield `${csvColumns.join(',')}\r\n`;
  const span = { after: head?.base_seq ?? 0, through: head?.seq ?? 0 };
  for await (const rows of entriesOf(parts, organisation, asked, span)) {
    let piece = '';
    for (const { row, opened } of rows) {
      const { actor, targets, details, ...one } = shownEntry(row, opened);
      const named = targets.map(({ type, id, label }) => `${type} ${label ?? id}`);
      piece += `${[
        ...[one.seq, one.at, one.action, one.sentence.replace('{target}', targets[0]?.label ?? targets[0]?.id ?? '')],
        ...[one.outcome, one.reason, actor.type, actor.id, actor.name, named.join('; ')],
        ...[
          Object.entries(details)
            .map(([name, value]) => `${name}: ${value}`)
            .join('; '),
          one.network,
        ],
        ...[one.request_id, one.hash],
      ]
        .map(csvCell)
        .join(',')}\r\n`;
    }
    yield piece;
  }
}

/** Quoted where it must be. A cell that a table program would take for a formula begins with an apostrophe. */
export function csvCell(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  const harmless = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

async function* entriesOf(
  { postgres, vault }: Parts,
  organisation: number,
  asked: Filters,
  span: { after: number; through: number },
): AsyncGenerator<{ row: FullRow; opened: Opened }[]> {
  const open = openReader(vault);
  for (let after = span.after; ; ) {
    const rows = await seeChain(postgres, organisation, (sql) =>
      nextEntries(sql, organisation, { ...asked, after, through: span.through, count: pageRows }),
    );
    const found = [];
    for (const row of rows) found.push({ row, opened: await open(row) });
    if (found.length > 0) yield found;
    if (rows.length < pageRows) return;
    after = rows.at(-1)?.seq ?? span.through;
  }
}
