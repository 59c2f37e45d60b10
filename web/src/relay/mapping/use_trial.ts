import { useEffect, useState } from 'react';
import type { MappingTrial, MappingTrialAnswer } from '../../../../contract/relay_settings.ts';
import { asDeskError, type DeskError } from '../../desk/api.ts';
import { relayOf } from '../api.ts';

/** Typing does not ask for each key: what is asked is what stands there for this long. */
const restMs = 50;

/** What would become of the request by the mapping as it stands; the last answer stays until the next is here. */
export function useTrial(
  organisationId: number,
  sourceId: number,
  trial: MappingTrial | undefined,
): { tried: MappingTrialAnswer | undefined; problem: DeskError | undefined } {
  const [answer, setAnswer] = useState<MappingTrialAnswer>();
  const [problem, setProblem] = useState<DeskError>();
  const asked = trial === undefined ? '' : JSON.stringify(trial);
  useEffect(() => {
    if (asked === '') {
      setAnswer(undefined);
      return;
    }
    const stop = new AbortController();
    const timer = setTimeout(() => {
      relayOf(organisationId)
        .tryRequest(sourceId, JSON.parse(asked) as MappingTrial, stop.signal)
        .then(
          (next) => {
            setAnswer(next);
            setProblem(undefined);
          },
          (error: unknown) => {
            if (!stop.signal.aborted) setProblem(asDeskError(error));
          },
        );
    }, restMs);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [asked, organisationId, sourceId]);
  return { tried: answer, problem };
}
