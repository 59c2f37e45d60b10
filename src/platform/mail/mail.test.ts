import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { deliveryReport, type MailServerEmulator, openMailServerEmulator } from '../../../emulators/mail_server.ts';
import { openTestPostgres, openTestVault, type TestPostgres } from '../../../test/stores.ts';
import { createOrganisation, openNotices } from '../../accounts/index.ts';
import { openTroubleNotices } from '../../accounts/mail/trouble_notices.ts';
import { openAudit } from '../../trust/audit/index.ts';
import { openKeyRing } from '../../trust/keys/index.ts';
import { stillClock } from '../clock.ts';
import { silentLog } from '../log.ts';
import type { Sql } from '../postgres/index.ts';
import { systemRandom } from '../random.ts';
import { drawLetter } from './draw.ts';
import { type MailOffice, type MailServer, type MailTemplate, openMail } from './index.ts';
import { claimMs, keptMs, retryMs } from './outbox.ts';
import { handoverOf } from './transport.ts';

/** A mail server in this process, told how to behave; what it accepts is read back as any mail program would. */
interface Received extends ParsedMail {
  raw: string;
  to_: string[];
}
const received: Received[] = [];
let onRecipient: (address: string) => { code: number; words: string } | undefined = () => undefined;
let onData: () => { code: number; words: string } | undefined = () => undefined;
const sink = new SMTPServer({
  // It would wait half a minute for connections that senders keep.
  closeTimeout: 100,
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onRcptTo(address, _session, done) {
    const no = onRecipient(address.address);
    done(no === undefined ? null : Object.assign(new Error(no.words), { responseCode: no.code }));
  },
  onData(stream, session, done) {
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', async () => {
      const no = onData();
      if (no !== undefined) return done(Object.assign(new Error(no.words), { responseCode: no.code }));
      const raw = Buffer.concat(parts).toString('utf8');
      const mail = await simpleParser(raw);
      received.push(Object.assign(mail, { raw, to_: session.envelope.rcptTo.map(({ address }) => address) }));
      done();
    });
  },
});

const notice: MailTemplate<{ words: string; subject?: string }> = {
  name: 'test_notice',
  kind: 'service',
  write: ({ words, subject = 'A notice' }) => ({ subject, blocks: [{ kind: 'text', text: words }] }),
};
const alarm = { ...notice, name: 'test_alarm', kind: 'alert' } as const;
const weekly = { ...notice, name: 'test_weekly', kind: 'report' } as const;
const breach = { ...notice, name: 'test_breach', isRequired: true } as const;

const start = Date.UTC(2026, 10, 28, 9);
const clock = stillClock(start);
const rsa = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
let store: TestPostgres;
let near: MailServer;
const said: { event: string; fields: unknown }[] = [];
let office: MailOffice;
/** Somebody with an account, and their organisation. */
let reader = 0;
let shop = 0;

/** What makes people and mail here. */
function house() {
  const keys = openKeyRing({
    keyFile: join(`${store.dataDir}-keys`, 'test.keys'),
    dataDir: store.dataDir,
    random: systemRandom,
  });
  const vault = openTestVault({ keys, postgres: store.postgres });
  return { clock, keys, vault, audit: openAudit({ vault, clock, random: systemRandom }) };
}

function officeWith(
  changes: {
    smtp?: MailServer | undefined;
    inbox?: boolean;
    transport?: Parameters<typeof openMail>[0]['transport'];
  } = {},
) {
  return openMail({
    config: {
      publicUrl: 'https://desk.example',
      smtp: 'smtp' in changes ? changes.smtp : near,
      inbox: changes.inbox ?? false,
    },
    ...house(),
    random: systemRandom,
    log: { ...silentLog, warn: (event, fields) => void said.push({ event, fields }) },
    postgres: store.postgres,
    ...(changes.transport === undefined ? {} : { transport: changes.transport }),
  });
}

const send = <V>(
  template: MailTemplate<V>,
  values: V,
  more: { to?: string; personId?: number; organisationId?: number } = {},
) => store.postgres.system((sql) => office.send(sql, { template, to: 'reader@shop.example', values, ...more }));
const rows = () =>
  store.postgres.mail((sql) =>
    sql.query<{ state: string; reason: string | null; tries: number; content: Buffer | null; not_before: Date }>(
      'SELECT state, reason, tries, content, not_before FROM mail.messages ORDER BY id DESC',
    ),
  );
const last = async () => (await rows())[0];
/** What the trails say of mailboxes that are not there: the desk's, or an organisation's. */
const bounces = async (trail: number | 'desk') => {
  const read = (sql: Sql) =>
    sql.query<{ reason: string; targets: { type: string }[] }>(
      "SELECT reason, targets FROM audit.entries WHERE action = 'mail.bounced' AND organisation_id = $1 ORDER BY seq",
      [trail === 'desk' ? 0 : trail],
    );
  const found = await (trail === 'desk' ? store.postgres.system(read) : store.postgres.tenant(trail, read));
  return found.map(({ reason, targets }) => ({ reason, targets: targets.map(({ type }) => type) }));
};
const lift = (address: string, id: number) =>
  store.postgres.system((sql) => office.suppressions.lift(sql, address, id));

beforeAll(async () => {
  store = await openTestPostgres();
  const made = await store.postgres.system((sql) =>
    createOrganisation(sql, house(), { email: 'reader@shop.example', organisation: 'Shop', hash: 'x' }),
  );
  reader = made.personId;
  shop = made.organisationId;
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', () => resolve()));
  const { port } = sink.server.address() as { port: number };
  near = {
    host: '127.0.0.1',
    port,
    tls: 'starttls',
    userName: undefined,
    password: undefined,
    from: 'Fairlead <desk@desk.example>',
    dkim: { domain: 'desk.example', selector: 'fairlead', key: rsa.privateKey },
  };
  office = officeWith();
});
beforeEach(() => {
  received.length = 0;
  onRecipient = () => undefined;
  onData = () => undefined;
});
afterAll(async () => {
  await office.stop();
  await new Promise<void>((resolve) => sink.close(() => resolve()));
  await store.close();
});

describe('a message', () => {
  test('leaves when the act commits, and not without it; its words are gone afterwards (D16)', async () => {
    await expect(
      store.postgres.person(1, async (sql) => {
        await office.send(sql, { template: notice, to: 'never@shop.example', values: { words: 'no' } });
        throw new Error('the act failed');
      }),
    ).rejects.toThrow('the act failed');
    await store.postgres.tenant(1, (sql) =>
      office.send(sql, {
        template: notice,
        to: 'Reader@shop.example',
        values: { words: 'The act is done.' },
        personId: reader,
      }),
    );
    expect((await last())?.content).not.toBeNull();
    expect(await office.deliver()).toBe(1);
    expect(received.map((mail) => mail.to_)).toEqual([['Reader@shop.example']]);
    expect(await last()).toMatchObject({ state: 'sent', content: null, tries: 1 });
    // The reader sees the row, nobody else does, and no scope of the app sees the words.
    const list = (personId: number) =>
      store.postgres.person(personId, (sql) =>
        sql.query<{ name: string; address: Buffer }>('SELECT name, address FROM mail.messages'),
      );
    const [mine] = await list(reader);
    expect(await office.address(mine as { name: string; address: Buffer })).toBe('Reader@shop.example');
    expect(await list(reader + 1)).toEqual([]);
    await expect(
      store.postgres.person(reader, (sql) => sql.query('SELECT content FROM mail.messages')),
    ).rejects.toMatchObject({ code: '42501' });
  });

  test('has HTML and text, one name, and no way for a line break into its headers', async () => {
    await send(notice, { words: 'Said <b>plainly</b> & once.', subject: 'Hello\r\nBcc: thief@rival.example\r\n\r\nx' });
    await office.deliver();
    const [mail] = received;
    expect(mail?.subject).toBe('Hello Bcc: thief@rival.example x');
    expect(mail?.to_).toEqual(['reader@shop.example']);
    expect(mail?.headers.has('bcc')).toBe(false);
    expect(mail?.from?.text).toBe('"Fairlead" <desk@desk.example>');
    expect(mail?.messageId).toMatch(/^<[0-9a-f]{32}@desk\.example>$/);
    expect(mail?.text).toContain('Said <b>plainly</b> & once.');
    expect(mail?.html).toContain('Said &lt;b&gt;plainly&lt;/b&gt; &amp; once.');
    expect(mail?.headers.get('auto-submitted')).toBe('auto-generated');
    for (const to of [
      'a@b.example\r\nBcc: c@d.example',
      'a@b.example, c@d.example',
      'A <a@b.example>',
      'nobody',
      `${'x'.repeat(250)}@b.example`,
    ])
      await expect(send(notice, { words: 'x' }, { to })).rejects.toThrow('no e-mail address');
  });

  test('is told to the mail server as one address, a sender and its text, under these headers and no others (SHR-03)', async () => {
    await send(notice, { words: 'Only this.' });
    await send(alarm, { words: 'x' });
    await office.deliver();
    const told = [
      ...['from', 'to', 'subject', 'date', 'message-id', 'mime-version', 'content-type', 'content-transfer-encoding'],
      ...['auto-submitted', 'dkim-signature', 'list-unsubscribe', 'list-unsubscribe-post'],
    ];
    expect(received).toHaveLength(2);
    for (const { raw, to_: to } of received) {
      expect(to).toEqual(['reader@shop.example']);
      const [head = ''] = raw.split(/\r?\n\r?\n/);
      const names = [...head.matchAll(/^([\w-]+):/gm)].map(([, name = '']) => name.toLowerCase());
      expect(names.filter((name) => !told.includes(name))).toEqual([]);
    }
    expect(received.find(({ text }) => text?.includes('Only this.'))?.attachments.every(({ cid }) => cid)).toBe(true);
  });

  test('of kind alert or report has the pair of one-click headers, both signed; service mail has neither (MAI-03)', async () => {
    await send(alarm, { words: 'x' });
    await send(weekly, { words: 'x' }, { organisationId: 3 });
    await send(notice, { words: 'x' });
    await office.deliver();
    const bySubject = received.map((mail) => [
      mail.raw.match(/^List-Unsubscribe: <(.+)>\r?$/m)?.[1],
      mail.raw.match(/^List-Unsubscribe-Post: (.+?)\r?$/m)?.[1],
    ]);
    const link = expect.stringMatching(/^https:\/\/desk\.example\/api\/mail\/unsubscribe\/[\w-]{70,80}$/);
    const pair = [link, 'List-Unsubscribe=One-Click'];
    expect(bySubject.toSorted()).toEqual([[undefined, undefined], pair, pair]);
    for (const mail of received) {
      const unfolded = mail.raw.replaceAll(/\r?\n[ \t]+/g, ' ');
      const signed =
        /^DKIM-Signature:.*?\bh=([^;]+);/m.exec(unfolded)?.[1]?.toLowerCase().replaceAll(' ', '').split(':') ?? [];
      expect(signed).toContain('subject');
      expect(signed.includes('list-unsubscribe')).toBe(mail.raw.includes('List-Unsubscribe: '));
      expect(signed.includes('list-unsubscribe-post')).toBe(mail.raw.includes('List-Unsubscribe: '));
      const visible = mail.text?.includes('Stop this kind of mail: https://desk.example/');
      expect(visible).toBe(mail.raw.includes('List-Unsubscribe: '));
    }
  });

  test('carries its pictures and fetches nothing', () => {
    const letter = drawLetter(
      {
        subject: 'Week',
        blocks: [
          { kind: 'picture', png: Buffer.from('png'), words: 'A line that rises', width: 520, height: 160 },
          {
            kind: 'table',
            heads: ['Page', 'Visitors'],
            rows: [
              ['/', '1,204'],
              ['/prices', '88'],
            ],
          },
          { kind: 'facts', rows: [['Device', 'Firefox on Linux']] },
          { kind: 'button', label: 'Open', href: 'https://desk.example/x?a=1&b=2' },
          { kind: 'code', text: 'ABCD-1234' },
        ],
      },
      { desk: 'desk.example', who: ['Shop · A <b> & Sons'], unsubscribe: 'https://desk.example/u' },
    );
    expect(letter.html.match(/(?:src|href|url)[=(]["']?[^"') ]+/g)).toEqual([
      'src="cid:picture-1@fairlead',
      'href="https://desk.example/x?a=1&amp;b=2',
      'href="https://desk.example/x?a=1&amp;b=2',
      'href="https://desk.example/u',
    ]);
    expect(letter.html).not.toMatch(/<script|@import|<link/);
    for (const part of [letter.text, letter.html]) expect(part).toContain('A line that rises');
    expect(letter.html).toContain('<br>Shop · A &lt;b&gt; &amp; Sons<br>');
    expect(letter.text).toContain('desk.example.\nShop · A <b> & Sons\n');
    expect(letter.text).toContain('Page     Visitors\n/           1,204\n/prices        88');
    expect(letter.text).toContain('Open:\nhttps://desk.example/x?a=1&b=2');
    const large = {
      subject: 'x',
      blocks: [{ kind: 'picture', png: Buffer.alloc(900_000), words: '', width: 1, height: 1 }],
    } as const;
    expect(() =>
      drawLetter({ ...large, blocks: [...large.blocks] }, { desk: 'd', who: [], unsubscribe: undefined }),
    ).toThrow('is the most');
  });
});

describe('a server that does not take it', () => {
  test('is asked again after 1, 5 and 30 minutes, 2 and 6 hours, and then no more', async () => {
    onData = () => ({ code: 451, words: '4.3.0 try later' });
    await send(notice, { words: 'x' });
    for (const wait of retryMs) {
      expect(await office.deliver()).toBe(1);
      expect(await office.deliver()).toBe(0);
      expect(await last()).toMatchObject({
        state: 'waiting',
        reason: 'busy',
        not_before: new Date(clock.now() + wait),
      });
      expect(await office.servers.trouble.now()).toMatchObject({
        reason: 'busy',
        words: expect.stringContaining('try later'),
      });
      clock.travel(wait);
    }
    expect(await office.deliver()).toBe(1);
    expect(await last()).toMatchObject({ state: 'failed', reason: 'gave_up_busy', content: null, tries: 6 });
    // The log names the server that did not take it, and nobody's address.
    expect(said.at(-1)).toMatchObject({ event: 'mail.later', fields: { host: '127.0.0.1', reason: 'busy' } });
    expect(JSON.stringify(said)).not.toContain('@');
  });

  test('is told of once by all processes, and once a day at most while it lasts or comes and goes', async () => {
    const { personId } = await store.postgres.system(async (sql) => {
      const made = await createOrganisation(sql, house(), {
        email: 'olga@desk.example',
        organisation: 'Desk',
        hash: 'x',
      });
      await sql.run('UPDATE people SET is_operator = true WHERE id = $1', [made.personId]);
      return made;
    });
    // Two processes, and a third that begins later, each with what it knows by itself.
    const processOf = () => {
      const mail = officeWith();
      const parts = { ...house(), mail, postgres: store.postgres };
      return { mail, tell: openTroubleNotices(parts, openNotices(parts)) };
    };
    const all = [processOf(), processOf()];
    const told = async () => {
      await Promise.all(all.map(({ tell }) => tell()));
      return store.postgres.person(personId, (sql) =>
        sql.query("SELECT 1 FROM notifications WHERE notice = 'mail_refused'"),
      );
    };
    const tried = async (process = all[0]) => {
      await send(notice, { words: 'x' });
      await process?.mail.deliver();
    };
    onData = () => ({ code: 451, words: '4.3.0 try later' });
    await tried();
    for (let round = 0; round < 3; round++) expect(await told()).toHaveLength(1);
    expect((await all[1]?.mail.servers.trouble.now())?.words, 'told to another process').toBeUndefined();
    expect(all.map(({ mail }) => mail.servers.trouble.isKnown())).toEqual([true, true]);
    clock.travel(23 * 3_600_000);
    await tried();
    all.push(processOf());
    expect(await told(), 'by a process that began later').toHaveLength(1);
    clock.travel(3_600_000);
    expect(await told(), 'a day later').toHaveLength(2);
    clock.travel(25 * 3_600_000);
    expect(await told(), 'nothing was tried for a day').toHaveLength(2);
    onData = () => undefined;
    await tried(all[1]);
    expect([await all[0]?.mail.servers.trouble.now(), await told()]).toEqual([
      undefined,
      expect.objectContaining({ length: 2 }),
    ]);
    onData = () => ({ code: 451, words: '4.3.0 try later' });
    await tried();
    expect(await told(), 'anew').toHaveLength(3);
    // A server that flaps, and one that has something else to say.
    for (let round = 0; round < 3; round++) {
      onData = () => undefined;
      clock.travel(retryMs[0]);
      await office.deliver();
      expect(await all[0]?.mail.servers.trouble.now()).toBeUndefined();
      onData = () => ({ code: 451, words: '4.3.0 try later' });
      await tried();
    }
    expect(await told(), 'the same trouble again, within the day').toHaveLength(3);
    onRecipient = (address) => (address === 'reader@shop.example' ? { code: 450, words: '4.2.1 wait' } : undefined);
    await tried();
    expect((await all[0]?.mail.servers.trouble.now())?.reason).toBeDefined();
    onRecipient = () => undefined;
    onData = () => undefined;
    clock.travel(retryMs[0]);
    await office.deliver();
    for (const { mail } of all) await mail.stop();
  });

  test('goes with the address that is erased, and with the person; after twelve months so does its row (D16)', async () => {
    const to = 'leaving@shop.example';
    const of = async () => (await rows()).length;
    const before = await of();
    await send(notice, { words: 'sent' }, { to });
    await office.deliver();
    await send(notice, { words: 'waiting' }, { to: 'Leaving@shop.example', personId: reader });
    await send(notice, { words: 'of somebody else' });
    expect(await of()).toBe(before + 3);
    await store.postgres.system((sql) => office.suppressions.suppress(sql, to, 'erasure'));
    expect(await of()).toBe(before + 1);
    await send(notice, { words: 'again' }, { to });
    await office.deliver();
    expect(await last()).toMatchObject({ state: 'suppressed', reason: 'erasure' });
    expect(await lift(to, (await office.suppressions.of(to))[0]?.id ?? 0)).toBe(false);

    const { organisationId, personId } = await store.postgres.system((sql) =>
      createOrganisation(sql, house(), { email: 'gone@shop.example', organisation: 'Gone', hash: 'x' }),
    );
    await send(notice, { words: 'to a person' }, { to: 'gone@shop.example', personId });
    const count = await of();
    await store.asOwner(async (sql) => {
      await sql.query(
        "SELECT set_config('fairlead.person', $1, false), set_config('fairlead.organisation', $2, false)",
        [String(personId), String(organisationId)],
      );
      await sql.run('DELETE FROM memberships WHERE person_id = $1', [personId]);
      expect(await sql.run('DELETE FROM people WHERE id = $1', [personId])).toBe(1);
    });
    expect(await of()).toBe(count - 1);

    const now = clock.now();
    clock.set(now + 367 * 86_400_000);
    const year = new Date(now + 367 * 86_400_000 - 365 * 86_400_000);
    const owners = await store.postgres.mail((sql) =>
      sql.query<{ id: number | null }>('SELECT DISTINCT organisation_id AS id FROM mail.messages'),
    );
    for (const { id } of owners)
      await store.postgres.retention((sql) =>
        sql.one('SELECT * FROM retention.delete_old_mail($1, $2, $3)', [id, year, []]),
      );
    expect((await rows()).filter(({ state }) => state !== 'waiting')).toEqual([]);
    clock.set(now);
  });

  test('for want of the mailbox ends all mail to it, but what the law requires (MAI-04)', async () => {
    onRecipient = (address) =>
      address === 'gone@shop.example' ? { code: 550, words: '5.1.1 no such user' } : undefined;
    const to = 'gone@shop.example';
    await send(notice, { words: 'x' }, { to });
    await office.deliver();
    expect(await last()).toMatchObject({ state: 'failed', reason: 'hard_bounce' });
    expect(await bounces('desk')).toEqual([{ reason: 'hard_bounce', targets: ['message'] }]);
    onRecipient = () => undefined;
    await send(notice, { words: 'x' }, { to: 'Gone@shop.example ' });
    await office.deliver();
    expect([(await last())?.state, received.length]).toEqual(['suppressed', 0]);
    expect((await office.counts()).states.suppressed).toBe(1);
    await send(breach, { words: 'x' }, { to });
    await office.deliver();
    expect(received.map((mail) => mail.to_)).toEqual([[to]]);
    const [entry] = await office.suppressions.of(to);
    expect(entry).toMatchObject({ reason: 'hard_bounce' });
    expect(await lift('other@shop.example', entry?.id ?? 0)).toBe(false);
    expect(await lift(to, entry?.id ?? 0)).toBe(true);
    await send(notice, { words: 'x' }, { to });
    await office.deliver();
    expect(received).toHaveLength(2);
  });

  test.each([
    [
      'no such mailbox',
      { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 550, response: '550 5.1.1 unknown' },
      'bounced',
    ],
    [
      'no mailbox, and no more said',
      { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 550, response: '550 No such user' },
      'bounced',
    ],
    [
      'a policy about us',
      { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 550, response: '550 5.7.1 relaying denied' },
      'refused',
    ],
    [
      'our sender',
      { code: 'EENVELOPE', command: 'MAIL FROM', responseCode: 550, response: '550 sender unknown' },
      'refused',
    ],
    ['our words', { code: 'EMESSAGE', command: 'DATA', responseCode: 554, response: '554 spam' }, 'refused'],
    [
      'a full mailbox',
      { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 452, response: '452 4.2.2 full' },
      'later',
    ],
    ['a wrong password', { code: 'EAUTH', command: 'AUTH PLAIN', responseCode: 535, response: '535 no' }, 'later'],
    ['nobody there', { code: 'ESOCKET', message: 'connect ECONNREFUSED' }, 'later'],
  ])('says no for %s', (_why, error, kind) => {
    expect(handoverOf(Object.assign(new Error('x'), error)).kind).toBe(kind);
  });

  test('without TLS, anywhere but on this machine, gets nothing', async () => {
    // A name that is not loopback by its spelling, and reaches the sink all the same.
    const far = officeWith({ smtp: { ...near, host: '0.0.0.0' } });
    await send(notice, { words: 'x' });
    await far.deliver();
    await far.stop();
    expect(received).toEqual([]);
    expect(await last()).toMatchObject({ state: 'waiting', reason: 'no_tls' });
    clock.travel(60_000);
    expect(await office.deliver()).toBe(1);
    expect(received).toHaveLength(1);
  });
});

/** A server with its bad days, and a clean desk's mail through it. */
describe('a mail server', () => {
  let server: MailServerEmulator;
  let through: MailOffice;
  const to = 'reader@shop.example';
  beforeAll(async () => {
    server = await openMailServerEmulator();
    through = officeWith({ smtp: { ...near, port: server.port } });
  });
  beforeEach(() => server.reset());
  afterAll(async () => {
    await through.stop();
    await server.close();
  });
  const namesOf = () => server.taken.map(({ data }) => /^Message-ID: <([0-9a-f]+)@/im.exec(data)?.[1]);

  test('that is slow gets a message once, whoever else looks meanwhile', async () => {
    server.set({ slowMs: 40 });
    await send(notice, { words: 'slow' });
    const other = officeWith({ smtp: { ...near, port: server.port } });
    const [mine, theirs] = await Promise.all([through.deliver(), other.deliver()]);
    await other.stop();
    expect([mine + theirs, server.taken.length]).toEqual([1, 1]);
    expect(await last()).toMatchObject({ state: 'sent', tries: 1 });
  });

  test.each([
    ['RCPT', 2],
    ['DATA', 2],
    ['.', 1],
  ] as const)(
    'that hangs up in the middle (%s) is asked again, after a restart too, and takes it once',
    async (at, times) => {
      server.set({ hangsUp: { at, times } });
      await send(notice, { words: 'hung up' });
      await through.deliver();
      expect(await last()).toMatchObject({ state: 'waiting', reason: 'no_connection', tries: 1 });
      expect(server.taken).toEqual([]);
      const again = officeWith({ smtp: { ...near, port: server.port } });
      for (const wait of [retryMs[0], retryMs[1], retryMs[2]]) {
        clock.travel(wait);
        await again.deliver();
      }
      await again.stop();
      expect(await last()).toMatchObject({ state: 'sent', content: null });
      expect(server.taken).toHaveLength(1);
    },
  );

  test('that says 4xx and then 2xx gets the same message, by its name', async () => {
    server.set({ answers: ['451 4.3.0 later', '421 4.7.0 later still'] });
    await send(notice, { words: 'twice refused' });
    for (const wait of [0, retryMs[0], retryMs[1]]) {
      clock.travel(wait);
      await through.deliver();
    }
    expect(namesOf()).toHaveLength(1);
    expect(await last()).toMatchObject({ state: 'sent', tries: 3 });
  });

  test('that lies, taking what it reports as undeliverable later, ends mail to that mailbox (MAI-04)', async () => {
    await send(notice, { words: 'taken' }, { to, personId: reader });
    await through.deliver();
    const [taken] = server.taken;
    if (taken === undefined) return expect.fail('It took nothing.');
    expect(await last()).toMatchObject({ state: 'sent' });
    // A full mailbox, and a report that somebody made up about a mailbox or a message, end nothing.
    const forged = deliveryReport(taken, '5.1.1');
    expect(await through.bounced(deliveryReport(taken, '4.2.2'))).toEqual({ readers: 1, suppressed: 0, unknown: 0 });
    for (const made of [
      forged.replaceAll(to, 'boss@shop.example'),
      forged.replace(/^Message-ID: <[0-9a-f]+/im, `Message-ID: <${'0'.repeat(32)}`),
      forged.replace(/^Message-ID: .*\r\n/im, ''),
    ])
      expect(await through.bounced(made)).toEqual({ readers: 1, suppressed: 0, unknown: 1 });
    expect([await through.suppressions.of(to), await through.suppressions.of('boss@shop.example')]).toEqual([[], []]);
    expect(await through.bounced(forged)).toEqual({ readers: 1, suppressed: 1, unknown: 0 });
    expect(await last()).toMatchObject({ state: 'failed', reason: 'hard_bounce', content: null });
    // Of somebody with an account it stands in the trails of their organisations; told twice, once.
    expect(await through.bounced(forged)).toMatchObject({ suppressed: 1 });
    expect([await bounces('desk'), await bounces(shop)]).toEqual([
      [expect.anything()],
      [{ reason: 'hard_bounce', targets: ['person', 'message'] }],
    ]);
    await send(notice, { words: 'no more' }, { to });
    await through.deliver();
    expect([await last(), server.taken.length]).toMatchObject([{ state: 'suppressed', reason: 'hard_bounce' }, 1]);
    const [entry] = await through.suppressions.of(to);
    expect(await lift(to, entry?.id ?? 0)).toBe(true);
  });
});

describe('two processes', () => {
  test('send each message once', async () => {
    const other = officeWith();
    for (let i = 0; i < 30; i++) await send(notice, { words: `number ${i}` });
    const done = await Promise.all([office.deliver(), other.deliver()]);
    await other.stop();
    expect(done[0] + done[1]).toBe(30);
    expect(new Set(received.map((mail) => mail.text?.match(/number \d+/)?.[0])).size).toBe(30);
    expect(received).toHaveLength(30);
  });

  test('one of which dies after the server has it: a second copy at most, under the same name', async () => {
    const real = store.postgres.mail;
    let calls = 0;
    // Its first transaction claims; the second, which would say that it is sent, never comes.
    const dying = {
      ...store,
      postgres: { ...store.postgres, mail: (work: never) => (++calls > 1 ? new Promise<never>(() => {}) : real(work)) },
    };
    await send(notice, { words: 'x' });
    const before = store;
    store = dying as TestPostgres;
    const doomed = officeWith();
    store = before;
    void doomed.deliver();
    await expect.poll(() => received.length).toBe(1);
    expect(await office.deliver()).toBe(0);
    clock.travel(claimMs);
    expect(await office.deliver()).toBe(1);
    expect(await office.deliver()).toBe(0);
    expect(received).toHaveLength(2);
    expect(received[0]?.messageId).toBe(received[1]?.messageId);
  });
});

describe('an unsubscribe link', () => {
  test('ends one kind of mail of one organisation, with the message that is due next', async () => {
    const to = 'leaver@shop.example';
    const digest = office.suppressions.digest(to);
    const token = office.suppressions.token({ organisationId: 3, digest, kind: 'report' });
    for (const i of [0, 8, 20, 50]) {
      const bytes = Buffer.from(token, 'base64url');
      bytes[i] = (bytes[i] as number) ^ 1;
      expect(office.suppressions.readToken(bytes.toString('base64url')), `byte ${i}`).toBeUndefined();
    }
    await send(weekly, { words: 'waits' }, { to, organisationId: 3 });
    const ended = office.suppressions.readToken(token) ?? expect.fail();
    // With what stands beside it, or not at all; a second time changes nothing.
    const end = (sql: Sql) => office.suppressions.unsubscribe(sql, ended);
    await expect(store.postgres.system(async (sql) => [await end(sql), expect.fail('no act')])).rejects.toThrow(
      'no act',
    );
    expect(await office.suppressions.of(to)).toEqual([]);
    expect([await store.postgres.system(end), await store.postgres.system(end)]).toEqual([true, false]);
    await send(weekly, { words: 'of another' }, { to, organisationId: 4 });
    await send(alarm, { words: 'other kind' }, { to, organisationId: 3 });
    await send(notice, { words: 'service' }, { to, organisationId: 3 });
    await office.deliver();
    expect(received.map((mail) => mail.text?.split('\n')[0]).toSorted()).toEqual([
      'of another',
      'other kind',
      'service',
    ]);
    expect((await rows()).find((row) => row.state === 'suppressed')).toMatchObject({ reason: 'unsubscribed' });
  });
});

describe('a desk without a mail server', () => {
  test('says so, keeps the words for a day, and sends them if the operator wants', async () => {
    const off = officeWith({ smtp: undefined });
    expect([await off.isOn(), await office.isOn()]).toEqual([false, true]);
    await send(notice, { words: 'one' });
    await off.deliver();
    expect(await last()).toMatchObject({ state: 'not_sent_mail_off', reason: 'mail_off' });
    expect(await off.counts()).toMatchObject({ states: { not_sent_mail_off: 1 }, kept: 1 });
    expect(await office.release()).toBe(1);
    expect(await office.deliver()).toBe(1);
    await send(notice, { words: 'two' });
    await off.deliver();
    clock.travel(keptMs);
    expect(await office.release()).toBe(0);
    await clockTidy(off);
    expect(await last()).toMatchObject({ state: 'not_sent_mail_off', content: null });
    await off.stop();
  });

  test('takes one that is set in the app, with its secrets sealed', async () => {
    const app = officeWith({ smtp: undefined });
    const change = { personId: reader, note: async () => {} };
    await app.servers.save({ ...near, userName: 'desk', password: 'canary-password', dkim: near.dkim }, change);
    expect(await app.servers.current()).toMatchObject({
      source: 'app',
      server: { password: 'canary-password', dkim: { key: rsa.privateKey } },
    });
    const stored = await store.postgres.mail((sql) => sql.one<{ t: string }>('SELECT s::text AS t FROM mail.server s'));
    expect(stored.t).not.toContain(Buffer.from('canary-password').toString('hex'));
    await app.servers.save(
      { ...near, userName: 'desk', password: undefined, dkim: undefined, from: 'b@desk.example' },
      change,
    );
    expect(await app.servers.current()).toMatchObject({
      server: { password: 'canary-password', from: 'b@desk.example' },
    });
    // To another server it does not go.
    await app.servers.save(
      { ...near, host: 'mail.rival.example', userName: 'desk', password: undefined, dkim: undefined },
      change,
    );
    expect((await app.servers.saved())?.hasPassword).toBe(false);
    // What cannot be written down is not done.
    const unnoted = { personId: reader, note: () => Promise.reject(new Error('no act')) };
    await expect(app.servers.save({ ...near, dkim: undefined }, unnoted)).rejects.toThrow('no act');
    expect((await app.servers.saved())?.host).toBe('mail.rival.example');
    await app.servers.save({ ...near, dkim: undefined }, change);
    expect(await app.servers.test('reader@shop.example')).toEqual({ ok: true, answer: expect.stringMatching(/^250 /) });
    expect(received[0]?.subject).toBe('A test of your mail server');
    await expect(app.servers.forget(unnoted)).rejects.toThrow('no act');
    expect(await app.isOn()).toBe(true);
    await app.servers.forget(change);
    // There is none, so nothing is written down.
    await app.servers.forget(unnoted);
    expect(await app.isOn()).toBe(false);
    await app.stop();
  });

  test('for development keeps them in memory and sends nothing', async () => {
    const dev = officeWith({ inbox: true });
    await send(alarm, { words: 'for the inbox' });
    await dev.deliver();
    await dev.stop();
    expect(received).toEqual([]);
    expect(dev.inbox?.list()).toEqual([
      expect.objectContaining({ id: expect.any(Number), to: 'reader@shop.example', template: 'test_alarm' }),
    ]);
    expect(await last()).toMatchObject({ state: 'inbox', content: null });
  });
});

test('neither address nor words nor subject lie anywhere in clear', async () => {
  const canaries = ['canary.reader@shop.example', 'canary words of a message', 'canary subject line'];
  await send(notice, { words: canaries[1] as string, subject: canaries[2] as string }, { to: canaries[0] as string });
  const dump = await store.postgres.mail((sql) => sql.query<{ t: string }>('SELECT m::text AS t FROM mail.messages m'));
  const text = dump.map((row) => row.t).join('\n');
  await store.asOwner((sql) => sql.run('CHECKPOINT').catch(() => 0));
  const files = store.postgres.directories.flatMap((directory) =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name))),
  );
  for (const canary of canaries)
    for (const form of [
      canary,
      Buffer.from(canary).toString('hex'),
      Buffer.from(canary).toString('base64').slice(0, 20),
    ]) {
      expect(text.includes(form), form).toBe(false);
      expect(
        files.some((bytes) => bytes.includes(form)),
        form,
      ).toBe(false);
    }
  await office.deliver();
  expect(received[0]?.to_).toEqual([canaries[0]]);
});

/** The round of every minute, as a running office makes it. */
async function clockTidy(of: MailOffice): Promise<void> {
  of.start();
  clock.travel(61_000);
  await expect.poll(async () => (await last())?.content).toBeNull();
}
