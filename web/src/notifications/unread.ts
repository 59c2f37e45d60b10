import { useEffect, useState } from 'react';
import { mailApi } from '../desk/mail_api.ts';

/** How often the bell asks while its page can be seen. */
const againMs = 60_000;

let known = 0;
let askedAtMs = Number.NEGATIVE_INFINITY;
const listeners = new Set<(unread: number) => void>();

/** Tells the bell what a page has just learned. */
export function unreadChanged(unread: number): void {
  known = unread;
  for (const listener of listeners) listener(unread);
}

/** The number beside the bell. A desk that does not answer leaves it as it is: the page has its own words for that. */
export function useUnread(): number {
  const [unread, setUnread] = useState(known);
  useEffect(() => {
    listeners.add(setUnread);
    const ask = (sinceMs = againMs) => {
      if (document.hidden || performance.now() - askedAtMs < sinceMs) return;
      askedAtMs = performance.now();
      mailApi.unread().then(
        (answer) => unreadChanged(answer.unread),
        () => {},
      );
    };
    ask();
    const timer = setInterval(() => ask(), againMs);
    // Whoever comes back from another tab may have read there what this one still counts.
    const onShown = () => ask(1_000);
    document.addEventListener('visibilitychange', onShown);
    return () => {
      listeners.delete(setUnread);
      clearInterval(timer);
      document.removeEventListener('visibilitychange', onShown);
    };
  }, []);
  return unread;
}
