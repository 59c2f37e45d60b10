import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestDesk, type TestDesk } from '../journeys/desk.ts';
import { launch } from './chromium.ts';
import { openSite, userAgent } from './dashboard.ts';
import type { Steps } from './moved/page.ts';

/**
 * The published packages of the products that a team may come from, in a page of another origin, with nothing changed
 * but the host that they send to. Umami's and Plausible's hosted scripts are in no package; what these send is in
 * test/journeys/moving_in.test.ts.
 */
const ids = {
  umami: '7f8c1a2e-4b5d-4c6e-8f90-1a2b3c4d5e6f',
  rybbit: 'a1b2c3d4e5f6',
  openpanel: '0b5f3c1e-98ab-4cde-8123-456789abcdef',
};
const hosts = ['shop.example', 'stats.example'];

let desk: TestDesk;
let browser: Browser;
let site: Awaited<ReturnType<typeof openSite>>;
let script = '';

beforeAll(async () => {
  desk = await openTestDesk(['shop.example']);
  for (const [product, id] of Object.entries(ids))
    expect((await desk.call('PUT', `/api/sites/shop.example/foreign-ids/${product}`, { id })).status).toBe(200);
  browser = await launch({ args: [`--host-resolver-rules=${hosts.map((host) => `MAP ${host} 127.0.0.1`).join()}`] });
  site = await openSite(() => `<!doctype html><title>Shop</title><body><script>${script}</script>`);
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await site?.close();
  await desk?.close();
});

/** A page's script: one of the pages in `moved/`, as a site's own bundle would have it. */
async function bundle(product: string, id: string): Promise<string> {
  const origin = `http://stats.example:${desk.server.http.address.port}`;
  const built = await build({
    entryPoints: [join(import.meta.dirname, 'moved', `${product}.ts`)],
    bundle: true,
    format: 'iife',
    write: false,
    minify: true,
    // OpenPanel's and Rybbit's recorders, which are loaded when a site switches recordings on.
    external: ['rrweb', './replay-*'],
    define: { deskOrigin: JSON.stringify(origin), foreignId: JSON.stringify(id), 'process.version': '"v24"' },
  });
  // The bundle stands in a page.
  return (built.outputFiles[0]?.text ?? '').replaceAll('</script', '<\\/script');
}

type Row = {
  name: string;
  pathname: string;
  title: string;
  referrer: string;
  utm_source: string;
  props: object;
  revenue: string;
  currency: string;
};

/** Plausible's page tells of attention when it is closed, which may arrive while the next tracker's page is open. */
const told = "FROM events WHERE name != 'engagement'";

/** Opens the page, takes the steps and gives the rows that they made, and what the browser could not do. */
async function visit(
  product: string,
  rowsWanted: number,
): Promise<{ rows: Row[]; failed: string[]; reasons: string[] }> {
  script = await bundle(product, ids[product as keyof typeof ids] ?? '');
  const before = await desk.rows<{ rows: string }>(`SELECT count() AS rows ${told}`);
  const context = await browser.newContext({ userAgent, viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const failed: string[] = [];
  const reasons: string[] = [];
  page.on('requestfailed', (request) =>
    failed.push(`${request.method()} ${request.url()} ${request.failure()?.errorText}`),
  );
  page.on('response', (response) => {
    const reason = response.headers()['x-fairlead-dropped'];
    if (reason !== undefined) reasons.push(reason);
  });
  const seen = async (count: number) => {
    await expect
      .poll(async () => Number((await desk.rows<{ rows: string }>(`SELECT count() AS rows ${told}`))[0]?.rows), {
        timeout: 60_000,
      })
      .toBeGreaterThanOrEqual(Number(before[0]?.rows) + count);
  };
  await page.goto(`http://shop.example:${site.port}/first?utm_source=letter&token=abc`);
  await seen(1);
  const step = (name: keyof Steps) =>
    page.evaluate(async (which) => {
      await window.steps[which]?.();
    }, name);
  await step('navigate');
  await seen(2);
  await step('signUp');
  await seen(3);
  for (const name of ['buy', 'link', 'sayWho'] as const) await step(name);
  await seen(rowsWanted);
  await page.waitForLoadState('networkidle');
  const rows = await desk.rows<Row>(
    `SELECT name, pathname, title, referrer, utm_source, props, toString(revenue_amount) AS revenue, revenue_currency AS currency
     ${told} ORDER BY time LIMIT 100 OFFSET ${before[0]?.rows}`,
  );
  await context.close();
  return { rows, failed, reasons };
}

const view = (pathname: string, title: string) =>
  expect.objectContaining({ name: 'pageview', pathname, title, utm_source: 'letter' });

it('Plausible: @plausible-analytics/tracker', { timeout: 400_000 }, async () => {
  const { rows, failed } = await visit('plausible', 4);
  expect(rows).toEqual([
    view('/first', ''),
    view('/second', ''),
    expect.objectContaining({ name: 'Sign up', pathname: '/second', props: { plan: 'team' } }),
    expect.objectContaining({ name: 'Purchase', revenue: '19.99', currency: 'EUR' }),
  ]);
  expect(failed).toEqual([]);
});

it('Umami: @umami/node', { timeout: 400_000 }, async () => {
  const { rows, failed, reasons } = await visit('umami', 4);
  expect(rows).toEqual([
    view('/first', 'Shop'),
    view('/second', 'Second'),
    expect.objectContaining({ name: 'Sign up', pathname: '/second', props: { plan: 'team' } }),
    expect.objectContaining({ name: 'Purchase', revenue: '19.99', currency: 'EUR', props: {} }),
  ]);
  expect(failed).toEqual([]);
  expect(reasons).toEqual(['identity']);
});

it('Rybbit: @rybbit/js', { timeout: 400_000 }, async () => {
  const { rows, failed } = await visit('rybbit', 4);
  expect(rows).toEqual([
    view('/first', 'Shop'),
    view('/second', 'Second'),
    expect.objectContaining({ name: 'Sign up', pathname: '/second', props: { plan: 'team' } }),
    expect.objectContaining({
      name: 'Outbound Link: Click',
      props: { url: 'https://partner.example/', target: '_self' },
    }),
  ]);
  // It asks for settings that are kept at Rybbit, and goes on with its own when it gets none.
  expect(failed.filter((one) => !one.includes('/api/site/tracking-config/'))).toEqual([]);
});

it('OpenPanel: @openpanel/web', { timeout: 400_000 }, async () => {
  const { rows, failed, reasons } = await visit('openpanel', 4);
  expect(rows).toEqual([
    view('/first', 'Shop'),
    view('/second', 'Second'),
    expect.objectContaining({ name: 'Sign up', pathname: '/second', props: { plan: 'team' } }),
    expect.objectContaining({ name: 'revenue', revenue: '19.99', currency: 'EUR', props: {} }),
  ]);
  expect(failed).toEqual([]);
  expect(reasons).toEqual(['identity', 'identity']);
});

it('all of it is one person’s, in one visit each, and says nothing of who it is', { timeout: 100_000 }, async () => {
  const [found] = await desk.rows<{ visitors: string; visits: string }>(
    'SELECT uniqExact(visitor_id) AS visitors, uniqExact(visit_id) AS visits FROM events',
  );
  expect(found).toEqual({ visitors: '1', visits: '1' });
  for (const { text } of await desk.rows<{ text: string }>('SELECT toString(tuple(*)) AS text FROM events'))
    expect(text).not.toMatch(/anna|Schmidt|token/i);
});
