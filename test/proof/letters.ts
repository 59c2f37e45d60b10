import { createHash, createVerify, generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import type { MailKind, MailOffice, MailTemplate } from '../../src/platform/mail/index.ts';
import { accountsDesk } from './drivers/accounts_desk.ts';
import { type SealedStore, sealedStore } from './drivers/sealed_store.ts';
import { load, must, type Proof, type ProofContext, repository } from './kit.ts';

/** Promises about what is written to people, and to whom. */

const kinds: readonly MailKind[] = ['service', 'alert', 'report'];
const domain = 'desk.example';

/** The post of a desk, and a mail server that keeps what it was given byte for byte. */
interface Post {
  store: SealedStore;
  office: MailOffice;
  publicKey: string;
  send(kind: MailKind, more?: { to?: string; organisationId?: number; isRequired?: true }): Promise<void>;
  /** What left since it was asked last: who got it, and its bytes. */
  delivered(): Promise<{ to: string; raw: string }[]>;
}

async function openPost(context: ProofContext): Promise<Post & { close(): Promise<void> }> {
  const store = await sealedStore(context);
  const letters: { to: string; raw: string }[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const raw = Buffer.concat(parts).toString('latin1');
        for (const { address } of session.envelope.rcptTo) letters.push({ to: address, raw });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const { keys, vault, audit } = store.process();
  const office = store.modules.mail.openMail({
    config: {
      publicUrl: `https://${domain}`,
      smtp: {
        ...{ host: '127.0.0.1', port: (server.server.address() as AddressInfo).port, tls: 'starttls' },
        ...{ userName: undefined, password: undefined, from: `Fairlead <desk@${domain}>` },
        dkim: { domain, selector: 'fairlead', key: privateKey },
      },
      inbox: false,
    },
    ...{ clock: store.clock, random: store.modules.random.systemRandom, log: store.modules.log.silentLog },
    ...{ postgres: store.postgres, keys, vault, audit },
  });
  return {
    ...{ store, office, publicKey },
    send: (kind, { to = 'reader@shop.example', organisationId, isRequired } = {}) =>
      store.postgres.system((sql) =>
        office.send(sql, {
          template: {
            ...{ name: `proof_${kind}`, kind },
            ...(isRequired === undefined ? {} : { isRequired }),
            write: () => ({ subject: `A ${kind}`, blocks: [{ kind: 'text', text: 'Grüße.' }] }),
          },
          ...{ to, values: {} },
          ...(organisationId === undefined ? {} : { organisationId }),
        }),
      ),
    async delivered() {
      await office.deliver();
      return letters.splice(0);
    },
    async close() {
      await office.stop();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
const post = (context: ProofContext): Promise<Post> => context.share('post', openPost, (made) => made.close());

/** A signature of RFC 6376 with relaxed canonicalization, judged by nothing of the product. @returns the signed headers */
function verified(raw: string, publicKey: string): string[] | undefined {
  const split = raw.indexOf('\r\n\r\n');
  const headers = raw.slice(0, split).split(/\r\n(?![ \t])/);
  const named = (name: string) => headers.findLast((line) => line.toLowerCase().startsWith(`${name}:`));
  const relaxed = (line: string) => {
    const [name = '', ...rest] = line.split(':');
    const value = rest
      .join(':')
      .replace(/\r\n/g, '')
      .replace(/[ \t]+/g, ' ')
      .trim();
    return `${name.trim().toLowerCase()}:${value}`;
  };
  const signature = named('dkim-signature');
  if (signature === undefined) return undefined;
  const tags = new Map(
    signature
      .slice(signature.indexOf(':') + 1)
      .split(';')
      .map((tag) => [tag.split('=')[0]?.trim() ?? '', tag.slice(tag.indexOf('=') + 1).replace(/\s+/g, '')] as const),
  );
  if (tags.get('c') !== 'relaxed/relaxed' || tags.get('a') !== 'rsa-sha256' || tags.has('l')) return undefined;
  const body = `${raw
    .slice(split + 4)
    .replace(/[ \t]+/g, ' ')
    .replace(/ \r\n/g, '\r\n')
    .replace(/(\r\n)*$/, '')}\r\n`;
  if (createHash('sha256').update(body, 'latin1').digest('base64') !== tags.get('bh')) return undefined;
  const signed = (tags.get('h') ?? '').toLowerCase().split(':');
  const text = [
    ...signed.flatMap((name) => named(name) ?? []).map(relaxed),
    relaxed(signature).replace(/([;:] ?b=)[^;]*/, '$1'),
  ].join('\r\n');
  const holds = createVerify('rsa-sha256')
    .update(text, 'latin1')
    .verify(publicKey, tags.get('b') ?? '', 'base64');
  return holds ? signed : undefined;
}

async function templatesOf(context: ProofContext): Promise<MailTemplate<never>[]> {
  const files = readdirSync(join(context.root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.startsWith('platform'))
    .filter((path) => /\bMailTemplate\b/.test(readFileSync(join(context.root, 'src', path), 'utf8')));
  const modules = await Promise.all(files.map((path) => load<object>(context, join('src', path))));
  const isTemplate = (one: unknown): one is MailTemplate<never> =>
    typeof one === 'object' && one !== null && 'write' in one && 'kind' in one && 'name' in one;
  return modules
    .flatMap((module) => Object.values(module))
    .flatMap((value) => (isTemplate(value) || typeof value !== 'object' ? [value] : Object.values(value ?? {})))
    .filter(isTemplate);
}

export const proofs: readonly Proof[] = [
  {
    id: 'MAI-01',
    title:
      'Mail that cannot be turned off is about the reader’s own access, and every kind of mail is on the published list.',
    async run(context) {
      const templates = await templatesOf(context);
      const guide = readFileSync(join(repository, 'docs/guides/mail.md'), 'utf8');
      const listed = new Map([...guide.matchAll(/^\| `(\w+)` \| (\w+) \|/gm)].map(([, name, kind]) => [name, kind]));
      must(templates.length > 20, `Only ${templates.length} templates were found.`);
      for (const { name, kind } of templates) {
        must(kinds.includes(kind), `The template ${name} is of the kind ${kind}.`);
        must(listed.get(name) === kind, `The template ${name} is ${kind}, and the list says ${listed.get(name)}.`);
      }
      const { desk: _desk, ...accounts } = await accountsDesk(context);
      await accounts.newPerson('viewer');
      const rows = (await accounts.tables.dump()).get('mail.messages') ?? [];
      must(rows.length > 0, 'The desk has sent nothing.');
      for (const { template, kind } of rows)
        must(listed.get(String(template)) === kind, `A ${kind} mail ${template} was sent, and is not on the list.`);
      const service = templates.filter(({ kind }) => kind === 'service').length;
      return `${templates.length} templates, ${service} of them service mail, as published; so are the ${rows.length} messages that a desk has sent`;
    },
    sabotage: {
      name: 'reports are sent as mail that cannot be turned off',
      file: 'src/analytics/reports/letter.ts',
      find: "kind: 'report',",
      replace: "kind: 'service',",
    },
  },
  {
    id: 'MAI-02',
    title:
      'Nobody gets a report that they did not ask for, nor a notice that they have turned off; there is no advertising.',
    async run(context) {
      const { newPerson, owner, mailbox, tables } = await accountsDesk(context);
      const templates = await templatesOf(context);
      must(
        templates.every(({ kind }) => kinds.includes(kind)),
        'There is mail of a further kind.',
      );
      const asked = await owner();
      const choose = async (mail: boolean) => {
        const answer = await asked.send('PATCH', '/api/notification-preferences', {
          kinds: [{ kind: 'organisation', in_app: true, mail }],
        });
        must(answer.status === 200, `The choice was not taken: ${answer.text}`);
      };
      const toOwner = (after: number) =>
        mailbox.letters
          .slice(after)
          .filter(({ to, subject }) => to === 'owner@shop.example' && /joined|accepted/i.test(subject));
      const noticesOf = async () =>
        ((await tables.dump()).get('mail.messages') ?? []).filter(({ template }) => template === 'notice_organisation');
      await choose(true);
      const first = mailbox.letters.length;
      await newPerson('viewer');
      await mailbox.letter('owner@shop.example', /joined|accepted/i, first);
      await choose(false);
      const second = mailbox.letters.length;
      const before = new Set((await noticesOf()).map(({ id }) => id));
      await newPerson('viewer');
      let ends: string[] = [];
      for (let tries = 0; tries < 200 && (ends.length === 0 || ends.includes('waiting')); tries++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        ends = (await noticesOf()).filter(({ id }) => !before.has(id)).map(({ state }) => String(state));
      }
      await choose(true);
      must(
        ends.length === 1 && ends[0] === 'unwanted',
        `A notice that was turned off became: ${ends.join() || 'nothing'}.`,
      );
      must(toOwner(second).length === 0, 'A notice that was turned off was sent.');
      const reports = ((await tables.dump()).get('mail.messages') ?? []).filter(({ kind }) => kind === 'report');
      must(reports.length === 0, `${reports.length} reports were sent to people who asked for none.`);
      return 'a notice came while it was wanted and ended as unwanted when it was not; 0 reports to people who asked for none';
    },
    sabotage: {
      name: 'the choice of the reader is not asked',
      file: 'src/accounts/mail/notices.ts',
      find: "if (about !== undefined && !(await choiceOf(sql, personId, about)).byMail) return { unwanted: 'turned_off' };",
      replace: 'void about;',
    },
  },
  {
    id: 'MAI-03',
    title:
      'Alerts and reports have a visible link and the one-click pair, both under a DKIM signature that verifies; it ends them at once.',
    async run(context) {
      const { store, office, send, delivered, publicKey } = await post(context);
      for (const kind of kinds) await send(kind, { to: 'leaver@shop.example', organisationId: 3 });
      const letters = await delivered();
      must(letters.length === kinds.length, `${letters.length} of ${kinds.length} messages came.`);
      let token = '';
      for (const { raw } of letters) {
        const signed = verified(raw, publicKey);
        must(signed !== undefined, 'A signature does not verify.');
        const changed = raw.replace(/^Subject: A/m, 'Subject: B');
        must(changed !== raw && verified(changed, publicKey) === undefined, 'The signature holds for another subject.');
        const link = /^List-Unsubscribe: <(https:[^>]+)>\r$/m.exec(raw)?.[1];
        if (/^Subject: A service/m.test(raw)) {
          must(link === undefined, 'Service mail has a link that ends it.');
          continue;
        }
        must(
          link !== undefined && /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m.test(raw),
          'A header is missing.',
        );
        must(
          signed.includes('list-unsubscribe') && signed.includes('list-unsubscribe-post'),
          `The signature names ${signed.join(':')}, which is not both headers.`,
        );
        const words = raw.replace(/=\r\n/g, '');
        must(words.split(link).length > 2, 'There is no visible link.');
        if (/^Subject: A report/m.test(raw)) token = link.split('/').at(-1) as string;
      }
      // One waits in the outbox already when the link is used.
      await send('report', { to: 'leaver@shop.example', organisationId: 3 });
      const named = office.suppressions.readToken(token);
      must(named !== undefined, 'The link of the letter names nothing.');
      await store.postgres.system((sql) => office.suppressions.unsubscribe(sql, named));
      must((await delivered()).length === 0, 'A report left after its reader had ended them.');
      await send('alert', { to: 'leaver@shop.example', organisationId: 3 });
      must((await delivered()).length === 1, 'Another kind of mail ended with it.');
      return `${letters.length} letters captured, each signature verified by RFC 6376 and failing for another subject; both headers in h= of the 2 that can be ended; the one that was waiting did not leave`;
    },
    sabotage: {
      name: 'the signature leaves List-Unsubscribe-Post out',
      file: 'src/platform/mail/transport.ts',
      find: ':List-Unsubscribe:List-Unsubscribe-Post',
      replace: ':List-Unsubscribe',
    },
  },
  {
    id: 'MAI-04',
    title: 'An address that is suppressed gets nothing more, however it is written, but what the law requires.',
    async run(context) {
      const { store, office, send, delivered } = await post(context);
      const to = 'gone@shop.example';
      const forms = [to, 'Gone@Shop.Example', ' gone@shop.example '];
      await send('service', { to });
      must((await delivered()).length === 1, 'Nothing comes before it is suppressed.');
      await store.postgres.system((sql) => office.suppressions.suppress(sql, to, 'erasure'));
      for (const form of forms) for (const kind of kinds) await send(kind, { to: form, organisationId: 3 });
      const after = await delivered();
      must(after.length === 0, `${after.length} messages went to a suppressed address.`);
      await send('service', { to, isRequired: true });
      must((await delivered()).length === 1, 'What the law requires did not go.');
      await send('service');
      must((await delivered()).length === 1, 'Somebody else gets nothing.');
      const [entry] = await office.suppressions.of(to);
      const lifted = await store.postgres.system((sql) => office.suppressions.lift(sql, to, entry?.id ?? 0));
      must(!lifted, 'What was erased can be taken back.');
      return `${forms.length * kinds.length} messages in ${forms.length} spellings withheld, 1 that the law requires sent`;
    },
    sabotage: {
      name: 'the list is not asked',
      file: 'src/platform/mail/open.ts',
      find: 'if (claimed.suppressed !== undefined && !claimed.isRequired)',
      replace: "if (claimed.suppressed === 'complaint')",
    },
  },
];
