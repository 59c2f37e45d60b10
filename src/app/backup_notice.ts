import type { Notices } from '../accounts/index.ts';
import { everyOperator } from '../platform/postgres/index.ts';
import type { House } from '../platform/subject.ts';

/** A backup is tried every hour until it is made: who runs the desk hears of it once a day. */
const againMs = 86_400_000;

/** Tells whoever runs the desk that the backup of the day was not made, and why. */
export async function tellOfBackup(
  { clock, postgres }: Pick<House, 'clock' | 'postgres'>,
  notices: Pick<Notices, 'tell'>,
  problem: string,
): Promise<void> {
  await everyOperator(postgres, async (sql, id) => {
    const told = await sql.query(
      "SELECT 1 FROM notifications WHERE person_id = $1 AND notice = 'backup_failed' AND created_at > $2 LIMIT 1",
      [id, new Date(clock.now() - againMs)],
    );
    if (told.length === 0)
      await notices.tell(sql, id, { name: 'backup_failed', facts: { problem }, link: '/desk/backups' });
  });
}
