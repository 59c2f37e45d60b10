import { createHash } from 'node:crypto';
import pg from 'pg';

/** A statement that each connection plans once and keeps: see `prepared`. */
export interface Prepared {
  readonly name: string;
  readonly text: string;
}

/**
 * For statements that are asked with every request: planning one under row security costs more than running it (0.9 of
 * 1.0 ms for who asks), and a connection that has planned it keeps the plan. Each such plan is memory in each of the
 * server's processes, so what is asked seldom, or is put together anew each time, stays a plain text.
 * @param text with its parameters as $1, $2; the name on the server follows from it
 */
export function prepared(text: string): Prepared {
  return { name: `p_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`, text };
}

/**
 * One open transaction. Parameters are bound, never pasted: `sql.query('… WHERE id = $1', [id])`.
 * bigint columns come back as numbers (ids stay below 2^53), dates as 'YYYY-MM-DD', timestamptz as Date, numeric as text.
 */
export interface Sql {
  query<Row extends object>(text: string | Prepared, params?: readonly unknown[]): Promise<Row[]>;
  /** Exactly one row; none or several is a broken promise and throws. */
  one<Row extends object>(text: string | Prepared, params?: readonly unknown[]): Promise<Row>;
  /** The row, or undefined; several throws. */
  maybe<Row extends object>(text: string | Prepared, params?: readonly unknown[]): Promise<Row | undefined>;
  /** For statements without an answer: how many rows they touched. */
  run(text: string | Prepared, params?: readonly unknown[]): Promise<number>;
  /**
   * Statements that go to the server together with COMMIT, in one message: what they lock is locked for no round trip.
   * Asked once, when the work has ended well; one that fails undoes the transaction, and its error is the transaction's.
   */
  beforeCommit(statements: () => readonly Statement[]): void;
}

export interface Statement {
  text: string | Prepared;
  params: readonly unknown[];
}

/** What a client must be able to do here; pg's pool clients and single clients both can. */
export interface Connection {
  query<Row extends object>(
    text: string | Prepared,
    params?: unknown[],
  ): Promise<{ rows: Row[]; rowCount: number | null }>;
}

/** For pg's clients, which write the parameters into the object they are given. */
export function asked(text: string | Prepared): string | Prepared {
  return typeof text === 'string' ? text : { ...text };
}

/**
 * An Sql on a connection that refuses to be used after `end()`: outside its transaction the organisation is not set.
 * `last()` is what was asked to be sent before COMMIT.
 */
export function sqlOn(connection: Connection): Sql & { end(): void; last(): Statement[] } {
  let ended = false;
  const last: (() => readonly Statement[])[] = [];
  async function ask(text: string | Prepared, params: readonly unknown[] = []) {
    if (ended)
      throw new Error('This transaction has ended: await every query inside the function that was given its sql.');
    return connection.query<Record<string, unknown>>(asked(text), params as unknown[]);
  }
  const query: Sql['query'] = async (text, params) => (await ask(text, params)).rows as never;
  const maybe: Sql['maybe'] = async (text, params) => {
    const rows = await query(text, params);
    if (rows.length > 1) throw new Error(`One row was expected at most, ${rows.length} came.`);
    return rows[0] as never;
  };
  return {
    query,
    maybe,
    async one(text, params) {
      const row = await maybe(text, params);
      if (row === undefined) throw new Error('One row was expected, none came.');
      return row as never;
    },
    run: async (text, params) => (await ask(text, params)).rowCount ?? 0,
    beforeCommit(statements) {
      if (ended) throw new Error('This transaction has ended: nothing can be written before its COMMIT any more.');
      last.push(statements);
    },
    end() {
      ended = true;
    },
    last: () => last.flatMap((statements) => statements()),
  };
}

const int8 = 20;
const date = 1082;
const int8Array = 1016;
const dateArray = 1182;

/**
 * pg's own readers return a bigint as text and a date as local midnight, which is the day before for half of the world.
 */
export const readers: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === int8) return safeInteger as never;
    if (oid === date) return asIs as never;
    if (oid === int8Array) return ((text: string) => list(text).map(safeInteger)) as never;
    if (oid === dateArray) return list as never;
    return pg.types.getTypeParser(oid, format as 'text') as never;
  },
};

function asIs(text: string): string {
  return text;
}

/** '{1,2,3}': neither numbers nor dates are ever quoted in an array's text. */
function list(text: string): string[] {
  return text === '{}' ? [] : text.slice(1, -1).split(',');
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error('A bigint column holds a number beyond 2^53.');
  return value;
}
