import { useEffect, useState } from 'react';
import type { UnreadCount } from '../../../contract/mail.ts';
import { whenNews } from '../desk/api.ts';
import { mailApi } from '../desk/mail_api.ts';

/** How often the desk is asked while its page can be seen. */
const againMs = 60_000;

let known: UnreadCount = { unread: 0, document: null };
let askedAtMs = Number.NEGATIVE_INFINITY;
const listeners = new Set<(count: UnreadCount) => void>();

/** Tells the bell and the line over the page what a page has just learned. */
export function unreadChanged(count: UnreadCount): void {
  known = count;
  for (const listener of listeners) listener(count);
}

/** What is unread. A desk that does not answer leaves it as it is: the page has its own words for that. */
export function useUnread(): UnreadCount {
  const [count, setCount] = useState(known);
  useEffect(() => {
    listeners.add(setCount);
    const ask = (sinceMs = againMs) => {
      if (document.hidden || performance.now() - askedAtMs < sinceMs) return;
      askedAtMs = performance.now();
      mailApi.unread().then(unreadChanged, () => {});
    };
    ask();
    whenNews(() => ask(1_000));
    const timer = setInterval(() => ask(), againMs);
    // Whoever comes back from another tab may have read there what this one still counts.
    const onShown = () => ask(1_000);
    document.addEventListener('visibilitychange', onShown);
    return () => {
      listeners.delete(setCount);
      clearInterval(timer);
      document.removeEventListener('visibilitychange', onShown);
    };
  }, []);
  return count;
}
