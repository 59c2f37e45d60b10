import { createHmac } from 'node:crypto';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { onDesk } from '../../src/app/with_desk.ts';
import { type DashboardDesk, newContext, openDashboardDesk, setUpDesk, signIn } from './dashboard.ts';

/**
 * What a team does with its accounts, in two browsers at once and in this order: invite, accept, second factor, first
 * view, a lost password, an API key that is used and revoked, and a colleague who is removed with a page open. The desk
 * sends no mail, so links are handed on by hand.
 */
let desk: DashboardDesk;
let boss: Page;
let theirs: BrowserContext;
let colleague: Page;
const stepMs = 120_000;
const ada = { email: 'ada@shop.example', name: 'Ada', password: 'seven boats at low tide' };
const newPassword = 'eight boats at high tide';
let secret = '';
let recovery: string[] = [];

beforeAll(async () => {
  desk = await openDashboardDesk();
  await setUpDesk(desk, ['shop.example']);
  boss = await (await newContext(desk)).newPage();
  theirs = await newContext(desk);
  colleague = await theirs.newPage();
  await signIn(boss, desk, '/o/shop/settings/members');
}, 300_000);
afterAll(() => desk.close());

/** RFC 6238: six digits of the authenticator that has this secret, `steps` half minutes from now. */
function codeOf(base32: string, steps: number): string {
  const bits = [...base32.replaceAll(' ', '')]
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const digest = createHmac('sha1', key).update(counter).digest();
  const at = (digest.at(-1) as number) & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

async function signInColleague(password: string): Promise<void> {
  await theirs.clearCookies();
  await colleague.goto(`${desk.origin}/sign-in?next=${encodeURIComponent('/s/shop.example/analytics')}`);
  await colleague.getByLabel('E-mail or username').fill(ada.email);
  await colleague.getByRole('textbox', { name: 'Password' }).fill(password);
  await colleague.getByRole('button', { name: 'Sign in' }).click();
}

it('an owner invites, and whoever has the link makes an account with it, once', { timeout: stepMs }, async () => {
  await boss.getByLabel('E-mail').fill(ada.email);
  await boss.getByRole('combobox', { name: 'Role' }).selectOption('admin');
  await boss.getByRole('button', { name: 'Invite' }).click();
  await boss.getByText('This desk sends no mail').waitFor();
  const link = (await boss.locator('.secret code').textContent()) ?? '';
  expect(link).toContain(`${desk.origin}/invitation/`);

  await colleague.goto(link);
  await colleague.getByRole('heading', { name: 'Join Shop' }).waitFor();
  await colleague.getByLabel('Your name').fill(ada.name);
  await colleague.getByRole('textbox', { name: 'Password' }).fill(ada.password);
  await colleague.getByRole('button', { name: 'Make the account and join' }).click();
  await colleague.waitForURL(`${desk.origin}/o/shop/sites`);
  await colleague.getByText('shop.example').first().waitFor();

  const late = await (await newContext(desk)).newPage();
  await late.goto(link);
  await late.getByRole('heading', { name: 'This invitation does not work' }).waitFor();

  // One that was sent to the wrong address is taken back: asked first, and then its link opens nothing.
  await boss.getByLabel('E-mail').fill('adam@shop.example');
  await boss.getByRole('button', { name: 'Invite' }).click();
  await boss.getByText('adam@shop.example').first().waitFor();
  const wrong = (await boss.locator('.secret code').textContent()) ?? '';
  expect(wrong).not.toBe(link);
  await boss.getByRole('button', { name: 'Revoke adam@shop.example' }).click();
  await boss.getByRole('dialog').getByRole('button', { name: 'Keep it' }).click();
  await boss.getByRole('button', { name: 'Revoke adam@shop.example' }).click();
  await boss.getByRole('dialog').getByRole('button', { name: 'Revoke the invitation' }).click();
  await boss.getByRole('button', { name: 'Revoke adam@shop.example' }).waitFor({ state: 'detached' });
  await late.goto(wrong);
  await late.getByRole('heading', { name: 'This invitation does not work' }).waitFor();
});

it('an admin sets up an authenticator, and signing in asks for it before anything is shown', {
  timeout: stepMs,
}, async () => {
  await colleague.goto(`${desk.origin}/account/security`);
  await colleague.getByRole('button', { name: 'Set up an authenticator' }).click();
  await colleague.getByRole('textbox', { name: 'Your password' }).fill(ada.password);
  await colleague.getByRole('button', { name: 'Continue', exact: true }).click();
  secret = (await colleague.locator('.secret code').textContent()) ?? '';
  await colleague.getByRole('textbox', { name: 'Code' }).fill(codeOf(secret, 0));
  await colleague.getByRole('button', { name: 'Switch it on' }).click();
  await colleague.getByText('Keep these recovery codes.').waitFor();
  recovery = await colleague.locator('.codes li').allTextContents();
  expect(recovery).toHaveLength(10);

  await signInColleague(ada.password);
  await colleague.getByRole('heading', { name: 'Enter the code' }).waitFor();
  // The password alone opens nothing.
  await expect(colleague.evaluate(async () => (await fetch('/api/sites')).status)).resolves.toBe(401);
  await colleague.getByRole('textbox', { name: 'Code' }).fill(codeOf(secret, 1));
  await colleague.getByRole('button', { name: 'Sign in' }).click();
  await colleague.waitForURL(`${desk.origin}/s/shop.example/analytics`);
  await colleague.getByText('No visits yet').first().waitFor();
});

it('a lost password is set anew by a link of the command line, and a recovery code stands in for the phone', {
  timeout: stepMs,
}, async () => {
  const { link } = (await onDesk({ command: 'people-reset', args: { email: ada.email } }, desk.config)) as {
    link: string;
  };
  await colleague.goto(link);
  await colleague.getByRole('textbox', { name: 'New password' }).fill(newPassword);
  await colleague.getByRole('button', { name: 'Set password' }).click();
  await colleague.getByRole('heading', { name: 'The password is set' }).waitFor();
  // Every session has ended, this one too.
  await expect(colleague.evaluate(async () => (await fetch('/api/session')).status)).resolves.toBe(401);

  await signInColleague(newPassword);
  await colleague.getByRole('textbox', { name: 'Code' }).fill(recovery[0] as string);
  await colleague.getByRole('button', { name: 'Sign in' }).click();
  await colleague.waitForURL(`${desk.origin}/s/shop.example/analytics`);
});

it('an API key is made, answers a program, and is refused once it was revoked', { timeout: stepMs }, async () => {
  await colleague.goto(`${desk.origin}/o/shop/settings/keys`);
  await colleague.getByLabel('Name', { exact: true }).fill('Monthly report');
  await colleague.getByText('Read sites and their settings').click();
  await colleague.getByRole('button', { name: 'Create key' }).click();
  await colleague.getByText('“Monthly report” is ready.').waitFor();
  const key = (await colleague.locator('.secret code').textContent()) ?? '';
  const ask = () => fetch(`${desk.origin}/api/sites`, { headers: { authorization: `Bearer ${key}` } });
  const answer = await ask();
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('shop.example')]);
  await colleague.getByRole('button', { name: 'Revoke the key Monthly report' }).click();
  await colleague.getByRole('button', { name: 'Revoke key', exact: true }).click();
  await colleague.getByRole('button', { name: 'Revoke the key Monthly report' }).waitFor({ state: 'detached' });
  expect((await ask()).status).toBe(401);
});

it('an organisation that is suspended says so on pages that are open, and what collects stops, until it goes on', {
  timeout: stepMs,
}, async () => {
  const change = (status: string) =>
    onDesk({ command: 'status-of', args: { target: 'shop', status, reason: 'The bill is open.' } }, desk.config);
  await colleague.goto(`${desk.origin}/s/shop.example/analytics`);
  await boss.goto(`${desk.origin}/o/shop/settings/teams`);
  // A page is loaded before it has asked who looks at it.
  await colleague.getByText('No visits yet').first().waitFor();
  await boss.getByRole('button', { name: 'New team' }).waitFor();
  await change('suspended');
  // One learns of it by what it is refused, the other when it comes to the front again; neither is loaded anew.
  await boss.getByRole('button', { name: 'New team' }).click();
  await boss.getByRole('textbox', { name: 'Name' }).fill('Editors');
  await boss.getByRole('button', { name: 'Save the team' }).click();
  await boss.getByRole('alert').first().waitFor();
  await boss.getByText('Shop is suspended.').waitFor();
  await boss.keyboard.press('Escape');
  await boss.getByRole('button', { name: 'New team' }).waitFor({ state: 'detached' });
  const comeBack = () => colleague.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await colleague.evaluate(() => Object.assign(window, { isOld: true }));
  await comeBack();
  await colleague.getByText('Shop is suspended. The bill is open.').waitFor();
  const sent = await fetch(`${desk.origin}/api/event`, {
    method: 'POST',
    headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x64; rv:140.0) Gecko/20100101 Firefox/140.0' },
    body: JSON.stringify({ n: 'pageview', u: 'https://shop.example/', d: 'shop.example' }),
  });
  expect(sent.headers.get('x-fairlead-dropped')).toBe('organisation_suspended');

  await change('active');
  await expect
    .poll(
      async () => {
        await comeBack();
        return colleague.getByText('Shop is suspended.').count();
      },
      { timeout: 30_000, interval: 500 },
    )
    .toBe(0);
  expect(await colleague.evaluate(() => 'isOld' in window)).toBe(true);
});

it('ending all other sessions and forgetting the mail server ask first, and then are done', {
  timeout: stepMs,
}, async () => {
  const elsewhere = await newContext(desk);
  const other = await elsewhere.newPage();
  await signIn(other, desk, '/account');
  await boss.goto(`${desk.origin}/account/sessions`);
  await boss.getByRole('button', { name: 'End all others' }).click();
  await boss.getByRole('dialog').getByRole('button', { name: 'End all others' }).click();
  await boss.getByText('1 session ended.').waitFor();
  expect(await other.evaluate(async () => (await fetch('/api/session')).status)).toBe(401);
  await elsewhere.close();

  await boss.goto(`${desk.origin}/o/shop/settings/mail`);
  await boss.getByLabel('Server').fill('mail.shop.example');
  await boss.getByLabel('Sender').fill('Shop <desk@shop.example>');
  await boss.getByRole('button', { name: 'Save mail server' }).click();
  await boss.getByRole('button', { name: /^Forget/ }).click();
  const asked = boss.getByRole('dialog', { name: 'Forget the mail server mail.shop.example?' });
  await asked.getByRole('button', { name: 'Keep it' }).click();
  await boss.getByRole('button', { name: /^Forget/ }).click();
  await asked.getByRole('button', { name: 'Forget this server' }).click();
  await boss.getByText('Mail is off.').waitFor();
});

it('a colleague who is removed sees nothing from the next click on, and the trail says who did what', {
  timeout: stepMs,
}, async () => {
  await colleague.goto(`${desk.origin}/s/shop.example/analytics`);
  await colleague.getByText('No visits yet').first().waitFor();
  await boss.goto(`${desk.origin}/o/shop/settings/members`);
  await boss.getByRole('button', { name: `Remove ${ada.email}` }).click();
  await boss.getByRole('dialog').getByRole('button', { name: 'Remove the member' }).click();
  await boss.getByRole('button', { name: `Remove ${ada.email}` }).waitFor({ state: 'detached' });
  const seen = await colleague.evaluate(async () => (await fetch('/api/sites/shop.example')).status);
  expect(seen).toBe(404);
  // The page that was open says so by itself, and where to go on; loaded anew it names nothing of what was.
  await colleague.getByText('shop.example is not open to you any more').waitFor();
  await colleague.getByRole('link', { name: 'Open my sites' }).click();
  await colleague.getByText('You belong to no organisation now.').waitFor();
  await colleague.goto(`${desk.origin}/s/shop.example/analytics`);
  await colleague.getByText('There is no site called shop.example here').waitFor();

  await boss.goto(`${desk.origin}/o/shop/trust/audit`);
  for (const act of ['removed', 'revoked', 'invited']) await boss.getByText(act).first().waitFor();
});

it('an account is closed by its person with the password, and kept by signing in before the day', {
  timeout: stepMs,
}, async () => {
  await boss.goto(`${desk.origin}/account`);
  await boss.getByRole('button', { name: 'Close the account…' }).click();
  // The only owner hands the organisation on first.
  await boss.getByRole('dialog').getByRole('link', { name: 'Shop' }).waitFor();

  await colleague.goto(`${desk.origin}/account`);
  await colleague.getByRole('button', { name: 'Close the account…' }).click();
  const dialog = colleague.getByRole('dialog');
  await dialog.getByText('What goes then').waitFor();
  await dialog.getByRole('textbox', { name: 'Your password' }).fill(newPassword);
  await dialog.getByRole('button', { name: 'Close in 30 days' }).click();
  await colleague.getByText('Sign in before that day to keep it.').waitFor();
  expect(await colleague.evaluate(async () => (await fetch('/api/session')).status)).toBe(401);

  await signInColleague(newPassword);
  await colleague.getByRole('textbox', { name: 'Code' }).fill(recovery[1] as string);
  await colleague.getByRole('button', { name: 'Sign in' }).click();
  await colleague.getByText('There is no site called shop.example here').waitFor();
  await colleague.goto(`${desk.origin}/notifications`);
  await colleague.getByRole('link', { name: /your account is not closed any more/ }).waitFor();
});
