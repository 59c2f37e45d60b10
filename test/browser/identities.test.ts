import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openGoogleEmulator } from '../../emulators/google.ts';
import type { OpenIdEmulator } from '../../emulators/oidc.ts';
import { type DashboardDesk, newContext, openDashboardDesk, owner, setUpDesk, signIn } from './dashboard.ts';

/** Passkeys and an account elsewhere in Chromium: its own authenticator, virtual, and a provider on this machine. */
let desk: DashboardDesk;
let google: OpenIdEmulator;
let page: Page;
let devices: CDPSession;
const stepMs = 120_000;

beforeAll(async () => {
  desk = await openDashboardDesk(
    () => [],
    async (port) => {
      const client = { clientId: 'desk', clientSecret: 'secret' };
      google = await openGoogleEmulator({
        ...client,
        redirectUris: [`http://localhost:${port}/sign-in/google`],
        user: { sub: '1', email: owner.email, email_verified: true, name: 'Olga Owner' },
      });
      return {
        FAIRLEAD_OUTBOUND_ALLOW: new URL(google.url).host,
        FAIRLEAD_GOOGLE_CLIENT_ID: client.clientId,
        FAIRLEAD_GOOGLE_CLIENT_SECRET: client.clientSecret,
        FAIRLEAD_GOOGLE_URL: google.url,
        // Mail goes into the inbox of a development desk, where the last test reads it.
        FAIRLEAD_DEV: '1',
      };
    },
  );
  await setUpDesk(desk, ['shop.example']);
  const context = await newContext(desk);
  page = await context.newPage();
  await signIn(page, desk, '/account/security');
  devices = await context.newCDPSession(page);
  await devices.send('WebAuthn.enable');
  await devices.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}, 300_000);
afterAll(async () => {
  await google.close();
  await desk.close();
});

/** What changes who may sign in says what it ends, and asks for the password. */
async function prove(act: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.getByText('every other session of yours ends').waitFor();
  await dialog.getByLabel('Your password').fill(owner.password);
  await dialog.getByRole('button', { name: act }).click();
}

async function expectSignedIn(methods: string[]): Promise<void> {
  const { sessions } = await page.evaluate(async () => (await fetch('/api/account/sessions')).json());
  expect(sessions.find((one: { is_current: boolean }) => one.is_current).methods).toEqual(methods);
}

async function signOut(): Promise<void> {
  expect(await page.evaluate(async () => (await fetch('/api/sessions/current', { method: 'DELETE' })).status)).toBe(
    200,
  );
  await page.goto(`${desk.origin}/sign-in`);
}

it('a passkey is made, is the second step after the password, signs in alone, is removed, and is refused', {
  timeout: stepMs,
}, async () => {
  await page.goto(`${desk.origin}/account/security`);
  await page.getByText('No passkeys yet.').waitFor();
  // Otherwise an owner may not remove the last second factor.
  const { postgres } = desk.server.desk.house;
  await postgres.tenant(1, (sql) => sql.run("UPDATE organisations SET second_factor = 'off' WHERE id = 1"));
  await page.getByLabel('Name of a new passkey').fill('Laptop');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await prove('Make the passkey');
  await page.getByRole('button', { name: 'Remove the passkey Laptop' }).waitFor();

  await signOut();
  await signIn(page, desk);
  expect(new URL(page.url()).pathname).toBe('/second-factor');
  expect(await page.evaluate(async () => (await fetch('/api/session')).status)).toBe(401);
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await page.waitForURL((url) => url.pathname !== '/second-factor');
  await expectSignedIn(['password', 'passkey']);

  await signOut();
  await page.getByRole('button', { name: 'Continue with a passkey' }).click();
  await page.waitForURL((url) => url.pathname !== '/sign-in');
  await expectSignedIn(['passkey']);
  const session = await page.evaluate(async () => (await fetch('/api/session')).json());
  expect(session.person.email).toBe(owner.email);

  await page.goto(`${desk.origin}/account/security`);
  await page.getByRole('button', { name: 'Remove the passkey Laptop' }).click();
  await prove('Remove passkey');
  await page.getByText('No passkeys yet.').waitFor();
  // The authenticator does not know that, and offers it as before.
  await signOut();
  await page.getByRole('button', { name: 'Continue with a passkey' }).click();
  await page.getByText('not known here, or was removed').waitFor();
  expect(new URL(page.url()).pathname).toBe('/sign-in');
});

it('an account elsewhere is refused, linked, and then signs in', { timeout: stepMs }, async () => {
  await page.goto(`${desk.origin}/sign-in`);
  await page.getByRole('button', { name: 'Continue with Google' }).click();
  await page.getByText('has not linked this account of Google').waitFor();
  // Neither code nor state stays in the address.
  expect(page.url()).toBe(`${desk.origin}/sign-in/google`);

  await signIn(page, desk, '/account/security');
  await page.getByRole('button', { name: 'Link Google' }).click();
  await prove('Continue to Google');
  await page.getByRole('button', { name: `Unlink Google, ${owner.email}` }).waitFor();

  await page.evaluate(async () => fetch('/api/sessions/current', { method: 'DELETE' }));
  await page.goto(`${desk.origin}/sign-in?next=${encodeURIComponent('/s/shop.example/goals')}`);
  await page.getByRole('button', { name: 'Continue with Google' }).click();
  await page.waitForURL(`${desk.origin}/s/shop.example/goals`);
});

it('the operator opens signing up, a stranger signs up and adds a site; a material document is asked for before all else', {
  timeout: 2 * stepMs,
}, async () => {
  await page.goto(`${desk.origin}/desk/sign-up`);
  await page.getByRole('radio', { name: /Everybody/ }).check();
  await page.getByRole('button', { name: 'Save who may sign up' }).click();
  await page.getByText('Nobody can sign up yet.').waitFor();
  const nora = await (await newContext(desk)).newPage();
  await nora.goto(`${desk.origin}/sign-up`);
  await nora.getByRole('heading', { name: 'Nobody can sign up here yet' }).waitFor();
  const publish = async (version: string) => {
    await page.getByLabel('Version', { exact: true }).fill(version);
    await page.getByLabel('Text', { exact: true }).fill('# What holds\n\nBe kind.');
    await page.getByRole('button', { name: 'Publish the version' }).click();
  };
  // The next one that is missing is chosen by itself.
  for (const name of ['Terms of service', 'Privacy notice', 'Data processing terms']) {
    await publish('2026-11');
    await page.getByRole('row', { name: new RegExp(`^${name} .*holds now`) }).waitFor();
  }
  await page.getByText('Nobody can sign up yet.').waitFor({ state: 'detached' });

  const password = 'seven boats at low tide';
  await nora.goto(`${desk.origin}/sign-in`);
  await nora.getByRole('link', { name: 'Create an account' }).click();
  await nora.getByLabel('E-mail').fill('nora@yard.example');
  await nora.getByLabel('Your name').fill('Nora');
  await nora.getByLabel('Organisation').fill('Yard');
  await nora.getByRole('textbox', { name: 'Password' }).fill(password);
  await nora.getByLabel('I am 18 years old or more.').check();
  for (const box of await nora.getByLabel(/I have read and accept/).all()) await box.check();
  await nora.getByRole('button', { name: 'Create the account' }).click();
  await nora.getByRole('heading', { name: 'Look into your mail' }).waitFor();
  const letter = () => desk.server.desk.house.mail.inbox?.list().find((one) => one.template === 'sign_up');
  await expect.poll(letter, { timeout: stepMs }).toBeDefined();
  await nora.goto(/http\S+#token=[\w-]+/.exec(letter()?.letter.text ?? '')?.[0] ?? '');
  await nora.getByRole('textbox', { name: 'The password that you chose' }).fill(password);
  await nora.getByRole('button', { name: 'Make the account' }).click();
  await nora.waitForURL(/\/sites\/new/);
  await nora.getByLabel('Domain').fill('yard.example');
  await nora.getByRole('button', { name: 'Add site' }).click();
  await nora.waitForURL(`${desk.origin}/s/yard.example/settings/snippet`);
  await nora.goto(`${desk.origin}/s/yard.example/analytics`);
  await nora.getByText('No visits yet').first().waitFor();

  await page.getByRole('combobox', { name: 'Document' }).selectOption('terms');
  await publish('2026-12');
  await page.getByRole('row', { name: /^Terms of service .*holds now.* 2026-12/ }).waitFor();
  const changed = nora.getByRole('heading', { name: 'The documents of this desk have changed' });
  await nora.reload();
  await changed.waitFor();
  // Published by mistake: whoever accepted the version before is asked for nothing any more.
  await page.getByRole('button', { name: 'Withdraw Terms of service, version 2026-12' }).click();
  await page.getByLabel('Reason').fill('The text of another desk.');
  await page.getByRole('button', { name: 'Withdraw it' }).click();
  await page.getByText('withdrawn').waitFor();
  await nora.reload();
  await nora.getByText('No visits yet').first().waitFor();

  await page.getByRole('combobox', { name: 'Document' }).selectOption('terms');
  await publish('2026-12-b');
  await nora.reload();
  await changed.waitFor();
  await nora.getByLabel(/I have read and accept/).check();
  await nora.getByRole('button', { name: 'Accept and go on' }).click();
  await changed.waitFor({ state: 'detached' });
  expect(new URL(nora.url()).pathname).toBe('/s/yard.example/analytics');
});
