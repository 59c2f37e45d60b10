import type { MailTemplate } from '../../platform/mail/index.ts';

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
  write: ({ name, what, status, reason, until }) => ({
    subject: statusSubjects[status](what === 'account' ? 'Your account' : name),
    blocks: [
      { kind: 'text', text: statusText(status, what, name, until) },
      ...(reason === null ? [] : [{ kind: 'facts' as const, rows: [['Reason', reason]] as const }]),
    ],
  }),
};

/** `2026-12-28` as people write it. */
function dayText(day: string): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(Date.parse(day));
}

function statusText(
  status: keyof typeof statusSubjects,
  what: 'organisation' | 'account',
  name: string,
  until: string | null,
): string {
  if (what === 'account')
    switch (status) {
      case 'suspended':
        return 'Whoever runs this desk suspended your account. Its sessions have ended, and it cannot sign in.';
      case 'active':
        return 'Your account can sign in again.';
      case 'closing':
        return `Your account will be closed on ${until ?? 'a day that is not set'}, and every session of yours has ended. To keep it, sign in before that day: this takes the closing back. If you did not ask for this, sign in and set a new password.`;
      case 'closed':
        return 'Your account is closed.';
    }
  switch (status) {
    case 'suspended':
      return `Whoever runs this desk suspended ${name}. Its sites collect nothing; its numbers can be looked at, and its owners can export them.`;
    case 'active':
      return `${name} works as before: its sites collect, and its people can change things.`;
    case 'closing':
      return `${name} will be closed on ${until === null ? 'a day that is not set' : dayText(until)}. Until then everything works, and an owner can take it back. Afterwards nothing of it is reachable.`;
    case 'closed':
      return `${name} is closed: nothing of it is reachable any more.`;
  }
}
