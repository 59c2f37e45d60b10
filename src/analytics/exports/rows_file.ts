import { createDecipheriv } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Warehouse } from '../../platform/warehouse/index.ts';
import type { Form } from './form.ts';

/** Where the engine may write something that is read at once and needed by nobody afterwards. */
export interface Scratch {
  path: string;
  form: Pick<Form, 'scratchKey'>;
}
interface Statement {
  sql: string;
  params: Record<string, unknown>;
}

/** Rows that are held, and worked on without a pause, at once: events come in meanwhile. */
const rowsAtOnce = 1_000;

/**
 * The rows of a SELECT, in portions. The engine works them out once and writes them into `scratch`, from where they are
 * read: memory holds one portion of them, and no second statement works the same out again for the next.
 */
export async function* rowsThrough<Row>(
  warehouse: Pick<Warehouse, 'writeFile'>,
  scratch: Scratch,
  statement: Statement,
): AsyncGenerator<Row[]> {
  for await (const lines of linesThrough(warehouse, scratch, statement))
    yield lines.map((line) => JSON.parse(line) as Row);
}

/** The same, each row as the engine's line of JSON. */
export async function* linesThrough(
  warehouse: Pick<Warehouse, 'writeFile'>,
  { path, form }: Scratch,
  statement: Statement,
): AsyncGenerator<string[]> {
  const key = form.scratchKey();
  const { sql, params } = key === undefined ? statement : sealedBy(key, statement);
  await warehouse.writeFile(sql, params, path);
  const open = key === undefined ? (lines: string[]) => lines : opener(key);
  let lines: string[] = [];
  for await (const line of linesOf(path)) {
    lines.push(line);
    if (lines.length === rowsAtOnce) {
      yield open(lines);
      lines = [];
    }
  }
  if (lines.length > 0) yield open(lines);
}

const cipherName = 'aes-256-cbc';
const blockBytes = 16;

/**
 * The engine itself seals each row before it writes it, under a key that is in memory alone: whoever finds the file reads
 * nothing. Nobody relies on it afterwards, so nothing vouches for it.
 */
function sealedBy(key: Buffer, { sql, params }: Statement): Statement {
  return {
    sql: `SELECT base64Encode(concat(start, encrypt('${cipherName}', line, unhex({scratch_key:String}), start))) AS sealed FROM (SELECT formatRow('JSONEachRow', *) AS line, randomString(${blockBytes}, line) AS start FROM (${sql}))`,
    params: { ...params, scratch_key: key.toString('hex') },
  };
}

/**
 * Many rows by one call, since a cipher for each took 75 µs a row: in this mode a block is opened with the one before it,
 * so that rows that stand one behind the other open as one text. The block that each begins with comes out as noise.
 */
function opener(key: Buffer): (lines: string[]) => string[] {
  const cipher = createDecipheriv(cipherName, key, Buffer.alloc(blockBytes)).setAutoPadding(false);
  return (lines) => {
    const rows = lines.map((line) => Buffer.from((JSON.parse(line) as { sealed: string }).sealed, 'base64'));
    const plain = cipher.update(Buffer.concat(rows));
    let at = 0;
    return rows.map(({ length }) => {
      at += length;
      // The last byte says how many of the last block are none of the text; the text ends with a line break.
      return plain.toString('utf8', at - length + blockBytes, at - (plain[at - 1] as number) - 1);
    });
  };
}

/** Only "\n" ends a line: texts may hold the other signs that Node's readline takes for an end. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of createReadStream(file, { encoding: 'utf8', highWaterMark: 1 << 20 })) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
