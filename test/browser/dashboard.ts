import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { type RunningServer, startServer } from '../../src/app/serve.ts';
import { onDesk } from '../../src/app/with_desk.ts';
import { type Config, readConfig } from '../../src/platform/config.ts';
import { layPreparedDesk } from '../prepared_cluster.ts';
import { eraseStores, quickCost } from '../stores.ts';
import { launch } from './chromium.ts';

/** What a person's browser says, where the engine that is driven would call itself headless and be counted as a bot. */
export const userAgent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';
export const owner = { email: 'owner@shop.example', password: 'a harbour of quiet rope' };

/** On a machine that is full, a page takes its time; what it must not do is said by the tests. */
const stepMs = 120_000;

/** A whole desk on a port of its own, with the built dashboard, and a browser in front of it. */
export interface DashboardDesk {
  config: Config;
  server: RunningServer;
  browser: Browser;
  /** `http://localhost:<port>`: the address that the desk prints. */
  origin: string;
  /** Stops the server and starts it again on the same data, under the same address. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param browserArgs see `launch`; made from the desk's port, for example to give a site a name. A browser with any is a
 *   visitor's too, so it is the one with windows: the other says in its client hints that it is driven
 * @param settings further environment of the desk, made from its port
 */
export async function openDashboardDesk(
  browserArgs: (port: number) => string[] = () => [],
  settings: (port: number) => Promise<Record<string, string>> = async () => ({}),
): Promise<DashboardDesk> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-dashboard-'));
  const port = await freePort();
  const config = {
    ...readConfig({ FAIRLEAD_DATA_DIR: join(folder, 'data'), PORT: String(port), ...(await settings(port)) }),
    passwordCost: quickCost,
  };
  const args = browserArgs(port);
  const [browser] = await Promise.all([launch({ windows: args.length > 0, args }), layPreparedDesk(config.dataDir)]);
  const desk: DashboardDesk = {
    config,
    browser,
    server: await startServer(config),
    origin: `http://localhost:${port}`,
    stop: () => desk.server.stop(),
    async start() {
      desk.server = await startServer(config);
    },
    async close() {
      await browser.close();
      const { directories } = desk.server.desk.house.postgres;
      await desk.server.stop();
      await eraseStores({ directories }, folder);
    },
  };
  return desk;
}

/** Owner, organisation and sites, as `fairlead setup` makes them. */
export async function setUpDesk({ config }: DashboardDesk, sites: string[], goals: string[] = []): Promise<void> {
  const input = { ...owner, organisation: 'Shop', sites, goals, timezone: 'Europe/Berlin' };
  await onDesk({ command: 'setup', body: JSON.stringify(input) }, config);
}

/** Rows of `fairlead import events`; ends when they can be asked for. */
export async function importEvents({ config }: DashboardDesk, site: string, rows: readonly object[]): Promise<void> {
  const body = rows.map((row) => JSON.stringify(row)).join('\n');
  await onDesk({ command: 'import', args: { site, file: 'rows' }, body }, config);
}

export async function newContext(desk: DashboardDesk, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await desk.browser.newContext({
    userAgent,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
    viewport: { width: 1440, height: 900 },
    ...options,
  });
  context.setDefaultTimeout(stepMs);
  return context;
}

/** Signs in through the form, which leaves the page where `path` says. */
export async function signIn(page: Page, { origin }: DashboardDesk, path = '/'): Promise<void> {
  await page.goto(`${origin}/sign-in?next=${encodeURIComponent(path)}`);
  await page.getByLabel('E-mail').fill(owner.email);
  await page.getByRole('textbox', { name: 'Password' }).fill(owner.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => url.pathname !== '/sign-in');
}

/**
 * Goes to a page of the dashboard that is loaded in this tab, as a link goes: loading it anew takes half a second of the
 * processor. By way of a page that does not exist, so that each page begins from nothing; what has been answered before
 * is not asked again, so it is for numbers that stay as they are.
 */
export async function goInside(page: Page, { origin }: DashboardDesk, path: string): Promise<void> {
  if (!page.url().startsWith(`${origin}/`)) throw new Error(`No dashboard is loaded here: ${page.url()}`);
  await page.evaluate(async (to) => {
    for (const address of ['/no/page/at/all', to]) {
      history.pushState(null, '', address);
      dispatchEvent(new PopStateEvent('popstate'));
      scrollTo(0, 0);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }, path);
  // Until the scripts of a page are there the one before it stands behind, hidden.
  await page.locator('#desk > :not([style*="display: none"])').first().waitFor({ state: 'attached' });
}

/** A whole desk with one site, and its owner in front of the path. */
export async function openSignedIn(site: string, path: string): Promise<{ desk: DashboardDesk; page: Page }> {
  const desk = await openDashboardDesk();
  await setUpDesk(desk, [site]);
  const page = await (await newContext(desk)).newPage();
  await signIn(page, desk, path);
  return { desk, page };
}

/** A page view of shop.example as a browser sends it, or what `more` makes of it; it is acknowledged. */
export async function collect(desk: DashboardDesk, path: string, more: object = {}, agent = userAgent): Promise<void> {
  const { status } = await fetch(`${desk.origin}/api/event`, {
    method: 'POST',
    headers: { 'user-agent': agent, origin: 'https://shop.example', 'content-type': 'text/plain' },
    body: JSON.stringify({ n: 'pageview', u: `https://shop.example${path}`, d: 'shop.example', ...more }),
  });
  expect(status).toBe(202);
}

/** From now on, what moved by itself on the pages that this tab loads: how far, and which elements. */
export async function watchShifts(page: Page): Promise<() => Promise<string[]>> {
  await page.addInitScript(() => {
    const moved: string[] = [];
    Object.assign(window, { moved });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & {
        value: number;
        sources?: { node?: Element | null }[];
      })[])
        moved.push(
          `${entry.value}: ${entry.sources?.map(({ node }) => `${node?.nodeName} ${node?.parentElement?.className} ${node?.textContent?.slice(0, 60)}`).join(' | ')}`,
        );
    }).observe({ type: 'layout-shift', buffered: true });
  });
  return () => page.evaluate(() => (window as unknown as { moved: string[] }).moved);
}

/** A site of one page, to put a snippet on. The page is whatever `html` says when it is asked for. */
export async function openSite(html: () => string): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(html());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The desk writes its port into the snippet, so it has to be known before it listens. */
async function freePort(): Promise<number> {
  const socket = createSocket();
  await new Promise<void>((resolve) => socket.listen(0, '127.0.0.1', resolve));
  const { port } = socket.address() as AddressInfo;
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}
