import type { Page } from 'playwright-core';
import type { Beholder } from './double_people.ts';
import type { Shot } from './pictures.ts';

/** Each page of these, as it is for somebody with everything, nothing, very much, little right, and on a bad day. */
const everyone: readonly (Beholder | undefined)[] = [undefined, 'newcomer', 'crowd', 'unlucky', 'viewer'];
const pages: Record<string, string> = {
  'account-profile': '/account',
  'account-security': '/account/security',
  'account-sessions': '/account/sessions',
  'account-notifications': '/account/notifications',
  'account-mail': '/account/mail',
  notifications: '/notifications',
  inbox: '/dev/inbox',
  organisation: '/o/cedar-loom/settings',
  members: '/o/cedar-loom/settings/members',
  roles: '/o/cedar-loom/settings/roles',
  teams: '/o/cedar-loom/settings/teams',
  'organisation-keys': '/o/cedar-loom/settings/keys',
  'organisation-alerts': '/o/cedar-loom/settings/alerts',
  'organisation-mail': '/o/cedar-loom/settings/mail',
  'organisation-sites': '/o/cedar-loom/sites',
};

/** Those that show the shape of what comes while it is read. */
const loading: Record<string, string> = {
  ...pages,
  audit: '/o/cedar-loom/trust/audit',
  'desk-access': '/desk/access-log',
  'desk-checks': '/desk/checks',
  'account-agreements': '/account/agreements',
  shares: '/s/shop.example/shares',
  shields: '/s/shop.example/shields',
  exports: '/s/shop.example/exports',
  'settings-life': '/s/shop.example/settings/life',
};

const press = (name: string | RegExp) => (page: Page) => page.getByRole('button', { name }).first().click();
const password = 'correct horse battery';
const proveAuthenticator = async (page: Page) => {
  await press('Set up an authenticator')(page);
  await page.getByLabel('Your password').fill(password);
  await press('Continue')(page);
  await page.locator('.qr').waitFor();
};

export const accountShots: readonly Shot[] = [
  ...Object.entries(pages).flatMap(([name, path]) =>
    everyone.map((start) => ({
      ...(start === undefined ? { name } : { name: `${name}-${start}`, start }),
      ...{ path, full: true },
    })),
  ),
  {
    name: 'account-security-scan',
    path: '/account/security',
    start: 'newcomer',
    act: proveAuthenticator,
    full: true,
  },
  {
    name: 'account-security-codes',
    path: '/account/security',
    start: 'newcomer',
    act: async (page) => {
      await proveAuthenticator(page);
      await page.getByLabel('Code').fill('123456');
      await press('Switch it on')(page);
      await page.getByText('Keep these recovery codes.').waitFor();
    },
    full: true,
  },
  { name: 'account-security-remove', path: '/account/security', act: press('Remove the authenticator'), full: true },
  { name: 'account-closing', path: '/account', act: press('Close the account…') },
  { name: 'account-closing-crowd', path: '/account', start: 'crowd', act: press('Close the account…') },
  { name: 'account-closing-newcomer', path: '/account', start: 'newcomer', act: press('Close the account…') },
  { name: 'account-security-link', path: '/account/security', act: press('Link GitHub') },
  { name: 'account-security-unlink', path: '/account/security', act: press(/^Unlink Google/) },
  ...Object.entries(loading).map(([name, path]) => ({
    ...{ name: `${name}-loading`, path, start: 'patient' as const },
    act: (page: Page) => page.waitForTimeout(500),
  })),
  { name: 'organisation-close', path: '/o/cedar-loom/settings', act: press('Close…') },
  { name: 'organisation-hand', path: '/o/cedar-loom/settings', act: press('Hand on…') },
  {
    name: 'members-invited',
    path: '/o/cedar-loom/settings/members',
    act: async (page) => {
      await page.getByLabel('E-mail').fill('new@shop.example');
      await press('Invite')(page);
      await page.getByText('This desk sends no mail').waitFor();
    },
    full: true,
  },
  { name: 'teams-new', path: '/o/cedar-loom/settings/teams', start: 'crowd', act: press('New team') },
  { name: 'roles-new', path: '/o/cedar-loom/settings/roles', act: press('New role') },
  { name: 'shares-gone', path: '/s/gone.example/shares' },
  { name: 'shares-viewer', path: '/s/shop.example/shares', start: 'viewer', full: true },
  { name: 'shares-empty', path: '/s/new.example/shares', full: true },
  { name: 'audit-broken', path: '/o/cedar-loom/trust/audit?q=broken' },
  { name: 'audit-viewer', path: '/o/cedar-loom/trust/audit', start: 'viewer' },
  { name: 'keys-viewer', path: '/s/shop.example/settings/keys', start: 'viewer' },
  { name: 'invitation-old', path: '/invitation/old', start: 'signed-out' },
  { name: 'invitation-somebody-else', path: '/invitation/new' },
  { name: 'reset', path: '/reset', start: 'signed-out' },
  {
    name: 'reset-asked',
    path: '/reset',
    start: 'signed-out',
    act: async (page) => {
      await page.getByLabel('E-mail').fill('owner@shop.example');
      await press('Send the link')(page);
      await page.getByRole('heading', { name: 'Look into your mail' }).waitFor();
    },
  },
  { name: 'reset-new', path: '/reset#token=new', start: 'signed-out' },
  {
    name: 'reset-old',
    path: '/reset#token=old',
    start: 'signed-out',
    act: async (page) => {
      await page.getByRole('textbox', { name: 'New password' }).fill(password);
      await press('Set password')(page);
      await page.getByRole('alert').waitFor();
    },
  },
  { name: 'verify', path: '/verify#token=new', start: 'signed-out' },
  { name: 'verify-cut', path: '/verify', start: 'signed-out' },
  { name: 'second-factor', path: '/second-factor', start: 'signed-out' },
  {
    name: 'second-factor-wrong',
    path: '/second-factor',
    start: 'signed-out',
    act: async (page) => {
      await page.getByLabel('Code').fill('111111');
      await press('Sign in')(page);
      await page.getByText('This code is not').waitFor();
    },
  },
  { name: 'provider-refused', path: '/sign-in/google?state=old&code=x', start: 'signed-out' },
  { name: 'sign-in-plain', path: '/sign-in', start: 'signed-out', act: (page) => page.getByLabel('E-mail').blur() },
  {
    name: 'palette-viewer',
    path: '/o/cedar-loom/settings',
    start: 'viewer',
    act: (page) => page.keyboard.press('Control+k'),
  },
  {
    name: 'menu-account',
    path: '/account',
    act: async (page) => {
      if (await page.getByLabel('Menu').isVisible()) await page.getByLabel('Menu').click();
    },
  },
];
