import type { BrowserContext, Page } from 'playwright-core';

/** A page under this path is not trapped: the test reads there what the session has left behind. */
export const inspectionPath = '/inspect';

const prefix = 'trap sprung: ';
const consentApis = ['__tcfapi', '__gpp', '__cmp', '__uspapi', 'gtag', 'alert', 'confirm', 'prompt'];
/** Is it about asking somebody, and not about storage, that a trap has sprung? */
export const isAsking = (fact: string) => consentApis.some((key) => fact.startsWith(`window.${key} `));

/**
 * Puts a trap on everything in which a page could keep something or ask for consent, before any script of the page
 * runs. A trap throws, and reports to the list that is returned even if the script swallows what was thrown.
 */
export const setTraps = async (context: BrowserContext): Promise<string[]> => {
  const sprung: string[] = [];
  context.on('console', (message) => {
    if (message.text().startsWith(prefix)) sprung.push(message.text().slice(prefix.length));
  });
  await context.addInitScript(trapEverything, { inspectionPath, prefix, consentApis });
  return sprung;
};

/** Runs inside the page, so it can use nothing from this file. */
const trapEverything = ({
  inspectionPath,
  prefix,
  consentApis,
}: {
  inspectionPath: string;
  prefix: string;
  consentApis: string[];
}) => {
  if (location.pathname === inspectionPath) return;
  const say = console.error.bind(console);
  const trap = (owner: object | undefined, name: string, key: string) => {
    const found = owner && Object.getOwnPropertyDescriptor(owner, key);
    if (!found?.configurable) return;
    const spring = (how: string): never => {
      say(`${prefix}${name}.${key} ${how}`);
      throw new Error(`${name}.${key} ${how}`);
    };
    Object.defineProperty(
      owner,
      key,
      typeof found.value === 'function'
        ? {
            configurable: true,
            writable: true,
            // Not an arrow: what is trapped may be called with `new`.
            value: function trapped() {
              return spring('called');
            },
          }
        : { configurable: true, get: () => spring('read'), set: () => spring('written') },
    );
  };
  const trapAll = (name: string) => {
    const { prototype } = (window as unknown as Record<string, { prototype: object } | undefined>)[name] ?? {};
    for (const key of Object.getOwnPropertyNames(prototype ?? {}))
      if (key !== 'constructor') trap(prototype, name, key);
  };
  for (const name of ['Storage', 'IDBFactory', 'CacheStorage', 'Cache', 'CookieStore', 'StorageManager']) trapAll(name);
  for (const name of ['StorageBucketManager', 'SharedStorage', 'ServiceWorkerContainer', 'Permissions']) trapAll(name);
  for (const key of ['cookie', 'requestStorageAccess', 'hasStorageAccess']) trap(Document.prototype, 'Document', key);
  for (const key of ['localStorage', 'sessionStorage', 'indexedDB', 'caches', 'cookieStore', 'sharedStorage', 'name'])
    trap(Object.hasOwn(window, key) ? window : Window.prototype, 'window', key);
  trap(window, 'window', 'SharedWorker');
  trap(window, 'window', 'webkitRequestFileSystem');
  trap(History.prototype, 'History', 'state');
  // The consent APIs of the IAB and of Google, and boxes of the browser: a tracker that needs no banner asks none of them.
  for (const key of consentApis)
    Object.defineProperty(window, key, {
      configurable: true,
      value: () => say(`${prefix}window.${key} called`),
    });
};

/** What a session has left on the device, as sentences; none when it left nothing. Call with a page on `inspectionPath`. */
export const leftBehind = async (context: BrowserContext, page: Page): Promise<string[]> => {
  const found: Record<string, unknown> = await page.evaluate(async () => ({
    'document.cookie': document.cookie,
    localStorage: Object.keys(localStorage).join(),
    sessionStorage: Object.keys(sessionStorage).join(),
    indexedDB: ((await indexedDB.databases?.()) ?? []).map(({ name }) => name).join(),
    caches: 'caches' in window ? (await caches.keys()).join() : '',
    'window.name': window.name,
    'service workers': navigator.serviceWorker
      ? (await navigator.serviceWorker.getRegistrations()).map(({ scope }) => scope).join()
      : '',
  }));
  found.cookies = (await context.cookies()).map(({ name }) => name).join();
  return Object.entries(found)
    .filter(([, value]) => value !== '')
    .map(([place, value]) => `${place} holds ${String(value)}`);
};
