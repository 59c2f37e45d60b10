import type { Audit } from '../audit.ts';
import { type Clock, repeat } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { Postgres, Sql } from '../postgres/index.ts';
import type { Random } from '../random.ts';
import type { KeyRing } from '../subject.ts';
import type { Vault } from '../vault.ts';
import { isHardBounce, readBounces } from './bounce.ts';
import { drawLetter, type Letter } from './draw.ts';
import { type Inbox, openInbox } from './inbox.ts';
import type { Mail, Message } from './message.ts';
import { type Claimed, openOutbox } from './outbox.ts';
import { type MailServer, openServerSettings } from './server.ts';
import { openSuppressions } from './suppression.ts';
import { type Outgoing, openTransport, type Transport } from './transport.ts';
import { openTroubles } from './trouble.ts';

/** The mail of a running desk: what everybody may use, and its postman. */
export interface MailOffice extends Mail {
  /** From now on messages leave as they come due. */
  start(): void;
  /** Ends after the messages that are in hand. */
  stop(): Promise<void>;
  /** Handles everything that is due now, here and at once. @returns how many messages that were */
  deliver(): Promise<number>;
}

/** How often the outbox is looked into; a message of this process is looked for sooner. */
const lookMs = 2_000;
/** The transaction that wrote a message commits a moment after it was written. */
const soonMs = 60;
const sendersMax = 2;
const tidyMs = 60_000;

/**
 * @param parts.transport how a server is spoken to; the tests that need a broken one give their own
 * @param parts.foot who stands in the foot of a message, in the transaction that writes it
 */
export function openMail(parts: {
  config: Pick<Config, 'publicUrl' | 'smtp' | 'inbox'>;
  clock: Clock;
  random: Random;
  log: Log;
  postgres: Postgres;
  keys: KeyRing;
  vault: Vault;
  audit: Audit;
  transport?: (server: MailServer) => Transport;
  foot?: (sql: Sql, organisationId: number | undefined) => Promise<string[]>;
}): MailOffice {
  const { config, clock, log, postgres, keys } = parts;
  const { foot = async () => [] } = parts;
  const open = parts.transport ?? openTransport;
  const inbox: Inbox | undefined = config.inbox ? openInbox() : undefined;
  const settings = openServerSettings(parts);
  const suppressions = openSuppressions({ postgres, keys, clock });
  const outbox = openOutbox({ ...parts, suppressions });
  const trouble = openTroubles(parts);
  const link = (path: string) => new URL(path, config.publicUrl).href;
  const desk = new URL(config.publicUrl).host;
  let advise: Parameters<Mail['consult']>[0] = async () => 'send';
  let current: { version: string; host: string; transport: Transport } | undefined;
  let stopped = false;
  let delivering: Promise<number> | undefined;
  const callOff: (() => void)[] = [];

  function transportTo(server: MailServer): Transport {
    const version = settings.version();
    if (current?.version !== version) {
      current?.transport.close();
      current = { version, host: server.host, transport: open(server) };
    }
    return current.transport;
  }

  async function isOn(): Promise<boolean> {
    return inbox !== undefined || (await settings.current()).server !== undefined;
  }

  /** Signed headers and links that readers' programs call: over plain HTTP they would not (RFC 8058 §3.1). */
  function oneClick(page: string | undefined): string | undefined {
    return page?.startsWith('https:') ? page : undefined;
  }

  async function handOver(server: MailServer, message: Outgoing & { claimed: Claimed }): Promise<void> {
    const handover = await transportTo(server).send(message);
    const { claimed } = message;
    if (handover.kind === 'later') {
      await trouble.begin(handover.reason, handover.words);
      log.warn('mail.later', {
        host: server.host,
        reason: handover.reason,
        code: handover.code ?? 0,
        tries: claimed.tries,
      });
      await outbox.postpone(claimed, handover.reason, handover.code);
      return;
    }
    if (handover.kind !== 'accepted')
      log.warn('mail.refused', { host: server.host, reason: handover.kind, code: handover.code });
    await outbox.settle(claimed, {
      state: handover.kind === 'accepted' ? 'sent' : 'failed',
      reason: handover.kind === 'accepted' ? undefined : handover.kind === 'bounced' ? 'hard_bounce' : 'refused',
      code: handover.code,
    });
    if (handover.kind === 'accepted') trouble.forget();
  }

  async function handle(claimed: Claimed): Promise<void> {
    if (claimed.suppressed !== undefined && !claimed.isRequired)
      return outbox.settle(claimed, { state: 'suppressed', reason: claimed.suppressed });
    if (claimed.kind !== 'service' && claimed.tries === 1) {
      const advice = await advise(claimed);
      if (advice !== 'send' && 'unwanted' in advice)
        return outbox.settle(claimed, { state: 'unwanted', reason: advice.unwanted });
      if (advice !== 'send') return outbox.hold(claimed, advice.waitUntilMs);
    }
    const { server } = await settings.current();
    if (inbox === undefined && server === undefined) return outbox.setAside(claimed);
    const { to, letter, unsubscribe } = await outbox.open(claimed);
    if (inbox !== undefined) {
      inbox.take({
        id: claimed.id,
        to,
        template: claimed.template,
        kind: claimed.kind,
        atMs: clock.now(),
        letter,
        unsubscribe,
      });
      return outbox.settle(claimed, { state: 'inbox' });
    }
    const messageId = `${claimed.name}@${new URL(config.publicUrl).hostname}`;
    return handOver(server as MailServer, { messageId, to, letter, unsubscribe: oneClick(unsubscribe), claimed });
  }

  async function sendUntilEmpty(): Promise<number> {
    for (let done = 0; ; done++) {
      const claimed = stopped ? undefined : await outbox.claim();
      if (claimed === undefined) return done;
      try {
        await handle(claimed);
      } catch (error) {
        // The message stays claimed and comes again when the claim ends; this is our fault and not the server's.
        log.error(
          'mail.failed',
          { ...(current === undefined ? {} : { host: current.host }), template: claimed.template },
          error,
        );
      }
    }
  }

  /** One round at a time in a process; whoever comes meanwhile gets the end of a further one. */
  async function deliver(): Promise<number> {
    if (delivering !== undefined) await delivering.catch(() => {});
    delivering ??= Promise.all(Array.from({ length: sendersMax }, sendUntilEmpty))
      .then((counts) => counts.reduce((sum, count) => sum + count, 0))
      .finally(() => {
        delivering = undefined;
      });
    return delivering;
  }

  function soon(): void {
    if (callOff.length === 0) return;
    for (const ms of [soonMs, soonMs * 8])
      clock.after(ms, () => {
        if (!stopped) deliver().catch((error) => log.error('mail.failed', {}, error));
      });
  }

  async function draw<Values>(
    sql: Sql,
    message: Pick<Message<Values>, 'template' | 'to' | 'values' | 'organisationId' | 'locale'>,
  ) {
    const { template, organisationId } = message;
    const digest = suppressions.digest(message.to);
    const unsubscribe =
      template.kind === 'service'
        ? undefined
        : link(`/api/mail/unsubscribe/${suppressions.token({ organisationId, digest, kind: template.kind })}`);
    const letter: Letter = drawLetter(template.write(message.values, message.locale ?? undefined), {
      desk,
      who: await foot(sql, organisationId),
      unsubscribe,
    });
    return { letter, unsubscribe, digest };
  }

  return {
    async send(sql, message) {
      await outbox.put(sql, { ...message, ...(await draw(sql, message)) });
      soon();
    },
    letter: async (sql, message) => (await draw(sql, message)).letter,
    isOn,
    link,
    consult(adviser) {
      advise = adviser;
    },
    suppressions,
    inbox,
    servers: {
      ...settings,
      trouble,
      async test(to) {
        const { server } = await settings.current();
        if (server === undefined) return { ok: false, answer: 'There is no mail server to ask.' };
        const transport = open(server);
        try {
          const letter = drawLetter(
            {
              subject: 'A test of your mail server',
              blocks: [
                { kind: 'text', text: 'This desk can send mail. You asked for this message on its mail page.' },
                { kind: 'button', label: 'Open the desk', href: link('/') },
              ],
            },
            { desk, who: await postgres.system((sql) => foot(sql, undefined)), unsubscribe: undefined },
          );
          const name = parts.random.bytes(16).toString('hex');
          const handover = await transport.send({
            messageId: `${name}@${new URL(config.publicUrl).hostname}`,
            to,
            letter,
            unsubscribe: undefined,
          });
          if (handover.kind === 'accepted') await trouble.end();
          return { ok: handover.kind === 'accepted', answer: handover.words };
        } finally {
          transport.close();
        }
      },
    },
    counts: () => outbox.counts(),
    release: () =>
      outbox.release().then((count) => {
        soon();
        return count;
      }),
    async bounced(report) {
      const bounces = readBounces(report);
      let suppressed = 0;
      const gone = bounces.filter(isHardBounce);
      for (const { address, original, message } of gone) {
        const readers = [...new Set([address, original ?? address])].map(suppressions.digest);
        for (const digest of message === undefined ? [] : readers)
          if (await outbox.comeBack({ name: message as string, digest })) suppressed++;
      }
      return { readers: bounces.length, suppressed, unknown: gone.length - suppressed };
    },
    address: (message) => outbox.address(message),
    start() {
      const fail = (what: string) => (error: unknown) => log.error(what, {}, error);
      callOff.push(
        repeat(clock, lookMs, deliver, { firstMs: soonMs, onError: fail('mail.failed') }),
        repeat(clock, tidyMs, () => outbox.tidy(), { onError: fail('mail.tidy_failed') }),
      );
    },
    async stop() {
      stopped = true;
      for (const end of callOff.splice(0)) end();
      await delivering?.catch(() => {});
      current?.transport.close();
    },
    deliver,
  };
}
