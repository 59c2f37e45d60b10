import type { ReactNode } from 'react';
import { useCallback, useEffect, useState } from 'react';
import { ComingRows } from '../controls/coming.tsx';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { Failed } from '../overview/states.tsx';

/** A list of the desk that a page shows and changes. */
export interface Listed<T> {
  rows: T[] | undefined;
  problem: DeskError | undefined;
  /** Whatever stands under the list waits for it, so that nothing moves when it comes. */
  settled: boolean;
  reload: () => void;
  set: (change: (rows: T[]) => T[]) => void;
}

export function useListed<T>(load: () => Promise<T[]>): Listed<T> {
  const [rows, setRows] = useState<T[]>();
  const [problem, setProblem] = useState<DeskError>();
  const reload = useCallback(() => {
    setProblem(undefined);
    load().then(setRows, (error: unknown) => setProblem(asDeskError(error)));
  }, [load]);
  useEffect(reload, [reload]);
  const settled = rows !== undefined || problem !== undefined;
  return { rows, problem, settled, reload, set: (change) => setRows((before) => change(before ?? [])) };
}

/** The list as a table, or what stands in its place. The last column holds the actions of a row. */
export function ListedTable<T extends { id: number }>({
  listed,
  what,
  heads,
  row,
  empty,
}: {
  listed: Listed<T>;
  /** What is read, as a screen reader hears it while it comes. */
  what: string;
  heads: readonly string[];
  /** The cells of a row, actions included. On a phone a list of many columns puts them below each other: name them by `data-head`. */
  row: (item: T) => ReactNode;
  empty: ReactNode;
}) {
  const { rows, problem } = listed;
  return (
    <div className={heads.length > 2 ? 'list many' : 'list'}>
      {problem !== undefined ? (
        <Failed
          code={problem.code}
          message={problem.message}
          reference={problem.reference}
          onRetry={listed.reload}
          what="This list could not be read."
        />
      ) : rows === undefined ? (
        <ComingRows what={what} heads={[...heads, '']} />
      ) : rows.length === 0 ? (
        empty
      ) : (
        <table>
          <thead>
            <tr>
              {heads.map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
              <th scope="col">
                <span className="vh">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((item) => (
              <tr key={item.id}>{row(item)}</tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
