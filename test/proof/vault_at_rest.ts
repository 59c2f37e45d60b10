import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sealedStore } from './drivers/sealed_store.ts';
import { CannotProve, load, must, type Proof, type ProofContext } from './kit.ts';

type Volume = 'dm-crypt' | 'none-seen' | 'unknown';

/** Layers of a block device from the top down, each by what the kernel calls it; no name is a bare disk or partition. */
const volumes: readonly { what: string; layers: readonly (string | undefined)[]; is: Volume }[] = [
  { what: 'a partition', layers: [undefined], is: 'none-seen' },
  { what: 'LVM on a disk', layers: ['LVM-Qc2YkvJlDT8dI9y', undefined], is: 'none-seen' },
  { what: 'a RAID', layers: [undefined, undefined, undefined], is: 'none-seen' },
  { what: 'multipath', layers: ['mpath-360014054CRYPT-1', undefined], is: 'none-seen' },
  { what: 'LUKS', layers: ['CRYPT-LUKS2-5f0c-root', undefined], is: 'dm-crypt' },
  { what: 'LVM on LUKS', layers: ['LVM-Qc2YkvJlDT8dI9y', 'CRYPT-LUKS2-5f0c-root', undefined], is: 'dm-crypt' },
  { what: 'no block device', layers: [], is: 'unknown' },
];

export const proofs: readonly Proof[] = [
  {
    id: 'CRY-06',
    title:
      'The desk says truly what a stolen disk would give: which classes are sealed in every column, and whether the volume is encrypted.',
    minutes: 2,
    async run(context) {
      const folder = await context.folder();
      const { volumeEncryption } = await load<typeof import('../../src/platform/volume.ts')>(
        context,
        'src/platform/volume.ts',
      );
      for (const [at, { what, layers, is }] of volumes.entries()) {
        const said = volumeEncryption(folder, deviceTree(join(folder, String(at)), folder, layers));
        must(said === is, `A folder on ${what} is said to be ${said}, and is ${is}.`);
      }

      // What is said of this very machine, in the doctor and in the daily look.
      const dataDir = join(folder, 'data');
      mkdirSync(dataDir, { mode: 0o700 });
      const own = volumeOf(dataDir);
      const words = {
        'dm-crypt': 'the volume of the data directory is encrypted (dm-crypt)',
        'none-seen': 'everything else lies in clear on a volume that this system does not encrypt',
        unknown: 'whether the volume of the data directory is encrypted cannot be told from here',
      };
      const { standingFindings } = await load<typeof import('../../src/app/doctor.ts')>(context, 'src/app/doctor.ts');
      const { readConfig } = await load<typeof import('../../src/platform/config.ts')>(
        context,
        'src/platform/config.ts',
      );
      const env = { FAIRLEAD_DATA_DIR: dataDir, FAIRLEAD_KEY_FILE: join(folder, 'keys', 'fairlead.keys') };
      const daily = standingFindings(readConfig(env)).find((finding) => finding.what === 'encryption at rest');
      const told = await doctorOf(context, env);
      for (const [where, text] of [
        ['The daily look', daily?.fact ?? ''],
        ['fairlead doctor', told],
      ] as const)
        must(text.includes(words[own]), `${where} does not say that ${words[own]}: ${text.slice(0, 300)}`);
      const [, named = ''] = /encryption at rest: (.*?) are sealed field by field/.exec(told) ?? [];

      const columns = await sealedColumns(context, named.split(', '));
      return `${volumes.length} kinds of volume told apart; this one: ${own}; ${named} are said to be sealed, and all ${columns} columns of these classes are`;
    },
    sabotage: {
      name: 'whatever the kernel gives a name to is taken for encrypted',
      file: 'src/platform/volume.ts',
      find: ".startsWith('CRYPT-')",
      replace: ".includes('-')",
    },
  },
];

/** `/sys/dev/block` as Linux shows it, with this stack below the folder's device. */
function deviceTree(sys: string, folder: string, layers: readonly (string | undefined)[]): string {
  mkdirSync(sys, { recursive: true });
  let path: string | undefined;
  for (const [depth, uuid] of layers.entries()) {
    const device = join(sys, `device${depth}`);
    mkdirSync(join(device, 'slaves'), { recursive: true });
    if (uuid !== undefined) {
      mkdirSync(join(device, 'dm'));
      writeFileSync(join(device, 'dm', 'uuid'), `${uuid}\n`);
    }
    symlinkSync(device, path === undefined ? join(sys, numbersOf(folder)) : join(path, 'slaves', `device${depth}`));
    path = device;
  }
  return sys;
}

/** As the kernel writes it in the table of mounts, beside what the product makes of `stat`. */
function numbersOf(folder: string): string {
  const { dev } = statSync(folder, { bigint: true });
  return `${((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)}:${(dev & 0xffn) | ((dev >> 12n) & ~0xffn)}`;
}

function volumeOf(folder: string): Volume {
  const walk = (path: string): boolean => {
    const uuid = textOf(join(path, 'dm', 'uuid'));
    if (uuid?.startsWith('CRYPT-') === true) return true;
    return namesIn(join(path, 'slaves')).some((name) => walk(join(path, 'slaves', name)));
  };
  const block = join('/sys/dev/block', numbersOf(folder));
  if (textOf(join(block, 'dev')) === undefined) return 'unknown';
  return walk(block) ? 'dm-crypt' : 'none-seen';
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function doctorOf(context: ProofContext, env: Record<string, string>): Promise<string> {
  return new Promise((resolve) => {
    const args = ['--disable-warning=ExperimentalWarning', join(context.root, 'src/app/cli.ts'), 'doctor'];
    execFile(process.execPath, args, { env: { ...process.env, ...env } }, (_error, stdout) => resolve(stdout));
  });
}

/** Every column of these classes holds sealed bytes and nothing else, also where the desk has been told its secrets. @returns how many there are */
async function sealedColumns(context: ProofContext, named: readonly string[]): Promise<number> {
  if (named.length === 0) throw new CannotProve('The doctor names no class.');
  const store = await sealedStore(context, 'at rest');
  const { vault } = store.process();
  const { openServerSettings } = await load<typeof import('../../src/platform/mail/server.ts')>(
    context,
    'src/platform/mail/server.ts',
  );
  await openServerSettings({ config: { smtp: undefined }, clock: store.clock, postgres: store.postgres, vault }).save(
    {
      ...{ host: 'mail.shop.example', port: 587, tls: 'starttls', userName: 'desk', password: 'at rest' },
      ...{ from: 'desk@shop.example', dkim: { domain: 'shop.example', selector: 's1', key: 'a key at rest' } },
    },
    { personId: 1, note: async () => {} },
  );
  const columns = await store.asOwner((sql) =>
    sql.query<{ place: string; column: string; comment: string }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS place, a.attname AS column, col_description(c.oid, a.attnum) AS comment
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       WHERE c.relkind = 'r' AND split_part(col_description(c.oid, a.attnum), ' ', 1) = ANY ($1)`,
      [named],
    ),
  );
  let sealed = 0;
  for (const { place, column, comment } of columns) {
    const rows = await store.asOwner(async (sql) => {
      await sql.query(`ALTER TABLE ${place} NO FORCE ROW LEVEL SECURITY`);
      return sql.query<{ value: Buffer | string }>(
        `SELECT ${column} AS value FROM ${place} WHERE ${column} IS NOT NULL`,
      );
    });
    for (const { value } of rows) {
      must(
        Buffer.isBuffer(value) && value.length >= 38 && value.subarray(0, 2).toString() === 'v1',
        `${place}.${column} (${comment}) is not sealed.`,
      );
      sealed += 1;
    }
  }
  if (sealed < 2) throw new CannotProve('No secret was stored.');
  return columns.length;
}
