import type { Answered } from '../../platform/http/server.ts';
import type { Operation } from '../../platform/operations.ts';

/**
 * Calls that send a body and change nothing: questions, and the count of opened pages, of which no line may say who opened
 * one and when (SHR-08). Refused or failed they stand in the log like a page that is read.
 */
export const looks: ReadonlySet<string> = new Set(
  [
    ...['/api/v2/query', '/api/v2/query/batch', '/api/usage/pages'],
    ...['/api/sites/:domain/goal-preview', '/api/organisations/:organisation/consents/search'],
  ].map((path) => `POST ${path}`),
);

/**
 * What the log keeps of an answer: whatever somebody who is signed in, or a key, has changed, taken away as a file, or was
 * refused, and every fault of ours. Looking alone stands in the access log, and so does whoever is not signed in; who
 * asked too often would only fill it.
 */
export function operationOf({ asked, ...answered }: Answered): Operation | undefined {
  const { method, route, status } = answered;
  if (!route.includes(' /api/') || status === 429) return undefined;
  const isFault = status >= 500;
  if (asked.principal === undefined && !isFault) return undefined;
  const changes = method !== 'GET' && method !== 'HEAD' && !looks.has(route);
  if (!changes && !asked.isFile && status < 400) return undefined;
  return {
    kind: 'request',
    action: route,
    organisationId: asked.organisationId,
    siteId: asked.siteId,
    actor: asked.principal && { type: asked.principal.kind, id: asked.principal.id },
    object: asked.object ?? (asked.siteId === undefined ? undefined : { kind: 'site', id: String(asked.siteId) }),
    requestId: answered.requestId,
    outcome: isFault ? 'failed' : status >= 400 ? 'refused' : 'done',
    code: asked.code,
    ms: answered.ms,
    browser: asked.browser,
    address: answered.address,
  };
}
