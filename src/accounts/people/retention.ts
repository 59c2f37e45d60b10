import type { House } from '../../platform/subject.ts';

/** Deletes expired links, waiting sign-ins, sign-ups and devices, and sessions that have ended. Counts go to the log. */
export async function forgetEnded({
  postgres,
  clock,
  log,
}: Pick<House, 'postgres' | 'clock' | 'log'>): Promise<{ sessions: number; tokens: number }> {
  const now = new Date(clock.now());
  const gone = await postgres.retention((sql) =>
    sql.one<{ sessions: number; tokens: number }>(
      'SELECT retention.delete_ended_sessions($1) AS sessions, retention.delete_expired_tokens($1) + retention.delete_old_sign_up_invitations($1) AS tokens',
      [now],
    ),
  );
  if (gone.sessions + gone.tokens > 0) log.info('people.forgot', { ...gone });
  return gone;
}
