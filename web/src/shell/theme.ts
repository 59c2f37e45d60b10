import { useSyncExternalStore } from 'react';
import type { Theme } from '../edge/browser.ts';
import { storedTheme, storeTheme } from '../edge/browser.ts';

export const themes: readonly { id: Theme; label: string }[] = [
  { id: 'system', label: 'System' },
  { id: 'light', label: 'Light' },
  { id: 'dark', label: 'Dark' },
];

const listeners = new Set<() => void>();
let theme: Theme = storedTheme();

export function chooseTheme(chosen: Theme): void {
  theme = chosen;
  storeTheme(chosen);
  for (const listener of listeners) listener();
}

export function useTheme(): Theme {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => theme,
  );
}
