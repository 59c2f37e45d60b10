import { useCallback, useEffect, useState } from 'react';
import { asDeskError, type DeskError } from './api.ts';

export interface Reading<T> {
  answer: T | undefined;
  problem: DeskError | undefined;
  reload: () => void;
  set: (answer: T) => void;
}

/** What a page reads once and may read again. */
export function useReading<T>(load: () => Promise<T>): Reading<T> {
  const [answer, setAnswer] = useState<T>();
  const [problem, setProblem] = useState<DeskError>();
  const reload = useCallback(() => {
    setProblem(undefined);
    load().then(setAnswer, (error: unknown) => setProblem(asDeskError(error)));
  }, [load]);
  useEffect(reload, [reload]);
  return { answer, problem, reload, set: setAnswer };
}
