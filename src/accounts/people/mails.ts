import type { MailBlock, MailTemplate } from '../../platform/mail/index.ts';

/** What the desk writes to a person about their own access. All of it is service mail: it cannot be turned off (MAI-01). */
function service<Values>(
  name: string,
  write: (values: Values) => { subject: string; blocks: MailBlock[] },
): MailTemplate<Values> {
  return { name, kind: 'service', write };
}

const notYou = (href: string): MailBlock => ({
  kind: 'note',
  text: 'If this was not you, set a new password. That ends every session.',
  link: { label: 'Set a new password', href },
});

/** What somebody did, when and from where; `reset` is the way to take the account back. */
interface Done {
  when: string;
  device: string;
  reset: string;
}
const factsOf = ({ when, device }: Done): MailBlock => ({
  kind: 'facts',
  rows: [
    ['When', when],
    ['Device', device],
  ],
});

export const verificationMail = service<{ href: string }>('verification', ({ href }) => ({
  subject: 'Confirm your e-mail address',
  blocks: [
    { kind: 'text', text: 'Open this link to confirm that this address is yours. It works once, for an hour.' },
    { kind: 'button', label: 'Confirm the address', href },
    { kind: 'note', text: 'If you did not ask for this, do nothing: without the link nothing changes.' },
  ],
}));

export const emailChangeMail = service<{ href: string }>('email_change', ({ href }) => ({
  subject: 'Confirm your new e-mail address',
  blocks: [
    {
      kind: 'text',
      text: 'Open this link, and you sign in with this address from then on. It works once, for an hour.',
    },
    { kind: 'button', label: 'Use this address', href },
    { kind: 'note', text: 'If you did not ask for this, do nothing: without the link nothing changes.' },
  ],
}));

/** Goes to the address that was left. */
export const emailChangedMail = service<Done & { email: string }>('email_changed', (values) => ({
  subject: 'Your e-mail address was changed',
  blocks: [
    { kind: 'text', text: `From now on you sign in with ${values.email}. This address is not used any more.` },
    factsOf(values),
    {
      kind: 'note',
      text: 'If this was not you, tell whoever runs this desk at once: the new address can set a new password.',
    },
  ],
}));

export const resetMail = service<{ href: string }>('reset', ({ href }) => ({
  subject: 'Set a new password',
  blocks: [
    {
      kind: 'text',
      text: 'Open this link to set a new password. It works once, for an hour, and ends every session of yours.',
    },
    { kind: 'button', label: 'Set a new password', href },
    { kind: 'note', text: 'If you did not ask for this, do nothing: your password stays as it is.' },
  ],
}));

export const passwordChangedMail = service<Done>('password_changed', (values) => ({
  subject: 'Your password was changed',
  blocks: [
    { kind: 'text', text: 'Your password was changed, and every other session was ended.' },
    factsOf(values),
    notYou(values.reset),
  ],
}));

export const newDeviceMail = service<Done & { place: string }>('new_device', (values) => ({
  subject: 'A sign-in from another device',
  blocks: [
    { kind: 'text', text: 'You signed in from a device that was not seen for you before.' },
    {
      kind: 'facts',
      rows: [
        ['When', values.when],
        ['Device', values.device],
        ...(values.place === '' ? [] : [['Place, roughly', values.place] as const]),
      ],
    },
    notYou(values.reset),
  ],
}));

export const closingTakenBackMail = service<Done>('closing_taken_back', (values) => ({
  subject: 'Your account stays open',
  blocks: [
    { kind: 'text', text: 'You signed in, so your account is not closed any more. Everything is as it was.' },
    factsOf(values),
    notYou(values.reset),
  ],
}));

export const sessionCopiedMail = service<Done>('session_copied', (values) => ({
  subject: 'A session of yours was ended',
  blocks: [
    {
      kind: 'text',
      text: 'A token of one of your sessions came a second time. It may have been copied, so that session was ended; sign in again where you need it.',
    },
    factsOf(values),
    notYou(values.reset),
  ],
}));

export const secondFactorMail = service<Done & { what: string }>('second_factor_changed', (values) => ({
  subject: 'Your second factor was changed',
  blocks: [{ kind: 'text', text: values.what }, factsOf(values), notYou(values.reset)],
}));
