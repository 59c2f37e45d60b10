import { useCallback, useEffect, useState } from 'react';
import type { CheckRun, ProofPage } from '../../../contract/proof.ts';
import { asDeskError, call, type DeskError } from '../desk/api.ts';

export const proofPath = (organisationId: number) => `/api/organisations/${organisationId}/proof`;

/** Every promise and how it stands. While it is read anew, what was read before stays. */
export function useProof(organisationId: number) {
  const [page, setPage] = useState<ProofPage>();
  const [problem, setProblem] = useState<DeskError>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    call<ProofPage>('GET', proofPath(organisationId), { signal: stop.signal }).then(
      (read) => {
        setPage(read);
        setProblem(undefined);
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setProblem(asDeskError(error));
      },
    );
    return () => stop.abort();
  }, [organisationId, attempt]);
  const reload = useCallback(() => {
    setProblem(undefined);
    setAttempt((count) => count + 1);
  }, []);
  return { page, problem, reload };
}

/** Runs every live check; for who runs the desk. */
export const runChecks = () => call<CheckRun>('POST', '/api/proof/runs');
