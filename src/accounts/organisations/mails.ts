import type { MailTemplate } from '../../platform/mail/index.ts';
import { dayText } from '../people/when.ts';

/** Every mail about people and organisations is about the reader's own access: none can be turned off (MAI-01). */

export const invitationMail: MailTemplate<{
  organisation: string;
  by: string;
  role: string;
  link: string;
  days: number;
}> = {
  name: 'invitation',
  kind: 'service',
  write: ({ organisation, by, role, link, days }) => ({
    subject: `${by} invites you to ${organisation}`,
    blocks: [
      { kind: 'text', text: `${by} invites you to the desk of ${organisation}, with the role ${role}.` },
      { kind: 'button', label: 'Look at the invitation', href: link },
      {
        kind: 'note',
        text: `The link works once and for ${days} days, for this address alone. If you do not know ${organisation}, nothing happens unless you open it.`,
      },
    ],
  }),
};

/**
 * To the invited address, when an account is made by the link: a link can be forwarded. `reset` is where a new link is asked
 * for, once these are too old.
 */
export const accountMadeMail: MailTemplate<{
  organisation: string;
  when: string;
  device: string;
  confirm: string;
  takeBack: string;
  reset: string;
}> = {
  name: 'account_made',
  kind: 'service',
  write: ({ organisation, when, device, confirm, takeBack, reset }) => ({
    subject: `An account was made with your address in ${organisation}`,
    blocks: [
      {
        kind: 'text',
        text: `Somebody opened the invitation to ${organisation} and made an account with this address. If it was you, confirm it: then you can invite others, and change the address.`,
      },
      {
        kind: 'facts',
        rows: [
          ['When', when],
          ['Device', device],
        ],
      },
      { kind: 'button', label: 'It was me: confirm', href: confirm },
      {
        kind: 'note',
        text: 'If it was not you, take the account back with a password of your own. That ends every session, and every other way in that was set up is gone.',
        link: { label: 'It was not me: take it back', href: takeBack },
      },
      {
        kind: 'note',
        text: 'Both links work once, for an hour. After that, taking it back begins with a new link to this address.',
        link: { label: 'Ask for a new link', href: reset },
      },
    ],
  }),
};

export const roleChangedMail: MailTemplate<{
  organisation: string;
  by: string;
  from: string;
  to: string;
  link: string;
}> = {
  name: 'role_changed',
  kind: 'service',
  write: ({ organisation, by, from, to, link }) => ({
    subject: `Your role in ${organisation} is now ${to}`,
    blocks: [
      { kind: 'text', text: `${by} changed your role in ${organisation} from ${from} to ${to}. It holds already.` },
      { kind: 'button', label: 'Open the desk', href: link },
    ],
  }),
};

export const membershipEndedMail: MailTemplate<{ organisation: string; by: string | null }> = {
  name: 'membership_ended',
  kind: 'service',
  write: ({ organisation, by }) => ({
    subject: `You are no longer a member of ${organisation}`,
    blocks: [
      {
        kind: 'text',
        text:
          by === null
            ? `You left ${organisation}. Your account stays, without its sites.`
            : `${by} removed you from ${organisation}. Your account stays, without its sites.`,
      },
    ],
  }),
};

export const ownershipOfferedMail: MailTemplate<{ organisation: string; by: string; link: string; days: number }> = {
  name: 'ownership_offered',
  kind: 'service',
  write: ({ organisation, by, link, days }) => ({
    subject: `${by} offers you ${organisation}`,
    blocks: [
      {
        kind: 'text',
        text: `${by} wants to hand ${organisation} to you. If you accept, you are its owner and ${by} becomes an admin.`,
      },
      { kind: 'button', label: 'Look at the offer', href: link },
      { kind: 'note', text: `The offer ends by itself after ${days} days.` },
    ],
  }),
};

export const ownershipTransferredMail: MailTemplate<{ organisation: string; from: string; to: string }> = {
  name: 'ownership_transferred',
  kind: 'service',
  write: ({ organisation, from, to }) => ({
    subject: `${organisation} has a new owner`,
    blocks: [{ kind: 'text', text: `${to} is an owner of ${organisation} from now on; ${from} is an admin.` }],
  }),
};

const statusSubjects = {
  suspended: (name: string) => `${name} is suspended`,
  active: (name: string) => `${name} is active again`,
  closing: (name: string) => `${name} is going to be closed`,
  closed: (name: string) => `${name} is closed`,
} as const;

/** To the owners of an organisation, or to a person about their own account. `until` is a day, `reason` a sentence. */
export const statusChangedMail: MailTemplate<{
  name: string;
  what: 'organisation' | 'account';
  status: keyof typeof statusSubjects;
  reason: string | null;
  until: string | null;
}> = {
  name: 'status_changed',
  kind: 'service',
  write: ({ name, what, status, reason, until }, locale) => ({
    subject: statusSubjects[status](what === 'account' ? 'Your account' : name),
    blocks: [
      { kind: 'text', text: statusText(status, what, name, untilText(until, locale)) },
      ...(reason === null ? [] : [{ kind: 'facts' as const, rows: [['Reason', reason]] as const }]),
    ],
  }),
};

function untilText(until: string | null, locale: string | undefined): string {
  return until === null ? 'a day that is not set' : dayText(until, locale);
}

function statusText(
  status: keyof typeof statusSubjects,
  what: 'organisation' | 'account',
  name: string,
  day: string,
): string {
  if (what === 'account')
    switch (status) {
      case 'suspended':
        return 'Whoever runs this desk suspended your account. Its sessions have ended, and it cannot sign in.';
      case 'active':
        return 'Your account can sign in again.';
      case 'closing':
        return `Your account will be closed on ${day}, and every session of yours has ended. To keep it, sign in before that day: this takes the closing back. If you did not ask for this, sign in and set a new password.`;
      case 'closed':
        return 'Your account is closed.';
    }
  switch (status) {
    case 'suspended':
      return `Whoever runs this desk suspended ${name}. Its sites collect nothing; its numbers can be looked at, and its owners can export them.`;
    case 'active':
      return `${name} works as before: its sites collect, and its people can change things.`;
    case 'closing':
      return `${name} will be closed on ${day}. Until then everything works, and an owner can take it back, or make an archive of everything under Settings. Afterwards nothing of it is reachable.`;
    case 'closed':
      return `${name} is closed: nothing of it is reachable any more.`;
  }
}
