import type pg from 'pg';
import type { RunningServer } from '../../src/app/serve.ts';

export interface Asker {
  cookies?: string[];
  key?: string;
  headers?: Record<string, string>;
}
export interface Answer {
  status: number;
  text: string;
  body: Record<string, unknown> & { error?: { code: string; message: string; field?: string } };
  cookies: string[];
  headers: Headers;
}
export interface Example {
  /** The path with everything filled in, made anew for each try: what is deleted must be there first. */
  path(): string | Promise<string>;
  body?(): unknown;
  /** What makes the path settles what a good body is (a version, a change to say), so a body goes with the newest path. */
  bodyOfPath?: true;
  /** What an allowed asker gets. */
  status: number;
  /** About the asker alone: no organisation has anything to do with it, so another one's people get the same. */
  own?: true;
  /** Parameters that cannot be read, with the field that the answer must name. */
  badParams?: [path: string, field: string][];
  /** Values that the schema cannot refuse by type alone: member, value. */
  badValues?: [member: string, value: unknown][];
}

/** The desk of the route test, for the examples of one subject; made anew are its parts, so they are asked for late. */
export interface RouteDesk {
  /** The site and the organisation that the calls are about. */
  site: string;
  organisation(): number;
  server(): RunningServer;
  /** Signed in, by role; `rival` owns another organisation. */
  people: Record<string, Asker>;
  /** A number that was not given before. */
  next(): number;
  call(method: string, path: string, asker?: Asker, body?: unknown): Promise<Answer>;
  /** Runs with the owner's connection and the organisation set, for rows that no call makes. */
  asOwner<T>(work: (sql: pg.Client) => Promise<T>): Promise<T>;
}

/** What each file beside this one exports as `examples`. */
export type Examples = (desk: RouteDesk) => Record<string, Example>;
