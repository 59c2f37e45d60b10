import { useCallback, useEffect, useState } from 'react';
import type { Answer } from '../desk/answers.ts';
import { drawn, useAnswers } from '../desk/answers.ts';
import type { QueryRequest, Site } from '../desk/api.ts';
import { now } from '../edge/browser.ts';
import type { Day } from '../period/period.ts';
import { isDay, localTime } from '../period/period.ts';

/** A period that still runs is asked again this often, without dimming what is shown. */
const freshMs = 30_000;

export interface Calendar {
  /** Day and time of day of the last look, in the zone of the site. */
  local: { day: Day; time: string };
  madeOn: Day;
  /** Counts up with each look: the same questions are to be asked again. */
  tick: number;
  /** Looks again, unless nobody sees the page. */
  look: () => void;
}

/** Where a page about a site is in time. It stands still between two looks, so that the same question keeps its key. */
export function useCalendar(site: Site): Calendar {
  const [moment, setMoment] = useState(now);
  const [tick, setTick] = useState(0);
  const look = useCallback(() => {
    if (document.hidden) return;
    setMoment(now());
    setTick((count) => count + 1);
  }, []);
  return {
    local: localTime(moment, site.timezone),
    madeOn: localTime(Date.parse(site.created_at) || moment, site.timezone).day,
    tick,
    look,
  };
}

/** A running period fills up by itself. */
export function useRefresh({ look }: Calendar, running: boolean, everyMs = freshMs): void {
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(look, everyMs);
    return () => clearInterval(timer);
  }, [look, running, everyMs]);
}

/** Where "All" begins. @param imports days count that were brought along from another product */
export function firstDayQuestion(domain: string, imports: boolean): QueryRequest {
  return {
    ...{ site_id: domain, metrics: ['visitors'], date_range: 'all' as const },
    ...(imports ? { include: { imports: true } } : {}),
  };
}

/** The first day that anything is stored for; the desk knows it. */
export function firstDayOf(answer: Answer | undefined): Day | undefined {
  const range = drawn(answer)?.query.date_range;
  const day = Array.isArray(range) ? String(range[0]).slice(0, 10) : '';
  return isDay(day) ? day : undefined;
}

/** The same, asked only where it is shown; the day on which the site was made until it is known, and if it is none. */
export function useFirstDay(
  domain: string,
  { madeOn }: Calendar,
  { wanted, imports }: { wanted: boolean; imports: boolean },
): { firstDay: Day; settled: boolean } {
  const { answers } = useAnswers({ first: firstDayQuestion(domain, imports) }, 0, wanted);
  const stored = firstDayOf(answers.first);
  return {
    firstDay: stored !== undefined && stored < madeOn ? stored : madeOn,
    settled: answers.first.state !== 'waiting',
  };
}
