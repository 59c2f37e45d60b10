import { type SealedStore, sealedStore } from './drivers/sealed_store.ts';
import { must, type Proof, type ProofContext } from './kit.ts';

/** Promises about the trail of acts, over a real database. */

interface Trail {
  store: SealedStore;
  id: number;
  verify(): Promise<{ kind: string; seq: number }[]>;
  /** The trail as its owner exports it, line by line. */
  lines: string[];
  publicKey: string;
}
const entries = 6;

/** One chain of six entries, signed at its end. */
async function chain(context: ProofContext): Promise<Trail> {
  const store = await sealedStore(context);
  const { id, keyId } = await store.organisation();
  const { keys, vault, audit } = store.process();
  const { openKeeper } = store.modules.keeper;
  const keeper = openKeeper({
    ...{ postgres: store.postgres, keys, clock: store.clock, log: store.modules.log.silentLog },
    dataDir: store.dataDir,
  });
  for (let i = 0; i < entries; i++) {
    store.clock.travel(1_000);
    await store.postgres.tenant(id, (sql) =>
      audit.record(sql, id, {
        action: i % 2 === 0 ? 'key.created' : 'goal.changed',
        actor: { type: 'key', id: keyId },
        targets: [{ type: 'key', id: i, label: `Shop ${i}` }],
        details: { scopes: 'stats:read', turn: i },
        reason: 'none',
        request: { id: `a1b2c${i}`, address: '203.0.113.77' },
      }),
    );
  }
  await keeper.checkpoint();
  const head = await store.postgres.tenant(id, (sql) => store.modules.stored.readHead(sql, id));
  let text = '';
  const parts = { postgres: store.postgres, vault, clock: store.clock, keeper };
  for await (const piece of store.modules.exports.bundleOf(parts, id, head)) text += piece;
  return {
    ...{ store, id, publicKey: keeper.publicKey, lines: text.trim().split('\n') },
    async verify() {
      const { findings } = await keeper.verify();
      return findings.filter(({ organisation }) => organisation === id);
    },
  };
}

async function* streamed(lines: readonly string[]) {
  yield* lines;
}

export const proofs: readonly Proof[] = [
  {
    id: 'AUD-02',
    title: 'Every change of a byte of an entry, and every entry that is deleted, moved or cut off, is detected.',
    async run(context) {
      const { store, id, verify, lines, publicKey } = await context.share('chain', chain);
      must((await verify()).length === 0, 'A chain that nobody touched does not verify.');
      const { verifyBundle, BundleError } = store.modules.bundle;
      /** @returns what a reader of the file is told; one who cannot read it is told, too */
      const kinds = (changed: readonly string[]) =>
        verifyBundle(streamed(changed), { publicKey }).then(
          ({ findings }) => findings.map(({ kind }) => kind as string),
          (error) => {
            if (error instanceof BundleError) return ['unreadable'];
            throw error;
          },
        );
      must((await kinds(lines)).length === 0, 'The exported chain does not verify as it is.');
      const first = lines.findIndex((line) => line.startsWith('{"seq"'));
      // Two entries, every byte; what the others are made of is the same.
      let bytes = 0;
      for (const at of [first, first + 1]) {
        const line = Buffer.from(lines[at] as string);
        for (let i = 0; i < line.length; i++) {
          const changed = Buffer.from(line);
          changed[i] = (changed[i] as number) ^ 1;
          bytes++;
          must(
            (await kinds(lines.with(at, changed.toString('latin1')))).length > 0,
            `Byte ${i} of entry ${at - first + 1} can be changed: …${line.toString('utf8', Math.max(0, i - 20), i + 10)}…`,
          );
        }
      }
      // Each row of the sample in the database itself, by somebody who owns it.
      const owner = (text: string) =>
        store.asOwner((sql) =>
          sql.run(
            `BEGIN; ALTER TABLE audit.entries NO FORCE ROW LEVEL SECURITY; ALTER TABLE audit.chains NO FORCE ROW LEVEL SECURITY;
             ${text};
             ALTER TABLE audit.entries FORCE ROW LEVEL SECURITY; ALTER TABLE audit.chains FORCE ROW LEVEL SECURITY; COMMIT`,
          ),
        );
      const mine = `organisation_id = ${id}`;
      await owner(`CREATE TABLE audit.sample AS SELECT * FROM audit.entries WHERE ${mine};
        CREATE TABLE audit.sample_chain AS SELECT * FROM audit.chains WHERE ${mine}`);
      const asBefore = `DELETE FROM audit.entries WHERE ${mine}; DELETE FROM audit.chains WHERE ${mine};
        INSERT INTO audit.entries SELECT * FROM audit.sample; INSERT INTO audit.chains SELECT * FROM audit.sample_chain;`;
      const headAt = (seq: number) =>
        `UPDATE audit.chains SET seq = ${seq}, hash = (SELECT hash FROM audit.sample WHERE seq = ${seq}) WHERE ${mine}`;
      const attacks: [what: string, sql: string][] = [];
      for (let seq = 1; seq <= entries; seq++) {
        attacks.push([
          `entry ${seq} changed`,
          `UPDATE audit.entries SET outcome = 'failed' WHERE ${mine} AND seq = ${seq}`,
        ]);
        attacks.push([`entry ${seq} deleted`, `DELETE FROM audit.entries WHERE ${mine} AND seq = ${seq}`]);
        if (seq === entries) continue;
        attacks.push([
          `entries ${seq} and ${seq + 1} moved`,
          `UPDATE audit.entries SET seq = -seq WHERE ${mine} AND seq IN (${seq}, ${seq + 1});
           UPDATE audit.entries SET seq = ${2 * seq + 1} + seq WHERE ${mine} AND seq < 0`,
        ]);
        attacks.push([
          `cut off behind entry ${seq}, head and all`,
          `DELETE FROM audit.entries WHERE ${mine} AND seq > ${seq}; ${headAt(seq)}`,
        ]);
      }
      for (const [what, text] of attacks) {
        await owner(`${asBefore} ${text}`);
        must((await verify()).length > 0, `Nothing is said of this: ${what}.`);
      }
      await owner(asBefore);
      must((await verify()).length === 0, 'The chain that was put back does not verify.');
      return `each of ${bytes} bytes of 2 exported entries changed, ${attacks.length} changes of ${entries} rows in the database: all detected`;
    },
    sabotage: {
      name: 'the network of an entry is not bound',
      file: 'src/trust/audit/verify.ts',
      find: "if (commitment(Buffer.from(addressSalt, 'hex'), address) !== entry.address_commitment)",
      replace: 'if (addressSalt.length === 0)',
    },
  },
];
