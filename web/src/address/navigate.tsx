import type { AnchorHTMLAttributes, MouseEvent } from 'react';
import { useSyncExternalStore } from 'react';

/** The browser's address is the state; these few functions read it, change it and tell React about it. */
const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of listeners) listener();
}

/** Goes to an address of this desk. `replace` leaves no entry for Back, for changes that nobody would want to undo alone. */
export function navigate(to: string, options: { replace?: boolean; keepScroll?: boolean } = {}): void {
  const here = window.location.pathname;
  if (options.replace === true) history.replaceState(null, '', to);
  else if (to !== here + window.location.search) history.pushState(null, '', to);
  if (window.location.pathname !== here && options.keepScroll !== true) window.scrollTo(0, 0);
  tell();
}

export function useAddress(): { pathname: string; search: string } {
  const href = useSyncExternalStore(subscribe, () => window.location.pathname + window.location.search);
  const at = href.indexOf('?');
  return at === -1 ? { pathname: href, search: '' } : { pathname: href.slice(0, at), search: href.slice(at) };
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('popstate', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('popstate', listener);
  };
}

/** A link that stays inside the page; with a modifier or the middle button it does what the browser does. */
export function Link({ onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a link turns Enter into a click by itself.
    // biome-ignore lint/a11y/noStaticElementInteractions: it has an href, which makes it a link.
    <a
      {...rest}
      // biome-ignore lint/a11y/useValidAnchor: it goes to its href, without asking for the page again.
      onClick={(event: MouseEvent<HTMLAnchorElement>) => {
        onClick?.(event);
        if (
          event.defaultPrevented ||
          event.button !== 0 ||
          event.metaKey ||
          event.ctrlKey ||
          event.shiftKey ||
          event.altKey
        )
          return;
        event.preventDefault();
        navigate(rest.href);
      }}
    />
  );
}
