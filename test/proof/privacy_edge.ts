import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { homeIn, rowsOf } from './drivers/desk.ts';
import { CannotProve, load, must, type Proof, type ProofContext } from './kit.ts';
import { columnsInDocument } from './published_columns.ts';
import { exchange } from './used_desk.ts';

/** Promises about what happens to an event between the socket and its row. */

const rigFile = 'src/analytics/ingest/rig.ts';
const loadRig = (context: ProofContext) => load<typeof import('../../src/analytics/ingest/rig.ts')>(context, rigFile);

/** Columns that name a person's day; every other column is the same for thousands. */
const personal = ['time', 'visitor_id', 'visit_id', 'id_day', 'visit_start', 'event_key'];

/** What a sender may write, and which address counts behind that many proxies; `socket` is the connection's own. */
const socket = '127.0.0.5';
const spoofs: readonly [hops: number, forwardedFor: string | string[] | undefined, counts: string][] = [
  [0, undefined, socket],
  [0, '198.51.100.1', socket],
  [0, '198.51.100.1, 203.0.113.9', socket],
  [1, undefined, socket],
  [1, '', socket],
  [1, ',', socket],
  [1, '203.0.113.9', '203.0.113.9'],
  [1, '198.51.100.1, 203.0.113.9', '203.0.113.9'],
  [1, '198.51.100.1,198.51.100.2 ,  203.0.113.9:4711', '203.0.113.9'],
  [1, '198.51.100.1, [2001:db8::9]:443', '2001:db8::9'],
  [1, '198.51.100.1, ::ffff:203.0.113.9', '203.0.113.9'],
  [1, '198.51.100.1, unknown', socket],
  [1, "198.51.100.1, 203.0.113.9'; DROP TABLE sites", socket],
  [1, ['198.51.100.1', '203.0.113.9'], '203.0.113.9'],
  [1, `${'198.51.100.1, '.repeat(300)}203.0.113.9`, '203.0.113.9'],
  [2, '203.0.113.9', socket],
  [2, '203.0.113.9, 192.0.2.10', '203.0.113.9'],
  [2, '198.51.100.1, 198.51.100.2, 203.0.113.9, 192.0.2.10', '203.0.113.9'],
  [2, ['198.51.100.1, 203.0.113.9', '192.0.2.10'], '203.0.113.9'],
  [3, '198.51.100.1, 203.0.113.9, 192.0.2.10, 192.0.2.11', '203.0.113.9'],
];
/** Headers that other products believe; here they are nobody's word. */
const others = [
  'x-real-ip',
  'x-client-ip',
  'cf-connecting-ip',
  'true-client-ip',
  'fastly-client-ip',
  'forwarded',
  'via',
];

export const proofs: readonly Proof[] = [
  {
    id: 'PSE-05',
    title: 'The ids of one person on two days are unlinkable: nothing is the same but coarse fields.',
    async run(context) {
      const { openRig } = await loadRig(context);
      const { openSalts } = await load<typeof import('../../src/analytics/visits/salt.ts')>(
        context,
        'src/analytics/visits/salt.ts',
      );
      const { systemRandom } = await load<typeof import('../../src/platform/random.ts')>(
        context,
        'src/platform/random.ts',
      );
      const { silentLog } = await load<typeof import('../../src/platform/log.ts')>(context, 'src/platform/log.ts');
      let real: ReturnType<typeof openSalts> | undefined;
      const salts = () => {
        if (real === undefined) throw new CannotProve('The salts are not open yet.');
        return real;
      };
      const rig = openRig({
        random: systemRandom,
        visitsMax: 10_000,
        startMs: Date.UTC(2026, 5, 1, 20),
        salts: {
          current: (ms) => salts().current(ms),
          previous: (ms) => salts().previous(ms),
          late: (day) => salts().late(day),
          overdue: () => 0,
          close() {},
        },
      });
      real = openSalts({
        file: join(await context.folder(), 'visitor.salts'),
        ...{ clock: rig.clock, random: systemRandom, log: silentLog },
      });
      const people = Array.from({ length: 1_000 }, (_, n) => `198.51.${n >> 8}.${n & 255}`);
      const come = () => {
        for (const [n, address] of people.entries())
          rig.send(
            { n: 'pageview', u: 'https://shop.example/', d: 'shop.example', id: `day ${rig.clock.now()} ${n}` },
            { address },
          );
      };
      come();
      rig.clock.travel(24 * 3_600_000 + 1);
      come();
      real.close();
      const rows = rig.rows();
      must(rows.length === 2 * people.length, `${rows.length} rows were written.`);
      const shared = new Set(rows.map((row) => JSON.stringify(coarse(row))));
      must(shared.size === 1, 'A column beside the ids tells people or days apart.');
      let agreeing = 0;
      for (let n = 0; n < people.length; n++) {
        const [first, second] = [rows[n], rows[n + people.length]] as [(typeof rows)[0], (typeof rows)[0]];
        for (const column of personal)
          must(
            first[column as keyof typeof first] !== second[column as keyof typeof second],
            `${column} is the same on both days.`,
          );
        let same = ~(BigInt(first.visitor_id) ^ BigInt(second.visitor_id)) & 0xffff_ffff_ffff_ffffn;
        for (; same > 0n; same &= same - 1n) agreeing++;
      }
      const expected = people.length * 32;
      must(
        Math.abs(agreeing - expected) < 5 * Math.sqrt(people.length * 16),
        `${agreeing} bits of the ids agree, ${expected} would by chance.`,
      );
      return `${people.length} people on two days: no id again, ${Math.round((agreeing / expected) * 500) / 10} % of bits agree, all other columns are the same for everybody`;
    },
    sabotage: {
      name: 'the salt of a day is that of the day before',
      file: 'src/analytics/visits/salt.ts',
      find: 'now = fresh(day);',
      replace: 'now = { day, salt: Buffer.from(now.salt) };',
    },
  },
  {
    id: 'PSE-08',
    title: 'An address is gone when the event leaves the request: while the disk is asked, nothing in memory holds it.',
    async run(context) {
      const text = readFileSync(join(context.root, 'src/analytics/ingest/arrival.ts'), 'utf8');
      const members = [...(/export type Hit = \{(.*?)\n\};/s.exec(text)?.[1]?.matchAll(/readonly (\w+)\??:/g) ?? [])];
      must(members.length > 5, 'The type of what leaves the edge cannot be read.');
      for (const [, member = ''] of members)
        must(!/address|agent|^ip|header|input|arrival/i.test(member), `What leaves the edge has a member ${member}.`);
      const script = fileURLToPath(new URL('./drivers/edge_memory.ts', import.meta.url));
      const said = execFileSync(
        process.execPath,
        ['--expose-gc', '--disable-warning=ExperimentalWarning', script, context.root],
        {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        },
      );
      const { held, control, strings } = JSON.parse(said) as { held: number; control: boolean; strings: number };
      if (!control) throw new CannotProve('The snapshot of the memory does not show what is known to be in it.');
      must(held === 0, `${held} of 8 addresses are in memory while their events wait for the disk.`);
      return `8 events waiting for the disk, none of their addresses among ${strings} strings in memory; ${members.length} members of the type, none for one`;
    },
    sabotage: {
      name: 'what leaves the edge carries the address along',
      file: 'src/analytics/ingest/steps.ts',
      find: 'timeMs: arrival.timeMs,\n    idDay,',
      replace: 'timeMs: arrival.timeMs,\n    ...{ from: arrival.address },\n    idDay,',
    },
  },
  {
    id: 'PSE-10',
    title: 'The client address comes from the connection or a trusted proxy, never from what a client writes.',
    async run(context) {
      const { collectEvents } = await load<typeof import('../../src/analytics/ingest/collect.ts')>(
        context,
        'src/analytics/ingest/collect.ts',
      );
      const { openRig } = await loadRig(context);
      const { silentLog } = await load<typeof import('../../src/platform/log.ts')>(context, 'src/platform/log.ts');
      const rig = openRig();
      for (const hops of [0, 1, 2, 3]) {
        const handler = collectEvents({
          ...{ ingest: rig.ingest, gate: rig.gate, trustedProxies: hops, log: silentLog },
          authenticate: async () => undefined,
        });
        const server = createServer(handler);
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const { port } = server.address() as AddressInfo;
        const send = (headers: Record<string, string | string[]>, body: unknown = {}) =>
          exchange({
            port,
            method: 'POST',
            path: '/api/event',
            localAddress: socket,
            headers,
            body: JSON.stringify(body),
          });
        try {
          for (const [of, forwardedFor, counts] of spoofs) {
            if (of !== hops) continue;
            const claim = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
            const answer = await send({ ...claim, 'x-debug-request': 'true', ...claims() });
            const { ip } = JSON.parse(answer.body) as { ip: string };
            must(ip === counts, `With ${hops} proxies, "${forwardedFor}" made ${ip} of ${counts}.`);
          }
          // The same through the whole way: fifty claims, one visitor.
          const before = rig.rows().length;
          for (let n = 0; n < 50; n++) {
            const claimed = Array.from({ length: 6 }, (_, at) => `198.51.${n}.${at}`);
            const trusted = Array.from({ length: hops }, (_, at) => (at === 0 ? '203.0.113.9' : `192.0.2.${at}`));
            await send(
              {
                'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
                'accept-language': 'en',
                'x-forwarded-for': [...claimed, ...trusted].join(', '),
                ...claims(),
              },
              { n: 'pageview', u: 'https://shop.example/', d: 'shop.example' },
            );
          }
          const ids = new Set(
            rig
              .rows()
              .slice(before)
              .map(({ visitor_id }) => visitor_id),
          );
          must(
            rig.rows().length === before + 50 && ids.size === 1,
            `With ${hops} proxies, one visitor became ${ids.size}.`,
          );
        } finally {
          server.closeAllConnections();
          server.close();
        }
      }
      return `${spoofs.length} claims behind 0 to 3 proxies, ${others.length} other headers, 200 events: always the address of the connection or the trusted proxy`;
    },
    sabotage: {
      name: 'the first entry is believed',
      file: 'src/platform/http/address.ts',
      find: 'if (hop === hops) return plainAddress(text.slice(comma + 1, end)) ?? direct;',
      replace: "if (hop === hops) return plainAddress(text.split(',')[0] ?? '') ?? direct;",
    },
  },
  {
    id: 'COL-10',
    title: 'What is stored of visitors is exactly what the published list names: no column more, none less.',
    async run(context) {
      const [columns = []] = await rowsOf(
        context.root,
        homeIn(await context.folder()),
        `SELECT table, name, comment FROM system.columns WHERE database = currentDatabase() AND comment LIKE 'D%'
         AND table NOT IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView')`,
      );
      const stored = new Set(columns.map(({ table, name }) => `${table}.${name}`));
      const listed = new Set(columnsInDocument());
      must(stored.size > 80, `Only ${stored.size} columns were read.`);
      for (const column of stored) must(listed.has(column), `${column} is stored and not on the published list.`);
      for (const column of listed) must(stored.has(column), `${column} is on the published list and not stored.`);
      return `${stored.size} columns of ${new Set(columns.map(({ table }) => table)).size} tables, the same in the engine and in docs/guides/stored-data.md`;
    },
    sabotage: {
      name: 'one column more',
      file: 'src/analytics/migrations/warehouse/2026-11-25-01-events.sql',
      find: "    detached UInt8 COMMENT 'D3 1 = stored without visit handling' CODEC(ZSTD(1)),",
      replace:
        "    detached UInt8 COMMENT 'D3 1 = stored without visit handling' CODEC(ZSTD(1)),\n    language String COMMENT 'D3 language of the browser',",
    },
  },
  {
    id: 'COL-14',
    title: 'A place is never more exact than a city and one decimal of a degree.',
    async run(context) {
      const { openPlacesTable } = await load<typeof import('../../src/analytics/places_file.ts')>(
        context,
        'src/analytics/places_file.ts',
      );
      const { systemRandom } = await load<typeof import('../../src/platform/random.ts')>(
        context,
        'src/platform/random.ts',
      );
      const places = openPlacesTable({ placesFile: undefined, dataDir: await context.folder() });
      let found = 0;
      for (let n = 0; n < 50_000; n++) {
        const place = places.lookup([...systemRandom.bytes(4)].join('.'));
        if (place === undefined) continue;
        found++;
        const { latitude, longitude, ...names } = place;
        for (const degrees of [latitude, longitude])
          must(degrees === Math.round(degrees * 10) / 10, `A place is at ${latitude}, ${longitude}.`);
        must(
          Object.keys(names).sort().join() === 'city,country,region',
          `A place also says ${Object.keys(names).join()}.`,
        );
      }
      places.close();
      if (found < 10_000) throw new CannotProve(`Only ${found} places were found.`);
      return `${found} places of random addresses: country, region, city, and degrees to one decimal`;
    },
    sabotage: {
      name: 'a further decimal',
      file: 'src/analytics/ingest/place.ts',
      find: 'latitude: table.placeLatitude(rank) / 10,',
      replace: 'latitude: table.placeLatitude(rank) / 10 + 0.04,',
    },
  },
  {
    id: 'COL-15',
    title: 'Places are looked up offline: a process that has no network at all finds them.',
    async run(context) {
      const hits = ['185.12.64.9', '8.8.8.8', '2a00:1450:4001:800::200e'].map((ip) =>
        JSON.stringify({
          ip,
          url: 'https://shop.example/',
          user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
        }),
      );
      const command = [
        process.execPath,
        '--disable-warning=ExperimentalWarning',
        join(context.root, 'src/app/cli.ts'),
        'explain',
        'hits',
      ];
      const [cut, how] = withoutNetwork(command);
      const answer = spawnSync(cut[0] ?? '', cut.slice(1), { input: hits.join('\n'), encoding: 'utf8' });
      const countries = answer.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line || '{}') as { event?: { country?: string } }).event?.country);
      if (countries.length !== hits.length)
        throw new CannotProve(`explain said: ${answer.stderr.trim().split('\n').at(-1)}`);
      must(
        countries.every((country) => /^[A-Z]{2}$/.test(country ?? '')),
        `Without a network the countries are ${countries.join(', ')}.`,
      );
      return `${how}: ${countries.join(', ')}`;
    },
    sabotage: {
      name: 'places are asked of a host',
      file: 'src/analytics/places_file.ts',
      find: 'if (existsSync(table)) return openPlaces(table);',
      replace: `if (existsSync(table)) return { ...openPlaces(table), lookup(address) {
        try {
          const ask = 'fetch("http://places.example/" + process.argv[1]).then((answer) => answer.text()).then(console.log)';
          const { execFileSync } = process.getBuiltinModule('node:child_process');
          return JSON.parse(execFileSync(process.execPath, ['-e', ask, address], { stdio: 'pipe' }).toString());
        } catch {
          return undefined;
        }
      } };`,
    },
  },
];

function claims(): Record<string, string> {
  return Object.fromEntries(
    others.map((name, n) => [name, name === 'forwarded' ? 'for=198.51.100.77' : `198.51.100.${n}`]),
  );
}

function coarse(row: object | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row ?? {}).filter(([column]) => !personal.includes(column)));
}

/** The command in a network namespace that has no interface, or where that is forbidden in one whose sockets all fail. */
function withoutNetwork(command: readonly string[]): [command: string[], how: string] {
  const namespace = ['unshare', '--net', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])];
  if (spawnSync(namespace[0] as string, [...namespace.slice(1), 'true']).status === 0)
    return [[...namespace, ...command], 'without any network interface'];
  const cut = `import net from 'node:net'; net.Socket.prototype.connect = () => { throw new Error('There is no network.'); };`;
  const [node = '', ...args] = command;
  return [[node, '--import', `data:text/javascript,${encodeURIComponent(cut)}`, ...args], 'with every socket refused'];
}
