import type { Act, Audit } from '../audit.ts';
import type { Clock } from '../clock.ts';
import { isAddress } from '../mail_address.ts';
import { asMail, type Postgres, type Sql } from '../postgres/index.ts';
import type { Random } from '../random.ts';
import type { Vault } from '../vault.ts';
import type { Letter } from './draw.ts';
import {
  type DueMessage,
  type MailCounts,
  type MailKind,
  type MailState,
  type Message,
  mailStates,
} from './message.ts';
import { addSuppression, type SuppressionReason, type Suppressions } from './suppression.ts';
import { endTrouble } from './trouble.ts';

/** A message that this process has in hand. */
export interface Claimed extends DueMessage {
  id: number;
  name: string;
  claim: string;
  /** This try included. */
  tries: number;
  isRequired: boolean;
  /** `restricted`: the reader has their data restricted at this organisation; only what is about their own access goes out. */
  suppressed: SuppressionReason | 'restricted' | undefined;
  digest: Buffer;
  address: Buffer;
  content: Buffer;
}

/** Waits after the first failure, the second …; after the last the message is given up. */
export const retryMs = [60_000, 300_000, 1_800_000, 7_200_000, 21_600_000] as const;
/**
 * How long a try may take. A process that dies in its middle leaves the message to others after this: longer than a
 * server may take to say that it has it (15 s to connect, 15 s to greet, 60 s of silence each time), so that two do not send the same one.
 */
export const claimMs = 900_000;
/** What could not be sent because mail is off keeps its words for so long, in case the operator names a server. */
export const keptMs = 86_400_000;
const countedMs = 7 * 86_400_000;

interface Row {
  id: number;
  name: string;
  organisation_id: number | null;
  person_id: number | null;
  template: string;
  kind: MailKind;
  is_required: boolean;
  address_digest: Buffer;
  address: Buffer;
  content: Buffer;
  tries: number;
  suppressed: SuppressionReason | null;
  restricted: boolean;
}

export function openOutbox(parts: {
  clock: Clock;
  random: Random;
  postgres: Postgres;
  vault: Vault;
  audit: Audit;
  suppressions: Suppressions;
}) {
  const { clock, random, postgres, vault, audit } = parts;

  /** Of the desk, not of an organisation: the one that acts may have been made in this very transaction. */
  const place = (column: 'address' | 'content', name: string) =>
    ({
      organisationId: 'desk',
      table: 'mail.messages',
      column,
      row: name,
      class: column === 'address' ? 'D16' : 'D8',
    }) as const;

  async function finish(
    claimed: Claimed,
    end: { state: MailState; reason?: string | undefined; code?: number | undefined },
    also: (sql: Sql) => Promise<void> = async () => {},
  ): Promise<void> {
    await postgres.mail(async (sql) => {
      await settleIn(sql, claimed, end);
      await also(sql);
    });
  }

  async function settleIn(
    sql: Sql,
    claimed: Claimed,
    end: { state: MailState; reason?: string | undefined; code?: number | undefined },
  ): Promise<void> {
    await sql.run(
      `UPDATE mail.messages SET state = $3, reason = $4, answer_code = $5, finished_at = $6, claim = NULL,
         claimed_until = NULL, content = CASE WHEN $3 = 'not_sent_mail_off' THEN content END
       WHERE id = $1 AND claim = $2`,
      [claimed.id, claimed.claim, end.state, end.reason ?? null, end.code ?? null, new Date(clock.now())],
    );
  }

  /**
   * There is no such mailbox: nothing more goes to it, and the trail says so in the same transaction; that of the person whose
   * mailbox it was, else of the organisation that wrote. The message is the target: its row holds the address, sealed.
   */
  async function endBounced(
    message: Pick<Claimed, 'id' | 'personId' | 'organisationId' | 'template' | 'digest'>,
    end: (sql: Sql) => Promise<void>,
  ): Promise<void> {
    const { id, personId, organisationId, template, digest } = message;
    await postgres.within(
      { ...(personId === undefined ? {} : { personId }), ...(organisationId === undefined ? {} : { organisationId }) },
      async (sql) => {
        const isNew = await asMail(sql, async () => {
          await end(sql);
          return addSuppression(sql, clock, { digest, reason: 'hard_bounce' });
        });
        if (!isNew) return;
        const act: Act = {
          action: 'mail.bounced',
          actor: { type: 'system' },
          reason: 'hard_bounce',
          targets: [
            ...(personId === undefined ? [] : [{ type: 'person', id: personId } as const]),
            { type: 'message', id },
          ],
          details: { template },
        };
        if (personId === undefined) await audit.record(sql, organisationId ?? 'desk', act);
        else await audit.recordOfPerson(sql, personId, act);
      },
    );
  }

  async function waitUntil(
    claimed: Claimed,
    atMs: number,
    more: { tries: number; reason: string | null; code: number | null },
  ): Promise<void> {
    await postgres.mail((sql) =>
      sql.run(
        `UPDATE mail.messages SET not_before = $3, tries = $4, reason = $5, answer_code = $6, claim = NULL, claimed_until = NULL
         WHERE id = $1 AND claim = $2`,
        [claimed.id, claimed.claim, new Date(atMs), more.tries, more.reason, more.code],
      ),
    );
  }

  return {
    /** In the transaction of the act. Its words are sealed before they reach the database. */
    async put<Values>(
      sql: Sql,
      message: Message<Values> & { letter: Letter; unsubscribe: string | undefined; digest: Buffer },
    ): Promise<void> {
      const to = message.to.trim();
      if (!isAddress(to)) throw new TypeError('A message was written to something that is no e-mail address.');
      const name = random.bytes(16).toString('hex');
      const { template, letter, unsubscribe } = message;
      const address = await vault.seal(place('address', name), to);
      const content = await vault.seal(place('content', name), JSON.stringify({ letter, unsubscribe }));
      const now = new Date(clock.now());
      await sql.run(
        `INSERT INTO mail.messages (name, organisation_id, person_id, template, kind, is_required, address_digest, address, content, created_at, not_before)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)`,
        [
          name,
          message.organisationId ?? null,
          message.personId ?? null,
          template.name,
          template.kind,
          template.isRequired === true,
          message.digest,
          address,
          content,
          now,
        ],
      );
    },

    /** Takes the message that has waited longest, so that nobody else does. Suppression is read in the same transaction. */
    async claim(): Promise<Claimed | undefined> {
      const now = clock.now();
      const claim = random.bytes(16).toString('hex');
      const row = await postgres.mail((sql) =>
        sql.maybe<Row>(
          `WITH due AS (
             SELECT id FROM mail.messages
             WHERE state = 'waiting' AND not_before <= $1 AND (claimed_until IS NULL OR claimed_until <= $1)
             ORDER BY not_before, id LIMIT 1 FOR UPDATE SKIP LOCKED
           )
           UPDATE mail.messages m SET claim = $2, claimed_until = $3, tries = m.tries + 1
           FROM due WHERE m.id = due.id
           RETURNING m.id, m.name, m.organisation_id, m.person_id, m.template, m.kind, m.is_required, m.address_digest,
             m.address, m.content, m.tries, (
               SELECT s.reason FROM mail.suppressions s
               WHERE s.address_digest = m.address_digest
                 AND (s.kind IS NULL OR (s.kind = m.kind AND s.organisation_id IS NOT DISTINCT FROM m.organisation_id))
               ORDER BY s.id LIMIT 1
             ) AS suppressed, (m.kind <> 'service' OR m.template = 'invitation')
               AND lookup.is_mail_restricted(m.organisation_id, m.address_digest) AS restricted`,
          [new Date(now), claim, new Date(now + claimMs)],
        ),
      );
      if (row === undefined) return undefined;
      return {
        id: row.id,
        name: row.name,
        claim,
        tries: row.tries,
        template: row.template,
        kind: row.kind,
        isRequired: row.is_required,
        personId: row.person_id ?? undefined,
        organisationId: row.organisation_id ?? undefined,
        suppressed: row.suppressed ?? (row.restricted ? 'restricted' : undefined),
        digest: row.address_digest,
        address: row.address,
        content: row.content,
      };
    },

    async open(claimed: Claimed): Promise<{ to: string; letter: Letter; unsubscribe: string | undefined }> {
      const to = (await vault.open(place('address', claimed.name), claimed.address)).toString('utf8');
      const content = await vault.open(place('content', claimed.name), claimed.content);
      return { to, ...(JSON.parse(content.toString('utf8')) as { letter: Letter; unsubscribe: string | undefined }) };
    },

    /** Its end: the words go, the row stays. A hard bounce suppresses the address in the same transaction. */
    settle: (claimed: Claimed, end: { state: MailState; reason?: string | undefined; code?: number | undefined }) =>
      end.reason === 'hard_bounce' && end.state === 'failed'
        ? endBounced(claimed, (sql) => settleIn(sql, claimed, end))
        : finish(claimed, end, async (sql) => {
            if (end.state === 'sent') await endTrouble(sql);
          }),

    /** Another time, or never when it has been tried often enough. */
    postpone(claimed: Claimed, reason: string, code: number | undefined): Promise<void> {
      const wait = retryMs[claimed.tries - 1];
      return wait === undefined
        ? finish(claimed, { state: 'failed', reason: `gave_up_${reason}`, code })
        : waitUntil(claimed, clock.now() + wait, { tries: claimed.tries, reason, code: code ?? null });
    },

    /** The reader has asked for quiet: no try was made. */
    hold: (claimed: Claimed, untilMs: number) =>
      waitUntil(claimed, untilMs, { tries: claimed.tries - 1, reason: 'quiet_hours', code: null }),

    /** What was taken came back: it says so, and its address gets nothing more. @returns was it sent to this address? */
    async comeBack({ name, digest }: { name: string; digest: Buffer }): Promise<boolean> {
      const found = await postgres.mail((sql) =>
        sql.maybe<{ id: number; person_id: number | null; organisation_id: number | null; template: string }>(
          `SELECT id, person_id, organisation_id, template FROM mail.messages
           WHERE name = $1 AND address_digest = $2 AND state IN ('sent', 'failed')`,
          [name, digest],
        ),
      );
      if (found === undefined) return false;
      const { id, template } = found;
      const whose = { personId: found.person_id ?? undefined, organisationId: found.organisation_id ?? undefined };
      await endBounced({ id, template, digest, ...whose }, async (sql) => {
        await sql.run("UPDATE mail.messages SET state = 'failed', reason = 'hard_bounce' WHERE id = $1", [id]);
      });
      return true;
    },

    setAside: (claimed: Claimed) => finish(claimed, { state: 'not_sent_mail_off', reason: 'mail_off' }),

    /** What was set aside goes out after all. @returns how many messages */
    release: () =>
      postgres.mail((sql) =>
        sql.run(
          `UPDATE mail.messages SET state = 'waiting', reason = NULL, finished_at = NULL, tries = 0, not_before = $1
           WHERE state = 'not_sent_mail_off' AND content IS NOT NULL AND created_at > $2`,
          [new Date(clock.now()), new Date(clock.now() - keptMs)],
        ),
      ),

    /** Words that waited too long for a server go. Rows of more than twelve months go with the night (ageing.ts). */
    async tidy(): Promise<void> {
      await postgres.mail((sql) =>
        sql.run(
          `UPDATE mail.messages SET content = NULL WHERE content IS NOT NULL AND state = 'not_sent_mail_off' AND created_at <= $1`,
          [new Date(clock.now() - keptMs)],
        ),
      );
    },

    async counts(): Promise<MailCounts> {
      const rows = await postgres.mail((sql) =>
        sql.query<{ state: MailState; n: number; kept: number }>(
          `SELECT state, count(*) AS n, count(*) FILTER (WHERE state = 'not_sent_mail_off' AND content IS NOT NULL) AS kept
           FROM mail.messages WHERE created_at > $1 GROUP BY state`,
          [new Date(clock.now() - countedMs)],
        ),
      );
      const states = Object.fromEntries(mailStates.map((state) => [state, 0])) as MailCounts['states'];
      for (const row of rows) states[row.state] = row.n;
      return { states, kept: rows.reduce((sum, row) => sum + row.kept, 0) };
    },

    async address(message: { name: string; address: Buffer }): Promise<string | undefined> {
      return vault.open(place('address', message.name), message.address).then(
        (plain) => plain.toString('utf8'),
        () => undefined,
      );
    },
  };
}
