import { signUpLimits } from '../../../contract/sign_up.ts';
import type { MailTemplate } from '../../platform/mail/index.ts';

/** Confirms the address of somebody who signs up. */
export const signUpMail: MailTemplate<{ organisation: string; link: string }> = {
  name: 'sign_up',
  kind: 'service',
  write: ({ organisation, link }) => ({
    subject: 'Confirm your e-mail address',
    blocks: [
      {
        kind: 'text',
        text: `Open this link to make your account and the organisation ${organisation}. It works once, for an hour, and asks for the password that you chose.`,
      },
      { kind: 'button', label: 'Confirm the address', href: link },
      { kind: 'note', text: 'If you did not sign up, do nothing: without the link no account is made.' },
    ],
  }),
};

/** The page says the same to whoever asks; only the mailbox learns that there is an account. */
export const signUpExistingMail: MailTemplate<{ signIn: string; reset: string }> = {
  name: 'sign_up_existing',
  kind: 'service',
  write: ({ signIn, reset }) => ({
    subject: 'You have an account here already',
    blocks: [
      { kind: 'text', text: 'Somebody wanted to sign up with this address. It has an account here, so none was made.' },
      { kind: 'button', label: 'Sign in', href: signIn },
      {
        kind: 'note',
        text: 'If this was not you, do nothing: your account is as it was. If you forgot the password, set a new one.',
        link: { label: 'Set a new password', href: reset },
      },
    ],
  }),
};

export const signUpInvitationMail: MailTemplate<{ desk: string; link: string }> = {
  name: 'sign_up_invitation',
  kind: 'service',
  write: ({ desk, link }) => ({
    subject: `An invitation to ${desk}`,
    blocks: [
      {
        kind: 'text',
        text: `Whoever runs ${desk} invites you to make an account and an organisation of your own there. The link works for ${signUpLimits.invitationDays} days, with this address.`,
      },
      { kind: 'button', label: 'Sign up', href: link },
      { kind: 'note', text: 'If you did not expect this, do nothing.' },
    ],
  }),
};
