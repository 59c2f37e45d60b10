import { repeat } from '../../platform/clock.ts';
import type { Route } from '../../platform/http/route.ts';
import type { Gauge, House } from '../../platform/subject.ts';
import { inboxRoutes } from './inbox_routes.ts';
import { noticeRoutes } from './notice_routes.ts';
import { type Notices, openNotices } from './notices.ts';
import { ownRoutes } from './own_routes.ts';
import { serverRoutes } from './server_routes.ts';
import { openTroubleNotices } from './trouble_notices.ts';
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

/** What people see of mail: their own, that of the desk for who runs it, and notifications beside it. */
export function openMailPart(house: Omit<House, 'authenticate'>): MailPart {
  const { clock, log, mail } = house;
  const notices = openNotices(house);
  mail.consult(notices.advise);
  const tellTrouble = openTroubleNotices(house, notices);

  const onError = (error: unknown) => log.error('notices.failed', {}, error);
  const callOff = [repeat(clock, troubleMs, tellTrouble, { onError })];

  return {
    notices,
    routes: [
      ...serverRoutes(house),
      ...ownRoutes(house),
      ...unsubscribeRoutes(house),
      ...noticeRoutes(house, notices.news),
      ...(mail.inbox === undefined ? [] : inboxRoutes(mail.inbox)),
    ],
    gauges: [
      {
        name: 'fairlead_mail_trouble',
        help: '1 while the mail server takes nothing',
        kind: 'gauge',
        read: () => (mail.servers.trouble.isKnown() ? 1 : 0),
      },
    ],
    stop() {
      for (const end of callOff) end();
    },
  };
}
