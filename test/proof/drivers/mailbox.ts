import type { AddressInfo } from 'node:net';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { until } from './desk.ts';

/** A mail server on this machine that takes every message, and what it was given. */
export interface Mailbox {
  readonly port: number;
  readonly letters: readonly Letter[];
  /** The newest letter to this address whose subject fits, as soon as there is one behind the first `after`. */
  letter(to: string, subject: RegExp, after?: number): Promise<Letter>;
  close(): Promise<void>;
}
interface Letter {
  to: string;
  subject: string;
  /** The text part. */
  text: string;
}

/** Mail leaves every few seconds; a busy machine takes its time. */
const patienceSeconds = 60;

/** @param login what it asks for, if anything */
export async function openMailbox(login?: { user: string; password: string }): Promise<Mailbox> {
  const letters: Letter[] = [];
  const server = new SMTPServer({
    authOptional: login === undefined,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    onAuth: (auth, _session, done) =>
      auth.username === login?.user && auth.password === login?.password
        ? done(null, { user: auth.username })
        : done(new Error('This is not the password.')),
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', async () => {
        const { subject = '', text = '' } = await simpleParser(Buffer.concat(parts));
        for (const { address } of session.envelope.rcptTo) letters.push({ to: address, subject, text });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    letters,
    letter: (to, subject, after = 0) =>
      until(patienceSeconds, () => letters.slice(after).findLast((one) => one.to === to && subject.test(one.subject))),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
