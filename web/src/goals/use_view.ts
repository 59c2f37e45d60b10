import { useEffect, useState } from 'react';
import type { View } from '../address/view.ts';
import { drawn, useAnswers } from '../desk/answers.ts';
import type { Site } from '../desk/api.ts';
import { now } from '../edge/browser.ts';
import type { Day } from '../period/period.ts';
import { isDay, localTime } from '../period/period.ts';
import type { Asked, Frame } from '../questions/overview.ts';
import { frameOf } from '../questions/overview.ts';

/** A period that still runs is asked again this often, without dimming what is shown. */
const freshMs = 30_000;

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
  const [moment, setMoment] = useState(now);
  const [tick, setTick] = useState(0);
  const local = localTime(moment, site.timezone);
  const madeOn = localTime(Date.parse(site.created_at) || moment, site.timezone).day;
  const everything = view.period.kind === 'preset' && view.period.preset === 'all';
  const before = frameOf(view, local.day, madeOn).before;
  const { answers } = useAnswers(
    { first: { site_id: site.domain, metrics: ['visitors'], date_range: 'all' } },
    0,
    everything || (before !== undefined && before.from < madeOn),
  );
  const range = drawn(answers.first)?.query.date_range;
  const stored = Array.isArray(range) ? String(range[0]).slice(0, 10) : '';
  const firstDay = isDay(stored) && stored < madeOn ? stored : madeOn;
  const frame = frameOf(view, local.day, firstDay);
  useEffect(() => {
    if (!frame.running) return;
    const timer = setInterval(() => {
      if (document.hidden) return;
      setMoment(now());
      setTick((count) => count + 1);
    }, freshMs);
    return () => clearInterval(timer);
  }, [frame.running]);
  return {
    frame,
    // To the minute of the last refresh: the same question keeps the same key, so that a click back is answered at once.
    asked: { site: site.domain, frame, filters: view.filters, time: local.time.slice(0, 5) },
    local,
    firstDay,
    tick,
    ready: !everything || answers.first.state !== 'waiting',
  };
}
