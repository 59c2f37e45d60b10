import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import type { Challenge, ErrorCode } from '../../../contract/errors.ts';
import type { FileAnswer, StreamAnswer } from './file_answer.ts';

/**
 * Who asks. The platform knows only that much; `accounts` makes principals, and a route names the permission
 * that it needs. `organisationId` is set for keys and may be absent for people, who belong to several.
 */
export interface Principal {
  kind: 'person' | 'key';
  id: number;
  organisationId?: number;
  /** May this principal do it in this organisation? The single answer to every permission question (AUT-12). */
  can(permission: Permission, organisationId: number): boolean;
  /** The sign-in that this request belongs to; of a person only. */
  session?: string;
  /** Runs this desk: may set what belongs to no organisation (mail, open sign-up). Never true for a key. */
  isOperator?: boolean;
  /** Sites a key is limited to; absent = all of its organisation. */
  siteIds?: readonly number[];
  /** Sites of this organisation that a person is limited to (those of their teams); absent or undefined = all of it. */
  siteIdsIn?(organisationId: number): readonly number[] | undefined;
}

/** The sites of this organisation that the principal is limited to, whoever it is; undefined = all of it. */
export function sitesOfPrincipal(principal: Principal, organisationId: number): readonly number[] | undefined {
  return principal.siteIds ?? principal.siteIdsIn?.(organisationId);
}

/** The closed list; roles and key scopes are sets of these (accounts/roles.ts). */
export const permissions = [
  'stats.read',
  'stats.export',
  'events.write',
  'site.read',
  'site.manage',
  'goal.manage',
  'key.manage',
  'organisation.read',
  'organisation.manage',
  'organisation.own',
  'organisation.take',
  'member.read',
  'member.manage',
  'audit.read',
  'policy.manage',
  'request.manage',
  'request.submit',
  'consent.write',
  'share.manage',
  'profile.read',
  'relay.read',
  'relay.manage',
  'connection.read',
  'connection.manage',
] as const;
export type Permission = (typeof permissions)[number];

/**
 * Permissions about one site each. Whoever is limited to some sites has them there only, so a call that asks for one
 * and names no site is refused: a handler that forgets the site gives nothing away.
 */
export const sitePermissions: ReadonlySet<Permission> = new Set<Permission>([
  'stats.read',
  'stats.export',
  'events.write',
  'site.read',
  'site.manage',
  'goal.manage',
  'share.manage',
  'profile.read',
]);

/**
 * `public`: anyone. `signed-in`: any principal. `operator`: who runs this desk. A permission: checked against the organisation that the
 * handler finds for the object asked about, through `request.allow(organisationId)`, which is the only way
 * for a handler to learn that it may go on; a handler that answers without asking fails the route test.
 */
export type Access = 'public' | 'signed-in' | 'operator' | Permission;

export interface RouteRequest<Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
  principal: Principal | undefined;
  /**
   * Throws `not_found` (never `forbidden`: existence is not revealed) unless the principal may do this in this
   * organisation and, where it is limited to some sites, on this site. Without a site it refuses a limited principal
   * whatever is about sites: a list of several asks `allowSites`.
   */
  allow(organisationId: number, siteId?: number): void;
  /** The same for a list: throws unless the principal may do this on some site here, and says on which. */
  allowSites(organisationId: number): (siteId: number) => boolean;
  headers: IncomingMessage['headers'];
  /** The client's address by trusted hop count. Account-plane routes may use it for throttles; it is never logged outside D15. */
  address: string;
  /** Did this request reach us, or the trusted proxy in front of us, over HTTPS? */
  secure: boolean;
  requestId: string;
  /** Fires when the client has gone; long answers should stop. */
  signal: AbortSignal;
}

export interface RouteAnswer<Body = unknown> {
  status?: number;
  headers?: Record<string, string | string[]>;
  body?: Body;
  /** Instead of a body. */
  file?: FileAnswer;
  /** Instead of a body, made while it is sent. */
  stream?: StreamAnswer;
}

export interface Route<Params = unknown, Query = unknown, Body = unknown, Answer = unknown> {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** `/api/sites/:domain/goals`; a parameter matches one segment. */
  path: string;
  access: Access;
  summary: string;
  params?: z.ZodType<Params>;
  query?: z.ZodType<Query>;
  body?: z.ZodType<Body>;
  /** What the body is, for the API's document, where the handler reads it by itself. */
  describedBody?: z.ZodType;
  answer?: z.ZodType<Answer>;
  /** The answer is a file, for the API's document. */
  answersFile?: true;
  /** The body is bytes as they are, at most so many, and no JSON: the handler gets a Buffer. */
  rawBodyBytesMax?: number;
  /** Asked by visitors of other sites' pages (a widget): never in the access log (R5). */
  forVisitors?: true;
  bodyBytesMax?: number;
  handle(request: RouteRequest<Params, Query, Body>): Promise<RouteAnswer<Answer>>;
}

/** Gives a route its types from its schemas; at run time it is the object itself. */
export function defineRoute<
  Params = Record<string, string>,
  Query = Record<string, string>,
  Body = undefined,
  Answer = unknown,
>(route: Route<Params, Query, Body, Answer>): Route {
  return route as unknown as Route;
}

/** An expected failure of a request: thrown by handlers, turned into the contract's error shape by the server. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: ErrorCode;
  readonly field: string | undefined;
  readonly headers: Record<string, string | string[]>;
  /** What the asker may solve to be let in before the wait is over. */
  readonly challenge: Challenge | undefined;
  /** The word of the store that refused ('ECONNREFUSED', 'TOO_MANY_PARTS'), for the log; never text that quotes data. */
  readonly why: string | undefined;
  constructor(
    code: ErrorCode,
    message: string,
    more: { field?: string; headers?: Record<string, string | string[]>; challenge?: Challenge; why?: string } = {},
  ) {
    super(message);
    this.code = code;
    this.field = more.field;
    this.headers = more.headers ?? {};
    this.challenge = more.challenge;
    this.why = more.why;
  }
}

/** A word about a failure for the log; never text that quotes data. */
export function whyOf(error: unknown): string {
  return error instanceof RequestError ? (error.why ?? error.code) : String((error as Error)?.name);
}
