import type { View } from '../address/view.ts';
import type { Site } from '../desk/api.ts';
import { useCalendar, useFirstDay, useRefresh } from '../overview/use_calendar.ts';
import type { Day } from '../period/period.ts';
import type { Asked, Frame } from '../questions/overview.ts';
import { frameOf } from '../questions/overview.ts';

export interface GoalView {
  frame: Frame;
  asked: Asked;
  local: { day: Day; time: string };
  /** The day from which on events are stored: goals know no others. */
  firstDay: Day;
  /** Counts up when the same questions are to be asked again. */
  tick: number;
  /** False while it is not known where "All" begins. */
  ready: boolean;
}

/** The view meets the calendar of the site, as on the overview; goals are counted on events alone. */
export function useGoalView(site: Site, view: View): GoalView {
  const calendar = useCalendar(site);
  const { local, madeOn, tick } = calendar;
  const everything = view.period.kind === 'preset' && view.period.preset === 'all';
  const { before } = frameOf(view, local.day, madeOn);
  const { firstDay, settled } = useFirstDay(site.domain, calendar, {
    wanted: everything || (before !== undefined && before.from < madeOn),
    imports: false,
  });
  const frame = frameOf(view, local.day, firstDay);
  useRefresh(calendar, frame.running);
  return {
    frame,
    // To the minute of the last refresh: the same question keeps the same key, so that a click back is answered at once.
    asked: { site: site.domain, frame, filters: view.filters, time: local.time.slice(0, 5) },
    local,
    firstDay,
    tick,
    ready: !everything || settled,
  };
}
