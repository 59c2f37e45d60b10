import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launch } from '../../test/browser/chromium.ts';
import type { Double, Start } from './double.ts';
import { accountShots } from './pictures_accounts.ts';
import { serveDashboard } from './serve.ts';

/**
 * Pictures of every page in every variant, for people to look at: 1440, 375 and 320 wide and at a zoom of 200 %, light
 * and dark, full, empty and on a bad day.
 * `node web/dev/pictures.ts [name…]` after a build; they land in web/pictures/, which git ignores.
 * `node web/dev/pictures.ts --readme` renews docs/pictures/overview.png.
 */
const folder = join(import.meta.dirname, '../pictures');
const sizes = [
  { name: '1440', width: 1440, height: 900 },
  { name: '375', width: 375, height: 812 },
  { name: '320', width: 320, height: 640 },
  // A window of 1440 at a zoom of 200 %: half as many pixels to lay out, each drawn by four.
  { name: 'zoom', width: 720, height: 450, scale: 2 },
] as const;

export interface Shot {
  name: string;
  path: string;
  start?: Start;
  sites?: readonly string[];
  firstEventMs?: number;
  /** Brings the page into the state to be pictured. */
  act?: (page: Page, double: Double) => Promise<void>;
  full?: boolean;
}

/** By the pointer, so that no ring of the keyboard's focus stands in the picture. */
const crosshair = async (page: Page) => {
  const chart = await page.locator('.series svg').boundingBox();
  if (chart !== null) await page.mouse.move(chart.x + chart.width * 0.71, chart.y + chart.height / 3);
};
const owner = async (page: Page) => {
  await page.getByLabel('E-mail').fill('owner@shop.example');
  await page.getByRole('textbox', { name: 'Password' }).fill('correct horse battery');
  await page.getByLabel('Organisation').fill('Cedar & Loom');
  await page.getByLabel('First site').fill('shop.example');
};

export const shots: readonly Shot[] = [
  { name: 'overview', path: '/s/shop.example/analytics?f=is_not:country:US', act: crosshair },
  { name: 'overview-whole', path: '/s/shop.example/analytics', full: true },
  { name: 'overview-today', path: '/s/shop.example/analytics?period=today' },
  { name: 'overview-year', path: '/s/shop.example/analytics?period=12mo&metric=total_revenue&against=year' },
  { name: 'overview-empty', path: '/s/new.example/analytics', full: true },
  { name: 'overview-tiny', path: '/s/tiny.example/analytics', full: true },
  { name: 'overview-awkward', path: '/s/blog.example/analytics', full: true },
  { name: 'overview-broken', path: '/s/broken.example/analytics', full: true },
  { name: 'overview-moved', path: '/s/moved.example/analytics' },
  { name: 'overview-gone', path: '/s/gone.example/analytics', full: true },
  { name: 'overview-away', path: '/s/away.example/analytics' },
  { name: 'overview-filtered-empty', path: '/s/shop.example/analytics?f=is:country:MT' },
  {
    name: 'overview-loading',
    path: '/s/slow.example/analytics',
    act: async (page) => {
      await page.waitForTimeout(600);
    },
  },
  {
    name: 'overview-slow',
    path: '/s/slow.example/analytics',
    act: async (page) => {
      await page.getByText('Still counting').waitFor();
    },
  },
  {
    name: 'overview-offline',
    path: '/s/shop.example/analytics',
    act: async (page) => {
      await page.context().setOffline(true);
      await page.getByText('This desk does not answer.').waitFor();
      await page.locator('.panel .tabs button').nth(1).click();
      await page.locator('.panel [role="alert"]').waitFor();
    },
  },
  {
    name: 'overview-ended',
    path: '/s/shop.example/analytics',
    act: async (page, double) => {
      double.endSession();
      await page.locator('.panel .tabs button').nth(1).click();
      await page.getByText('Your session has ended.').waitFor();
    },
  },
  {
    name: 'account',
    path: '/s/shop.example/analytics',
    act: async (page) => {
      if (await page.getByLabel('Menu').isVisible()) await page.getByLabel('Menu').click();
      else await page.locator('.account').click();
    },
  },
  {
    name: 'keys',
    path: '/s/shop.example/analytics',
    act: async (page) => {
      await page.keyboard.press('?');
    },
  },
  { name: 'overview-table', path: '/s/shop.example/analytics?table=on' },
  { name: 'all-pages', path: '/s/shop.example/analytics?all=pages' },
  {
    name: 'period',
    path: '/s/shop.example/analytics',
    act: async (page) => {
      await page
        .locator('.btn:visible', { has: page.locator('path[d^="M3.5 3h9A1.5 1.5 0 0 1 14 4.500v8"]') })
        .first()
        .click();
    },
  },
  {
    name: 'filter',
    path: '/s/shop.example/analytics',
    act: async (page) => {
      await page.locator('.chip.add').click();
      await page.keyboard.type('coun');
      await page.keyboard.press('Enter');
      await page.locator('.option-tick').first().waitFor();
      await page.locator('.option-tick input').nth(1).check();
    },
  },
  { name: 'overview-property', path: '/s/shop.example/analytics?goals=prop.size', full: true },
  {
    name: 'list-menu',
    path: '/s/shop.example/analytics',
    act: async (page) => {
      await page.getByRole('button', { name: 'More about pages' }).click();
    },
  },
  {
    name: 'list-why',
    path: '/s/shop.example/analytics?sources=utm_campaign',
    act: async (page) => {
      await page.getByRole('button', { name: 'More about campaigns' }).click();
      await page.getByRole('button', { name: 'Why these numbers' }).click();
    },
  },
  {
    name: 'why',
    path: '/s/shop.example/analytics',
    act: async (page) => {
      await page.keyboard.press('w');
    },
  },
  {
    name: 'palette',
    path: '/s/shop.example/analytics',
    act: async (page) => {
      await page.keyboard.press('Control+k');
    },
  },
  {
    name: 'switcher',
    path: '/s/shop.example/analytics',
    act: async (page) => {
      await page.locator('.site:visible').first().click();
    },
  },
  { name: 'relay-sources', path: '/s/shop.example/relay/sources' },
  { name: 'relay-sources-empty', path: '/s/shop.example/relay/sources', start: 'newcomer' },
  {
    name: 'relay-source-new',
    path: '/s/shop.example/relay/sources',
    act: async (page) => {
      await page.getByRole('button', { name: 'Add a source' }).click();
      await page.getByLabel('Who sends').selectOption('shopify');
    },
  },
  { name: 'relay-source', path: '/s/shop.example/relay/sources/1', full: true },
  { name: 'relay-source-goals', path: '/s/shop.example/relay/sources/9', full: true },
  {
    name: 'relay-source-address',
    path: '/s/shop.example/relay/sources/1',
    act: async (page) => {
      await page.getByRole('button', { name: 'Replace the address' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Replace the address' }).click();
      await page.getByRole('heading', { name: /^The address of/ }).waitFor();
    },
  },
  {
    name: 'relay-route-new',
    path: '/s/shop.example/relay/sources/1',
    act: async (page) => {
      await page.getByRole('button', { name: 'Add a route' }).click();
      await page.getByRole('button', { name: 'Only some events' }).click();
    },
  },
  {
    name: 'relay-mapping',
    path: '/s/shop.example/relay/sources/1/mapping',
    act: async (page) => {
      if (await page.getByRole('button', { name: /^email/ }).isVisible())
        await page.getByRole('button', { name: /^email/ }).click();
      await page.getByText('One conversion.').waitFor();
    },
  },
  {
    name: 'relay-mapping-cases',
    path: '/s/shop.example/relay/sources/1/mapping',
    act: async (page) => {
      await page.getByRole('button', { name: 'Ignore some' }).click();
      await page.getByLabel('What it looks at').fill('status');
      await page.getByLabel('This value').fill('pending');
      await page.getByRole('button', { name: 'Or', exact: true }).click();
      await page.getByLabel('What it looks at').nth(1).fill('total');
      await page.getByLabel('What total is to be').selectOption('<');
      await page.getByLabel('This value').nth(1).fill('1');
    },
  },
  {
    name: 'relay-mapping-problem',
    path: '/s/shop.example/relay/sources/1/mapping?request=0194f0a2-0000-7000-8000-000000000002',
    act: async (page) => {
      await page.getByRole('button', { name: /^value/ }).click();
    },
  },
  {
    name: 'relay-mapping-request',
    path: '/s/shop.example/relay/sources/1/mapping',
    act: async (page) => {
      const part = page.getByRole('button', { name: 'Request', exact: true });
      if (await part.isVisible()) await part.click();
    },
  },
  {
    name: 'relay-mapping-sent',
    path: '/s/shop.example/relay/sources/1/mapping',
    act: async (page) => {
      const part = page.getByRole('button', { name: 'To be sent', exact: true });
      if (await part.isVisible()) await part.click();
    },
  },
  { name: 'relay-mapping-empty', path: '/s/shop.example/relay/sources/2/mapping' },
  {
    name: 'relay-mapping-save',
    path: '/s/shop.example/relay/sources/1/mapping',
    act: async (page) => {
      await page.getByRole('button', { name: /^value/ }).click();
      await page.getByLabel('Take from').fill('total_tax');
      await page.getByRole('button', { name: 'Save version 9' }).click();
      await page.getByRole('dialog').getByText('kept').waitFor();
    },
  },
  { name: 'relay-uploads', path: '/s/shop.example/relay/sources/4', full: true },
  { name: 'relay-uploads-empty', path: '/s/shop.example/relay/sources/5', full: true },
  { name: 'relay-uploads-running', path: '/s/shop.example/relay/sources/6', full: true },
  { name: 'relay-uploads-new', path: '/s/shop.example/relay/sources/7', full: true },
  { name: 'relay-destinations', path: '/s/shop.example/relay/destinations' },
  { name: 'relay-destinations-empty', path: '/s/shop.example/relay/destinations', start: 'newcomer' },
  {
    name: 'relay-destination-new',
    path: '/s/shop.example/relay/destinations',
    act: async (page) => {
      await page.getByRole('button', { name: 'Add a destination' }).click();
      await page.getByLabel('Platform').selectOption('google-data-manager');
      await page.getByLabel('Account').selectOption('1234567890');
      await page.getByLabel('Conversion action').selectOption('44');
    },
  },
  { name: 'relay-destination-connected', path: '/s/shop.example/relay/destinations/11', full: true },
  { name: 'relay-destination', path: '/s/shop.example/relay/destinations/12', full: true },
  { name: 'sites', path: '/' },
  { name: 'relay', path: '/s/shop.example/relay', full: true },
  { name: 'relay-empty', path: '/s/shop.example/relay?period=90d' },
  { name: 'relay-inspector', path: '/s/shop.example/relay/inspector' },
  { name: 'relay-story', path: '/s/shop.example/relay/inspector/0b5d7c1e-4a2f-4c38-9e1d-000000000003' },
  {
    name: 'relay-story-open',
    path: '/s/shop.example/relay/inspector/0b5d7c1e-4a2f-4c38-9e1d-000000000003',
    act: async (page) => {
      await page.locator('.re-step summary').nth(5).click();
      await page.locator('.re-step').nth(5).scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'relay-story-more',
    path: '/s/shop.example/relay/inspector/0b5d7c1e-4a2f-4c38-9e1d-000000000003',
    act: (page) => page.getByRole('button', { name: 'More about this conversion' }).click(),
  },
  { name: 'relay-inspector-empty', path: '/s/shop.example/relay/inspector?search=nothing' },
  {
    name: 'relay-deletion',
    path: '/s/shop.example/relay/inspector?state=dead',
    act: async (page) => {
      await page.getByRole('button', { name: 'Delete these…' }).click();
      await page.getByText('are with platforms already').waitFor();
    },
  },
  {
    name: 'relay-requests',
    path: '/s/shop.example/relay/requests',
    act: async (page) => {
      await page.locator('.re-req').nth(2).click();
      await page.getByText('The body without its values').waitFor();
    },
  },
  { name: 'relay-requests-empty', path: '/s/shop.example/relay/requests?outcome=taken' },
  { name: 'relay-dead-letters', path: '/s/shop.example/relay/dead-letters', full: true },
  { name: 'relay-dead-letters-empty', path: '/s/new.example/relay/dead-letters', start: 'newcomer' },
  {
    name: 'relay-replay',
    path: '/s/shop.example/relay/dead-letters?destination=1',
    act: async (page) => {
      await page.getByRole('button', { name: 'Replay these…' }).click();
      await page.getByText('9 go again').waitFor();
    },
  },
  { name: 'relay-match-quality', path: '/s/shop.example/relay/match-quality', full: true },
  {
    name: 'relay-credits',
    path: '/s/shop.example/relay/credits',
    full: true,
    act: async (page) => {
      await page.locator('.cr-line').nth(3).click();
      await page.locator('.cr-for li').first().waitFor();
    },
  },
  { name: 'relay-credits-empty', path: '/s/shop.example/relay/credits', start: 'newcomer' },
  { name: 'relay-credits-off', path: '/s/shop.example/relay/credits?period=today' },
  {
    name: 'relay-credits-add',
    path: '/s/shop.example/relay/credits',
    act: (page) => page.getByRole('button', { name: 'Add credits' }).click(),
  },
  {
    name: 'members-change',
    path: '/o/cedar-loom/settings/members',
    act: async (page) => {
      await page.getByRole('button', { name: 'Change jo@agency.example' }).click();
      await page.getByLabel('Role').last().selectOption('admin');
    },
  },
  {
    name: 'members-revoke',
    path: '/o/cedar-loom/settings/members',
    act: (page) =>
      page
        .getByRole('button', { name: /^Revoke/ })
        .first()
        .click(),
  },
  {
    name: 'sessions-end-all',
    path: '/account/sessions',
    act: (page) => page.getByRole('button', { name: /^End all others/ }).click(),
  },
  {
    name: 'mail-forget',
    path: '/o/cedar-loom/settings/mail',
    act: (page) => page.getByRole('button', { name: /^Forget/ }).click(),
  },
  { name: 'invitation', path: '/invitation/new', start: 'signed-out', full: true },
  { name: 'sign-up', path: '/sign-up', start: 'signed-out', full: true },
  { name: 'sign-up-complete', path: '/sign-up/complete#token=double', start: 'signed-out' },
  {
    name: 'agreement-due',
    path: '/s/shop.example/analytics',
    act: async (page) => {
      await page.route('**/api/session', async (route) => {
        const answer = await route.fetch();
        await route.fulfill({ response: answer, json: { ...(await answer.json()), agreement_due: true } });
      });
      await page.reload();
      await page.getByRole('button', { name: 'Accept and go on' }).waitFor();
    },
  },
  { name: 'operator-backups', path: '/desk/backups', full: true },
  { name: 'operator-usage', path: '/desk/usage', full: true },
  { name: 'operator-sign-up', path: '/desk/sign-up', full: true },
  { name: 'account-agreements', path: '/account/agreements' },
  { name: 'settings', path: '/s/shop.example/settings', full: true },
  { name: 'settings-snippet', path: '/s/shop.example/settings/snippet', full: true },
  {
    name: 'goals',
    path: '/s/shop.example/goals',
    act: (page) => page.locator('.gl-rows .spark').first().waitFor({ state: 'attached' }),
    full: true,
  },
  { name: 'goals-empty', path: '/s/new.example/goals', full: true },
  {
    name: 'shares',
    path: '/s/shop.example/shares',
    act: (page) => page.getByText('Press page').waitFor(),
    full: true,
  },
  {
    name: 'shares-change',
    path: '/s/shop.example/shares',
    act: async (page) => {
      await page.getByRole('button', { name: 'Change Agency for paid search' }).click();
      await page.getByLabel('New password').waitFor();
    },
    full: true,
  },
  {
    name: 'shares-made',
    path: '/s/new.example/shares',
    act: async (page) => {
      await page.getByText('Nobody outside sees this site.').waitFor();
      await page.getByLabel('Kind').selectOption('widget');
      await page.getByLabel('Name').fill('Press page');
      await page.getByLabel('Hosts of the pages that show it').fill('www.new.example');
      await page.getByRole('button', { name: 'Make the share' }).click();
      await page.getByRole('button', { name: 'Copy the snippet' }).waitFor();
    },
    full: true,
  },
  {
    name: 'shields',
    path: '/s/shop.example/shields?value=%2Fadmin%2F**',
    act: (page) => page.getByText('would have dropped').first().waitFor(),
    full: true,
  },
  {
    name: 'shields-confirm',
    path: '/s/shop.example/shields?value=%2F**',
    act: (page) => page.getByLabel('Type shop.example to add it all the same').waitFor(),
    full: true,
  },
  { name: 'shields-empty', path: '/s/new.example/shields?add=address', full: true },
  {
    name: 'shields-away',
    path: '/s/away.example/shields?value=%2Fa',
    act: (page) => page.getByText('could not be read').waitFor(),
    full: true,
  },
  {
    name: 'goals-form',
    path: '/s/shop.example/goals?new=event&match=purchase&currency=EUR',
    act: async (page) => {
      await page.getByText('would have reached it').waitFor();
      await page.getByText('Only with a property').click();
    },
    full: true,
  },
  { name: 'goal', path: '/s/shop.example/goals/2', full: true },
  { name: 'goal-scroll', path: '/s/shop.example/goals/5?metric=conversion_rate', full: true },
  { name: 'settings-goals', path: '/s/shop.example/settings/goals', full: true },
  { name: 'settings-goals-empty', path: '/s/new.example/settings/goals' },
  { name: 'settings-contacts', path: '/s/shop.example/settings/contacts', full: true },
  { name: 'settings-contacts-none', path: '/s/new.example/settings/contacts' },
  { name: 'settings-life', path: '/s/shop.example/settings/life', full: true },
  { name: 'settings-life-deleted', path: '/s/blog.example/settings/life' },
  { name: 'overview-leaving', path: '/s/blog.example/analytics' },
  { name: 'settings-life-emptied', path: '/s/moved.example/settings/life' },
  {
    name: 'settings-life-empty-dialog',
    path: '/s/shop.example/settings/life',
    act: async (page) => page.getByRole('button', { name: 'Empty…' }).click(),
  },
  {
    name: 'sites-offered',
    path: '/o/cedar-loom/sites',
    act: async (page) => page.getByRole('button', { name: /Look at it/ }).click(),
  },
  {
    name: 'settings-keys',
    path: '/o/cedar-loom/settings/keys',
    full: true,
    act: async (page) => {
      await page.getByLabel('Name').fill('Data warehouse');
      await page.getByText('Only some sites').click();
      await page.locator('.toggle').getByText('shop.example', { exact: true }).click();
      await page.getByLabel('Ends').selectOption('90');
      await page.getByRole('button', { name: 'Create key' }).click();
      await page.getByText('is ready.').waitFor();
    },
  },
  { name: 'new-site', path: '/sites/new' },
  { name: 'sign-in', path: '/sign-in', start: 'signed-out' },
  {
    name: 'sign-in-refused',
    path: '/sign-in?next=%2Fs%2Fshop.example%2Fanalytics',
    start: 'signed-out',
    act: async (page) => {
      await page.getByLabel('E-mail').fill('owner@shop.example');
      await page.getByRole('textbox', { name: 'Password' }).fill('not the one');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').waitFor();
    },
  },
  { name: 'first-run-1', path: '/setup#code=double', start: 'set-up', act: owner },
  {
    name: 'first-run-1-errors',
    path: '/setup#code=double',
    start: 'set-up',
    act: async (page) => {
      await page.getByLabel('E-mail').fill('owner');
      await page.getByRole('button', { name: 'Create owner' }).click();
    },
  },
  {
    name: 'first-run-2',
    path: '/setup#code=double',
    start: 'set-up',
    act: async (page) => {
      await owner(page);
      await page.getByRole('button', { name: 'Create owner' }).click();
      await page.getByText('not found yet').waitFor({ state: 'attached' });
      await page.waitForTimeout(300);
    },
  },
  {
    name: 'first-run-3',
    path: '/setup#code=double',
    start: 'set-up',
    firstEventMs: 1_500,
    act: async (page) => {
      await owner(page);
      await page.getByRole('button', { name: 'Create owner' }).click();
      await page.getByText('First event received').waitFor();
    },
  },
  { name: 'first-run-no-code', path: '/setup', start: 'set-up' },
  { name: 'nowhere', path: '/s/elsewhere.example/analytics' },
  { name: 'no-page', path: '/nothing/here' },
  {
    name: 'overview-map',
    path: '/s/shop.example/analytics?places=map',
    act: async (page) => {
      await page.locator('.world .visited').first().waitFor();
      await page.locator('#panel-places').scrollIntoViewIfNeeded();
    },
  },
  { name: 'overview-detail', path: '/s/shop.example/analytics?f=is:browser:Firefox&devices=browser', full: true },
  {
    name: 'realtime',
    path: '/s/shop.example/realtime',
    act: (page) => page.locator('.rt-scroll tbody tr').first().waitFor(),
  },
  { name: 'realtime-empty', path: '/s/new.example/realtime' },
  { name: 'realtime-away', path: '/s/away.example/realtime' },
  { name: 'profiles', path: '/s/shop.example/profiles', full: true },
  { name: 'profiles-unnamed', path: '/s/tiny.example/profiles', full: true },
  { name: 'profiles-empty', path: '/s/new.example/profiles', full: true },
  { name: 'profiles-away', path: '/s/away.example/profiles' },
  {
    name: 'profiles-not-found',
    path: '/s/shop.example/profiles',
    act: async (page) => {
      await page.getByLabel('Whole e-mail address or user id').fill('nobody@mail.example');
      await page.getByRole('button', { name: 'Find' }).click();
      await page.getByText('Nobody is found by this.').waitFor();
    },
  },
  { name: 'profile', path: '/s/shop.example/profiles/5d0c41aa93be7f20', full: true },
  { name: 'profile-unnamed', path: '/s/shop.example/profiles/14872093345018233421', full: true },
  { name: 'profile-nobody', path: '/s/shop.example/profiles/0000000000000000' },
  { name: 'profiles-denied', path: '/s/shop.example/profiles', start: 'viewer' },
  { name: 'missing', path: '/s/shop.example/missing', full: true },
  { name: 'missing-reason', path: '/s/shop.example/missing?period=24h&reason=bot', full: true },
  { name: 'missing-off', path: '/s/blog.example/missing?period=24h', full: true },
  { name: 'missing-none', path: '/s/tiny.example/missing' },
  { name: 'missing-empty', path: '/s/new.example/missing' },
  {
    name: 'audit',
    path: '/o/cedar-loom/trust/audit',
    full: true,
    act: (page) => page.getByRole('button', { name: /changed the role of/ }).click(),
  },
  { name: 'requests', path: '/o/cedar-loom/trust/requests', full: true },
  { name: 'requests-empty', path: '/o/cedar-loom/trust/requests', start: 'newcomer', full: true },
  {
    name: 'requests-one',
    path: '/o/cedar-loom/trust/requests/12',
    full: true,
  },
  { name: 'requests-erasure', path: '/o/cedar-loom/trust/requests/8', full: true },
  { name: 'requests-objection', path: '/o/cedar-loom/trust/requests/5', full: true },
  { name: 'requests-correction', path: '/o/cedar-loom/trust/requests/14', full: true },
  {
    name: 'requests-answer',
    path: '/o/cedar-loom/trust/requests/14',
    act: (page) => page.getByRole('button', { name: 'Note the answer' }).click(),
  },
  {
    name: 'requests-correct',
    path: '/o/cedar-loom/trust/requests/14',
    act: (page) => page.getByRole('button', { name: 'Put more right' }).click(),
  },
  {
    name: 'requests-new',
    path: '/o/cedar-loom/trust/requests',
    act: (page) => page.getByRole('button', { name: 'Enter a request' }).click(),
  },
  { name: 'windows', path: '/o/cedar-loom/trust/windows', full: true },
  {
    name: 'windows-tonight',
    path: '/o/cedar-loom/trust/tonight',
    full: true,
    act: (page) => page.getByText('1,790 rows removed').click(),
  },
  { name: 'access', path: '/o/cedar-loom/trust/access', full: true },
  { name: 'access-none', path: '/o/cedar-loom/trust/access', start: 'newcomer', full: true },
  {
    name: 'access-remove',
    path: '/o/cedar-loom/trust/access',
    act: (page) => page.getByRole('button', { name: /^Remove Old dashboard/ }).click(),
  },
  { name: 'incidents', path: '/o/cedar-loom/trust/incidents', full: true },
  {
    name: 'incidents-open',
    path: '/o/cedar-loom/trust/incidents',
    full: true,
    act: async (page) => {
      await page.locator('summary').first().click();
      await page.getByRole('button', { name: 'Count who is affected' }).click();
      await page.getByText('1,204 visitors').waitFor();
    },
  },
  {
    name: 'incidents-new',
    path: '/o/cedar-loom/trust/incidents',
    act: (page) => page.getByRole('button', { name: 'Enter an incident' }).click(),
  },
  { name: 'incidents-empty', path: '/o/cedar-loom/trust/incidents', start: 'newcomer', full: true },
  { name: 'documents', path: '/o/cedar-loom/trust/documents', full: true },
  { name: 'documents-none', path: '/o/cedar-loom/trust/documents', start: 'newcomer', full: true },
  {
    name: 'documents-open',
    path: '/o/cedar-loom/trust/documents',
    full: true,
    act: async (page) => {
      await page.locator('summary').first().click();
      await page.getByText('What it says now').waitFor();
    },
  },
  {
    name: 'documents-who',
    path: '/o/cedar-loom/trust/documents',
    act: (page) => page.getByRole('button', { name: 'Change who this is' }).first().click(),
  },
  {
    name: 'subprocessors-announce',
    path: '/o/cedar-loom/trust/subprocessors',
    act: (page) => page.getByRole('button', { name: 'Announce the list' }).click(),
  },
  { name: 'consent', path: '/o/cedar-loom/trust/consent', full: true },
  {
    name: 'consent-change',
    path: '/o/cedar-loom/trust/consent',
    act: (page) => page.getByRole('button', { name: 'Change the basis of Telling ad' }).click(),
  },
  { name: 'consent-empty', path: '/o/cedar-loom/trust/consent', start: 'newcomer', full: true },
  { name: 'connections', path: '/s/shop.example/relay/connections', full: true },
  {
    name: 'connections-paste',
    path: '/s/shop.example/relay/connections',
    act: (page) => page.getByRole('button', { name: 'Paste a token of Meta' }).click(),
  },
  {
    name: 'connections-disconnect',
    path: '/s/shop.example/relay/connections',
    act: async (page) => {
      await page.getByRole('button', { name: 'Disconnect Google Ads' }).click();
      await page.getByText('queued sends').waitFor();
    },
  },
  { name: 'connections-empty', path: '/s/shop.example/relay/connections', start: 'newcomer', full: true },
  { name: 'subprocessors', path: '/o/cedar-loom/trust/subprocessors', full: true },
  {
    name: 'subprocessors-state',
    path: '/o/cedar-loom/trust/subprocessors',
    act: (page) => page.getByRole('button', { name: 'State who Mail server is' }).click(),
  },
  { name: 'subprocessors-empty', path: '/o/cedar-loom/trust/subprocessors', start: 'newcomer', full: true },
  { name: 'windows-holds', path: '/o/cedar-loom/trust/holds', full: true },
  { name: 'windows-holds-empty', path: '/o/cedar-loom/trust/holds', start: 'newcomer', full: true },
  { name: 'windows-empty', path: '/o/cedar-loom/trust/windows', start: 'newcomer', full: true },
  {
    name: 'windows-policy',
    path: '/o/cedar-loom/trust/windows',
    act: (page) => page.getByRole('button', { name: 'Make windows shorter' }).click(),
  },
  {
    name: 'windows-hold-new',
    path: '/o/cedar-loom/trust/holds',
    act: (page) => page.getByRole('button', { name: 'Place a hold' }).click(),
  },
  {
    name: 'operations',
    path: '/o/cedar-loom/trust/operations',
    full: true,
    act: (page) => page.getByRole('button', { name: /Removes a member/ }).click(),
  },
  { name: 'operations-none', path: '/o/cedar-loom/trust/operations?kind=call' },
  { name: 'desk-operations', path: '/desk/operations', full: true },
  { name: 'audit-none', path: '/o/cedar-loom/trust/audit?q=nothing&outcome=refused' },
  { name: 'trust', path: '/o/cedar-loom/trust', full: true },
  { name: 'proof', path: '/o/cedar-loom/trust/proof', full: true },
  { name: 'proof-none', path: '/o/cedar-loom/trust/proof?q=nothing' },
  { name: 'desk-audit', path: '/desk/audit', full: true },
  { name: 'access-log', path: '/o/cedar-loom/trust/access-log', full: true },
  { name: 'desk-access', path: '/desk/access-log', full: true },
  { name: 'desk-access-none', path: '/desk/access-log?status=2xx&method=DELETE' },
  { name: 'desk-checks', path: '/desk/checks', full: true },
  { name: 'exports', path: '/s/shop.example/exports', full: true },
  { name: 'exports-empty', path: '/s/new.example/exports', full: true },
  { name: 'imports', path: '/s/shop.example/imports', full: true },
  { name: 'imports-ready', path: '/s/blog.example/imports', full: true },
  { name: 'imports-report', path: '/s/shop.example/imports?import=2' },
  { name: 'imports-new', path: '/s/new.example/imports?new=ga4', full: true },
  { name: 'imports-empty', path: '/s/new.example/imports' },
  {
    name: 'imports-undo',
    path: '/s/shop.example/imports',
    act: (page) => page.getByRole('button', { name: 'Undo shop.example-export.zip' }).click(),
  },
  ...accountShots,
];

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

async function take(
  browser: Browser,
  shot: Shot,
  size: (typeof sizes)[number],
  theme: 'light' | 'dark',
  to: string,
): Promise<void> {
  const desk = await serveDashboard({
    ...(shot.start === undefined ? {} : { start: shot.start }),
    ...(shot.sites === undefined ? {} : { sites: shot.sites }),
    ...(shot.firstEventMs === undefined ? {} : { firstEventMs: shot.firstEventMs }),
  });
  const context = await browser.newContext({
    viewport: { width: size.width, height: size.height },
    colorScheme: theme,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
    deviceScaleFactor: 'scale' in size ? size.scale : 1,
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => say(`${shot.name}: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of (4|5)\d\d/.test(message.text()))
      say(`${shot.name}: ${message.text()}`);
  });
  try {
    await page.goto(desk.origin + shot.path);
    await page.locator('h1').first().waitFor({ state: 'attached' });
    if (shot.start !== 'patient' && !/-(loading|slow)$/.test(shot.name)) await page.waitForLoadState('networkidle');
    await page.evaluate(() => document.fonts.ready);
    await shot.act?.(page, desk.double);
    await page.screenshot({ path: to, fullPage: shot.full === true });
  } finally {
    await context.close();
    await desk.close();
  }
}

async function main(wanted: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const browser = await launch({ windows: false });
  try {
    if (wanted.includes('--readme')) {
      const to = join(import.meta.dirname, '../../docs/pictures/overview.png');
      mkdirSync(join(to, '..'), { recursive: true });
      await take(browser, shots[0] as Shot, sizes[0], 'light', to);
      return;
    }
    const names = wanted.filter((word) => !/^(light|dark|1440|375|320|zoom)$/.test(word));
    const themes = (['light', 'dark'] as const).filter(
      (theme) => !wanted.some((word) => /^(light|dark)$/.test(word)) || wanted.includes(theme),
    );
    const widths = sizes.filter(
      (size) => !wanted.some((word) => /^(1440|375|320|zoom)$/.test(word)) || wanted.includes(size.name),
    );
    for (const shot of shots) {
      if (names.length > 0 && !names.includes(shot.name)) continue;
      for (const size of widths)
        for (const theme of themes) {
          try {
            await take(browser, shot, size, theme, join(folder, `${shot.name}-${size.name}-${theme}.png`));
          } catch (error) {
            say(`${shot.name} ${size.name} ${theme}: ${error instanceof Error ? error.message : error}`);
          }
        }
    }
  } finally {
    await browser.close();
  }
}

if (import.meta.main) await main(process.argv.slice(2));
