import type { OperationsPage } from '../../../contract/operations.ts';
import { call } from '../desk/api.ts';

/** Whose log: of an organisation by its number, or the desk's own. */
export type LogOf = number | 'desk';

export const operationsPath = (of: LogOf): string =>
  of === 'desk' ? '/api/operations' : `/api/organisations/${of}/operations`;

export function readOperations(of: LogOf, query: string, cursor?: number): Promise<OperationsPage> {
  const asked = new URLSearchParams(query);
  if (cursor !== undefined) asked.set('cursor', String(cursor));
  const text = asked.toString();
  return call<OperationsPage>('GET', text === '' ? operationsPath(of) : `${operationsPath(of)}?${text}`);
}
