import type { Clock } from '../platform/clock.ts';
import type { Postgres } from '../platform/postgres/index.ts';
import type { KeyRing } from '../platform/subject.ts';
import { KeyFileError } from '../trust/keys/index.ts';

/**
 * Sees to it that every process on one database has the same root key: the first one writes down the fingerprint of
 * its key, each later one must have the same.
 * @throws KeyFileError with the fact and the next step
 */
export async function agreeOnKey(parts: {
  postgres: Postgres;
  clock: Clock;
  keys: Pick<KeyRing, 'fingerprint'>;
  /** The key file or the variable, as a sentence names it. */
  keyName: string;
}): Promise<void> {
  const known = await parts.postgres.system(async (sql) => {
    await sql.run(
      'INSERT INTO installation (id, key_fingerprint, created_at) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING',
      [parts.keys.fingerprint, new Date(parts.clock.now())],
    );
    return sql.one<{ key_fingerprint: string }>('SELECT key_fingerprint FROM installation');
  });
  if (known.key_fingerprint === parts.keys.fingerprint) return;
  throw new KeyFileError(
    `${parts.keyName.replace(/^t/, 'T')} holds the key ${parts.keys.fingerprint}, but the database was written under ${known.key_fingerprint}. Processes that share a database need copies of one key file: put one there. Nothing was changed.`,
  );
}
