import { useCallback, useEffect, useState } from 'react';
import { DeskError } from '../desk/api.ts';

/** A list of the desk that a page shows and changes. */
export interface Listed<T> {
  rows: T[] | undefined;
  problem: DeskError | undefined;
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
  return { rows, problem, reload, set: (change) => setRows((before) => change(before ?? [])) };
}

export function asDeskError(error: unknown): DeskError {
  return error instanceof DeskError
    ? error
    : new DeskError(0, { code: 'internal', message: 'This page met a fault of its own. Reload it.' });
}
