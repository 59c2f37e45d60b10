import { execFileSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from '../../src/platform/vault.ts';
import { opened, type SealedStore, sealedStore } from './drivers/sealed_store.ts';
import { load, must, type Proof, type ProofContext } from './kit.ts';
import { textCanary } from './scan/canaries.ts';
import { leaked, scan, sentenceOf } from './scan/scan.ts';

/** Promises about what is sealed and about its keys, against a real database server. */

type Sealable = Place & { class: 'D4' };
const placeIn = (organisationId: number, more: Partial<Place> = {}) =>
  ({ organisationId, table: 'connections', column: 'token', row: 1, class: 'D4', ...more }) as Sealable;
const keyIdOf = (sealed: Buffer) => sealed.subarray(2, 10).toString('hex');
const word = (store: SealedStore, name: string) =>
  `canary${name}${store.modules.random.systemRandom.bytes(12).toString('hex')}`;

export const proofs: readonly Proof[] = [
  {
    id: 'CRY-01',
    title: 'A sealed value opens whole, in its own row, column, table, class and organisation, and in no other way.',
    async run(context) {
      const store = await sealedStore(context);
      const { vault } = store.process();
      const [mine, theirs] = [await store.organisation(), await store.organisation()];
      const place = placeIn(mine.id);
      await vault.seal(placeIn(theirs.id), 'so that it has a key too');
      const subject = Buffer.alloc(32, 1);
      await vault.seal(placeIn(mine.id, { subject }), 'so that the subject has one');
      const sealed = await vault.seal(place, 'a secret');
      must('text' in (await opened(vault.open(place, sealed))), 'It does not open at its own place.');
      const elsewhere: Partial<Place>[] = [
        ...[{ row: 2 }, { row: '1 ' }, { column: 'secret' }, { table: 'mailboxes' }, { class: 'D5' } as const],
        ...[{ organisationId: theirs.id }, { organisationId: 'desk' } as const, { subject }],
        { table: 'connectionst', column: 'oken' },
      ];
      for (const more of elsewhere)
        must(
          'refused' in (await opened(vault.open(placeIn(mine.id, more), sealed))),
          `It opens elsewhere: ${JSON.stringify(more)}.`,
        );
      const other = await vault.seal(placeIn(mine.id, { row: 2 }), 'another');
      must('refused' in (await opened(vault.open(place, other))), 'The value of another row can be put in its place.');
      for (let at = 0; at < sealed.length; at++)
        for (const flip of [1, 128]) {
          const changed = Buffer.from(sealed);
          changed[at] = (changed[at] as number) ^ flip;
          must('refused' in (await opened(vault.open(place, changed))), `Byte ${at} can be changed.`);
        }
      // Down to a tag of four bytes, and on.
      for (let length = 0; length < sealed.length; length++)
        must(
          'refused' in (await opened(vault.open(place, sealed.subarray(0, length)))),
          `It opens with ${sealed.length - length} bytes less.`,
        );
      const many = await Promise.all(Array.from({ length: 2_000 }, () => vault.seal(place, 'a secret')));
      must(new Set(many.map((one) => one.toString('hex', 10, 22))).size === many.length, 'A nonce came twice.');
      must(sealed.length === 2 + 8 + 12 + 'a secret'.length + 16, `It has ${sealed.length} bytes.`);
      return `${elsewhere.length} other places, ${2 * sealed.length} changed bits and ${sealed.length} lengths refused; 2,000 nonces of 96 bits, none twice`;
    },
    sabotage: {
      name: 'the row is not bound',
      file: 'src/trust/vault/cipher.ts',
      find: 'place.column, String(place.row), place.class',
      replace: 'place.column, place.class',
    },
  },
  ...kept(),
  {
    id: 'CRY-07',
    title: 'Root and data keys are changed under load without one failed read, and every ciphertext names its key.',
    async run(context) {
      const store = await sealedStore(context);
      const owners = [await store.organisation(), await store.organisation(), await store.organisation()];
      const busy = [store.process(), store.process()] as const;
      const operator = store.process();
      const keeper = operator.vault.keeper(operator.keys, false);
      const placeOf = (i: number) =>
        placeIn(owners[i % owners.length]?.id as number, {
          row: i,
          ...(i % 2 === 0 ? { subject: Buffer.alloc(32, i % 7) } : {}),
        });
      const before = await Promise.all(
        Array.from({ length: 60 }, (_, i) => operator.vault.seal(placeOf(i), `secret ${i}`)),
      );
      let done = false;
      let reads = 0;
      const failed: string[] = [];
      const read = async (vault: typeof operator.vault, i: number, sealed: Buffer, text: string) => {
        const answer = await opened(vault.open(placeOf(i), sealed));
        reads++;
        if (!('text' in answer) || answer.text !== text) failed.push(JSON.stringify(answer));
      };
      const load = busy.map(async ({ vault }, at) => {
        for (let i = at; !done; i += 2) {
          const fresh = await vault.seal(placeOf(i), 'fresh');
          await read((busy[1 - at] as typeof operator).vault, i, fresh, 'fresh');
          // Who has just been started asks the key store for everything.
          if (i % 10 === at) await read(store.process().vault, i % 60, before[i % 60] as Buffer, `secret ${i % 60}`);
        }
      });
      const old = new Set(before.map(keyIdOf));
      await keeper.rotateRoot(() => {});
      for (const { id } of owners) await keeper.rotateData(id);
      await keeper.rotateRoot(() => {});
      done = true;
      await Promise.all(load);
      const later = store.process().vault;
      for (const [i, sealed] of before.entries()) await read(later, i, sealed, `secret ${i}`);
      must(failed.length === 0, `${failed.length} of ${reads} reads failed: ${failed[0]}`);
      const fresh = await later.seal(placeOf(1), 'x');
      must(!old.has(keyIdOf(fresh)), 'What is sealed afterwards is under the old key.');
      must(await later.isOld(placeOf(1), before[1] as Buffer), 'An old value does not say that it is one.');
      const roots = await keeper.roots();
      must(roots.filter(({ owners: wrapped }) => wrapped > 0).length === 1, 'A root that was replaced still wraps.');
      return `root, ${owners.length} data keys and root again changed beside two processes: ${reads} reads, 0 failed`;
    },
    sabotage: {
      name: 'a change of root wraps another key than the one that was there',
      file: 'src/trust/vault/rotation.ts',
      find: 'wrap(key, wrapping.root(under)',
      replace: 'wrap(random.bytes(32), wrapping.root(under)',
    },
  },
  {
    id: 'CRY-08',
    title:
      'What was sealed for a destroyed subject or organisation is unreadable, also when an older backup is put back.',
    async run(context) {
      const store = await sealedStore(context);
      const { vault, audit } = store.process();
      const [north, south] = [await store.organisation(), await store.organisation()];
      const ada = await vault.subject(north.id, 'email', 'ada@shop.example');
      const bob = await vault.subject(north.id, 'email', 'bob@shop.example');
      const of = {
        ada: placeIn(north.id, { subject: ada, row: 1 }),
        bob: placeIn(north.id, { subject: bob, row: 2 }),
        north: placeIn(north.id, { row: 3 }),
        south: placeIn(south.id, { row: 4 }),
      };
      const rows: [number, Buffer][] = [];
      for (const [name, place] of Object.entries(of)) rows.push([Number(place.row), await vault.seal(place, name)]);
      await store.asOwner(async (sql) => {
        await sql.run('CREATE TABLE IF NOT EXISTS sealed_things (id bigint, value bytea)');
        for (const row of rows) await sql.run('INSERT INTO sealed_things VALUES ($1, $2)', row);
      });
      // What a backup without the schema vault holds, as a file: it is read back after the keys have gone.
      const backup = join(await context.folder(), 'data.json');
      const dump = await store.asOwner((sql) =>
        sql.query<{ id: number; value: string }>("SELECT id, encode(value, 'hex') AS value FROM sealed_things"),
      );
      writeFileSync(backup, JSON.stringify(dump));
      await vault.shred(north.id, ada);
      async function restored(): Promise<Record<string, string>> {
        const saved = JSON.parse(readFileSync(backup, 'utf8')) as { id: number; value: string }[];
        await store.asOwner(async (sql) => {
          await sql.run('DELETE FROM sealed_things');
          for (const { id, value } of saved)
            await sql.run("INSERT INTO sealed_things VALUES ($1, decode($2, 'hex'))", [id, value]);
        });
        const now = await store.asOwner((sql) =>
          sql.query<{ id: number; value: Buffer }>('SELECT id, value FROM sealed_things'),
        );
        const fresh = store.process().vault;
        const said: Record<string, string> = {};
        for (const [name, place] of Object.entries(of)) {
          const answer = await opened(fresh.open(place, now.find(({ id }) => id === place.row)?.value as Buffer));
          said[name] = 'text' in answer ? answer.text : answer.refused;
        }
        return said;
      }
      const first = await restored();
      must(first.ada === 'destroyed', `The destroyed person's value opens from a backup: ${first.ada}.`);
      must(first.bob === 'bob' && first.north === 'north', 'Another value went along.');
      await store.postgres.tenant(north.id, (sql) =>
        audit.record(sql, north.id, { action: 'key.created', actor: { type: 'key', id: north.keyId } }),
      );
      const keys = await vault.shredAll(north.id);
      const second = await restored();
      must(
        [second.ada, second.bob, second.north].every((one) => one === 'destroyed'),
        `Something of the destroyed organisation opens from a backup: ${JSON.stringify(second)}.`,
      );
      must(second.south === 'south', 'A value of another organisation went along.');
      const again = await opened(store.process().vault.seal(of.north, 'again'));
      must('refused' in again && again.refused === 'destroyed', 'A destroyed organisation gets a key again.');
      // The trail of the organisation goes on and verifies; it names nobody any more.
      await store.postgres.tenant(north.id, (sql) =>
        audit.record(sql, north.id, { action: 'organisation.shredded', actor: { type: 'operator' } }),
      );
      return `one of 2 people, then the organisation with its ${keys} keys destroyed: the backup from before was put back and opens none of them; 1 value of another organisation still opens`;
    },
    sabotage: {
      name: 'a subject’s key is forgotten and not deleted',
      file: 'src/trust/vault/key_store.ts',
      find: "'DELETE FROM vault.subject_keys WHERE subject = $1'",
      replace: "'DELETE FROM vault.subject_keys WHERE subject = $1 AND false'",
    },
  },
  {
    id: 'CRY-09',
    title: 'Whoever opens a connector’s secret says what for, and the trail has a line for each purpose, row and hour.',
    async run(context) {
      const store = await sealedStore(context);
      const { id } = await store.organisation();
      const { vault } = store.process();
      const place = { ...placeIn(id, { row: 7 }), class: 'D9' } as const;
      const sealed = await vault.seal(place, 'token');
      const without = await vault.open(place as unknown as Sealable, sealed).then(
        () => 'opened',
        () => 'refused',
      );
      must(without === 'refused', 'It opens without a purpose.');
      for (let i = 0; i < 3; i++) await vault.open(place, sealed, { purpose: 'ads.read' });
      await store.process().vault.open(place, sealed, { purpose: 'ads.read' });
      await vault.open(place, sealed, { purpose: 'ads.write' });
      store.clock.travel(3_600_000);
      await vault.open(place, sealed, { purpose: 'ads.read' });
      const lines = await store.postgres.tenant(id, (sql) =>
        sql.query<{ action: string; targets: unknown }>('SELECT action, targets FROM audit.entries ORDER BY seq'),
      );
      must(lines.length === 3, `6 openings for 2 purposes in 2 hours gave ${lines.length} lines instead of 3.`);
      must(
        lines.every(({ action, targets }) => action === 'secret.opened' && /"7"/.test(JSON.stringify(targets))),
        'A line does not say which secret was opened.',
      );
      return '6 openings for 2 purposes in 2 hours, 3 lines in the trail; none without a purpose';
    },
    sabotage: {
      name: 'openings are not written down',
      file: 'src/trust/vault/index.ts',
      find: "if (place.class === 'D9' && use !== undefined) await noteOpening(place, use);",
      replace: 'void noteOpening;',
    },
  },
  {
    id: 'CRY-10',
    title:
      'Who was erased is found by a keyed digest of the normalised identifier, which is worth nothing without the key.',
    async run(context) {
      const store = await sealedStore(context);
      const { keys, vault } = store.process();
      const digest = await vault.subject(1, 'email', ' Ada@Shop.Example ');
      const same = await store.process().vault.subject(1, 'email', 'ada@shop.example');
      must(digest.equals(same) && digest.length === 32, 'The same person has two digests.');
      must(
        (await vault.subject(1, 'phone', '+49 (30) 123-45')).equals(await vault.subject(1, 'phone', '00493012345')),
        'The same number has two digests.',
      );
      const frame = (parts: string[]) =>
        Buffer.concat(
          parts.flatMap((part) => {
            const length = Buffer.alloc(4);
            length.writeUInt32BE(Buffer.byteLength(part));
            return [length, Buffer.from(part)];
          }),
        );
      const message = frame(['email', 'ada@shop.example']);
      must(
        digest.equals(createHmac('sha256', keys.digest('vault-pepper', '1')).update(message).digest()),
        'It is not HMAC-SHA-256 under the key of the organisation.',
      );
      // What somebody with the database and without the key file can try.
      const guesses = ['', '1', 'desk', 'vault-pepper', 'fairlead'].flatMap((key) => [
        createHmac('sha256', key).update(message).digest(),
        createHmac('sha256', key).update('ada@shop.example').digest(),
      ]);
      guesses.push(
        createHash('sha256').update(message).digest(),
        createHash('sha256').update('ada@shop.example').digest(),
      );
      must(!guesses.some((guess) => guess.equals(digest)), 'The digest can be computed without the key file.');
      const elsewhere = await Promise.all([
        vault.subject(2, 'email', 'ada@shop.example'),
        vault.subject('desk', 'email', 'ada@shop.example'),
        vault.subject(1, 'external-id', 'ada@shop.example'),
      ]);
      must(!elsewhere.some((other) => other.equals(digest)), 'It is the same elsewhere, so it links what is apart.');
      return `HMAC-SHA-256 under a key that lies in the key file; ${guesses.length} guesses without it fail, ${elsewhere.length} other places have other digests`;
    },
    sabotage: {
      name: 'the digest is keyed with the number of the organisation alone',
      file: 'src/trust/vault/index.ts',
      find: "house.keys.digest('vault-pepper', String(owner))",
      replace: 'Buffer.from(String(owner))',
    },
  },
  {
    id: 'CRY-11',
    title: 'A key is replaced before it has sealed 2^32 messages, whoever dies in the middle.',
    async run(context) {
      const store = await sealedStore(context);
      const { id } = await store.organisation();
      const { budget } = await load<typeof import('../../src/trust/vault/key_store.ts')>(
        context,
        'src/trust/vault/key_store.ts',
      );
      must(budget.messagesMax === 2 ** 32, `The budget is ${budget.messagesMax}.`);
      const { keys } = store.process();
      const small = { messagesMax: 20, ofOwner: 8, ofSubject: 4, ofHeld: 8 };
      const open = () =>
        store.modules.vault.openVault(
          {
            ...{ keys, postgres: store.postgres, clock: store.clock, random: store.modules.random.systemRandom },
            audit: () => store.process().audit,
          },
          small,
        );
      const subject = Buffer.alloc(32, 3);
      const used = new Map<string, number>();
      const seal = async (vault: ReturnType<typeof open>, of: Place) => {
        const sealed = await vault.seal(of, 'x');
        used.set(keyIdOf(sealed), (used.get(keyIdOf(sealed)) ?? 0) + 1);
      };
      // Each vault is a process that dies after three messages: what is left of its block is lost, and never used twice.
      for (let process = 0; process < 10; process++) {
        const vault = open();
        for (let i = 0; i < 3; i++) await seal(vault, placeIn(id));
        for (let i = 0; i < 3; i++) await seal(vault, placeIn(id, { subject }));
      }
      const busy = open();
      await Promise.all(Array.from({ length: 100 }, () => seal(busy, placeIn(id))));
      const rows = await store.postgres.vault(id, (sql) =>
        sql.query<{ id: string; messages: number; is_current: boolean }>(
          `SELECT encode(id, 'hex') AS id, messages, is_current FROM vault.owner_keys
           UNION ALL SELECT encode(id, 'hex'), messages, is_current FROM vault.subject_keys`,
        ),
      );
      for (const { id: key, messages } of rows) {
        must(messages <= small.messagesMax, `A key was given ${messages} messages of ${small.messagesMax}.`);
        must((used.get(key) ?? 0) <= messages, `A key sealed ${used.get(key)} messages and had reserved ${messages}.`);
      }
      must(rows.filter(({ is_current }) => is_current).length === 2, 'There is not one key in use of each kind.');
      return `with a budget of ${small.messagesMax} in place of 2^32: 160 messages by 11 processes, 10 of which died, under ${rows.length} keys, none over its budget`;
    },
    sabotage: {
      name: 'the budget is not asked',
      file: 'src/trust/vault/key_store.ts',
      find: 'AND is_current AND messages + $2 <= $3`',
      replace: 'AND is_current AND $3 > 0`',
    },
  },
];

/** Secrets of one kind each, kept where the product keeps them. */
interface Kept {
  secret: string;
  /** @returns what it says when it is opened */
  back(): Promise<string>;
}

async function keepAll(context: ProofContext): Promise<{ kept: Record<string, Kept>; found: ReturnType<typeof scan> }> {
  const store = await sealedStore(context);
  const { id } = await store.organisation();
  const { vault } = store.process();
  const { openServerSettings } = await load<typeof import('../../src/platform/mail/server.ts')>(
    context,
    'src/platform/mail/server.ts',
  );
  const settings = () =>
    openServerSettings({ config: { smtp: undefined }, clock: store.clock, postgres: store.postgres, vault });
  await store.asOwner((sql) => sql.run('CREATE TABLE connections (value bytea)'));
  const kept: Record<string, Kept> = {};
  for (const column of ['token', 'api_key']) {
    const secret = word(store, column.replace('_', ''));
    const place = { ...placeIn(id, { column }), class: 'D9' } as const;
    const sealed = await vault.seal(place, secret);
    await store.asOwner((sql) => sql.run('INSERT INTO connections VALUES ($1)', [sealed]));
    kept[column] = {
      secret,
      async back() {
        const answer = await opened(store.process().vault.open(place, sealed, { purpose: 'proof.read' }));
        return 'text' in answer ? answer.text : answer.refused;
      },
    };
  }
  const password = word(store, 'smtp');
  await settings().save(
    {
      ...{ host: 'mail.shop.example', port: 587, tls: 'starttls', userName: 'desk', password },
      ...{ from: 'desk@shop.example', dkim: undefined },
    },
    { personId: 1, note: async () => {} },
  );
  kept.smtp = { secret: password, back: async () => (await settings().current()).server?.password ?? '' };
  const planted = word(store, 'planted');
  await store.asOwner(async (sql) => {
    await sql.run('CREATE TABLE planted (value text)');
    await sql.run('INSERT INTO planted VALUES ($1)', [planted]);
    await sql.run('CHECKPOINT').catch(() => {});
  });
  // A copy, since a server that runs takes files away; without the empty databases that it was made from.
  const copy = await context.folder();
  for (const [at, directory] of [...store.postgres.directories, store.dataDir].entries())
    execFileSync('sh', [
      '-c',
      'cp -a "$0" "$1" 2>/dev/null; rm -rf "$1"/cluster/base/1 "$1"/cluster/base/4',
      ...[directory, join(copy, String(at))],
    ]);
  const canaries = Object.entries(kept).map(([name, { secret }]) => textCanary(name, secret));
  return { kept, found: scan([copy], [...canaries, textCanary('planted', planted)]) };
}

function kept(): Proof[] {
  const proofOf = (id: string, name: string, what: string, sabotage: Proof['sabotage']): Proof => ({
    id,
    title: `${what} lies in no file of the database in clear, in no form, and is read back as it was.`,
    async run(context) {
      const { kept, found } = await context.share('kept secrets', keepAll);
      const { certain } = leaked(found.finds);
      must(
        certain.some(({ canary }) => canary === 'planted'),
        'What lies in clear is not found: the search sees nothing.',
      );
      const secrets = certain.filter(({ canary }) => canary === name);
      must(secrets.length === 0, `It was found: ${sentenceOf(secrets)}`);
      const { secret, back } = kept[name] as Kept;
      must((await back()) === secret, 'It is not read back as it was.');
      return `in none of ${found.files} files of the database and its log; a word that lies in clear is found`;
    },
    sabotage,
  });
  return [
    proofOf('CRY-02', 'token', 'A token of a connected account', {
      name: 'the sealed bytes bring the text along',
      file: 'src/trust/vault/cipher.ts',
      find: 'return encrypt(key, nonce, boundTo(place, id), plain, [mark, id]);',
      replace: 'return Buffer.concat([encrypt(key, nonce, boundTo(place, id), plain, [mark, id]), plain]);',
    }),
    proofOf('CRY-03', 'api_key', 'A key of a third party', {
      name: 'the vault puts the text behind what it sealed',
      file: 'src/trust/vault/index.ts',
      find: 'return sealFor(place, key, Buffer.from(plain), random.bytes(nonceBytes));',
      replace:
        'return Buffer.concat([sealFor(place, key, Buffer.from(plain), random.bytes(nonceBytes)), Buffer.from(plain)]);',
    }),
    proofOf('CRY-04', 'smtp', 'The password of a mail server', {
      name: 'the password is stored as it came',
      file: 'src/platform/mail/server.ts',
      find: 'secret === undefined ? null : vault.seal(place(column), secret);',
      replace: 'secret === undefined ? null : Buffer.from(secret);',
    }),
  ];
}
