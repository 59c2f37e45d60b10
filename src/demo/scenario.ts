import { openAudience } from './audience.ts';
import { blog } from './blog.ts';
import { type Chance, chanceOf, weighted } from './chance.ts';
import { strayRequests } from './robots.ts';
import { saas } from './saas.ts';
import { shop } from './shop.ts';
import type { DemoSite, Happening, Source } from './site.ts';
import { type MadeRequest, openWalk } from './walk.ts';

/** The made-up sites and their traffic, hour by hour. */
export interface Scenario {
  sites: readonly DemoSite[];
  /**
   * Everything that begins in one hour, in no order: visits with all that they will do, robots, spam. The same seed,
   * hour and day of `nowMs` give the same requests.
   */
  hour(site: DemoSite, hourMs: number): MadeRequest[];
  /** One visit that begins now, for hours at which hardly anybody comes. */
  visitNow(site: DemoSite, atMs: number): MadeRequest[];
  /** Visits that are expected in the hour of `atMs`. */
  expected(site: DemoSite, atMs: number): number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A browser that got no answer sends an event once more under the same id. */
const repeatedShare = 0.003;
/** Visits of a day come from so many times as many people, so that about one person in six comes twice. */
const peoplePerVisit = 3;
const historyDays = 90;

/** @param parts.nowMs the day that "days ago" is counted from, in each site's own calendar */
export function openScenario(parts: { seed: string; nowMs: number }): Scenario {
  const { seed } = parts;
  const models = new Map([shop, blog, saas].map((site) => [site, openModel(site)]));

  function openModel(site: DemoSite) {
    const clock = siteClock(site.timezone);
    return {
      clock,
      today: clock(parts.nowMs).day,
      person: openAudience(site.audience),
      source: weighted(site.sources),
    };
  }
  const modelOf = (site: DemoSite) => models.get(site) as ReturnType<typeof openModel>;

  function expected(site: DemoSite, atMs: number): number {
    const { clock, today } = modelOf(site);
    const { day, hour, weekday } = clock(atMs);
    if (isInGap(site, today - day, hour)) return 0;
    const trend = 1 - site.growth * Math.min(1, (today - day) / historyDays);
    // Weather, holidays, luck: days differ more than chance alone would make them.
    const luck = Math.exp(0.09 * chanceOf(`${seed}:${site.domain}:day:${day}`).bell());
    return (site.visitsPerDay / 24) * (site.hours[hour] as number) * (site.weekdays[weekday] as number) * trend * luck;
  }

  function visit(site: DemoSite, at: { ms: number; source: Source; who: string }, chance: Chance): MadeRequest[] {
    const { clock, today, person: personOf } = modelOf(site);
    const person = personOf(`${seed}:${site.domain}:${at.who}`);
    const walk = openWalk({
      domain: site.domain,
      person,
      chance,
      atMs: at.ms,
      referrer: chance.one(at.source.referrers),
      query: chance.one(at.source.queries ?? ['']),
    });
    site.journey({ walk, chance, person, source: at.source, daysAgo: Math.max(0, today - clock(at.ms).day) });
    const { requests } = walk;
    if (chance.is(repeatedShare * requests.length)) {
      const again = chance.one(requests);
      requests.push({ ...again, atMs: again.atMs + 3_000 });
    }
    return requests;
  }

  return {
    sites: [...models.keys()],
    expected,
    hour(site, beginMs) {
      const { clock, today, source } = modelOf(site);
      const chance = chanceOf(`${seed}:${site.domain}:hour:${beginMs / hourMs}`);
      const { day, hour } = clock(beginMs);
      const wave = chanceOf(`${seed}:${site.domain}:spam:${day}`).is(0.12) ? 9 : 1;
      const requests: MadeRequest[] = isInGap(site, today - day, hour)
        ? []
        : strayRequests(site, beginMs, wave, chance);
      const moment = () => beginMs + chance.below(hourMs);
      for (let left = chance.times(expected(site, beginMs)); left > 0; left--) {
        const who = `${day}:${chance.below(site.visitsPerDay * peoplePerVisit)}`;
        for (const request of visit(site, { ms: moment(), source: source(chance), who }, chance))
          requests.push(request);
      }
      site.happenings.forEach((happening, index) => {
        const mean = isInGap(site, today - day, hour) ? 0 : visitsOf(happening, site, today - day, hour);
        for (let left = chance.times(mean); left > 0; left--) {
          const who = `${day}:${index}:${chance.below(happening.visits * peoplePerVisit)}`;
          for (const request of visit(site, { ms: moment(), source: happening.source, who }, chance))
            requests.push(request);
        }
      });
      return requests;
    },
    visitNow(site, atMs) {
      const chance = chanceOf(`${seed}:${site.domain}:now:${atMs}`);
      return visit(site, { ms: atMs, source: modelOf(site).source(chance), who: `now:${atMs}` }, chance);
    },
  };
}

function isInGap(site: DemoSite, daysAgo: number, hour: number): boolean {
  return site.gap?.daysAgo === daysAgo && hour >= site.gap.fromHour && hour < site.gap.toHour;
}

/** What a happening brings in one hour: on its first day most of it soon after it began, later by the site's own hours. */
function visitsOf(happening: Happening, site: DemoSite, daysAgo: number, hour: number): number {
  const age = happening.daysAgo - daysAgo;
  if (age < 0 || age >= happening.days) return 0;
  if (age > 0) return (happening.visits * happening.fade ** age * (site.hours[hour] as number)) / 24;
  const share = (at: number) =>
    at < happening.fromHour ? 0 : (site.hours[at] as number) * Math.exp((happening.fromHour - at) / 5);
  let sum = 0;
  for (let at = 0; at < 24; at++) sum += share(at);
  return (happening.visits * share(hour)) / sum;
}

interface LocalTime {
  /** Days since 1970-01-01, by the wall calendar of the place. */
  day: number;
  hour: number;
  /** 0 is Monday. */
  weekday: number;
}

/** The wall clock of a place. Asked for whole hours again and again, so answers are kept. */
function siteClock(timezone: string): (ms: number) => LocalTime {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
  });
  const known = new Map<number, LocalTime>();
  return (ms) => {
    const whole = Math.floor(ms / hourMs);
    let time = known.get(whole);
    if (time === undefined) {
      const parts = Object.fromEntries(format.formatToParts(whole * hourMs).map(({ type, value }) => [type, value]));
      const day = Math.floor(Date.parse(`${parts.year}-${parts.month}-${parts.day}`) / dayMs);
      time = { day, hour: Number(parts.hour), weekday: (day + 3) % 7 };
      known.set(whole, time);
    }
    return time;
  };
}
