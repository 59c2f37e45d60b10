import type { AccessPage } from '../../../contract/access_log.ts';
import { call } from '../desk/api.ts';

/** The whole desk's, or that of one organisation. */
export type LogOf = 'desk' | number;

export const accessLogPath = (of: LogOf) => (of === 'desk' ? '/api/access-log' : `/api/organisations/${of}/access-log`);

export const readAccessLog = (of: LogOf, query: string, signal?: AbortSignal) =>
  call<AccessPage>('GET', `${accessLogPath(of)}${query === '' ? '' : `?${query}`}`, { signal });
