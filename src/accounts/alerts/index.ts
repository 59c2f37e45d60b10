import { repeat } from '../../platform/clock.ts';
import type { Executor } from '../../platform/executor.ts';
import type { Route } from '../../platform/http/route.ts';
import type { House } from '../../platform/subject.ts';
import type { Notices } from '../mail/notices.ts';
import { alertPostExecutor } from './ageing.ts';
import { type AlertHouse, openAlertPosts } from './posts.ts';
import { alertRoutes } from './routes.ts';

const lookMs = 60_000;

export interface Alerts {
  readonly routes: Route[];
  readonly executors: Executor[];
  /** Posts what is due now; done by itself, and here for whoever cannot wait. */
  work(): Promise<void>;
  stop(): Promise<void>;
}

/** Alerts of organisations, posted to an address of theirs beside what people are told in the app and by mail. */
export function openAlerts(house: AlertHouse & Pick<House, 'config'>, notices: Pick<Notices, 'tell'>): Alerts {
  const { config, clock, log } = house;
  const posts = openAlertPosts(house, notices);
  let working: Promise<void> | undefined;
  const work = () => {
    working ??= posts.work().finally(() => {
      working = undefined;
    });
    return working;
  };
  const works = config.role === 'all' || config.role === 'work';
  const stop = works
    ? repeat(clock, lookMs, work, { onError: (error) => log.error('alerts.posting_failed', {}, error) })
    : () => {};
  return {
    routes: alertRoutes(house, posts),
    executors: [alertPostExecutor(house.postgres)],
    work,
    async stop() {
      stop();
      await working?.catch(() => {});
    },
  };
}
