import type { AccessPage } from '../../../contract/access_log.ts';
import type { SelfAudit } from '../../../contract/self_audit.ts';
import { call } from '../desk/api.ts';

export const accessLogPath = '/api/access-log';

/** The calls of who runs the desk. */
export const operator = {
  accessLog: (query: string, signal?: AbortSignal) =>
    call<AccessPage>('GET', `${accessLogPath}${query === '' ? '' : `?${query}`}`, { signal }),
  selfAudits: () => call<{ audits: SelfAudit[] }>('GET', '/api/self-audits').then(({ audits }) => audits),
};
