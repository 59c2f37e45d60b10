import type { MailTemplate } from '../../platform/mail/index.ts';

/** What a person is told when a way to sign in comes or goes. Service mail: it is about their own access. */
interface Values {
  /** What the way is called: "Google (ada@shop.example)", or the name of a passkey. */
  way: string;
  /** The page where it can be undone. */
  link: string;
}

function template(name: string, subject: string, said: (way: string) => string): MailTemplate<Values> {
  return {
    name,
    kind: 'service',
    write: ({ way, link }) => ({
      subject,
      blocks: [
        { kind: 'text', text: said(way) },
        {
          kind: 'text',
          text: 'If this was not you, open the page below, undo it, and change your password: somebody else may be signed in as you.',
        },
        { kind: 'button', label: 'Open Account, Security', href: link },
      ],
    }),
  };
}

export const identityLinked = template(
  'identity_linked',
  'An account was linked with yours',
  (way) => `From now on, ${way} can sign in as you.`,
);
export const identityUnlinked = template(
  'identity_unlinked',
  'An account was unlinked from yours',
  (way) => `From now on, ${way} can no longer sign in as you.`,
);
export const passkeyAdded = template(
  'passkey_added',
  'A passkey was added to your account',
  (way) => `From now on, the passkey “${way}” can sign in as you.`,
);
export const passkeyRemoved = template(
  'passkey_removed',
  'A passkey was removed from your account',
  (way) => `From now on, the passkey “${way}” can no longer sign in as you.`,
);
export const passkeyCopied = template(
  'passkey_refused',
  'A passkey of yours was refused',
  (way) =>
    `The passkey “${way}” was used and counted fewer uses than before, as a copy of it would. It was refused. Remove it and make a new one.`,
);
