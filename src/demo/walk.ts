import type { Person } from './audience.ts';
import type { Chance } from './chance.ts';

/** A request as the tracker of a page would have sent it, and when. */
export interface MadeRequest {
  atMs: number;
  /** When the visit began that it belongs to. */
  visitMs: number;
  address: string;
  headers: Record<string, string>;
  event: Record<string, unknown>;
}

/** One visitor on the way through a site; time passes as they read. */
export interface Walk {
  /** Opens a page. The first one carries the visit's referrer and query, later ones the page before. */
  view(path: string, title: string): void;
  /** Stays on the page and scrolls, then leaves it. @param medianSeconds half of the people stay shorter */
  read(medianSeconds: number, medianDepth: number): void;
  act(name: string, more?: { props?: Record<string, string>; revenue?: object; interactive?: boolean }): void;
  wait(seconds: number): void;
  /** Goes on at another host of the site. */
  host(name: string): void;
  readonly requests: MadeRequest[];
}

/** What the tracker's keep-alive requests lose on the way out of a page. */
const lostShare = 0.07;
const readSpread = 0.85;
const secondsMax = 1_500;

export function openWalk(start: {
  domain: string;
  person: Person;
  chance: Chance;
  atMs: number;
  referrer: string;
  query: string;
}): Walk {
  const { domain, person, chance } = start;
  const headers: Record<string, string> = {
    host: 'localhost',
    'user-agent': person.userAgent,
    accept: '*/*',
    'accept-language': person.language,
    ...(person.asksForPrivacy ? { 'sec-gpc': '1' } : {}),
  };
  const requests: MadeRequest[] = [];
  let atMs = start.atMs;
  let host = domain;
  let url = '';
  let referrer = start.referrer;

  function send(event: Record<string, unknown>): void {
    const id = [0, 0, 0, 0].map(() => chance.below(4_294_967_296)).join();
    requests.push({
      atMs: Math.round(atMs),
      visitMs: start.atMs,
      address: person.address,
      headers,
      event: { d: domain, v: 1, id, ...event },
    });
  }

  return {
    requests,
    view(path, title) {
      const isFirst = url === '';
      const before = url;
      url = `https://${host}${path}${isFirst ? start.query : ''}`;
      if (!isFirst) referrer = before.split('?')[0] ?? '';
      atMs += 150 + chance.below(300);
      send({ n: 'pageview', u: url, r: referrer === '' ? undefined : referrer, t: title, sc: person.screen });
    },
    read(medianSeconds, medianDepth) {
      const seconds = Math.min(secondsMax, Math.max(1, chance.around(medianSeconds, readSpread)));
      atMs += seconds * 1_000;
      // Who stays longer has seen more of the page; the first screen is there without scrolling.
      const depth = medianDepth * (0.55 + 0.45 * Math.min(2, seconds / medianSeconds)) + 14 * chance.bell();
      if (chance.is(lostShare)) return;
      const engagedMs = seconds * 1_000 * (0.55 + 0.45 * chance.next());
      send({ n: 'engagement', u: url, e: Math.round(engagedMs), sd: Math.round(Math.min(100, Math.max(12, depth))) });
    },
    act(name, more = {}) {
      atMs += 400 + chance.below(2_500);
      send({ n: name, u: url, sc: person.screen, p: more.props, $: more.revenue, i: more.interactive });
    },
    wait(seconds) {
      atMs += seconds * 1_000;
    },
    host(name) {
      host = name;
    },
  };
}
