import type { EventOptions, PixelCall, PropertyValue, Settings, Track, WireEvent } from './api.ts';
import { ask } from './ask.ts';
import { hearer, isPrivate, type Told, take } from './consent.ts';

type Platform = 'meta' | 'tiktok';
/** What the desk lets be done on this page: as the site's switches are, and its visitor has said. */
type Answer = {
  may?: boolean;
  /** Platforms whose ids are read, of this browser. */
  ids?: Platform[];
  /** Are calls of pixels counted? */
  calls?: boolean;
  /** Does the site keep order numbers? Then an order is what the relay sends as id. */
  orders?: boolean;
};
type Call = { p: Platform; n: string; i: string | undefined };
type Fbq = (...args: unknown[]) => unknown;
type Ttq = { track?: Fbq };
type Page = Window & { fbq?: Fbq; ttq?: Ttq } & Record<string, unknown>;
type Sent = WireEvent & { consent?: object; bi?: Record<string, string> };

/** Cookies that pixels set. They are read here and never written. */
const cookies = [
  ['meta', '_fbc', 'fbc'],
  ['meta', '_fbp', 'fbp'],
  ['tiktok', '_ttp', 'ttp'],
] as const;
/** As many as the desk takes in one message. */
const callsMax = 20;
const nearMax = 10;
/** A pixel is called beside an event, before it or after it: what belongs together goes together. */
const gatherMs = 1_000;

let isOpen = false;

/**
 * Starts the tracker of a site that has pixels of ad platforms, too: where the tag says `data-pixels`, or the package is
 * `@fairlead/sdk/pixels`.
 *
 * It shows the page each event with the id that the relay sends of it, calls pixels with that id where it is told to, hands ids of
 * ad platforms over with events, and counts which ids pixels were called with. The last three happen only where the desk has said
 * that the site wants it and that this visitor has agreed to ads; until then no cookie is read and no pixel is listened to.
 *
 * @param begin the tracker of memory or storage mode
 * @param isStored storage mode: it hears what was said of being measured, too
 * @param queue calls that the page made before the script was there
 */
export const beside = async (
  begin: (settings: Settings) => Track | Promise<Track>,
  settings: Settings,
  isStored: boolean,
  queue: readonly Parameters<Track>[] = [],
): Promise<Track> => {
  const page = window as unknown as Page;
  // A tag manager may load the script twice, and it is this module both times.
  if (isOpen) return new Promise(() => {});
  isOpen = true;

  const told: Told = {};
  let given: Answer = {};
  let deciding: Promise<void> | undefined;
  let turns = 0;
  /** An event of this page has left: whoever is not measured is not asked about either. */
  let isMeasured = false;
  let isOut = false;
  /** The call of `fairlead` that is being carried out. */
  let current: [name: string, pixel: PixelCall | undefined] | undefined;
  let calls: Call[] = [];
  /** Ids of this page's own events, of which a call may be one. */
  let near: string[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  const decide = async () => {
    const turn = ++turns;
    const answer = await ask<Answer>(settings, { n: 'pixels', consent: told });
    if (turn !== turns || !answer.may) return;
    given = answer;
    if (answer.calls) for (const name of ['fbq', 'ttq']) observe(name);
  };
  /** Asks where somebody may have said yes. A no holds at once, and so does whatever the browser asks for. */
  const reconsider = () => {
    if (
      !deciding &&
      isMeasured &&
      !isPrivate() &&
      (told.tc || told.gpp || (told.ad_storage === 'granted' && told.ad_user_data === 'granted'))
    )
      deciding = decide();
  };
  const tell = (change: () => void) => {
    const before = JSON.stringify(told);
    change();
    if (JSON.stringify(told) === before) return;
    turns++;
    given = {};
    calls = [];
    deciding = undefined;
    reconsider();
  };
  const listen = hearer(told, tell);

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const [all, own] = [calls, near];
    calls = [];
    if (all.length && given.calls) ask(settings, { n: 'calls', consent: told, calls: all, near: own }, true);
  };
  const note = (p: Platform, n: unknown, options: unknown) => {
    const { eventID, event_id } = (options || {}) as Record<string, unknown>;
    // A view of a page is told by the browser alone.
    if (!given.calls || !isMeasured || typeof n !== 'string' || /^page_?view$/i.test(n)) return;
    const id = p === 'meta' ? eventID : event_id;
    calls.push({ p, n, i: id ? String(id) : undefined });
    if (calls.length >= callsMax) flush();
    else timer ||= setTimeout(flush, gatherMs);
  };
  const ears = new WeakSet();
  /** The pixel with an ear to it: calls go on as they are. */
  const heard = (name: string, pixel: unknown) => {
    if (name === 'fbq') {
      if (typeof pixel !== 'function' || ears.has(pixel)) return pixel;
      const ear = new Proxy(pixel as Fbq, {
        apply(target, self, args) {
          const [how, ...rest] = args as [string, ...unknown[]];
          const [event, , options] = /^trackSingle/.test(how) ? rest.slice(1) : rest;
          if (/^track/.test(how)) note('meta', event, options);
          return Reflect.apply(target, self, args);
        },
      });
      ears.add(ear);
      return ear;
    }
    const { track } = (pixel || {}) as Ttq;
    if (track && !ears.has(track)) {
      const ear = function (this: unknown, ...args: unknown[]) {
        note('tiktok', args[0], args[2]);
        return track.apply(this, args);
      };
      ears.add(ear);
      (pixel as Ttq).track = ear;
    }
    return pixel;
  };
  const observe = (name: string) => {
    let value = heard(name, page[name]);
    attempt(() => {
      // A global variable of the page cannot be defined anew, and can be set.
      if (Object.getOwnPropertyDescriptor(page, name)?.configurable === false) page[name] = value;
      else
        Object.defineProperty(page, name, {
          configurable: true,
          enumerable: true,
          // Looked at each time: a pixel's own script puts other functions into it when it has come.
          get: () => heard(name, value),
          set: (next) => {
            value = heard(name, next);
          },
        });
    });
  };

  /** What is wrong with a pixel or its page keeps no event from leaving. */
  const attempt = (use: () => void) => {
    try {
      use();
    } catch {}
  };

  const browserIds = () => {
    const found: Record<string, string> = {};
    // Read only where one is wanted: a page may have no cookies at all.
    const text = given.ids?.length ? document.cookie : '';
    for (const [platform, cookie, name] of cookies) {
      const [, value] = RegExp(`(?:^|; )${cookie}=([^;]+)`).exec(text) || [];
      if (value && given.ids?.includes(platform)) found[name] = value;
    }
    return text ? found : undefined;
  };

  /** Shows the page the event with its id, and calls its pixels where it was asked to. */
  const hand = ({ id: own, n: name, $ }: Sent) => {
    const id = ($?.order_id && given.orders && String($.order_id).trim()) || own;
    near = [...near, own].slice(-nearMax);
    document.dispatchEvent(new CustomEvent('fairlead:event', { detail: { id, name, allowed: !!given.may } }));
    const [asked, pixel] = current || [];
    if (!pixel || asked !== name || !given.may) return;
    const { meta, tiktok, data: more } = pixel;
    const values = { ...($ && { value: +$.amount, currency: $.currency }), ...more };
    if (meta) attempt(() => page.fbq?.('track', meta, values, { eventID: id }));
    if (tiktok) attempt(() => page.ttq?.track?.(tiktok, values, { event_id: id }));
  };

  const transform = (event: Sent) => {
    if (isOut) return;
    listen();
    const isOwn = !/^(pageview|engagement)$/.test(event.n);
    const said = { ...event.consent, ...told };
    if (event.n === 'pageview') {
      // What was called on the page before belongs to its events.
      flush();
      near = [];
    }
    const known: Sent = { ...event };
    if (Object.keys(said).length) known.consent = said;
    const bi = isOwn && !isPrivate() && browserIds();
    if (bi) known.bi = bi;
    const sent = settings.transform ? settings.transform(known) : known;
    if (sent) {
      isMeasured = true;
      reconsider();
      if (isOwn) hand(sent);
    }
    return sent;
  };

  const hearOwn = (name: string, value: unknown) => {
    if (name === 'consent' && typeof value === 'object') tell(() => take(told, value as object));
    if (name !== 'optout') return;
    // Storage mode keeps the word. Here nothing is kept, so it holds for as long as the page does.
    isOut = !isStored && !!value;
    if (value) tell(() => take(told, { ad_storage: 'denied', ad_user_data: 'denied' }));
  };
  for (const [name, value] of queue) hearOwn(name, value);
  listen();
  const inner = await begin({ ...settings, transform } as Settings);
  for (const type of ['pagehide', 'visibilitychange']) addEventListener(type, flush);
  listen();
  // Views leave at once. What the page calls in its first moments waits for the answer: it is often a sale.
  await deciding;

  return ((name: string, value?: EventOptions & Record<string, PropertyValue>) => {
    hearOwn(name, value);
    if (name === 'consent' && typeof value === 'object') {
      const { analytics_storage } = value as Told;
      if (isStored && analytics_storage) inner(name, (analytics_storage === 'granted') as never);
      return;
    }
    // Words to the tracker are no events.
    if (!isStored && /^(consent|optout)$/.test(name)) return;
    current = [name, value?.pixel];
    inner(name, value);
    current = undefined;
  }) as Track;
};
