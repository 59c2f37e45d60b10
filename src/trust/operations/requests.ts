import type { Answered } from '../../platform/http/server.ts';
import type { Operation } from '../../platform/operations.ts';

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
  const changes = method !== 'GET' && method !== 'HEAD';
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
