import { useCallback, useEffect, useRef, useState } from 'react';
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
export function useRefresh({ look }: Calendar, running: boolean): void {
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(look, freshMs);
    return () => clearInterval(timer);
  }, [look, running]);
}

/** So many times as long as an answer took, nothing is asked for news: three pages that are open cost what one costs at work. */
const newsRest = 3;

/**
 * Looks again when something came: it is seen within 3 seconds of its 202, where an answer takes no more than 300 ms. A slower
 * one is asked for less often.
 * @param last when the newest event came; null for none in the last minutes, undefined while that is not known
 * @param shown the answer whose numbers are drawn
 */
export function useNews({ look }: Calendar, running: boolean, last: string | null | undefined, shown: Answer): void {
  const known = useRef({ last, lookedAt: 0 });
  useEffect(() => {
    const before = known.current;
    if (last === undefined || last === before.last) return;
    if (before.last !== undefined && last !== null && running) {
      const at = now();
      const isAsking = (shown.state !== 'here' || shown.at < before.lookedAt) && at - before.lookedAt < freshMs;
      // It stays news until the next look at who is there.
      if (isAsking || (shown.state === 'here' && at < shown.at + newsRest * shown.tookMs)) return;
      before.lookedAt = at;
      look();
    }
    before.last = last;
  });
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
