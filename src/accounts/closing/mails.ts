import type { MailTemplate } from '../../platform/mail/index.ts';

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
