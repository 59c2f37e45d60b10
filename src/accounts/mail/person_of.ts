import { RequestError, type RouteRequest } from '../../platform/http/route.ts';

/** The person who asks; a key has neither mail nor notifications. */
export function personOf(request: Pick<RouteRequest<unknown, unknown, unknown>, 'principal'>): number {
  if (request.principal?.kind === 'person') return request.principal.id;
  throw new RequestError('forbidden', 'An API key has no mail and no notifications. Sign in as a person.');
}
