import type { Random } from '../../platform/random.ts';
import type { KeyRing } from '../../platform/subject.ts';
import { dataKeyBound, nonceBytes, wrap } from './cipher.ts';
import { messagesMax, wrappingOf } from './key_store.ts';

/** A key of an organisation (null: of the desk) outside of its root, to stand in a sealed copy of the key store alone. */
export interface CopiedKey {
  id: string;
  organisation_id: number | null;
  /** 32 bytes in base64. */
  key: string;
  is_current: boolean;
  messages: number;
  created_at: string;
  replaced_at: string | null;
}

interface Asking {
  query<Row extends object>(text: string, params?: unknown[]): Promise<Row[]>;
}

/** Messages that may have been sealed between the copy and the loss of the machine: a day at 6,000 a second. */
const spentSince = 2 ** 29;

/** The keys of all organisations, unwrapped: whoever restores has another root. */
export async function copyOfKeys(sql: Asking, keys: Pick<KeyRing, 'roots'>): Promise<CopiedKey[]> {
  const wrapping = wrappingOf({ keys, clock: { now: () => 0 } });
  const rows = await sql.query<{
    id: Buffer;
    organisation_id: string | null;
    root_id: string;
    wrapped: Buffer;
    is_current: boolean;
    messages: string;
    created_at: Date;
    replaced_at: Date | null;
  }>('SELECT * FROM vault.owner_keys ORDER BY id');
  return rows.map((row) => {
    const owner = row.organisation_id === null ? null : Number(row.organisation_id);
    return {
      id: row.id.toString('hex'),
      organisation_id: owner,
      key: wrapping.dataKey(owner ?? 'desk', row).toString('base64'),
      is_current: row.is_current,
      messages: Number(row.messages),
      created_at: row.created_at.toISOString(),
      replaced_at: row.replaced_at?.toISOString() ?? null,
    };
  });
}

/** Puts them into the empty key store of a restored desk, wrapped under its own root. */
export async function fillKeyStore(
  sql: Asking,
  copied: readonly CopiedKey[],
  root: { id: string; wrapping: Buffer },
  { random, now }: { random: Random; now: Date },
): Promise<void> {
  await sql.query('INSERT INTO vault.roots (id, is_current, messages, first_used_at) VALUES ($1, true, $2, $3)', [
    root.id,
    copied.length,
    now,
  ]);
  for (const one of copied) {
    const id = Buffer.from(one.id, 'hex');
    const bound = dataKeyBound(one.organisation_id ?? 'desk', id);
    await sql.query(
      `INSERT INTO vault.owner_keys (id, organisation_id, root_id, wrapped, is_current, messages, created_at, replaced_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        ...[id, one.organisation_id, root.id],
        wrap(Buffer.from(one.key, 'base64'), root.wrapping, bound, random.bytes(nonceBytes)),
        ...[one.is_current, Math.min(one.messages + spentSince, messagesMax), one.created_at, one.replaced_at],
      ],
    );
  }
}

/** After the keys of subjects were put back as they were: what may have been sealed under them since counts as sealed. */
export async function ageSubjectKeys(sql: Asking): Promise<void> {
  await sql.query('UPDATE vault.subject_keys SET messages = least(messages + $1, $2)', [spentSince, messagesMax]);
}
