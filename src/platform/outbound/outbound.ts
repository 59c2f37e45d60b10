import type { LookupAddress } from 'node:dns';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';

/** What may happen to a request other than an answer. A closed list, so that it can be counted and shown. */
export type FailureReason =
  | 'address_invalid' // not http(s), carries credentials, or cannot be read
  | 'address_private' // the name leads to a private, local or reserved address
  | 'name_unknown' // the name does not resolve
  | 'connect_failed'
  | 'tls_failed'
  | 'timed_out'
  | 'answer_too_large'
  | 'answer_broken' // not HTTP, cut short, or wrongly compressed
  | 'too_many_redirects'
  | 'request_too_large'
  | 'closed';

export interface OutboundRequest {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** From now to the last byte of the answer, redirects included. */
  timeoutMs?: number;
  /** Of the body, decompressed. */
  answerBytesMax?: number;
  /** Redirects that may be followed; 0 (the default) gives the 3xx answer back. */
  redirectsMax?: number;
  /** Why this goes out: a word of the code's own for logs and counts, never data. */
  purpose: string;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}
export interface Failure {
  failed: FailureReason;
}

/** The only door to the network. Expected failures are values; nothing here throws but a broken promise. */
export interface Outbound {
  send(request: OutboundRequest): Promise<Answer | Failure>;
  close(): Promise<void>;
}

/** Resolves a name to all its addresses, as `dns.promises.lookup(name, { all: true })` does. */
export type Lookup = (hostname: string) => Promise<LookupAddress[]>;

export interface OutboundSettings {
  config: Pick<Config, 'outboundAllow'>;
  clock: Clock;
  log: Log;
  /** The system's resolver by default; tests hand in one that lies. */
  lookup?: Lookup;
}

export const outboundLimits = {
  timeoutMs: 10_000,
  timeoutMsMax: 120_000,
  connectMs: 5_000,
  answerBytes: 1024 * 1024,
  answerBytesMax: 64 * 1024 * 1024,
  requestBytesMax: 16 * 1024 * 1024,
  headersMax: 100,
  headerBytesMax: 16 * 1024,
  redirectsMax: 3,
} as const;

export function openOutbound(_settings: OutboundSettings): Outbound {
  return {
    async send() {
      return { failed: 'closed' };
    },
    async close() {},
  };
}
