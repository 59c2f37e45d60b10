import type { Page } from 'playwright-core';
import { launch } from '../test/browser/chromium.ts';
import { type DeskFolder, daysShown, lastDays, mainSite, owner, pause, type Running, timezone } from './desk.ts';

/**
 * What a reader sees in a browser: the dashboard as the desk sends it, in Chromium on the same machine. Milliseconds;
 * the browser, the server and the stores share the processors.
 */
export interface DashboardTimes {
  /** Of a page whose files are in the browser's cache: from the start of the navigation to the first paint of content. */
  firstPaint: number[];
  /** The same, to the frame in which the numbers stand. */
  numbers: number[];
  /** From a click on a row to the frame in which its filter stands. */
  answered: number[];
  /** The same, to the frame in which every number is of the filter. */
  filtered: number[];
  /** From an event's 202 until the overview that is open shows a page view more. */
  news: number[];
}

const listsClicked = ['sources', 'pages', 'places', 'devices'];

/** @param rounds loads of the overview, and clicks on rows that were not clicked before, as far as there are rows */
export async function measureDashboard(desk: DeskFolder, running: Running, rounds: number): Promise<DashboardTimes> {
  const browser = await launch({ measured: true });
  try {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      timezoneId: timezone,
      // The desk believes one proxy, which the browser has to be here as well.
      extraHTTPHeaders: { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https' },
    });
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    const origin = `http://localhost:${running.port}`;
    const [from, to] = lastDays(desk, daysShown);
    const overview = `/s/${mainSite}/analytics?period=${from}..${to}`;
    await page.goto(`${origin}/sign-in?next=${encodeURIComponent(overview)}`);
    await page.getByLabel('E-mail').fill(owner.email);
    await page.getByRole('textbox', { name: 'Password' }).fill(owner.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await settled(page);
    const times: DashboardTimes = { firstPaint: [], numbers: [], answered: [], filtered: [], news: [] };
    for (let round = 0; round < rounds; round++) {
      await page.goto(`${origin}${overview}`, { waitUntil: 'commit' });
      times.numbers.push(await settled(page));
      times.firstPaint.push(
        await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN),
      );
    }
    for (let round = 0; round < rounds; round++) {
      const list = page.locator(`#panel-${listsClicked[round % listsClicked.length]} .name`);
      const row = list.nth(Math.floor(round / listsClicked.length));
      if ((await row.count()) === 0) continue;
      await row.scrollIntoViewIfNeeded();
      const { answered, filtered } = await clicked(page, () => row.click());
      times.answered.push(answered);
      times.filtered.push(filtered);
      await page.goBack();
      // The list of before is still there for a moment, and a click on its row would take the filter away again.
      await page.waitForFunction(() => document.querySelector('.filters .chip-text') === null);
      await settled(page);
    }
    await page.goto(`${origin}/s/${mainSite}/analytics`);
    const views = page.locator('.k', { hasText: 'Page views' }).locator('.kv');
    await views.waitFor();
    for (let round = 0; round < rounds; round++) {
      // Not in step with the spool's second, and of one visitor, so that "now" stays as it is.
      await pause(3_000 + 137 * (round % 7));
      const before = await views.getAttribute('title');
      await send(running, round);
      const from = performance.now();
      while ((await views.getAttribute('title')) === before) {
        if (performance.now() - from > 60_000) throw new Error('The open page did not show the event within a minute.');
        await pause(10);
      }
      times.news.push(performance.now() - from);
    }
    for (const list of [times.news, times.firstPaint, times.numbers, times.answered, times.filtered])
      list.sort((one, other) => one - other);
    return times;
  } finally {
    await browser.close();
  }
}

/** One page view of the one visitor who is always there. @throws when it is not taken */
async function send(running: Running, round: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${running.port}/api/event`, {
    method: 'POST',
    headers: {
      'content-type': 'text/plain',
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0',
      'accept-language': 'en',
      'x-forwarded-for': '20.0.0.9',
    },
    body: JSON.stringify({ n: 'pageview', d: mainSite, u: `https://${mainSite}/news/${round}` }),
  });
  if (response.status !== 202 || response.headers.has('x-fairlead-dropped'))
    throw new Error(`The event was not taken: ${response.status}`);
}

/** Resolves when no list and no chart is on its way, with the time since the start of the navigation. */
function settled(page: Page): Promise<number> {
  return page
    .waitForFunction(
      () =>
        document.querySelectorAll('#main .name').length > 10 &&
        document.querySelector('#main [aria-busy="true"]') === null &&
        performance.now(),
      undefined,
      { polling: 'raf' },
    )
    .then((handle) => handle.jsonValue() as Promise<number>);
}

/** The frames after a press of the pointer in which the filter and then the numbers stand, both in milliseconds. */
async function clicked(page: Page, click: () => Promise<void>): Promise<{ answered: number; filtered: number }> {
  await page.evaluate(() => {
    const seen = window as unknown as { bench: Promise<{ answered: number; filtered: number }> };
    seen.bench = new Promise((resolve, reject) => {
      setTimeout(() => {
        const busy = document.querySelectorAll('#main [aria-busy="true"]').length;
        const filter = document.querySelector('.filters .chip-text')?.textContent ?? 'none';
        reject(
          new Error(`The click had no numbers within 30 s: ${location.search}, filter ${filter}, ${busy} lists busy.`),
        );
      }, 30_000);
      addEventListener(
        'click',
        ({ timeStamp }) => {
          let answered: number | undefined;
          const look = (at: number) => {
            // A frame that had begun when the press came shows the filter already: it is no time at all.
            if (document.querySelector('.filters .chip-text') !== null) answered ??= Math.max(0, at - timeStamp);
            if (answered !== undefined && document.querySelector('#main [aria-busy="true"]') === null)
              resolve({ answered, filtered: at - timeStamp });
            else requestAnimationFrame(look);
          };
          requestAnimationFrame(look);
        },
        { capture: true, once: true },
      );
    });
  });
  await click();
  return page.evaluate(() => (window as unknown as { bench: Promise<{ answered: number; filtered: number }> }).bench);
}
