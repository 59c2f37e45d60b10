import { type Clock, repeat } from '../clock.ts';
import type { Door } from './door.ts';

/** The server ends a transaction that says nothing for half a minute, and the lock with it. */
const signOfLifeMs = 5_000;

/** Runs the work while no other process does any under the same name; undefined, at once, when one does. */
export type Alone = <T>(name: string, work: (held: () => boolean) => Promise<T>) => Promise<T | undefined>;

/**
 * One at a time over all processes of a desk, by a lock in Postgres that ends with its holder. `held` turns false when
 * the connection is lost: the work should then come to an end, because another process may begin the same.
 * @throws what the work throws, and the connection's error when it was lost
 */
export function aloneIn(postgres: Pick<Door, 'system'>, clock: Clock): Alone {
  return (name, work) =>
    postgres.system(async (sql) => {
      const { got } = await sql.one<{ got: boolean }>(
        'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS got',
        [name],
      );
      if (!got) return undefined;
      let held = true;
      const stop = repeat(clock, signOfLifeMs, () => sql.query('SELECT 1'), {
        onError: () => {
          held = false;
        },
      });
      try {
        return await work(() => held);
      } finally {
        stop();
      }
    });
}
