import { RequestError } from '../http/route.ts';

/** The database cannot be used as it is. The message is a sentence for the operator: the fact, then the next step. */
export class PostgresRefused extends Error {
  override readonly name = 'PostgresRefused';
}

/**
 * The server does not answer, or its connection ended in the middle of the work, which may then have happened or not.
 * A request that met it is answered 503 with the time to come back.
 */
export class PostgresAway extends RequestError {
  /** @param why a code or the driver's words, never what somebody sent */
  constructor(why: string, options: { cause: unknown }) {
    super(
      'store_unavailable',
      `PostgreSQL does not answer (${why}). Look whether it runs and whether the machine is overloaded, then try again.`,
      { headers: { 'retry-after': '1' } },
    );
    this.cause = options.cause;
  }
}
