/** What a delivery report (RFC 3464) says about one reader. */
export interface Bounce {
  address: string;
  /** Whom the message was written to, where its mailbox passes mail on and the other end is gone. */
  original: string | undefined;
  /**
   * Name of the message of ours that it quotes. It is random and known to its readers and their servers alone, so a
   * report with it is about something that we sent, and not made up to have somebody's mail ended.
   */
  message: string | undefined;
  /** `failed` for good; everything else may still arrive. */
  action: string;
  /** Enhanced code (RFC 3463), such as 5.1.1. */
  status: string;
}

/** A report quotes the message that did not arrive: more than this is none of ours. */
export const bounceBytesMax = 2_000_000;
const readersMax = 100;

/**
 * Reads the part that is meant for programs, `message/delivery-status`, and nothing else of the mail: its words differ
 * with each server.
 * @returns one entry for each reader it names; none when it is no delivery report
 */
export function readBounces(mail: string): Bounce[] {
  const text = mail.replaceAll('\r\n', '\n');
  const start = /^content-type:[ \t]*message\/delivery-status\b.*(?:\n[ \t].*)*$/im.exec(text);
  if (start === null) return [];
  const rest = text.slice(start.index);
  const head = rest.indexOf('\n\n');
  if (head < 0) return [];
  const encoded = /^content-transfer-encoding:[ \t]*base64/im.test(rest.slice(0, head));
  const end = rest.slice(head + 2).search(/^--/m);
  const body = end < 0 ? rest.slice(head + 2) : rest.slice(head + 2, head + 2 + end);
  const plain = encoded ? Buffer.from(body, 'base64').toString('utf8').replaceAll('\r\n', '\n') : body;
  const message = end < 0 ? undefined : quotedName.exec(rest.slice(head + 2 + end))?.[1];
  return plain
    .split(/\n{2,}/)
    .map(fieldsOf)
    .flatMap((fields) => {
      const original = addressIn(fields.get('original-recipient'));
      const address = addressIn(fields.get('final-recipient')) ?? original;
      const action = fields.get('action')?.toLowerCase();
      const status = /^[245]\.\d{1,3}\.\d{1,3}/.exec(fields.get('status') ?? '')?.[0];
      return address === undefined || action === undefined || status === undefined
        ? []
        : [{ address, original, message, action, status }];
    })
    .slice(0, readersMax);
}

/** Is there no such mailbox? A full one or a policy is not the reader's end. */
export function isHardBounce({ action, status }: Bounce): boolean {
  return action === 'failed' && /^5\.(1\.|2\.1$)/.test(status);
}

/** Of the message that a report quotes: our names are 32 hexadecimal digits (outbox.ts). */
const quotedName = /^message-id:[ \t]*(?:\n[ \t]+)?<([0-9a-f]{32})@/im;

function addressIn(field: string | undefined): string | undefined {
  return /^rfc822[ \t]*;[ \t]*<?([^<>\s]+@[^<>\s]+)>?$/i.exec(field ?? '')?.[1];
}

function fieldsOf(group: string): Map<string, string> {
  const unfolded = group.replaceAll(/\n[ \t]+/g, ' ');
  return new Map(
    unfolded.split('\n').flatMap((line) => {
      const at = line.indexOf(':');
      return at < 1 ? [] : [[line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()] as const];
    }),
  );
}
