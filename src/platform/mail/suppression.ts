import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { asMail, type Postgres, type Sql } from '../postgres/index.ts';
import type { KeyRing } from '../subject.ts';
import type { MailKind } from './message.ts';

export type SuppressionReason = 'hard_bounce' | 'complaint' | 'unsubscribed' | 'erasure';
/** Kinds that a reader can end. */
export type EndableKind = Exclude<MailKind, 'service'>;

/** What an unsubscribe link names. */
export interface Unsubscription {
  organisationId: number | undefined;
  digest: Buffer;
  kind: EndableKind;
}

export interface Suppression {
  id: number;
  organisationId: number | undefined;
  kind: EndableKind | undefined;
  reason: SuppressionReason;
  atMs: number;
}

/** Whatever changes the list does so in the caller's transaction, where its act is recorded. */
export interface Suppressions {
  /** What is kept in place of an address. */
  digest(address: string): Buffer;
  /** The link of one reader, organisation and kind; whoever has it can end this mail and nothing else. */
  token(unsubscription: Unsubscription): string;
  /** @returns what a link names, or undefined when it was not made here */
  readToken(token: string): Unsubscription | undefined;
  /** Takes effect with the next message that is due. @returns false when it had been ended before */
  unsubscribe(sql: Sql, unsubscription: Unsubscription): Promise<boolean>;
  /**
   * Nothing goes to this address any more, but what the law requires. With `erasure` what waits for it and the list of what
   * was sent to it are deleted as well, whoever's account it was.
   */
  suppress(sql: Sql, address: string, reason: Exclude<SuppressionReason, 'unsubscribed'>): Promise<void>;
  /** Whoever had their data erased asks for mail again, by signing up anew; bounces and complaints stay. @returns was it so? */
  readmit(sql: Sql, address: string): Promise<boolean>;
  /** What stands in the way of mail to this address. */
  of(address: string): Promise<Suppression[]>;
  /** Those of these addresses that no mail reaches any more, whatever the reason. */
  unreachable(addresses: readonly string[]): Promise<ReadonlySet<string>>;
  /** Takes an entry back; what was erased stays. @returns was it there? */
  lift(sql: Sql, address: string, id: number): Promise<boolean>;
}

const kinds: readonly EndableKind[] = ['alert', 'report'];
const macBytes = 16;
const digestBytes = 32;

export function openSuppressions({
  postgres,
  keys,
  clock,
}: {
  postgres: Postgres;
  keys: KeyRing;
  clock: Clock;
}): Suppressions {
  const digest = (address: string) => keys.digest('mail-address', normalise(address));

  function mac(body: Buffer): Buffer {
    return keys.digest('unsubscribe', body).subarray(0, macBytes);
  }

  return {
    digest,
    token({ organisationId, digest: address, kind }) {
      const body = Buffer.alloc(1 + 8 + digestBytes);
      body.writeUInt8(kinds.indexOf(kind), 0);
      body.writeBigUInt64BE(BigInt(organisationId ?? 0), 1);
      address.copy(body, 9);
      return Buffer.concat([body, mac(body)]).toString('base64url');
    },
    readToken(token) {
      const bytes = Buffer.from(token, 'base64url');
      if (bytes.length !== 9 + digestBytes + macBytes || bytes.toString('base64url') !== token) return undefined;
      const body = bytes.subarray(0, 9 + digestBytes);
      if (!timingSafeEqual(mac(body), bytes.subarray(body.length))) return undefined;
      const kind = kinds[body.readUInt8(0)];
      const organisation = Number(body.readBigUInt64BE(1));
      return kind === undefined
        ? undefined
        : {
            kind,
            organisationId: organisation === 0 ? undefined : organisation,
            digest: Buffer.from(body.subarray(9)),
          };
    },
    unsubscribe: (sql, { organisationId, digest: address, kind }) =>
      asMail(sql, () => addSuppression(sql, clock, { digest: address, organisationId, kind, reason: 'unsubscribed' })),
    suppress: (sql, address, reason) =>
      asMail(sql, async () => {
        if (reason === 'erasure')
          await sql.run('DELETE FROM mail.messages WHERE address_digest = $1', [digest(address)]);
        await addSuppression(sql, clock, { digest: digest(address), reason });
      }),
    readmit: (sql, address) =>
      asMail(
        sql,
        async () =>
          (await sql.run("DELETE FROM mail.suppressions WHERE address_digest = $1 AND reason = 'erasure'", [
            digest(address),
          ])) > 0,
      ),
    async unreachable(addresses) {
      const digests = addresses.map(digest);
      const rows = await postgres.mail((sql) =>
        sql.query<{ address_digest: Buffer }>(
          'SELECT DISTINCT address_digest FROM mail.suppressions WHERE kind IS NULL AND address_digest = ANY($1)',
          [digests],
        ),
      );
      return new Set(addresses.filter((_, at) => rows.some((row) => row.address_digest.equals(digests[at] as Buffer))));
    },
    async of(address) {
      const rows = await postgres.mail((sql) =>
        sql.query<{
          id: number;
          organisation_id: number | null;
          kind: EndableKind | null;
          reason: SuppressionReason;
          created_at: Date;
        }>(
          'SELECT id, organisation_id, kind, reason, created_at FROM mail.suppressions WHERE address_digest = $1 ORDER BY id',
          [digest(address)],
        ),
      );
      return rows.map((row) => ({
        id: row.id,
        organisationId: row.organisation_id ?? undefined,
        kind: row.kind ?? undefined,
        reason: row.reason,
        atMs: row.created_at.getTime(),
      }));
    },
    lift: (sql, address, id) =>
      asMail(
        sql,
        async () =>
          (await sql.run(
            "DELETE FROM mail.suppressions WHERE id = $1 AND address_digest = $2 AND reason <> 'erasure'",
            [id, digest(address)],
          )) > 0,
      ),
  };
}

/** In the transaction of whoever sends, which found out. @returns false when it was there already */
export async function addSuppression(
  sql: Sql,
  clock: Clock,
  entry: {
    digest: Buffer;
    reason: SuppressionReason;
    organisationId?: number | undefined;
    kind?: EndableKind | undefined;
  },
): Promise<boolean> {
  const added = await sql.run(
    `INSERT INTO mail.suppressions (address_digest, organisation_id, kind, reason, created_at)
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
    [entry.digest, entry.organisationId ?? null, entry.kind ?? null, entry.reason, new Date(clock.now())],
  );
  return added > 0;
}

/** The local part may differ by case in theory and does in no mailbox that anybody uses. */
function normalise(address: string): string {
  return address.trim().toLowerCase();
}
