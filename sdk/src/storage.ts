import type { PropertyValue, Settings, Track, WireEvent } from './api.ts';
import { ask as askDesk } from './ask.ts';
import { hearer, isPrivate, type Told } from './consent.ts';

/** The three names under which storage mode keeps something (docs/guides/cookies.md); a test holds a browser against them. */
const visitorKey = 'fairlead.visitor';
const visitKey = 'fairlead.visit';
const optOutKey = 'fairlead.optout';
/** A visit that was silent for longer is over, as on the server. */
const visitGapMs = 30 * 60_000;
/** A link's parameters are good for five minutes; they are asked for anew a minute before. */
const linkMs = 4 * 60_000;
const visitorParameter = '_et_vid';
const visitParameter = '_et_sid';

type Answer = { status?: number; may?: boolean } & Partial<Linked>;
type Linked = Record<'v' | 's', string>;
/** What the page says of its visitor; nothing is read from the page itself (COL-17). */
type Traits = { id?: string; email?: string; name?: string; avatar?: string };
let isOpen = false;

/**
 * Starts the tracker with a memory. This file is loaded only where the tag says `data-persistence="storage"`, and only it
 * touches storage (COL-04). A browser with Global Privacy Control or Do Not Track is measured as in memory mode (COL-20).
 *
 * Whether an id may be kept is for the desk to say, by the rule by which it takes events in: it is asked with what the visitor
 * has said, and asked anew when that changes. Until it has said yes nothing is written and no id is read (CON-01); events then
 * leave as in memory mode.
 *
 * @param start the tracker of memory mode
 * @param queue calls that the page made before the script was there
 */
export const open = async (
  start: (settings: Settings) => Track,
  settings: Settings,
  data: DOMStringMap,
  queue: Parameters<Track>[] = [],
): Promise<Track> => {
  // A tag manager may load the script twice, and it is this module both times.
  if (isOpen) return new Promise(() => {});
  isOpen = true;
  if (
    isPrivate() ||
    // Where the tracker is silent, this is too.
    (!settings.local && (navigator.webdriver || !/\./.test(location.hostname)))
  )
    return start(settings);

  const told: Told = {};
  /** What the page says itself; of two that disagree the no counts. */
  let own: boolean | undefined;
  let may: boolean | undefined;
  let isOut = false;
  let visitor: string | undefined;
  let hosts = data.allowedHostnames?.split(',').map((host) => host.trim());

  /** Storage may be forbidden, or full: then there is none, and the page is measured without. */
  const attempt = <T>(use: () => T): T | undefined => {
    try {
      return use();
    } catch {
      return undefined;
    }
  };
  const now = () => Math.round(performance.timeOrigin + performance.now());
  const random = () =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

  const isAllowed = () => may && !isOut;
  const said = () => ({
    ...told,
    analytics_storage: own === false ? 'denied' : told.analytics_storage || (own ? 'granted' : undefined),
  });
  const forget = () => {
    visitor = undefined;
    attempt(() => localStorage.removeItem(visitorKey));
    attempt(() => sessionStorage.removeItem(visitKey));
  };

  /** The ids of this moment; made where there are none yet. */
  const ids = (): Linked | undefined =>
    isAllowed()
      ? attempt(() => {
          const known = localStorage.getItem(visitorKey);
          visitor = /^[\da-f]{32}$/.test(known as string) ? (known as string) : random();
          const [id, at] = (sessionStorage.getItem(visitKey) || '').split(' ');
          const s = id && now() - +(at as string) <= visitGapMs ? id : random();
          if (known !== visitor) localStorage.setItem(visitorKey, visitor);
          sessionStorage.setItem(visitKey, `${s} ${now()}`);
          return { v: visitor, s };
        })
      : undefined;

  const ask = (body: object): Promise<Answer> => askDesk<Answer>(settings, { consent: said(), ...body });

  // Taken out of the address before anything of this file or of the tracker leaves the page (COL-08).
  const url = new URL(location.href);
  const linked = [visitorParameter, visitParameter].map((name) => url.searchParams.get(name) || '');
  if (hosts && (linked[0] || linked[1])) {
    // By hand: the other parameters stay as they were written.
    url.search = url.search.replace(/[?&]_et_[vs]id=[^&]*/g, '').replace(/^&/, '?');
    history.replaceState(history.state, '', url);
  } else linked.length = 0;

  /** What came by the link is exchanged for ids once the visitor agrees, and once only. */
  const exchange = async () => {
    const [v, s] = linked;
    const given = await ask({ n: 'linked', v, s });
    const { v: id } = given;
    if (id && isAllowed())
      attempt(() => {
        localStorage.setItem(visitorKey, id);
        sessionStorage.setItem(visitKey, `${given.s} ${now()}`);
      });
  };

  let taken: Promise<void> | undefined;
  const takeLink = () => {
    if (linked[0] && linked[1] && isAllowed()) taken ||= exchange();
    return taken;
  };

  /** The newest question; a former one's answer counts no more. */
  let deciding: Promise<void> | undefined;
  let turns = 0;
  const decide = async () => {
    const turn = ++turns;
    may = false;
    const answer = await ask({ n: 'region' });
    if (turn !== turns) return;
    may = answer.may;
    if (may) await takeLink();
    // No answer is no reason to forget anybody.
    else if (answer.may === false) forget();
  };
  const tell = (change: () => void) => {
    const before = JSON.stringify(said());
    change();
    const now = said();
    // A no holds at once, whatever the desk says.
    if (now.analytics_storage === 'denied') forget();
    if (deciding && JSON.stringify(now) !== before) deciding = decide();
  };
  const optOut = (wants: boolean) => {
    isOut = wants;
    if (wants) forget();
    else deciding = decide();
    attempt(() => (wants ? localStorage.setItem(optOutKey, '1') : localStorage.removeItem(optOutKey)));
  };

  const listen = hearer(told, tell);
  const isOwn = (name: string, value: unknown): boolean => {
    if (name === 'consent') tell(() => (own = !!value));
    else if (name === 'optout') optOut(!!value);
    else return false;
    return true;
  };

  isOut = !!attempt(() => localStorage.getItem(optOutKey));
  const hearAll = () => {
    for (const [name, value] of queue) isOwn(name, value);
    listen();
  };
  hearAll();
  if (!isOut) deciding = decide();
  await deciding;
  // What the page has said while an answer was waited for.
  hearAll();
  await deciding;

  const track = start({
    ...settings,
    transform: (event: WireEvent & { vi?: string; si?: string; consent?: object }) => {
      if (isOut) return;
      listen();
      const { v, s } = ids() || {};
      const known = { ...event, vi: v, si: s, consent: said() };
      return settings.transform ? settings.transform(known) : known;
    },
  });

  if (hosts) {
    const ready = new Map<string, Linked & { atMs: number }>();
    hosts = hosts.filter((host) => host !== location.hostname);
    const linkOf = (event: Event) => {
      const link = (event.composedPath() as HTMLAnchorElement[]).find((node) => node.href);
      return link && /^https?:$/.test(link.protocol) && hosts?.includes(link.hostname) ? link : undefined;
    };
    // A link cannot wait for an answer when it is clicked, so it is asked for when the pointer or the focus comes near.
    const near = async (event: Event) => {
      const host = linkOf(event)?.hostname;
      if (!host || now() - (ready.get(host)?.atMs || 0) < linkMs) return;
      const known = ids();
      if (!known) return;
      ready.set(host, { v: '', s: '', atMs: now() });
      const { v, s } = await ask({ n: 'link', h: host, ...known });
      if (v && s) ready.set(host, { v, s, atMs: now() });
      else ready.delete(host);
    };
    for (const type of ['pointerover', 'pointerdown', 'focusin']) addEventListener(type, near, true);
    const clicked = (event: Event) => {
      const link = linkOf(event);
      const known = link && ready.get(link.hostname);
      if (!link || !known?.v || !isAllowed() || now() - known.atMs > linkMs) return;
      ready.delete(link.hostname);
      const before = link.href;
      const decorated = new URL(before);
      decorated.search += `${decorated.search ? '&' : '?'}${visitorParameter}=${known.v}&${visitParameter}=${known.s}`;
      link.href = decorated.href;
      // The page keeps its link; the browser has followed the other one by then.
      setTimeout(() => {
        link.href = before;
      });
    };
    for (const type of ['click', 'auxclick']) addEventListener(type, clicked, true);
  }

  const identify = async (traits: Traits, isAgain?: boolean): Promise<void> => {
    const known = ids();
    if (!known) return;
    const { id, email, name, avatar } = traits;
    const { status } = await ask({ n: 'identify', vi: known.v, id, email, name, avatar });
    // Another person has this browser's id: whoever comes now gets one of their own.
    if (status === 409 && !isAgain) {
      forget();
      identify(traits, true);
    }
  };

  return ((name: string, value?: Record<string, PropertyValue>) => {
    if (name === 'identify') identify((value || {}) as Traits);
    else if (!isOwn(name, value)) track(name, value as Parameters<Track>[1]);
  }) as Track;
};
