import { useEffect, useRef } from 'react';
import { storedKeysOn, storeKeysOn } from '../edge/browser.ts';

/**
 * Keys of the whole desk (ui.md §10). `g a` is two keys one after the other. None fires inside a field. `g` with d, p, u
 * and m is kept for capabilities that are still to come; pages under Analytics have other letters.
 */
export const keyList = [
  { keys: 'Ctrl K', text: 'Go to or do' },
  { keys: '/', text: 'Search' },
  { keys: 'f', text: 'Add a filter' },
  { keys: '[', text: 'Earlier period' },
  { keys: ']', text: 'Later period' },
  { keys: 'c', text: 'Comparison' },
  { keys: 't', text: 'Chart as a table' },
  { keys: 'w', text: 'Why this number' },
  { keys: 'p', text: 'Pause realtime' },
  { keys: 'j', text: 'Next row' },
  { keys: 'k', text: 'Row before' },
  { keys: 'Enter', text: 'Open the row, filter by it' },
  { keys: 'x', text: 'Select the row' },
  { keys: '.', text: 'More about a list' },
  { keys: 'Esc', text: 'Close, or clear what is selected' },
  { keys: 'g a', text: 'Go to analytics' },
  { keys: 'g r', text: 'Go to the relay' },
  { keys: 'g t', text: 'Go to trust' },
  { keys: 'g s', text: 'Go to settings' },
  { keys: 'g n', text: 'Go to realtime, now' },
  { keys: 'g o', text: 'Go to goals' },
  { keys: 'g v', text: 'Go to profiles' },
  { keys: 'g w', text: 'Go to missing events, why' },
  { keys: 'g h', text: 'Go to shields' },
  { keys: 'g e', text: 'Go to exports' },
  { keys: 'g i', text: 'Go to imports' },
  { keys: '?', text: 'This list' },
] as const;

export type DeskKey = Exclude<(typeof keyList)[number]['keys'], 'Ctrl K' | 'Enter' | 'Esc'>;

let on = storedKeysOn();

export function keysAreOn(): boolean {
  return on;
}

export function turnKeys(turnedOn: boolean): void {
  on = turnedOn;
  storeKeysOn(turnedOn);
}

/** The second key of a pair is waited for this long. */
const pairMs = 1_000;

/** Acts on keys while the component is there. Ctrl K works everywhere; single keys only where nothing is typed. */
export function useKeys(actions: Partial<Record<DeskKey | 'Ctrl K', () => void>>): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    let first: string | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onKey = (event: KeyboardEvent) => {
      if (
        event.key.toLowerCase() === 'k' &&
        (event.ctrlKey || event.metaKey) &&
        !event.altKey &&
        latest.current['Ctrl K'] !== undefined
      ) {
        event.preventDefault();
        latest.current['Ctrl K']();
        return;
      }
      if (!on || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target))
        return;
      const pair = first === undefined ? undefined : `${first} ${event.key}`;
      clearTimeout(timer);
      first = undefined;
      const act = latest.current[(pair ?? event.key) as DeskKey];
      if (act !== undefined) {
        event.preventDefault();
        act();
      } else if (event.key === 'g') {
        first = 'g';
        timer = setTimeout(() => {
          first = undefined;
        }, pairMs);
      }
    };
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('keydown', onKey);
      clearTimeout(timer);
    };
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) ||
    target.closest('dialog, [role=dialog]') !== null
  );
}
