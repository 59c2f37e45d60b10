import { repeat } from '../../platform/clock.ts';
import type { Route } from '../../platform/http/route.ts';
import type { Gauge, House } from '../../platform/subject.ts';
import { inboxRoutes } from './inbox_routes.ts';
import { noticeRoutes } from './notice_routes.ts';
import { type Notices, openNotices } from './notices.ts';
import { ownRoutes } from './own_routes.ts';
import { serverRoutes } from './server_routes.ts';
import { unsubscribeRoutes } from './unsubscribe_routes.ts';

export type { NoticeName } from './notice_list.ts';
export { type Notices, openNotices } from './notices.ts';

export interface MailPart {
  routes: Route[];
  notices: Notices;
  gauges: Gauge[];
  stop(): void;
}

const troubleMs = 60_000;
/** Who runs the desk hears of the same trouble again after so long. */
const againMs = 6 * 3_600_000;
const dayMs = 86_400_000;

/** What people see of mail: their own, that of the desk for who runs it, and notifications beside it. */
export function openMailPart(house: Omit<House, 'authenticate'>): MailPart {
  const { clock, log, mail, postgres } = house;
  const notices = openNotices(house);
  mail.consult(notices.advise);
  let toldAtMs = Number.NEGATIVE_INFINITY;

  async function tellTrouble(): Promise<void> {
    const trouble = mail.servers.trouble();
    if (trouble === undefined || clock.monotonic() - toldAtMs < againMs) return;
    toldAtMs = clock.monotonic();
    const operators = await postgres.system((sql) =>
      sql.query<{ person_id: number }>('SELECT person_id FROM lookup.every_operator()'),
    );
    for (const { person_id } of operators)
      await postgres.person(person_id, (sql) =>
        notices.tell(sql, person_id, { name: 'mail_refused', facts: { reason: trouble.reason } }),
      );
  }

  const onError = (error: unknown) => log.error('notices.failed', {}, error);
  const callOff = [
    repeat(clock, troubleMs, tellTrouble, { onError }),
    repeat(
      clock,
      dayMs,
      () =>
        postgres.retention((sql) => sql.one('SELECT retention.delete_old_notifications($1)', [new Date(clock.now())])),
      { firstMs: 10 * 60_000, onError },
    ),
  ];

  return {
    notices,
    routes: [
      ...serverRoutes(house),
      ...ownRoutes(house),
      ...unsubscribeRoutes(house),
      ...noticeRoutes(house),
      ...(mail.inbox === undefined ? [] : inboxRoutes(mail.inbox)),
    ],
    gauges: [
      {
        name: 'fairlead_mail_trouble',
        help: '1 while the mail server takes nothing',
        kind: 'gauge',
        read: () => (mail.servers.trouble() === undefined ? 0 : 1),
      },
    ],
    stop() {
      for (const end of callOff) end();
    },
  };
}
