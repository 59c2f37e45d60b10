import { createServer, type Socket } from 'node:net';

/**
 * A mail server after RFC 5321, for its bad days: it can be slow, hang up in the middle, refuse now and take later, and
 * take what it later reports as undeliverable (RFC 3464). It announces no extension and asks for no TLS.
 */
export interface MailServerEmulator {
  port: number;
  /** What it said 250 to, oldest first. */
  taken: { from: string; to: string[]; data: string }[];
  set(mischief: Partial<MailServerMischief>): void;
  reset(): void;
  close(): Promise<void>;
}

export interface MailServerMischief {
  /** Before each of its answers. */
  slowMs: number;
  /** Hangs up instead of answering, this many times: at the command, or once all words have arrived (`.`). */
  hangsUp: { at: 'RCPT' | 'DATA' | '.'; times: number };
  /** Answers to the next messages, in place of `250`; each is used once. */
  answers: string[];
}

const good: MailServerMischief = { slowMs: 0, hangsUp: { at: '.', times: 0 }, answers: [] };

export async function openMailServerEmulator(): Promise<MailServerEmulator> {
  const taken: MailServerEmulator['taken'] = [];
  const sockets = new Set<Socket>();
  let mischief = structuredClone(good);

  function serve(socket: Socket): void {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let from = '';
    let to: string[] = [];
    let data: string[] | undefined;
    let line = '';

    const say = (answer: string) =>
      mischief.slowMs === 0
        ? socket.write(`${answer}\r\n`)
        : setTimeout(() => socket.write(`${answer}\r\n`), mischief.slowMs);
    function hangsUp(at: MailServerMischief['hangsUp']['at']): boolean {
      if (mischief.hangsUp.at !== at || mischief.hangsUp.times === 0) return false;
      mischief.hangsUp.times--;
      socket.destroy();
      return true;
    }
    function endOfData(lines: string[]): void {
      data = undefined;
      if (hangsUp('.')) return;
      const answer = mischief.answers.shift() ?? '250 2.0.0 taken';
      // A server that is told to lie keeps what it took; one that refuses does not.
      if (answer.startsWith('2'))
        taken.push({ from, to, data: lines.map((one) => one.replace(/^\./, '')).join('\r\n') });
      [from, to] = ['', []];
      say(answer);
    }
    function obey(command: string): void {
      const verb = command.slice(0, 4).toUpperCase();
      const path = /<([^>]*)>/.exec(command)?.[1] ?? '';
      if (verb === 'HELO' || verb === 'EHLO') say('250 mail.example');
      else if (verb === 'MAIL') {
        [from, to] = [path, []];
        say('250 2.1.0 sender ok');
      } else if (verb === 'RCPT') {
        if (hangsUp('RCPT')) return;
        to.push(path);
        say('250 2.1.5 recipient ok');
      } else if (verb === 'DATA') {
        if (hangsUp('DATA')) return;
        data = [];
        say('354 go on, and end with a dot');
      } else if (verb === 'RSET' || verb === 'NOOP') {
        [from, to] = ['', []];
        say('250 2.0.0 ok');
      } else if (verb === 'QUIT') socket.end('221 2.0.0 bye\r\n');
      else say('502 5.5.1 not here');
    }

    say('220 mail.example ESMTP');
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${line}${text}`.split('\r\n');
      line = lines.pop() ?? '';
      for (const one of lines) {
        if (socket.destroyed) return;
        if (data === undefined) obey(one);
        else if (one === '.') endOfData(data);
        else data.push(one);
      }
    });
  }

  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    taken,
    set: (change) => {
      mischief = { ...mischief, ...structuredClone(change) };
    },
    reset() {
      mischief = structuredClone(good);
      taken.length = 0;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/**
 * The report that a server mails to the sender of what it could not deliver after all (RFC 3464), with the headers of
 * the message as its third part (RFC 3462).
 * @param status enhanced code (RFC 3463), such as 5.1.1
 */
export function deliveryReport(message: MailServerEmulator['taken'][number], status: string): string {
  const headers = message.data.split('\r\n\r\n', 1)[0] ?? '';
  const [reader = ''] = message.to;
  return [
    'From: MAILER-DAEMON@mail.example',
    `To: ${message.from}`,
    'Subject: Undelivered Mail Returned to Sender',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    '\tboundary="1F9A.1795870001/mail.example"',
    '',
    'This is a MIME-encapsulated message.',
    '',
    '--1F9A.1795870001/mail.example',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    `<${reader}>: host mx.shop.example said: 550 ${status} no such user here`,
    '',
    '--1F9A.1795870001/mail.example',
    'Content-Description: Delivery report',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mail.example',
    `X-Sender: rfc822; ${message.from}`,
    'Arrival-Date: Sat, 28 Nov 2026 09:00:00 +0000 (UTC)',
    '',
    `Final-Recipient: rfc822; ${reader}`,
    `Original-Recipient: rfc822;${reader}`,
    `Action: ${status.startsWith('5') ? 'failed' : 'delayed'}`,
    `Status: ${status}`,
    'Remote-MTA: dns; mx.shop.example',
    `Diagnostic-Code: smtp; 550 ${status} no such user here`,
    '',
    '--1F9A.1795870001/mail.example',
    'Content-Description: Undelivered Message Headers',
    'Content-Type: text/rfc822-headers',
    '',
    headers,
    '',
    '--1F9A.1795870001/mail.example--',
    '',
  ].join('\r\n');
}
