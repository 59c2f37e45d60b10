import type { EventOptions, Outcome, Settings, Track, WireEvent } from './api.ts';

/** Plausible's rule, so that the figures compare: less attention than this is only told along with new scroll depth. */
const engagedMsMin = 3_000;
/** One retry, this much later: long enough for a server to restart, short enough that most pages are still open. */
const retryMs = 3_000;
/**
 * Applications change the title after the address, and scroll to the top after that: Vue in the same task, React in an
 * effect a frame or two later. A page view within the application waits this long for both.
 */
const settleMs = 100;
/** An element is tagged by itself or by one of its three nearest parents. */
const tagLevels = 4;
const titleCharsMax = 512;

/** What robots that drive a browser leave on `window`. */
type Automated = Window & { Cypress?: unknown; _phantom?: unknown; __nightmare?: unknown };

/**
 * Starts to measure this page and returns the function that sends further events.
 *
 * Everything it knows lives in the variables of this one call and is gone with the page: nothing is read from or
 * written to the device, and no two events carry anything that joins them (COL-01, COL-02).
 *
 * The built script has a budget of 2,000 bytes in brotli (sdk/size.test.ts). Where two ways to write a line are
 * equally clear, this file takes the one that repeats words already used.
 */
export const start = (settings: Settings): Track => {
  const { hash, include, exclude, contact, transform } = settings;

  /** The page view that engagement belongs to: none before the first one and none on an excluded page. */
  let view: WireEvent | undefined;
  /** The path of the last page view tells a new page from a new state of the same one. */
  let path: string | undefined;
  /** Sends the page view that still waits for its title. */
  let waiting: (() => void) | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Is the page visible and focused, since when, and how many milliseconds of that has no event told yet? */
  let engaged: boolean | undefined;
  let since = 0;
  let engagedMs = 0;
  /** The deepest pixel that was in view, and the deepest that an engagement event has told. */
  let depth = 0;
  let depthTold = 0;

  /**
   * Sends an event, and once more if the network or the server fails: the id in it makes that safe.
   *
   * Text goes out as text/plain, which needs no preflight. `credentials` keeps the cookies of a site from a proxy of
   * its own that forwards to us, `referrer` keeps the query string of the page out of the Referer header. Firefox
   * keeps a request alive beyond its page since version 133; before, only a beacon survives.
   */
  const post = (body: string, callback?: EventOptions['callback'], last?: boolean): unknown =>
    ('keepalive' in Request.prototype
      ? (fetch(settings.endpoint, {
          method: 'POST',
          keepalive: true,
          credentials: 'omit',
          referrer: '',
          body,
        }) as Promise<Outcome>)
      : Promise.resolve({ status: navigator.sendBeacon(settings.endpoint, body) ? 202 : 500 })
    )
      .catch((error): Outcome => ({ error }))
      .then((outcome) =>
        (outcome.status as number) < 500 || last
          ? callback?.(outcome)
          : setTimeout(post, retryMs, body, callback, true),
      );

  const send = (event: Partial<WireEvent>, callback?: EventOptions['callback']) => {
    const body = {
      d: settings.domain,
      v: 1,
      h: hash ? 1 : undefined,
      // Not crypto.randomUUID, which exists on https pages only.
      id: crypto.getRandomValues(new Uint32Array(4)).join(),
      ...event,
    } as WireEvent;
    const allowed = transform ? transform(body) : body;
    allowed ? post(JSON.stringify(allowed), callback) : callback?.({});
  };

  /** An address without credentials, query and fragment. */
  const bare = ({ protocol, host, pathname }: URL | HTMLAnchorElement) => `${protocol}//${host}${pathname}`;

  const currentPath = () => location.pathname + (hash ? location.hash : '');

  const noteDepth = () => {
    depth = Math.max(depth, scrollY + innerHeight);
  };

  /** Brings the clock up to date and tells what is new. Called by all that may start or end attention. */
  const settle = () => {
    const now = performance.now();
    waiting?.();
    if (engaged) engagedMs += now - since;
    since = now;
    engaged = !document.hidden && document.hasFocus();
    if (view && (depth > depthTold || engagedMs >= engagedMsMin)) {
      send({
        n: 'engagement',
        u: view.u,
        p: view.p,
        e: Math.round(engagedMs),
        sd: Math.min(100, Math.round((depth / document.documentElement.scrollHeight) * 100)),
      } as WireEvent);
      depthTold = depth;
      engagedMs = 0;
    }
  };

  const matches = (patterns: readonly string[], pathname: string) =>
    patterns.some((pattern) =>
      RegExp(
        `^${pattern
          .trim()
          .replace(/[^\w*]/g, '\\$&')
          .replace(/\*+/g, (stars) => (stars[1] ? '.*' : '[^/]*'))}$`,
      ).test(pathname),
    );

  // Asynchronous only so that a mistake in `transform`, `url` or `props` is reported without breaking its caller, which
  // may be the page's own pushState. Up to the request everything happens at once.
  const track = async (n: string, options?: EventOptions | null, waitMs?: number) => {
    const { callback, props, revenue, interactive, url: page } = options || {};
    const url = new URL(page || location.href, location.href);
    const { pathname } = url;
    const excluded = (include && !matches(include, pathname)) || (exclude && matches(exclude, pathname));
    const event = {
      n,
      // Of the query only what names a campaign leaves the page (the build puts the click ids of single ad platforms in); the server keeps the kind of a click id, not the id.
      u:
        bare(url) +
        url.search
          .replace(
            /[?&](?!(utm_\w+|ref|source|(g|d|y|fb|tt|tw)clid|[gw]braid|msclkid|gad_source|li_fat_id|epik|ScCid|rdt_cid|__CLICK_IDS__)=)[^&]*/g,
            '',
          )
          .replace(/^&/, '?') +
        // `#/page?token=…` and `#access_token=…` keep what comes before the first of these marks.
        (hash ? url.hash.replace(/[?&=].*/, '') : ''),
      r: document.referrer.split('?')[0],
      p: props,
      $: revenue,
      i: interactive,
      sc: `${screen.width}x${screen.height}`,
    } as WireEvent;
    const go = () => {
      clearTimeout(timer);
      waiting = undefined;
      if (view === event) {
        depth = depthTold = 0;
        noteDepth();
      }
      event.t = document.title.slice(0, titleCharsMax);
      send(event, callback);
    };
    // A page view that still waits goes before whatever happens on its page.
    waiting?.();
    if (n === 'pageview') {
      settle();
      view = excluded ? undefined : event;
      path = currentPath();
      engagedMs = 0;
    }
    if (excluded) callback?.({});
    else if (waitMs) {
      waiting = go;
      timer = setTimeout(go, waitMs);
    } else go();
  };

  const moved = () => {
    if (path && path !== currentPath()) track('pageview', null, settleMs);
  };

  const acted = (event: Event) => {
    const nodes = event.composedPath() as HTMLAnchorElement[];
    const submitted = event.type === 'submit';
    // A right click is an `auxclick` too.
    if ((event as MouseEvent).button > 1) return;
    for (const node of nodes.slice(0, tagLevels)) {
      const tag: Record<string, string> = {};
      for (const { name, value } of node.attributes || []) {
        const [, key] = /^data-fairlead-(.+)/.exec(name) || [];
        if (key) tag[key] = value;
      }
      // The classes that sites coming from Plausible have in their pages.
      for (const name of node.classList || []) {
        const [, key, value] = /^plausible-event-(.+?)(?:=|--)(.+)/.exec(name) || [];
        if (key) tag[key === 'name' ? 'event' : key] = (value as string).replace(/\+/g, ' ');
      }
      const { event: name, ...props } = tag;
      if (name && (node.localName === 'form') === submitted) return track(name, { props });
    }
    if (submitted) return nodes[0]?.matches('[novalidate],:valid') && track('Form: Submission');
    const link = nodes.find((node) => node.href);
    if (!link) return;
    const { protocol, pathname } = link;
    const url = bare(link);
    const value = contact ? pathname : undefined;
    if (protocol === 'mailto:')
      track('Mailto: Click', {
        props: { domain: /.*@([\w.%-]+)/.exec(pathname)?.[1], value } as Record<string, string>,
      });
    else if (protocol === 'tel:') track('Tel: Click', { props: { value } as Record<string, string> });
    else if (/^http/.test(protocol)) {
      if (
        /\.(pdf|xlsx?|docx?|txt|rtf|csv|exe|key|pp[st]x?|7z|pkg|rar|gz|zip|avi|mov|mp[34]|mpeg|wmv|midi|wav|wma|dmg)$/i.test(
          pathname,
        )
      )
        track('File Download', { props: { url } });
      else if (link.host !== location.host) track('Outbound Link: Click', { props: { url } });
    }
  };

  if (
    !settings.local &&
    (/^(|(.*\.)?localhost|127(\.\d+){3}|\[::1])$/.test(location.hostname) ||
      navigator.webdriver ||
      (window as Automated).Cypress ||
      (window as Automated)._phantom ||
      (window as Automated).__nightmare)
  )
    return (_, options) => options?.callback?.({});

  for (const type of ['click', 'auxclick', 'submit']) addEventListener(type, acted, true);
  for (const type of ['visibilitychange', 'pagehide', 'focus', 'blur']) addEventListener(type, settle);
  addEventListener('scroll', noteDepth);
  if (!settings.manual) {
    for (const method of ['pushState', 'replaceState'] as const) {
      const original = history[method];
      history[method] = function (...state) {
        original.apply(this, state);
        moved();
      };
    }
    addEventListener('popstate', moved);
    addEventListener('pageshow', (event) => {
      if (event.persisted) track('pageview');
    });
    const first = () => {
      if (!path && !document.hidden) track('pageview');
    };
    addEventListener('visibilitychange', first);
    first();
  }
  return track;
};
