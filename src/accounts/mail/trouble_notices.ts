import { everyOperator } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import type { Notices } from './notices.ts';

/** While trouble lasts, and when the same one comes back, who runs the desk hears of it again after so long. */
const againMs = 86_400_000;

/**
 * Tells whoever runs the desk that the mail server takes nothing: when it begins, and then once a day at most for each
 * reason, whether it lasts or comes and goes. What was told is read from the list of notices, so neither a restart nor a further process tells it anew.
 */
export function openTroubleNotices(
  { clock, mail, postgres }: Pick<House, 'clock' | 'mail' | 'postgres'>,
  notices: Pick<Notices, 'tell'>,
): () => Promise<void> {
  return async () => {
    if ((await mail.servers.trouble.now()) === undefined) return;
    await everyOperator(postgres, async (sql, id) => {
      const trouble = await mail.servers.trouble.hold(sql);
      const before = clock.now() - againMs;
      // Where nothing was tried for so long, nothing waits either.
      if (trouble === undefined || trouble.atMs <= before) return;
      const told = await sql.query(
        "SELECT 1 FROM notifications WHERE person_id = $1 AND notice = 'mail_refused' AND facts->>'reason' = $2 AND created_at > $3 LIMIT 1",
        [id, trouble.reason, new Date(before)],
      );
      if (told.length > 0) return;
      await notices.tell(sql, id, { name: 'mail_refused', facts: { reason: trouble.reason } });
    });
  };
}
