import { ringOf } from '../src/trust/keys/index.ts';
import { openTestPostgres, openTestVault } from '../test/stores.ts';

/**
 * Sealed and opened values a second, one process, values of 120 bytes as a token or an address is, against a real built-in
 * Postgres. Keys are warm, as they are for five minutes after their first use; what the first use costs stands beside.
 * On a machine that does something else the figure per second of processor is the one to read.
 */
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

export async function measureVault(say: (line: string) => void) {
  say('Sealing and opening …');
  const store = await openTestPostgres();
  const vault = openTestVault({ postgres: store.postgres, keys: ringOf(Buffer.alloc(32, 1)) });
  const lines: { what: string; target: string; measured: string }[] = [];
  async function measure(what: string, count: number, work: (i: number) => Promise<unknown>): Promise<void> {
    const start = performance.now();
    const before = process.cpuUsage();
    for (let i = 0; i < count; i++) await work(i);
    const { user, system } = process.cpuUsage(before);
    const whole = (rate: number) => Math.round(rate).toLocaleString('en');
    const perSecond = (count / (performance.now() - start)) * 1e3;
    const measured = `${whole(perSecond)} /s, ${whole((count / (user + system)) * 1e6)} per second of processor`;
    lines.push({ what: `vault: ${what}`, target: '–', measured });
  }
  await vault.seal(placeOf(0), text);
  const sealed: Buffer[] = [];
  // Once before it counts: the first values are sealed by code that is not compiled yet.
  for (let i = 0; i < rounds; i++) sealed[i] = await vault.seal(placeOf(i), text);
  await measure('seal', rounds, async (i) => (sealed[i] = await vault.seal(placeOf(i), text)));
  await measure('open', rounds, (i) => vault.open(placeOf(i), sealed[i] as Buffer));
  await measure('seal for a subject who is new', 100, async (i) =>
    vault.seal(placeOf(i, await vault.subject(1, 'external-id', String(i))), text),
  );
  await measure('digest of a subject', rounds, async (i) => vault.subject(1, 'email', `${i}@shop.example`));
  vault.close();
  await store.close();
  return lines;
}
