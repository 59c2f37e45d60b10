import type { RequestStep } from '../../../contract/requests.ts';
import { RequestError } from '../../platform/http/route.ts';
import { asMail, everywhere, type Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { readIdentity } from '../documents/index.ts';
import { organisationIn } from './archives.ts';
import { requestAnswerMail, requestExtendedMail } from './mails.ts';
import { askWords } from './public_page.ts';
import { extendRequest, type RequestParts, readRequest, takeStep } from './records.ts';

type Closing = Extract<RequestStep, { outcome: string }>;

async function letterhead(sql: Sql, organisationId: number) {
  const { authority } = await readIdentity(sql, organisationId);
  const { name } = await organisationIn(sql, organisationId);
  return { organisation: name, authority };
}

const askOf = (kind: string) => askWords.find(([one]) => one === kind)?.[1] ?? kind;

/**
 * Closes a request and mails its outcome to who asked, in one transaction: one letter for each outcome. To nobody of whom it
 * is not sure who they are: that would tell a stranger that somebody asked.
 * @throws RequestError conflict when a letter is wanted and none can go out, or the step is not the next one
 */
export async function closeRequest(
  mail: House['mail'],
  sql: Sql,
  id: number,
  step: Closing,
  parts: RequestParts,
): Promise<void> {
  await sql.query('SELECT 1 FROM subject_requests WHERE id = $1 FOR UPDATE', [id]);
  const { email, kind, received_on, checked_at } = await readRequest(sql, id, parts);
  const isPossible = email !== null && checked_at !== null && (await mail.isOn());
  if (step.letter === true && !isPossible)
    throw new RequestError(
      'conflict',
      email === null || checked_at === null
        ? `No letter can go out for request ${id}: there is no address of which it is sure whose it is. Tell them in another way.`
        : 'This desk sends no mail at present. Tell them in another way, and close it without a letter.',
    );
  await takeStep(sql, id, step, parts);
  if (!isPossible || step.letter === false) return;
  await mail.send(sql, {
    template: requestAnswerMail,
    ...{ to: email, organisationId: parts.organisationId },
    values: {
      ...(await letterhead(sql, parts.organisationId)),
      ...{ ask: askOf(kind), received_on, outcome: step.outcome, isRefused: step.to === 'refused' },
    },
  });
  await sql.run('UPDATE subject_requests SET letter_at = $2 WHERE id = $1', [id, new Date(parts.nowMs)]);
}

/** Extends it, and tells who asked why and until when (GDPR, article 12(3)), where a letter can go out. */
export async function extendAndTell(
  mail: House['mail'],
  sql: Sql,
  id: number,
  wish: Parameters<typeof extendRequest>[2],
  parts: RequestParts,
): Promise<void> {
  await extendRequest(sql, id, wish, parts);
  const { email, kind, received_on, checked_at } = await readRequest(sql, id, parts);
  if (email === null || checked_at === null || !(await mail.isOn())) return;
  await mail.send(sql, {
    template: requestExtendedMail,
    ...{ to: email, organisationId: parts.organisationId },
    values: {
      ...(await letterhead(sql, parts.organisationId)),
      ...{ ask: askOf(kind), received_on, until: wish.until, reason: wish.reason },
    },
  });
}

/** An answer to an erasure would be what is left of who was erased: once it has left, or cannot, its line goes too. */
export async function forgetAnswers(postgres: House['postgres']): Promise<void> {
  await everywhere(postgres, async (sql, organisationId) => {
    const erased = await sql.query<{ mail_digest: Buffer; letter_at: Date }>(
      `SELECT DISTINCT s.mail_digest, q.letter_at FROM subject_requests q
       JOIN erasure_runs r ON r.request_id = q.id JOIN erasure_subjects s ON s.run_id = r.id
       WHERE q.letter_at IS NOT NULL AND s.mail_digest IS NOT NULL`,
    );
    if (erased.length > 0)
      await asMail(sql, async () => {
        for (const { mail_digest, letter_at } of erased)
          await sql.run(
            `DELETE FROM mail.messages WHERE organisation_id = $1 AND address_digest = $2 AND template = $3 AND created_at >= $4
             AND state NOT IN ('waiting', 'not_sent_mail_off')`,
            [organisationId, mail_digest, requestAnswerMail.name, letter_at],
          );
      });
    return [];
  });
}
