import type { AccessPage } from '../../../contract/access_log.ts';
import type { CheckRun } from '../../../contract/proof.ts';
import { call } from '../desk/api.ts';

export const accessLogPath = '/api/access-log';

/** The calls of who runs the desk. */
export const operator = {
  accessLog: (query: string, signal?: AbortSignal) =>
    call<AccessPage>('GET', `${accessLogPath}${query === '' ? '' : `?${query}`}`, { signal }),
  runs: () => call<{ runs: CheckRun[] }>('GET', '/api/proof/runs').then(({ runs }) => runs),
  /** Runs every live check now. */
  prove: () => call<CheckRun>('POST', '/api/proof/runs'),
};
