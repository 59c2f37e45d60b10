import type { Clock } from '../clock.ts';
import { asMail, type Postgres, type Sql } from '../postgres/index.ts';

/** A failure to hand mail over, as the operator needs it. */
export interface MailTrouble {
  /** Since when nothing was taken, and the last try. */
  sinceMs: number;
  atMs: number;
  reason: string;
  /** The server's own, which may name people: in the memory of the process that was told them, and nowhere else. */
  words: string | undefined;
}

export interface MailTroubles {
  /** Undefined when the last try of any process went well. */
  now(): Promise<MailTrouble | undefined>;
  /** The same in the caller's transaction, which holds it to its end: of two processes that tell it, one comes second. */
  hold(sql: Sql): Promise<Pick<MailTrouble, 'sinceMs' | 'atMs' | 'reason'> | undefined>;
  /** As this process has last seen it. */
  isKnown(): boolean;
}

interface Row {
  since: Date;
  last_at: Date;
  reason: string;
}

/** What is in the way of mail. One row for all processes, so that a further one, or a restart, makes no news of it. */
export function openTroubles({ postgres, clock }: { postgres: Postgres; clock: Clock }): MailTroubles & {
  /** The server took nothing. */
  begin(reason: string, words: string): Promise<void>;
  /** It took a message that is of no outbox. */
  end(): Promise<void>;
  /** The row went with a message that was taken. */
  forget(): void;
} {
  let known: MailTrouble | undefined;

  const fieldsOf = (row: Row) => ({
    sinceMs: row.since.getTime(),
    atMs: row.last_at.getTime(),
    reason: row.reason,
  });

  return {
    async now() {
      const row = await postgres.mail((sql) => sql.maybe<Row>('SELECT since, last_at, reason FROM mail.trouble'));
      const fields = row && fieldsOf(row);
      known = fields && { ...fields, words: known?.atMs === fields.atMs ? known.words : undefined };
      return known;
    },
    hold: (sql) =>
      asMail(sql, async () => {
        const row = await sql.maybe<Row>('SELECT since, last_at, reason FROM mail.trouble FOR UPDATE');
        return row && fieldsOf(row);
      }),
    isKnown: () => known !== undefined,
    async begin(reason, words) {
      const row = await postgres.mail((sql) =>
        sql.one<Row>(
          `INSERT INTO mail.trouble (since, last_at, reason) VALUES ($1, $1, $2)
           ON CONFLICT (id) DO UPDATE SET last_at = EXCLUDED.last_at, reason = EXCLUDED.reason
           RETURNING since, last_at, reason`,
          [new Date(clock.now()), reason],
        ),
      );
      known = { ...fieldsOf(row), words };
    },
    async end() {
      await postgres.mail(endTrouble);
      known = undefined;
    },
    forget() {
      known = undefined;
    },
  };
}

/** As the role that sends. */
export async function endTrouble(sql: Sql): Promise<void> {
  await sql.run('DELETE FROM mail.trouble');
}
