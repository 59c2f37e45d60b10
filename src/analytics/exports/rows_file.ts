import { createReadStream } from 'node:fs';
import type { Warehouse } from '../../platform/warehouse/index.ts';

/** Rows that are held, and worked on without a pause, at once: events come in meanwhile. */
const rowsAtOnce = 1_000;

/**
 * The rows of a SELECT, in portions. The engine works them out once and writes them into `scratch`, from where they are
 * read: memory holds one portion of them, and no second statement works the same out again for the next.
 */
export async function* rowsThrough<Row>(
  warehouse: Pick<Warehouse, 'writeFile'>,
  scratch: string,
  { sql, params }: { sql: string; params: Record<string, unknown> },
): AsyncGenerator<Row[]> {
  await warehouse.writeFile(sql, params, scratch, 'JSONEachRow');
  let rows: Row[] = [];
  for await (const line of linesOf(scratch)) {
    rows.push(JSON.parse(line) as Row);
    if (rows.length === rowsAtOnce) {
      yield rows;
      rows = [];
    }
  }
  if (rows.length > 0) yield rows;
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
