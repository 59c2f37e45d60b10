import type { MailTemplate } from '../../platform/mail/index.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { statusChangedMail } from '../organisations/mails.ts';

/** Tells its person until when an account is kept, in the transaction that sets the day. */
export async function mailClosing(
  { mail }: Pick<House, 'mail'>,
  sql: Sql,
  {
    id,
    email,
    locale,
    until,
    reason,
  }: { id: number; email: string; locale: string | null; until: Date; reason: string | null },
): Promise<void> {
  await mail.send(sql, {
    template: statusChangedMail,
    to: email,
    personId: id,
    locale,
    values: { name: email, what: 'account', status: 'closing', reason, until: until.toISOString().slice(0, 10) },
  });
}

/**
 * The last thing that a person hears: that it was done has to be said (GDPR Art. 12(3)), so it goes to the address although
 * nothing else does any more.
 */
export const accountClosedMail: MailTemplate<{ asked: boolean }> = {
  name: 'account_closed',
  kind: 'service',
  isRequired: true,
  write: ({ asked }) => ({
    subject: 'Your account is closed',
    blocks: [
      {
        kind: 'text',
        text: `Your account was closed, ${asked ? 'as you asked' : 'because its address was not confirmed and it belonged to no organisation'}. Your name, your address, how you signed in and the list of what was mailed to you are deleted, and the keys of what was sealed for you are destroyed.`,
      },
      {
        kind: 'note',
        text: 'What you did for your organisations stays in their records under a number, without your name. This is the last mail.',
      },
    ],
  }),
};
