// Long because it has every page in every state, each beside the others.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page, Request } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ServedDashboard, serveDashboard } from '../../web/dev/serve.ts';
import { isDeep } from '../depth.ts';
import { launch } from './chromium.ts';

/**
 * The built dashboard over its double, which has every state of every page: a full site, an empty one, one with
 * awkward names, a broken panel, a warehouse that is away. axe finds nothing serious in any of them, in either theme and
 * wide and narrow; and no page scrolls sideways, down to 320 px.
 */
let browser: Browser;
/** One tab for all of them: a new one costs its first page three times what a page costs in a tab that is warm. */
let page: Page;
/** One address for all, so that the browser keeps what it compiled; the desk behind it is each time a new one. */
let served: ServedDashboard;
let errors: string[] = [];
/** What the page has asked and has no answer to yet, and when that last changed. */
const asked = new Set<Request>();
let changedAt = 0;
beforeAll(async () => {
  [browser, served] = await Promise.all([launch({ windows: false }), serveDashboard()]);
  const context = await browser.newContext({ reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'Europe/Berlin' });
  context.setDefaultTimeout(120_000);
  page = await context.newPage();
  page.on('console', (message) => {
    // The browser itself reports an answer of 4xx or 5xx, which some of these states are made of.
    if (message.type() === 'error' && !message.location().url.includes('/api/')) errors.push(message.text());
  });
  const answered = (request: Request) => {
    asked.delete(request);
    changedAt = performance.now();
  };
  page.on('request', (request) => asked.add(request));
  page.on('requestfinished', answered);
  page.on('requestfailed', answered);
  // Sent to the browser once: as an expression for each page it took longer than axe takes to look. Run only where axe
  // looks, not by the picture between two pages too.
  const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  await page.addInitScript(`window.loadAxe = () => {${axe}\n};`);
});
afterAll(async () => {
  await browser.close();
  await served.close();
});

type Start = 'set-up' | 'signed-out' | 'signed-in';
interface Look {
  path: string;
  start?: Start;
  act?: (page: Page) => Promise<unknown>;
}

const analytics = (site: string, query = '') => `/s/${site}.example/analytics${query}`;
const fillOwner = async (page: Page) => {
  await page.getByLabel('E-mail').fill('owner@shop.example');
  await page.getByRole('textbox', { name: 'Password' }).fill('correct horse battery');
  await page.getByLabel('Organisation').fill('Shop');
  await page.getByLabel('First site').fill('shop.example');
};

const looks: Record<string, Look> = {
  'first run, with problems': {
    path: '/setup#code=double',
    start: 'set-up',
    act: async (page) => {
      await page.getByLabel('E-mail').fill('owner');
      // The press leaves a field with a problem; the click counts all the same.
      await page.getByRole('button', { name: 'Create owner and site' }).click();
      await page.getByText('The organisation needs a name.').waitFor();
    },
  },
  'first run, snippet and checks': {
    path: '/setup#code=double',
    start: 'set-up',
    act: async (page) => {
      await fillOwner(page);
      await page.getByRole('button', { name: 'Create owner and site' }).click();
      await page.getByText('Waiting for the first event').waitFor();
      await page.getByText('It is there, but nothing arrives').click();
    },
  },
  'first run, no code': { path: '/setup', start: 'set-up' },
  'sign in, refused': {
    path: '/sign-in',
    start: 'signed-out',
    act: async (page) => {
      await page.getByLabel('E-mail').fill('owner@shop.example');
      await page.getByRole('textbox', { name: 'Password' }).fill('not the one');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').waitFor();
    },
  },
  'sign up': { path: '/sign-up', start: 'signed-out' },
  'settings, who may sign up': { path: '/desk/sign-up' },
  'relay, sources': { path: '/s/shop.example/relay/sources' },
  'relay, a new source': {
    path: '/s/shop.example/relay/sources',
    act: async (page) => {
      await page.getByRole('button', { name: 'Add a source' }).click();
      await page.getByLabel('Who sends').selectOption('shopify');
    },
  },
  'relay, a source': { path: '/s/shop.example/relay/sources/1' },
  'relay, a new route': {
    path: '/s/shop.example/relay/sources/1',
    act: async (page) => {
      await page.getByRole('button', { name: 'Add a route' }).click();
      await page.getByRole('button', { name: 'Only some events' }).click();
    },
  },
  'relay, the mapping with a field open': {
    path: '/s/shop.example/relay/sources/1/mapping',
    act: async (page) => {
      await page.getByRole('button', { name: /^email/ }).click();
      await page.getByText('One conversion.').waitFor();
      await page.getByRole('button', { name: 'Case', exact: true }).click();
      await page.getByRole('button', { name: 'Or', exact: true }).click();
      await page.getByRole('button', { name: 'Only where…' }).click();
      await page.getByRole('button', { name: 'Table', exact: true }).click();
      await page.getByText('Case 1: a condition does not say').waitFor();
    },
  },
  'relay, the request of a mapping': {
    path: '/s/shop.example/relay/sources/1/mapping?request=0194f0a2-0000-7000-8000-000000000002',
    act: async (page) => {
      const part = page.getByRole('button', { name: 'Request', exact: true });
      if (await part.isVisible()) await part.click();
      await page.getByRole('treeitem').first().waitFor();
    },
  },
  'relay, what a mapping sends': {
    path: '/s/shop.example/relay/sources/1/mapping',
    act: async (page) => {
      const part = page.getByRole('button', { name: 'To be sent', exact: true });
      if (await part.isVisible()) await part.click();
      await page.getByText('Would be sent').waitFor();
    },
  },
  'relay, nothing to map yet': { path: '/s/shop.example/relay/sources/2/mapping' },
  'relay, destinations': { path: '/s/shop.example/relay/destinations' },
  'relay, a destination': { path: '/s/shop.example/relay/destinations/12' },
  sites: { path: '/' },
  'new site': { path: '/sites/new' },
  overview: { path: analytics('shop', '?f=is_not:country:US') },
  'overview, as a table': { path: analytics('shop', '?table=on&period=today') },
  'overview, empty': { path: analytics('new') },
  'overview, awkward names, and something is off': {
    path: analytics('blog'),
    act: (page) => page.getByText('No event for 6 hours, and 3 more').first().waitFor(),
  },
  'overview, broken panels': { path: analytics('broken') },
  'overview, the warehouse away': { path: analytics('away') },
  'overview, nothing matches': { path: analytics('shop', '?f=is:country:MT') },
  'overview, the warehouse gone before the numbers came': { path: analytics('gone') },
  'overview, imported days': { path: analytics('moved', '?period=12mo') },
  'overview, a property of events': { path: analytics('shop', '?goals=prop.size') },
  'overview, places as a map': {
    path: analytics('shop', '?places=map&f=is:country:FR'),
    act: (page) => page.locator('.world .visited').first().waitFor(),
  },
  'overview, its annotations': {
    path: analytics('shop'),
    act: async (page) => {
      await page.getByRole('button', { name: 'Annotations: 2' }).click();
      await page.getByRole('button', { name: 'Add annotation' }).click();
      await page.getByText('Say in a few words what happened.').waitFor();
    },
  },
  realtime: {
    path: '/s/shop.example/realtime',
    act: (page) => page.locator('.rt-scroll tbody tr').first().waitFor(),
  },
  'realtime, empty': { path: '/s/new.example/realtime' },
  'realtime, the warehouse away': {
    path: '/s/away.example/realtime',
    act: (page) => page.getByRole('alert').waitFor(),
  },
  'relay, figures': { path: '/s/shop.example/relay' },
  'relay, nothing yet': { path: '/s/shop.example/relay?period=90d' },
  'relay, the stream': { path: '/s/shop.example/relay/inspector' },
  'relay, one story with an attempt and its request open': {
    path: '/s/shop.example/relay/inspector/0b5d7c1e-4a2f-4c38-9e1d-000000000003',
    act: async (page) => {
      await page.locator('.re-step summary').first().click();
      await page.locator('.re-step summary').nth(5).click();
      await page.getByText('Request, made anew and redacted').waitFor();
    },
  },
  'relay, the deletion of one, by its menu': {
    path: '/s/shop.example/relay/inspector/0b5d7c1e-4a2f-4c38-9e1d-000000000003',
    act: async (page) => {
      await page.getByRole('button', { name: 'More about this conversion' }).click();
      await page.getByRole('dialog', { name: 'More about this conversion' }).getByText('Look again').click();
      await page.getByRole('button', { name: 'More about this conversion' }).click();
      await page.getByRole('button', { name: 'Delete…', exact: true }).click();
      await page.getByRole('dialog', { name: 'Delete this conversion?' }).waitFor();
    },
  },
  'relay, a deletion': {
    path: '/s/shop.example/relay/inspector?state=dead',
    act: async (page) => {
      await page.getByRole('button', { name: 'Delete these…' }).click();
      await page.getByText('are with platforms already').waitFor();
    },
  },
  'relay, the intake log': {
    path: '/s/shop.example/relay/requests',
    act: async (page) => {
      await page.locator('.re-req').nth(2).click();
      await page.getByText('The body without its values').waitFor();
    },
  },
  'relay, dead letters': {
    path: '/s/shop.example/relay/dead-letters',
    act: (page) => page.getByRole('button', { name: 'Replay all…' }).click(),
  },
  'relay, a destination of a connected account': {
    path: '/s/shop.example/relay/destinations',
    act: async (page) => {
      await page.getByRole('button', { name: 'Add a destination' }).click();
      await page.getByLabel('Platform').selectOption('google-data-manager');
      await page.getByLabel('Account').selectOption('1234567890');
      await page.getByLabel('Conversion action').selectOption('42');
      await page.getByText('It counts one conversion per click').waitFor();
    },
  },
  'relay, match quality': { path: '/s/shop.example/relay/match-quality' },
  'relay, credits': { path: '/s/shop.example/relay/credits' },
  'audit log, an entry open': {
    path: '/o/cedar-loom/trust/audit?group=member',
    act: async (page) => {
      await page.getByRole('button', { name: /changed the role of/ }).click();
      await page.getByText('Only member.role_changed').waitFor();
    },
  },
  'audit log, not read': {
    path: '/o/cedar-loom/trust/audit?q=broken',
    act: (page) => page.getByRole('alert').waitFor(),
  },
  'access review, one to remove': {
    path: '/o/cedar-loom/trust/access',
    act: async (page) => {
      await page.getByRole('button', { name: /^Remove Old dashboard/ }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  'incidents, one seen by an alert': {
    path: '/o/cedar-loom/trust/incidents',
    act: async (page) => {
      await page
        .getByRole('button', { name: /^Not an incident/ })
        .first()
        .click();
      await page.getByLabel('What it was').waitFor();
    },
  },
  'operations log, a line open': {
    path: '/o/cedar-loom/trust/operations',
    act: async (page) => {
      await page.getByRole('button', { name: /Removes a member/ }).click();
      await page.getByText('Only this action').waitFor();
    },
  },
  'access log': {
    path: '/desk/access-log',
    act: (page) => page.getByText('2001:db8:71a3:4f::9e12').waitFor(),
  },
  'access log of an organisation': {
    path: '/o/cedar-loom/trust/access-log',
    act: (page) => page.getByText('2001:db8:71a3:4f::9e12').waitFor(),
  },
  'trust, with something broken': {
    path: '/o/cedar-loom/trust',
    act: (page) => page.getByText('One thing is broken').waitFor(),
  },
  'proof, one promise broken and another open': {
    path: '/o/cedar-loom/trust/proof',
    act: async (page) => {
      await page.getByText('The salt changes every 24 hours').first().click();
      await page.getByText('Held').first().waitFor();
    },
  },
  'requests, one open': {
    path: '/o/cedar-loom/trust/requests/8',
    act: (page) => page.getByText('Signed receipt').waitFor(),
  },
  'requests, an objection that is to end': {
    path: '/o/cedar-loom/trust/requests/5',
    act: async (page) => {
      await page.getByRole('button', { name: 'They were told in another way' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  'windows, shortened by a policy': {
    path: '/o/cedar-loom/trust/windows',
    act: async (page) => {
      await page.getByRole('button', { name: 'Make windows shorter' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  'tonight, with a receipt open': {
    path: '/o/cedar-loom/trust/tonight',
    act: (page) => page.getByText('rows removed').first().click(),
  },
  'incidents, one open': {
    path: '/o/cedar-loom/trust/incidents',
    act: async (page) => {
      await page.locator('summary').first().click();
      await page.getByText('Decide about the authority').waitFor();
    },
  },
  'a demand of an authority, entered': {
    path: '/o/cedar-loom/trust/incidents',
    act: async (page) => {
      await page.getByRole('button', { name: 'Enter a demand' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  'a transfer to a new controller, announced': {
    path: '/o/cedar-loom/settings',
    act: async (page) => {
      await page.getByRole('button', { name: 'Announce a transfer' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  'documents, one open': {
    path: '/o/cedar-loom/trust/documents',
    act: async (page) => {
      await page.locator('summary').first().click();
      await page.getByText('What it says now').waitFor();
    },
  },
  'consent, one basis changed': {
    path: '/o/cedar-loom/trust/consent',
    act: async (page) => {
      await page.getByRole('button', { name: 'Change the basis of Telling ad' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  'subprocessors, one stated anew': {
    path: '/o/cedar-loom/trust/subprocessors',
    act: async (page) => {
      await page.getByRole('button', { name: 'State who Mail server is' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  'holds, one due': { path: '/o/cedar-loom/trust/holds', act: (page) => page.getByText('due').first().waitFor() },
  'backups of the desk': { path: '/desk/backups', act: (page) => page.getByText('read back whole').first().waitFor() },
  'usage of the desk': { path: '/desk/usage', act: (page) => page.getByText('Most: Overview, Filter').waitFor() },
  'live checks of the desk': { path: '/desk/checks', act: (page) => page.getByText('Worth a look').first().waitFor() },
  exports: {
    path: '/s/shop.example/exports',
    act: (page) => page.getByText('212 of 500 days, 671.2 MB').waitFor(),
  },
  'exports, nothing to take away': {
    path: '/s/new.example/exports',
    act: (page) => page.getByText('There is nothing to export yet.').waitFor(),
  },
  'exports, the warehouse away': {
    path: '/s/away.example/exports',
    act: (page) => page.getByText('The warehouse does not answer now').waitFor(),
  },
  'exports, not read': {
    path: '/s/gone.example/exports',
    act: (page) => page.getByRole('alert').waitFor(),
  },
  'exports, one to be deleted': {
    path: '/s/shop.example/exports',
    act: async (page) => {
      await page
        .getByRole('button', { name: /^Delete Tables by day/ })
        .last()
        .click();
      await page.getByRole('heading', { name: 'Delete this file?' }).waitFor();
    },
  },
  imports: {
    path: '/s/shop.example/imports',
    act: (page) => page.getByText('42.0%, 48,211 rows read').waitFor(),
  },
  'imports, one to be decided about': {
    path: '/s/blog.example/imports',
    act: (page) => page.getByRole('button', { name: 'Import 47,903 rows' }).waitFor(),
  },
  'imports, a report': {
    path: '/s/shop.example/imports?import=2',
    act: (page) => page.getByText('Days that came').waitFor(),
  },
  'imports, none, and a new one': {
    path: '/s/new.example/imports?new=umami',
    act: (page) => page.getByRole('button', { name: 'Send and check' }).waitFor(),
  },
  'imports, not read': {
    path: '/s/gone.example/imports',
    act: (page) => page.getByRole('alert').waitFor(),
  },
  goals: {
    path: '/s/shop.example/goals',
    act: (page) => page.locator('.gl-rows .spark').first().waitFor({ state: 'attached' }),
  },
  'goals, none': { path: '/s/new.example/goals', act: (page) => page.getByText('No goals yet.').waitFor() },
  'goals, a new one': {
    path: '/s/shop.example/goals?new=event&match=purchase&currency=EUR',
    act: async (page) => {
      await page.getByText('would have reached it').waitFor();
      await page.getByText('Only with a property').click();
      await page.getByRole('button', { name: 'Create goal', exact: true }).click();
      await page.getByText('Name the property, such as plan.').waitFor();
    },
  },
  'goals, what can be done with one': {
    path: '/s/shop.example/goals',
    act: (page) => page.getByRole('button', { name: 'More about Order placed' }).click(),
  },
  'goals, the warehouse away': {
    path: '/s/gone.example/goals',
    act: (page) => page.getByText('No goals yet.').waitFor(),
  },
  'one goal': {
    path: '/s/shop.example/goals/2?metric=conversion_rate',
    act: (page) => page.locator('.series svg').waitFor(),
  },
  'one goal, as a table': {
    path: '/s/shop.example/goals/5?table=on',
    act: (page) => page.locator('.series-table').waitFor(),
  },
  'one goal, all countries': {
    path: '/s/shop.example/goals/2?all=places',
    act: (page) => page.locator('#all-rows tbody tr').first().waitFor(),
  },
  'no such goal': {
    path: '/s/shop.example/goals/999',
    act: (page) => page.getByText('There is no goal with this number here.').waitFor(),
  },
  profiles: {
    path: '/s/shop.example/profiles',
    act: async (page) => {
      await page.getByText('Ada Lindqvist').waitFor();
      await page.getByLabel('Whole e-mail address or user id').fill('nobody@mail.example');
      await page.getByRole('button', { name: 'Find' }).click();
      await page.getByText('Nobody is found by this.').waitFor();
      await page.getByRole('button', { name: 'All visitors' }).first().click();
      await page.getByText('Ada Lindqvist').waitFor();
    },
  },
  'profiles in memory mode': {
    path: '/s/new.example/profiles',
    act: (page) => page.getByText('No visitor of storage mode in the last 30 days.').waitFor(),
  },
  'profiles, the warehouse away': {
    path: '/s/away.example/profiles',
    act: (page) => page.getByRole('alert').waitFor(),
  },
  'one profile': {
    path: '/s/shop.example/profiles/5d0c41aa93be7f20',
    act: (page) => page.getByRole('heading', { name: 'What they did' }).waitFor(),
  },
  'missing events': {
    path: '/s/shop.example/missing?period=30d',
    act: (page) => page.getByRole('heading', { name: 'Not stored' }).waitFor(),
  },
  'missing events, and what is off': {
    path: '/s/blog.example/missing?period=24h',
    act: (page) => page.getByText('No event was stored for 6 hours.').waitFor(),
  },
  'missing events, one reason': {
    path: '/s/shop.example/missing?period=24h&reason=bot',
    act: (page) => page.getByRole('link', { name: 'All reasons' }).waitFor(),
  },
  'missing events, nothing arrived': {
    path: '/s/new.example/missing',
    act: (page) => page.getByText('Nothing arrived.').waitFor(),
  },
  'missing events, none': {
    path: '/s/tiny.example/missing',
    act: (page) => page.getByText('Nothing is missing.').waitFor(),
  },
  'missing events, the warehouse away': {
    path: '/s/away.example/missing',
    act: (page) => page.getByRole('alert').waitFor(),
  },
  shares: {
    path: '/s/shop.example/shares',
    act: async (page) => {
      await page.getByLabel('Kind').selectOption('password');
      await page.getByRole('button', { name: 'Make the share' }).click();
      await page.getByText('At least 8 characters are needed.').waitFor();
      await page.getByRole('button', { name: 'Change For the board' }).click();
      await page.getByRole('button', { name: 'Save the changes' }).waitFor();
      await page.getByRole('button', { name: 'New link for Press page' }).click();
      await page.getByRole('button', { name: 'Make a new link' }).click();
      await page.getByRole('button', { name: 'Copy the snippet' }).waitFor();
    },
  },
  shields: {
    path: '/s/shop.example/shields?value=%2Fadmin%2F**',
    act: async (page) => {
      await page.getByText('would have dropped').first().waitFor();
      await page.getByRole('button', { name: 'Remove Office in Berlin' }).click();
      await page.getByRole('button', { name: 'Undo' }).waitFor();
      await page.locator('.sh-preview[aria-busy="false"]').waitFor();
    },
  },
  'shields, nearly everything': {
    path: '/s/shop.example/shields?value=%2F**',
    act: (page) => page.getByLabel('Type shop.example to add it all the same').waitFor(),
  },
  'shields, a country': {
    path: '/s/shop.example/shields?add=country&value=Nowhere',
    act: async (page) => {
      await page.getByRole('button', { name: 'Add the rule' }).click();
      await page.getByText('There is no country “Nowhere”.').waitFor();
    },
  },
  'shields, an address': {
    path: '/s/blog.example/shields?add=address',
    act: (page) => page.getByText('addresses are stored nowhere').waitFor(),
  },
  'shields, none': { path: '/s/new.example/shields', act: (page) => page.getByText('No shields yet.').waitFor() },
  'shields, the warehouse away': {
    path: '/s/away.example/shields?value=%2Fa',
    act: (page) => page.getByText('could not be read').waitFor(),
  },
  'shields, not read': {
    path: '/s/gone.example/shields',
    act: (page) => page.getByRole('alert').waitFor(),
  },
  'all pages': { path: analytics('shop', '?all=pages') },
  'why the numbers of a list': {
    path: analytics('shop', '?sources=utm_campaign'),
    act: async (page) => {
      await page.getByRole('button', { name: 'More about campaigns' }).click();
      await page.getByRole('button', { name: 'Why these numbers' }).click();
      await page.getByText('Left out', { exact: true }).waitFor();
    },
  },
  'what can be done with a list': {
    path: analytics('shop'),
    act: (page) => page.getByRole('button', { name: 'More about pages' }).click(),
  },
  'why this number': {
    path: analytics('shop'),
    act: async (page) => {
      await page.locator('.series svg').waitFor();
      await page.keyboard.press('w');
      await page.getByRole('dialog').waitFor();
    },
  },
  'a filter being made': {
    path: analytics('shop'),
    act: async (page) => {
      await page.locator('.chip.add').click();
      await page.keyboard.type('coun');
      await page.keyboard.press('Enter');
      await page.locator('.option-tick').first().waitFor();
    },
  },
  palette: {
    path: analytics('shop'),
    act: async (page) => {
      await page.locator('.series svg').waitFor();
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').waitFor();
    },
  },
  'settings of the site': { path: '/s/shop.example/settings' },
  'settings, snippet': { path: '/s/shop.example/settings/snippet' },
  'settings, goals': { path: '/s/shop.example/settings/goals' },
  'settings, keys': { path: '/s/shop.example/settings/keys' },
  'settings, kept mail and phone links': { path: '/s/shop.example/settings/contacts' },
  'settings, the site as a whole': { path: '/s/shop.example/settings/life' },
  'settings, about to be deleted': { path: '/s/blog.example/settings/life' },
  'settings, emptying': {
    path: '/s/moved.example/settings/life',
    act: async (page) => {
      await page.getByRole('button', { name: 'Empty…' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  'sites, one that is offered': {
    path: '/o/cedar-loom/sites',
    act: async (page) => {
      await page.getByRole('button', { name: /Look at it/ }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  'account, profile': { path: '/account' },
  'account, security': { path: '/account/security', act: (page) => page.getByText('on several devices').waitFor() },
  'account, sessions': { path: '/account/sessions' },
  'account, notifications': { path: '/account/notifications' },
  'account, mail': { path: '/account/mail', act: (page) => page.getByText('Not delivered').waitFor() },
  'organisation, its settings': { path: '/o/cedar-loom/settings' },
  'organisation, a member being changed': {
    path: '/o/cedar-loom/settings/members',
    act: async (page) => {
      await page.getByRole('button', { name: 'Change jo@agency.example' }).click();
      await page.getByRole('dialog').getByLabel('Role').selectOption('admin');
    },
  },
  'organisation, an invitation about to be taken back': {
    path: '/o/cedar-loom/settings/members',
    act: (page) =>
      page
        .getByRole('button', { name: /^Revoke/ })
        .first()
        .click(),
  },
  'organisation, roles': { path: '/o/cedar-loom/settings/roles' },
  'organisation, a new team': {
    path: '/o/cedar-loom/settings/teams',
    act: (page) => page.getByRole('button', { name: 'New team' }).click(),
  },
  'organisation, mail': { path: '/o/cedar-loom/settings/mail' },
  'no such site': { path: analytics('elsewhere') },
  'account, closing it': {
    path: '/account',
    act: async (page) => {
      await page.getByRole('button', { name: 'Close the account…' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  'organisation, closing it': {
    path: '/o/cedar-loom/settings',
    act: async (page) => {
      await page.getByRole('button', { name: 'Close…' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  'settings, deleting the site': {
    path: '/s/shop.example/settings/life',
    act: async (page) => {
      await page.getByRole('button', { name: 'Delete…' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
};

/** The dashboard stands in the tab, signed in, and shows no page: the next look goes on from there. */
let isInside = false;

/**
 * Opens a page in its state; window and theme are then changed around it, as a person would. Each has a desk of its own,
 * and nothing is remembered from the one before. Within one session pages are gone to without loading the dashboard
 * again, as by a link: to load it took longer than to look. In a deep run each is loaded.
 */
async function open(look: Look, check: () => Promise<void>) {
  served.renew(look.start === undefined ? {} : { start: look.start });
  let isDone = false;
  try {
    await page.context().clearCookies();
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.emulateMedia({ colorScheme: 'light' });
    errors = [];
    if (isInside && look.start === undefined) await goInside(look.path);
    else await page.goto(served.origin + look.path);
    // Until the scripts of a page are there the one before it stands behind, hidden.
    await page.locator('#desk > :not([style*="display: none"]) h1').first().waitFor({ state: 'attached' });
    await answers();
    await look.act?.(page);
    await check();
    expect(errors, 'a page that met a fault is not the page that is looked at').toEqual([]);
    isDone = true;
  } finally {
    // A page that did not load has nothing to forget, and why it did not is what the test must say.
    await page
      .evaluate(() => {
        for (const kept of [localStorage, sessionStorage]) kept.clear();
      })
      .catch(() => undefined);
    // What this page would still ask is not for the next desk. A page that does not exist ends it inside the dashboard, a
    // picture of the same address ends the dashboard: after another address, or none, the browser starts the next page
    // in a new process, twice.
    isInside = isDone && look.start === undefined && !isDeep;
    if (isInside) await goInside('/no/page/at/all');
    else await page.goto(`${served.origin}/favicon.svg`);
  }
}

/** As Back and Forward go: the address is another one, and the dashboard is told. */
async function goInside(path: string) {
  await page.evaluate((to) => {
    history.pushState(null, '', to);
    dispatchEvent(new PopStateEvent('popstate'));
    scrollTo(0, 0);
  }, path);
}

/** Waits until the page has drawn every answer and has asked nothing more for a tenth of a second. */
async function answers() {
  const quietMs = 100;
  do {
    await page.evaluate(
      (ms) => new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve), ms)),
      quietMs,
    );
  } while (asked.size > 0 || performance.now() - changedAt < quietMs);
}

/**
 * What axe calls serious or critical, as lines that say where; `only` these rules, by default all that can find such a
 * thing. A rule of axe gives its impact to all that it finds, so a third of them can find nothing that counts here.
 */
function faults(only?: string[]): Promise<string[]> {
  return page.evaluate(async (rules) => {
    interface Loaded {
      loadAxe(): void;
      axe?: typeof import('axe-core') & {
        _audit: { rules: { id: string; impact: string; enabled: boolean; tags: string[] }[] };
      };
    }
    const loaded = window as unknown as Loaded;
    if (loaded.axe === undefined) loaded.loadAxe();
    const axe = loaded.axe as NonNullable<Loaded['axe']>;
    const counts = (impact: unknown) => impact === 'serious' || impact === 'critical';
    const isAsked = ({ enabled, impact, tags }: (typeof axe._audit.rules)[number]) =>
      enabled && counts(impact) && !tags.includes('experimental') && !tags.includes('deprecated');
    const all = axe._audit.rules.filter(isAsked).map(({ id }) => id);
    if (all.length < 55) throw new Error(`Of the rules of axe ${all.length} are left: look how it names their impact.`);
    const { violations } = await axe.run(document, {
      ...{ reporter: 'no-passes', resultTypes: ['violations'], runOnly: rules ?? all },
    });
    return violations
      .filter(({ impact }) => counts(impact))
      .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`));
  }, only);
}

/** How far a page can be scrolled sideways, in pixels. */
const overhang = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

const furtherLooks = Object.keys(looks).filter((name) => name.includes(', '));
it.each(Object.entries(looks))(
  'axe finds nothing serious, and nothing scrolls sideways: %s',
  {
    timeout: 180_000,
  },
  async (name, look) => {
    // Each theme once: colours do not change with the width. Further states of a page ("goals, none") are made of its
    // parts: wide and light or narrow and dark, in turn. In a deep run all of it.
    const isFurther = name.includes(', ');
    const inTurn = furtherLooks.indexOf(name) % 2;
    const passes = (width: 1440 | 375) => !isFurther || isDeep || inTurn === (width === 1440 ? 0 : 1);
    await open(look, async () => {
      // A window is made narrower step by step, since each new width lays the page out anew. 720 px is a window of 1440
      // at a zoom of 200 %.
      if (passes(1440)) await expectAccessible(1440, isDeep ? ['light', 'dark'] : ['light']);
      if (!isFurther || isDeep) await expectNoOverhang(720);
      if (passes(375)) await expectAccessible(375, isDeep ? ['dark', 'light'] : ['dark']);
      await expectNoOverhang(320);
    });
  },
);

it('at a zoom of 200 % every figure of a destination and every path of a mapping is there', {
  timeout: 60_000,
}, async () => {
  const isWhole = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((one) => {
        const { width, right } = one.getBoundingClientRect();
        return width > 4 && right <= document.documentElement.clientWidth && one.scrollWidth <= one.clientWidth + 1;
      });
  // Opening a page makes the window wide again.
  const zoom = () => page.setViewportSize({ width: 720, height: 450 });
  await open({ path: '/s/shop.example/relay' }, async () => {
    await zoom();
    await page.locator('.re-dests tbody tr').first().waitFor();
    for (const at of [1, 2, 3, 4, 5, 6, 7, 8])
      expect(
        await isWhole(`.re-dests tbody tr:first-child > :nth-child(${at})${at === 1 ? ' .re-name' : ''}`),
        `${at}`,
      ).toBe(true);
  });
  await open({ path: '/s/shop.example/relay/sources/1/mapping' }, async () => {
    await zoom();
    await page.locator('.mp-row .mp-pt').first().waitFor();
    expect(await isWhole('.mp-row .mp-pt')).toBe(true);
  });
});

it('each of six destinations of a mapping has its tab in sight, at every width', { timeout: 60_000 }, async () => {
  for (const width of [1440, 1024, 375])
    await open({ path: '/s/shop.example/relay/sources/1/mapping' }, async () => {
      await page.setViewportSize({ width, height: 900 });
      const part = page.getByRole('button', { name: 'To be sent', exact: true });
      if (await part.isVisible()) await part.click();
      const hidden = await page.locator('.mp-out [role="tablist"]').evaluate((list) => {
        while (list.children.length < 6) list.append(list.children[0]?.cloneNode(true) ?? '');
        const whole = list.getBoundingClientRect();
        const fades = getComputedStyle(list).maskImage !== 'none';
        return [...list.children].filter((tab) => {
          const { left, right, bottom } = tab.getBoundingClientRect();
          return fades || left < whole.left || right > whole.right || bottom > whole.bottom;
        }).length;
      });
      expect(hidden, `${width}`).toBe(0);
    });
});

it('a dialog and a menu are opened, worked and closed by keys alone', { timeout: 60_000 }, async () => {
  const isInside = (role: string) =>
    page.evaluate((wanted) => document.activeElement?.closest(`[role="${wanted}"], ${wanted}`) !== null, role);
  const name = () => page.evaluate(() => document.activeElement?.textContent ?? '');
  await open({ path: '/o/cedar-loom/settings/teams' }, async () => {
    const { keyboard } = page;
    await page.getByRole('button', { name: 'New team' }).focus();
    await keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    // The focus goes in at once, and out at neither end.
    expect(await isInside('dialog')).toBe(true);
    await keyboard.type('Editors of the shop');
    for (const step of ['Shift+Tab', 'Shift+Tab', 'Tab', 'Tab', 'Tab']) {
      await keyboard.press(step);
      // Where it leaves the page for the browser's own bar, the body has it.
      const isOnPage = () => document.activeElement !== document.body && !document.activeElement?.closest('dialog');
      expect(await page.evaluate(isOnPage), step).toBe(false);
    }
    await keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await name()).toBe('New team');
    // Sent by Enter in its field.
    await keyboard.press('Enter');
    await keyboard.type('Editors of the shop');
    await keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('cell', { name: 'Editors of the shop', exact: true }).waitFor();
    expect(await name()).toBe('New team');

    await page.locator('.account').focus();
    await keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Account' }).waitFor();
    expect(await isInside('dialog')).toBe(true);
    await keyboard.press('Escape');
    expect(await page.evaluate(() => document.activeElement?.classList.contains('account'))).toBe(true);
  });
});

async function expectAccessible(width: number, themes: ('light' | 'dark')[]) {
  await page.setViewportSize({ width, height: width < 500 ? 812 : 900 });
  for (const colorScheme of themes) {
    await page.emulateMedia({ colorScheme });
    // A theme changes colours and nothing else.
    const others = colorScheme === themes[0] ? undefined : ['color-contrast', 'link-in-text-block'];
    expect(await faults(others), `${width} px, ${colorScheme}`).toEqual([]);
  }
  await expectNoOverhang(width);
}

async function expectNoOverhang(width: number) {
  await page.setViewportSize({ width, height: width === 1440 ? 900 : 812 });
  // The chart is drawn anew for its new width, a moment later.
  await expect.poll(() => overhang(), { message: `${width} px`, interval: 20, timeout: 30_000 }).toBe(0);
}
