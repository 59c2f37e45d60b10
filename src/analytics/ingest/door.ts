import type { IncomingHttpHeaders } from 'node:http';
import type { ErrorCode } from '../../../contract/errors.ts';
import type { Principal } from '../../platform/http/route.ts';
import type { ReadEvent, Taken } from './ingest.ts';

/** What one product's endpoint is like: how its payload is read and how its answers are written. All else is the same. */
export type Door = {
  /** What one request may hold. */
  readonly takes: 'one' | 'list' | 'either';
  /** Request headers of its own that its trackers send; a browser asks for leave before. */
  readonly headers: readonly string[];
  /**
   * Do its trackers send in the browser's mode "with credentials", as `sendBeacon` always does? Then a browser takes no
   * answer that is not for this very origin. No cookie is looked at here either way, and the answer is the same for all.
   */
  readonly withCredentials: boolean;
  /** Looks at the headers of a request. `principal` is set when they prove who sends, as a client secret does. */
  enter(headers: IncomingHttpHeaders): { readonly read: ReadEvent; readonly principal: Principal | undefined };
  /** The answer to what was taken in, or dropped for another reason than that it could not be read. */
  reply(taken: Taken, isList: boolean): Reply;
  /** The body of an error. */
  refuse(code: ErrorCode, message: string, field: string | undefined): object;
};

export type Reply = { readonly status: number; readonly body: string | object };

/** No cookies, no ETag; any page may read the answer (CORS) and load it (CORP). */
export function corsHeaders(door: Door, request: { readonly headers: IncomingHttpHeaders }): readonly string[] {
  const { origin } = request.headers;
  if (!door.withCredentials || origin === undefined) return openHeaders;
  return [
    'access-control-allow-origin',
    origin,
    'access-control-allow-credentials',
    'true',
    'vary',
    'origin',
    ...common,
  ];
}

const common = [
  'access-control-expose-headers',
  'x-fairlead-dropped, x-plausible-dropped, retry-after',
  'cross-origin-resource-policy',
  'cross-origin',
  'x-content-type-options',
  'nosniff',
];
export const openHeaders = ['access-control-allow-origin', '*', ...common];
