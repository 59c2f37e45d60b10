import type { MailTemplate } from '../../platform/mail/index.ts';

/** To whoever is named in the public form, once a day at most: that the mailbox is theirs shows who asks. */
export const requestProofMail: MailTemplate<{ organisation: string; ask: string; agent: string; link: string }> = {
  name: 'request_proof',
  kind: 'service',
  write: ({ organisation, ask, agent, link }) => ({
    subject: `Begin your request to ${organisation}`,
    blocks: [
      {
        kind: 'text',
        text:
          agent === ''
            ? `Somebody asked ${organisation} with this address: “${ask}”. If it was you, begin the request.`
            : `“${agent}” asked ${organisation} for you, as your authorised agent: “${ask}”. If they may, begin the request; the answer comes to you.`,
      },
      { kind: 'button', label: 'Look at the request', href: link },
      {
        kind: 'note',
        text: 'The link works for a day. If you asked for nothing, do nothing: without the link nothing begins, and your address is forgotten.',
      },
    ],
  }),
};

/** Who answers stands in the foot, as in every message of an organisation. */
interface Letterhead {
  organisation: string;
  /** The authority that watches over it, as it was entered. */
  authority: string | null;
}

/** Where to complain stands in every answer (DSR-09). */
const complaint = (authority: string | null) =>
  `${
    authority === null
      ? 'You can complain to the data protection authority of the country in which you live or work'
      : `You can complain to ${authority}, or to the data protection authority of the country in which you live or work`
  }, and go to court.`;

/** The outcome of a request, to who asked: once. */
export const requestAnswerMail: MailTemplate<
  Letterhead & { ask: string; received_on: string; outcome: string; isRefused: boolean }
> = {
  name: 'request_answer',
  kind: 'service',
  isRequired: true,
  write: ({ organisation, authority, ask, received_on, outcome, isRefused }) => ({
    subject: isRefused ? `${organisation} refuses your request` : `Answer to your request to ${organisation}`,
    blocks: [
      { kind: 'text', text: `On ${received_on} you asked ${organisation}: “${ask}”.` },
      ...(isRefused ? [{ kind: 'text', text: 'This is refused, for the following reason.' } as const] : []),
      { kind: 'text', text: outcome },
      { kind: 'note', text: complaint(authority) },
    ],
  }),
};

/** It takes longer: until when, and why. */
export const requestExtendedMail: MailTemplate<
  Letterhead & { ask: string; received_on: string; until: string; reason: string }
> = {
  name: 'request_extended',
  kind: 'service',
  isRequired: true,
  write: ({ organisation, authority, ask, received_on, until, reason }) => ({
    subject: `Your request to ${organisation} takes longer`,
    blocks: [
      { kind: 'text', text: `On ${received_on} you asked ${organisation}: “${ask}”. The answer comes by ${until}.` },
      { kind: 'facts', rows: [['Why', reason]] },
      { kind: 'note', text: complaint(authority) },
    ],
  }),
};

/** To whoever has their data restricted, before that ends (GDPR, article 18(3)). */
export const restrictionEndsMail: MailTemplate<{
  organisation: string;
  kind: 'restriction' | 'objection';
  why: string;
  on: string;
}> = {
  name: 'restriction_ends',
  kind: 'service',
  isRequired: true,
  write: ({ organisation, kind, why, on }) => ({
    subject: `${organisation} will use your data again`,
    blocks: [
      {
        kind: 'text',
        text:
          kind === 'restriction'
            ? `You asked ${organisation} to keep your data and not to use it. That ends on ${on}.`
            : `You objected to what ${organisation} does with your data. It will use your data again from ${on} on.`,
      },
      { kind: 'facts', rows: [['Why', why]] },
      {
        kind: 'note',
        text: 'If you do not agree, answer them before that day; you can complain to the data protection authority of the country in which you live or work, and go to court.',
      },
    ],
  }),
};

/** The archive of who asked for a copy, to the address of the request. */
export const requestArchiveMail: MailTemplate<{ organisation: string; until: string; link: string }> = {
  name: 'request_archive',
  kind: 'service',
  write: ({ organisation, until, link }) => ({
    subject: `Your data at ${organisation}`,
    blocks: [
      {
        kind: 'text',
        text: `${organisation} has put together what it stores about you: a page to read, and the same as JSON and CSV for other services.`,
      },
      { kind: 'button', label: 'Get the archive', href: link },
      {
        kind: 'note',
        text: `The link works until ${until}, for whoever has it: do not pass this mail on. If something is missing or wrong, say so; you can complain to the data protection authority of the country in which you live or work.`,
      },
    ],
  }),
};
