import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** Lines at the end that are looked at: each insert that was under way adds one for each of its partitions. */
const doubtfulMax = 2_048;
const [added, dropped] = ['1', '2'];

/** A part as the engine names its folder: partition, the blocks it holds from and to, how often it was merged, mutation. */
const partName = /^(.+)_(\d+)_(\d+)_\d+(?:_\d+)?$/;

/**
 * Makes the engine forget inserts that it remembers and has not stored.
 *
 * The engine (26.7) writes the token of an insert into the table's `deduplication_logs` before it renames the part into
 * place. A process that is killed between the two leaves a token without rows: sent again, the rows would be thrown
 * away as a repetition although nobody has them (measured: 1 of 25 kills at that moment lost a segment,
 * `docs/decisions/2026-11-29-remembered-inserts.md`). So before the engine starts, each token at the end of a log
 * whose part no folder of the table holds is taken back, in the engine's own words: a line `2 <part> <token>`. A line
 * that is torn is cut off: the engine would read nothing behind it.
 *
 * @param directory The engine's own, which no process may be using.
 * @returns how many tokens were taken back
 */
export function forgetUnstored(directory: string): number {
  let forgotten = 0;
  for (const table of tablesOf(join(directory, 'store'))) {
    const folder = join(table, 'deduplication_logs');
    if (existsSync(folder)) forgotten += forgetIn(table, folder);
  }
  return forgotten;
}

/** `store/<first three digits>/<id of the table>`. */
function tablesOf(store: string): string[] {
  return foldersIn(store).flatMap((prefix) => foldersIn(join(store, prefix)).map((id) => join(store, prefix, id)));
}

function foldersIn(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

function forgetIn(table: string, folder: string): number {
  // `deduplication_log_<n>.txt`: the last is written, and the one before it may hold what came right before.
  const logs = readdirSync(folder)
    .map((name) => ({ path: join(folder, name), number: Number(/_(\d+)\.txt$/.exec(name)?.[1]) }))
    .filter(({ number }) => number > 0)
    .sort((a, b) => a.number - b.number)
    .slice(-2);
  const last = logs.at(-1);
  if (last === undefined) return 0;
  const texts = logs.map(({ path }) => readFileSync(path, 'utf8'));
  const newest = texts.at(-1) as string;
  const whole = newest.slice(0, newest.lastIndexOf('\n') + 1);
  const lines = [...texts.slice(0, -1), whole].join('').split('\n').slice(0, -1).slice(-doubtfulMax);

  // What stands further down is what the engine holds to be true of a token.
  const remembered = new Map<string, string>();
  for (const line of lines) {
    const [operation, part = '', token = ''] = line.split('\t');
    if (operation === added) remembered.set(token, part);
    else remembered.delete(token);
  }
  const stored = storedIn(table);
  const unstored = [...remembered].filter(([, part]) => !stored(part));
  if (unstored.length === 0 && whole.length === newest.length) return 0;

  const more = unstored.map(([token, part]) => `${dropped}\t${part}\t${token}\n`).join('');
  const descriptor = openSync(last.path, 'r+');
  try {
    const length = Buffer.byteLength(whole);
    ftruncateSync(descriptor, length);
    writeSync(descriptor, more, length);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  return unstored.length;
}

/** Whether the rows of a part lie in a folder of the table, as they were inserted or merged with others. */
function storedIn(table: string): (part: string) => boolean {
  const blocks = new Map<string, [from: number, to: number][]>();
  for (const name of foldersIn(table)) {
    const [, partition, from, to] = partName.exec(name) ?? [];
    if (partition === undefined) continue;
    const of = blocks.get(partition) ?? [];
    of.push([Number(from), Number(to)]);
    blocks.set(partition, of);
  }
  return (part) => {
    const [, partition = '', from, to] = partName.exec(part) ?? [];
    return (blocks.get(partition) ?? []).some(([first, last]) => first <= Number(from) && Number(to) <= last);
  };
}
