import { isLoopback } from './config.ts';
import type { MailServer } from './mail/index.ts';
import { isSender } from './mail_address.ts';

/** The mail server that the operator names by `FAIRLEAD_SMTP_URL` and `FAIRLEAD_MAIL_FROM`; undefined when neither is set. */
export function readMailServer(read: {
  text: (name: string) => string | undefined;
  wrong: (variable: string, problem: string, fix: string) => void;
}): MailServer | undefined {
  const { text, wrong } = read;
  const address = text('FAIRLEAD_SMTP_URL');
  const from = text('FAIRLEAD_MAIL_FROM');
  if (address === undefined) {
    if (from !== undefined)
      wrong('FAIRLEAD_SMTP_URL', 'it is missing while FAIRLEAD_MAIL_FROM is set.', 'Set both, or neither.');
    return undefined;
  }
  if (from === undefined)
    wrong(
      'FAIRLEAD_MAIL_FROM',
      'it is missing while FAIRLEAD_SMTP_URL is set.',
      'Write the address that mail comes from, such as Fairlead <desk@desk.example>.',
    );
  else if (!isSender(from))
    wrong('FAIRLEAD_MAIL_FROM', 'it is not a sender.', 'Write one such as Fairlead <desk@desk.example>.');
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '' || url.search !== '') {
    // Not quoted: a password may stand in it.
    wrong(
      'FAIRLEAD_SMTP_URL',
      'it is not the address of a mail server.',
      'Write one such as smtp://user:password@mail.example:587 (STARTTLS) or smtps://user:password@mail.example:465.',
    );
    return undefined;
  }
  const isImplicit = url.protocol === 'smtps:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (from === undefined) return undefined;
  return {
    host,
    port: url.port === '' ? (isImplicit ? 465 : isLoopback(host) ? 25 : 587) : Number(url.port),
    tls: isImplicit ? 'implicit' : 'starttls',
    userName: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
    from,
    dkim: undefined,
  };
}
