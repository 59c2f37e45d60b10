import { createHash } from 'node:crypto';
import type { Sql } from './postgres/index.ts';

/**
 * What ends rows whose window is over. A subject hands over one for each line of the table of windows whose rows it
 * stores; `trust/windows` decides when, with which cut-off and around which holds, and writes the receipt.
 */
export type Executor = {
  /** A line of the table of windows (trust/windows/lines.ts). */
  line: string;
  /** Whose rows it has: `both` is asked for each organisation, and once for what belongs to none. */
  of: 'organisations' | 'desk' | 'both';
  /** What is past its window: for each table how many rows, and the oldest. Nothing is changed. */
  due(ask: WindowAsk): Promise<Due[]>;
} & (
  | {
      /** PostgreSQL's own rows go in the transaction of the receipt and the act. */
      works: 'in the transaction';
      end(ask: WindowAsk, sql: Sql): Promise<Ended[]>;
    }
  | {
      /** Outside of that transaction, before it; once more after a kill does no harm. */
      works: 'before it';
      end(ask: WindowAsk): Promise<Ended[]>;
    }
  | {
      /**
       * Outside of the transactions, before them, and of all organisations at once: where a removal costs by what the store
       * holds, and not by what goes. Once more after a kill does no harm.
       */
      works: 'together';
      /** @returns what went for each ask, in their order */
      end(asks: readonly WindowAsk[]): Promise<Ended[][]>;
    }
  /** Rows go by a clock of their own that is finer than a night: then the night only looks whether any is left. */
  | { works: 'by itself' }
);

/** @property organisationId null for what belongs to no organisation: the desk's own */
export interface WindowAsk {
  organisationId: number | null;
  nowMs: number;
  /** What is older is past its window. */
  cutMs: number;
  /** The cut-off of sites whose own window is shorter. */
  siteCutMs(months: number): number;
  holds: HeldScope;
}

/** What must stay, of one organisation and one line: holds of the class or of everything make it whole. */
export interface HeldScope {
  everything: boolean;
  siteIds: ReadonlySet<number>;
  personIds: ReadonlySet<number>;
}

/** What a receipt says of rows with numbers: how many, since when, and a digest of the numbers in their order. */
export function endedRows(table: string, gone: readonly { id: number; since: Date }[]): Ended {
  const ids = gone.map(({ id }) => id).sort((a, b) => a - b);
  return {
    ...{ table, rows: gone.length },
    oldestMs: gone.length === 0 ? null : Math.min(...gone.map(({ since }) => since.getTime())),
    digest: createHash('sha256').update(ids.join(',')).digest('hex'),
  };
}

/**
 * The same for rows that go some at a time, so that no statement holds its locks for long.
 * @param next deletes up to `most` of them @returns nothing where nothing went
 */
export async function endedInPieces(
  table: string,
  most: number,
  next: () => Promise<{ id: number; at: Date }[]>,
): Promise<Ended[]> {
  const digest = createHash('sha256');
  let rows = 0;
  let oldestMs = Number.POSITIVE_INFINITY;
  for (;;) {
    const gone = await next();
    for (const { id, at } of gone.sort((a, b) => a.id - b.id)) {
      digest.update(`${id},`);
      oldestMs = Math.min(oldestMs, at.getTime());
    }
    rows += gone.length;
    if (gone.length < most) break;
  }
  return rows === 0 ? [] : [{ table, rows, oldestMs, digest: digest.digest('hex') }];
}

/** @property isHeld they stay for a hold, and are not past due */
export interface Due {
  table: string;
  rows: number;
  oldestMs: number | null;
  isHeld?: boolean;
}

/** @property digest of the keys of what went: proves later that a row was among them, and reveals none */
export interface Ended {
  table: string;
  rows: number;
  oldestMs: number | null;
  digest: string;
}
