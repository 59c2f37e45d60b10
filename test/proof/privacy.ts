import { existsSync, linkSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, must, type Proof, type ProofContext } from './kit.ts';
import { bytesCanary } from './scan/canaries.ts';
import { scan } from './scan/scan.ts';

/** Promises about visitor ids and their salt, shown on the parts that make them. */

const visitorFile = 'src/analytics/visits/visitor.ts';
const saltFile = 'src/analytics/visits/salt.ts';
const loadVisitor = (context: ProofContext) =>
  load<typeof import('../../src/analytics/visits/visitor.ts')>(context, visitorFile);
const loadSalt = (context: ProofContext) =>
  load<typeof import('../../src/analytics/visits/salt.ts')>(context, saltFile);
const loadClock = (context: ProofContext) =>
  load<typeof import('../../src/platform/clock.ts')>(context, 'src/platform/clock.ts');
const loadRandom = (context: ProofContext) =>
  load<typeof import('../../src/platform/random.ts')>(context, 'src/platform/random.ts');
const loadLog = (context: ProofContext) =>
  load<typeof import('../../src/platform/log.ts')>(context, 'src/platform/log.ts');

const ramp = Buffer.from(Array.from({ length: 32 }, (_, n) => n));

/** Worked out by another program, from the description in `visitorId`: the first 64 bits of SHA-256 as a number. */
const vectors: readonly [salt: Buffer, site: number, address: string, agent: string, id: string][] = [
  [ramp, 1, '203.0.113.7', 'Mozilla/5.0', '1306921863372239265'],
  [ramp, 2, '203.0.113.7', 'Mozilla/5.0', '10095759348878427337'],
  [ramp, 1, '203.0.113.8', 'Mozilla/5.0', '14465257875242736491'],
  [ramp, 1, '203.0.113.7', 'Mozilla/5.1', '10145654761235178477'],
  [Buffer.alloc(32), 1, '203.0.113.7', 'Mozilla/5.0', '2180300721962641266'],
  [ramp, 2 ** 53 - 1, '2001:db8::1', 'Ünïcode 🙂', '4931697280376922316'],
  [ramp, 1, '', '', '2594165020271840901'],
  [ramp, 1, '203.0.113.7M', 'ozilla/5.0', '18214045849520422542'],
  [
    Buffer.from(ramp).reverse(),
    2 ** 32,
    '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',
    'x'.repeat(1024),
    '5665939200228952659',
  ],
];

const hour = 3_600_000;
const minute = 60_000;
/** In the evening, UTC. */
const start = Date.UTC(2026, 5, 1, 20);

export const proofs: readonly Proof[] = [
  {
    id: 'PSE-01',
    title: 'A visitor id is SHA-256 over salt, site, address and User-Agent, each part in its own place.',
    async run(context) {
      const { visitorId, id64Text } = await loadVisitor(context);
      for (const [salt, site, address, agent, id] of vectors)
        must(
          id64Text(visitorId(salt, site, address, agent)) === id,
          `The id of ${address || 'nobody'} on site ${site} is not ${id}.`,
        );
      return `${vectors.length} vectors worked out elsewhere, two of which differ only in where one part ends`;
    },
    sabotage: { name: 'no salt', file: visitorFile, find: 'salt.copy(scratch, saltAt);', replace: '' },
  },
  {
    id: 'PSE-02',
    title: 'A salt is 256 bits from the operating system, never made of a date, a key or another salt.',
    async run(context) {
      const { openSalts, saltBytes } = await loadSalt(context);
      const { stillClock } = await loadClock(context);
      const { silentLog } = await loadLog(context);
      const { systemRandom, seededRandom } = await loadRandom(context);
      must(saltBytes === 32, `A salt has ${saltBytes} bytes.`);
      // Two desks at the same moment, with the same key file and name: everything but chance is equal.
      const salts: Buffer[] = [];
      const desks = 10;
      for (let desk = 0; desk < desks; desk++) {
        const file = join(await context.folder(), 'visitor.salts');
        const clock = stillClock(start);
        const opened = openSalts({ file, clock, random: systemRandom, log: silentLog });
        for (let day = 0; day < 3; day++) {
          salts.push(Buffer.from(opened.current(clock.now()).salt));
          clock.travel(24 * hour);
        }
        for (let day = 0; day < 100; day++) salts.push(Buffer.from(opened.late(day).salt));
        opened.close();
      }
      must(new Set(salts.map((salt) => salt.toString('hex'))).size === salts.length, 'Two salts are the same.');
      const ones = Buffer.concat(salts).reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
      const bits = salts.length * 256;
      // Half of the bits, give or take five standard deviations.
      must(Math.abs(ones - bits / 2) < 2.5 * Math.sqrt(bits), `${ones} of ${bits} bits are ones.`);
      for (let bit = 0; bit < 256; bit++) {
        const set = salts.filter((salt) => ((salt[bit >> 3] as number) >> (bit & 7)) & 1).length;
        must(
          Math.abs(set - salts.length / 2) < 3 * Math.sqrt(salts.length),
          `Bit ${bit} is set in ${set} of ${salts.length} salts.`,
        );
      }
      // Each is drawn whole from the chance that is handed in, and from nothing else.
      const drawn = seededRandom('salts');
      const file = join(await context.folder(), 'visitor.salts');
      const opened = openSalts({ file, clock: stillClock(start), random: seededRandom('salts'), log: silentLog });
      must(opened.current(start).salt.equals(drawn.bytes(32)), 'A salt is not just what chance gave.');
      opened.close();
      const text = readFileSync(join(context.root, 'src/platform/random.ts'), 'utf8');
      must(
        /bytes: \(count\) => \(count <= shortMax \? fromPool\(count\) : randomBytes\(count\)\)/.test(text) &&
          /randomFillSync\(pool\)/.test(text) &&
          /from 'node:crypto'/.test(text),
        'Chance is not the CSPRNG.',
      );
      return `${salts.length} salts of ${desks} desks at the same moment: all different, every bit even, each drawn whole`;
    },
    sabotage: {
      name: 'the salt is a digest of the day',
      file: saltFile,
      find: 'const fresh = (day: number): DaySalt => ({ day, salt: random.bytes(saltBytes) });',
      replace: 'const fresh = (day: number): DaySalt => ({ day, salt: Buffer.alloc(saltBytes, day) });',
    },
  },
  {
    id: 'PSE-03',
    title: 'The salt changes at UTC midnight, and ten minutes later the old one is overwritten everywhere.',
    async run(context) {
      const { openSalts } = await loadSalt(context);
      const { stillClock } = await loadClock(context);
      const { silentLog } = await loadLog(context);
      const { systemRandom } = await loadRandom(context);
      const folder = await context.folder();
      const file = join(folder, 'visitor.salts');
      const clock = stillClock(start);
      const salts = openSalts({ file, clock, random: systemRandom, log: silentLog });
      const inMemory = salts.current(clock.now()).salt;
      const old = Buffer.from(inMemory);
      // A second name keeps the file reachable that the rotation unlinks: its bytes are what a disk would still hold.
      const undeleted = join(folder, 'undeleted');
      linkSync(file, undeleted);
      const changes: number[] = [];
      let gone: number | undefined;
      let last = old;
      for (let passed = 0; passed < 25 * 60; passed++) {
        clock.travel(minute);
        const now = clock.now();
        const { salt } = salts.current(now);
        if (!salt.equals(last)) changes.push((now / hour) % 24);
        last = Buffer.from(salt);
        const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));
        const isThere = files.join().includes(old.toString('hex')) || salts.previous(now) !== undefined;
        if (!isThere) gone ??= now;
        must(
          isThere === now < Date.UTC(2026, 5, 2, 0, 10),
          `The old salt is ${isThere ? 'still' : 'not'} there at ${new Date(now).toISOString()}.`,
        );
      }
      must(
        changes.length === 1 && changes[0] === 0,
        `The salt changed at ${changes.join(', ') || 'no time'} o'clock UTC.`,
      );
      must(inMemory.equals(Buffer.alloc(32)), 'The old salt is still in memory.');
      must(
        existsSync(undeleted) && scan([folder], [bytesCanary('old salt', old)]).finds.length === 0,
        'The old salt was unlinked, not overwritten.',
      );
      salts.close();
      return `25 hours of travel: one change at midnight, the old salt gone at ${new Date(gone ?? 0).toISOString().slice(11, 16)} from file, memory and the unlinked blocks`;
    },
    sabotage: {
      name: 'the old salt outlives its grace',
      file: saltFile,
      find: '} else if (before !== undefined && (!isGrace(nowMs) || clock.monotonic() >= graceEnd)) {',
      replace: '} else if (before !== undefined && false) {',
    },
  },
  {
    id: 'PSE-09',
    title: 'An id is worth something on one site only: the same visitor has unrelated ids on two.',
    async run(context) {
      const { visitorId, id64Text } = await loadVisitor(context);
      const visitors = Array.from({ length: 2_000 }, (_, n) => `198.51.${n >> 8}.${n & 255}`);
      const idsOn = (site: number) =>
        visitors.map((address) => BigInt(id64Text(visitorId(ramp, site, address, 'Mozilla/5.0'))));
      const [first, second] = [idsOn(1), idsOn(2)];
      const known = new Set(first);
      must(
        second.every((id) => !known.has(id)),
        'An id occurs on both sites.',
      );
      must(
        new Set(idsOn(1)).size === visitors.length && idsOn(1).every((id) => known.has(id)),
        'An id is not the same twice on its own site.',
      );
      // What relates the two would show as bits that agree more often, or a difference that repeats.
      let agreeing = 0;
      for (const [n, id] of first.entries()) agreeing += 64 - bitsOf(id ^ (second[n] as bigint));
      const expected = visitors.length * 32;
      must(
        Math.abs(agreeing - expected) < 5 * Math.sqrt(visitors.length * 16),
        `${agreeing} bits agree, ${expected} would by chance.`,
      );
      must(
        new Set(first.map((id, n) => id ^ (second[n] as bigint))).size === visitors.length,
        'The difference between the sites repeats.',
      );
      return `${visitors.length} visitors on two sites: no id in common, ${Math.round((agreeing / visitors.length / 64) * 1000) / 10} % of bits agree`;
    },
    sabotage: {
      name: 'the site is left out of the hash',
      file: visitorFile,
      find: 'scratch.writeUInt32BE(siteId % 0x1_0000_0000, siteAt + 4);',
      replace: 'scratch.writeUInt32BE(0, siteAt + 4);',
    },
  },
];

function bitsOf(value: bigint): number {
  return value.toString(2).replaceAll('0', '').length;
}
