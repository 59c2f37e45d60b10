import { ringOf } from '../src/trust/keys/index.ts';
import { openTestPostgres, openTestVault } from '../test/stores.ts';

/**
 * `node bench/vault.ts`: sealed and opened values a second, one process, values of 120 bytes as a token or an address is,
 * against a real built-in Postgres. Keys are warm, as they are for five minutes after their first use; what the first use
 * costs stands beside. On a machine that does something else the second figure is the one to read.
 */
const store = await openTestPostgres();
const vault = openTestVault({ postgres: store.postgres, keys: ringOf(Buffer.alloc(32, 1)) });
const text = 'x'.repeat(120);
const rounds = 20_000;
const placeOf = (row: number, subject?: Buffer) => ({
  organisationId: 1,
  table: 'connections',
  column: 'token',
  row,
  class: 'D4' as const,
  ...(subject === undefined ? {} : { subject }),
});

const lines: [what: string, perSecond: number, perCpuSecond: number][] = [];
async function measure(what: string, count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  const start = performance.now();
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) await work(i);
  const { user, system } = process.cpuUsage(before);
  lines.push([what, (count / (performance.now() - start)) * 1e3, (count / (user + system)) * 1e6]);
}

await vault.seal(placeOf(0), text);
for (const round of ['first', 'second']) {
  const sealed: Buffer[] = [];
  await measure(`seal (${round})`, rounds, async (i) => sealed.push(await vault.seal(placeOf(i), text)));
  await measure(`open (${round})`, rounds, (i) => vault.open(placeOf(i), sealed[i] as Buffer));
}
await measure('seal for a subject who is new', 100, async (i) =>
  vault.seal(placeOf(i, await vault.subject(1, 'external-id', String(i))), text),
);
await measure('digest of a subject', rounds, (i) => vault.subject(1, 'email', `${i}@shop.example`));
const whole = (rate: number) => Math.round(rate).toLocaleString('en').padStart(8);
for (const [what, perSecond, perCpuSecond] of lines)
  console.log(`${what.padEnd(32)} ${whole(perSecond)} /s, ${whole(perCpuSecond)} per second of processor`);
vault.close();
await store.close();
