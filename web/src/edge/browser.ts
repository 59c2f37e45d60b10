/**
 * The one place where the dashboard touches the browser's clock, storage and clipboard. Everything else takes
 * values, so that it can be tested with exact ones.
 */

/** Milliseconds since the epoch. */
export function now(): number {
  return Date.now();
}

/** Where this desk is, as the reader reaches it: `https://stats.example`. */
export function origin(): string {
  return location.origin;
}

export type Theme = 'system' | 'light' | 'dark';

/**
 * Three things stay in this browser, under these keys and no others (contract/browser_storage.ts): the theme, whether single
 * keys act, and mappings that somebody has changed and not saved. None of them says who a visitor or customer is; the session
 * lives in cookies that no script can read.
 */
const themeKey = 'fairlead.theme';
const keysKey = 'fairlead.keys';
const draftsKey = 'fairlead.drafts';

export function storedTheme(): Theme {
  const stored = readStored(themeKey);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

export function storeTheme(theme: Theme): void {
  if (theme === 'system') {
    delete document.documentElement.dataset.theme;
    dropStored(themeKey);
  } else {
    document.documentElement.dataset.theme = theme;
    writeStored(themeKey, theme);
  }
}

export function storedKeysOn(): boolean {
  return readStored(keysKey) !== 'off';
}

export function storeKeysOn(on: boolean): void {
  if (on) dropStored(keysKey);
  else writeStored(keysKey, 'off');
}

/** What was kept of unsaved mappings, as text; null where nothing was, or the browser keeps nothing. */
export function storedDrafts(): string | null {
  return readStored(draftsKey);
}

/** @param drafts null takes them away @returns whether the browser keeps them */
export function storeDrafts(drafts: string | null): boolean {
  if (drafts === null) dropStored(draftsKey);
  else writeStored(draftsKey, drafts);
  return readStored(draftsKey) === drafts;
}

/** False where the browser refuses, for example on an address without HTTPS: the caller then selects the text. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Hands a file to the reader. It is made here, so nothing travels. */
export function saveFile(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

function readStored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function writeStored(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage is switched off: the choice holds until the page closes.
  }
}

function dropStored(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // Nothing was stored either.
  }
}
