import { isLoopback } from '../config.ts';
import { type Letter, oneLine } from './draw.ts';
import type { MailServer } from './server.ts';

/** One message as it leaves. */
export interface Outgoing {
  /** Without brackets: the same at each try, so that a reader who gets it twice sees it once. */
  messageId: string;
  to: string;
  letter: Letter;
  /** The HTTPS page of one-click unsubscribing; undefined for service mail. */
  unsubscribe: string | undefined;
}

/** What came of handing it over. `words` are the server's own and may name the reader: for the operator's eyes, not for a store. */
export type Handover =
  | { kind: 'accepted'; code: number; words: string }
  /** There is no such mailbox: nothing is sent there again. */
  | { kind: 'bounced'; code: number; words: string }
  /** It will not take this message, however often it is asked. */
  | { kind: 'refused'; code: number; words: string }
  /** It may go another time: the server is away, busy, or does not let us in. `isServer` when it would refuse anybody's. */
  | { kind: 'later'; reason: LaterReason; code: number | undefined; words: string };
export type LaterReason =
  | 'no_connection'
  | 'no_tls'
  | 'sign_in_refused'
  | 'busy'
  | 'no_answer'
  | 'not_registered'
  | 'region_refused';

export interface Transport {
  send(message: Outgoing): Promise<Handover>;
  close(): void;
}

/** Connections at once. */
const connectionsMax = 2;
const connectMs = 15_000;
/** A server that says nothing for so long in the middle of a message. */
const silenceMs = 60_000;

/**
 * RFC 6376 §5.4.1 with both headers of RFC 8058: nodemailer's own list leaves List-Unsubscribe-Post out, and a receiver
 * must not trust one that is not signed.
 */
export const signedHeaders =
  'From:Reply-To:Subject:Date:Message-ID:To:MIME-Version:Content-Type:Content-Transfer-Encoding:List-Unsubscribe:List-Unsubscribe-Post';

/** Opens nothing until the first message. */
export function openTransport(server: MailServer): Transport {
  let opening: ReturnType<typeof open> | undefined;
  return {
    async send(message) {
      opening ??= open(server);
      try {
        const info = await (await opening).sendMail(mailOf(server, message));
        return { kind: 'accepted', code: codeIn(info.response) ?? 250, words: info.response };
      } catch (error) {
        return handoverOf(error as SmtpError);
      }
    },
    close: () => void opening?.then((transport) => transport.close()),
  };
}

const refusedWords = {
  not_registered:
    'This desk has no row for this mail server in its register (Trust, Subprocessors), so nothing is sent to it.',
  region_refused:
    'This desk is pinned to regions (FAIRLEAD_REGIONS), and nothing says that this mail server is in one of them or what the transfer rests on: see Trust, Subprocessors.',
} as const;

/** A transport that asks the register before each message. What it refuses waits, as it does for a server that is away. */
export function registeredTransport(
  server: MailServer,
  gate: (host: string) => Promise<keyof typeof refusedWords | undefined>,
): Transport {
  const transport = openTransport(server);
  return {
    async send(message) {
      const refused = await gate(server.host);
      if (refused === undefined) return transport.send(message);
      return { kind: 'later', reason: refused, code: undefined, words: refusedWords[refused] };
    },
    close: () => transport.close(),
  };
}

/** The library is loaded when there is something to send: most commands of the command line never do. */
async function open(server: MailServer) {
  const { createTransport } = await import('nodemailer');
  const isNear = isLoopback(server.host);
  const transport = createTransport({
    pool: true,
    maxConnections: connectionsMax,
    // Once more where a kept connection turns out to be closed; every further try is the outbox's, and counted there.
    maxRequeues: 1,
    host: server.host,
    port: server.port,
    secure: server.tls === 'implicit',
    // In clear only to this very machine: a message carries links that let their reader in.
    requireTLS: server.tls === 'starttls' && !isNear,
    ignoreTLS: server.tls === 'starttls' && isNear,
    tls: { minVersion: 'TLSv1.2' },
    ...(server.userName === undefined ? {} : { auth: { user: server.userName, pass: server.password ?? '' } }),
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: silenceMs,
    // A message is text of ours: nothing in it may make the mailer read a file or fetch an address.
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(server.dkim === undefined
      ? {}
      : {
          dkim: {
            domainName: server.dkim.domain,
            keySelector: server.dkim.selector,
            privateKey: server.dkim.key,
            headerFieldNames: signedHeaders,
          },
        }),
  });
  // Idle connections that break say so as events; the next message opens another.
  transport.on('error', () => {});
  return transport;
}

function mailOf(server: MailServer, { messageId, to, letter, unsubscribe }: Outgoing) {
  return {
    from: server.from,
    // An object: its address is taken as it is and never parsed into several.
    to: { name: '', address: to },
    subject: oneLine(letter.subject),
    text: letter.text,
    html: letter.html,
    messageId: `<${messageId}>`,
    attachments: letter.pictures.map(({ cid, png }) => ({
      cid,
      content: png,
      encoding: 'base64',
      contentType: 'image/png',
      contentDisposition: 'inline' as const,
      filename: `${cid.split('@')[0]}.png`,
    })),
    headers: {
      // No answer by robots that are out of office (RFC 3834).
      'Auto-Submitted': 'auto-generated',
      ...(unsubscribe === undefined
        ? {}
        : {
            'List-Unsubscribe': { prepared: true, value: `<${unsubscribe}>` },
            'List-Unsubscribe-Post': { prepared: true, value: 'List-Unsubscribe=One-Click' },
          }),
    },
  };
}

interface SmtpError extends Error {
  code?: string;
  responseCode?: number;
  response?: string;
  command?: string;
}

/** Enhanced codes (RFC 3463) of a mailbox that is not there: 5.1.x is about the address, 5.2.1 a mailbox that was closed. */
const noMailbox = /\b5\.(1\.(0|1|2|3|6|10)|2\.1)\b/;
const anyEnhanced = /\b[245]\.\d{1,3}\.\d{1,3}\b/;

/** An SMTP failure as one of four outcomes. Exported for the test that lists them. */
export function handoverOf(error: SmtpError): Handover {
  const words = oneLine(error.response ?? error.message).slice(0, 500);
  const code = error.responseCode ?? codeIn(error.response);
  const isAboutReader = error.code === 'EENVELOPE' && error.command === 'RCPT TO';
  // 550 without a further code means the mailbox; with one of policy (5.7.x) it means us or our words.
  if (isAboutReader && code === 550 && (noMailbox.test(words) || !anyEnhanced.test(words)))
    return { kind: 'bounced', code, words };
  if (isAboutReader && (code === 551 || code === 553) && noMailbox.test(words)) return { kind: 'bounced', code, words };
  if (error.code === 'EAUTH' || error.code === 'ENOAUTH')
    return { kind: 'later', reason: 'sign_in_refused', code, words };
  if (error.code === 'ETLS') return { kind: 'later', reason: 'no_tls', code, words };
  if (code !== undefined && code >= 500 && (error.code === 'EENVELOPE' || error.code === 'EMESSAGE'))
    return { kind: 'refused', code, words };
  if (code !== undefined && code >= 400) return { kind: 'later', reason: 'busy', code, words };
  if (error.code === 'ETIMEDOUT') return { kind: 'later', reason: 'no_answer', code, words };
  // TLS faults come as the word of OpenSSL or of Node's check of the name.
  if (
    /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(error.code ?? '') ||
    /certificate|TLS|SSL/i.test(error.message)
  )
    return { kind: 'later', reason: 'no_tls', code, words };
  return { kind: 'later', reason: 'no_connection', code, words };
}

function codeIn(response: string | undefined): number | undefined {
  const found = /^(\d{3})\b/.exec(response ?? '');
  return found === null ? undefined : Number(found[1]);
}
