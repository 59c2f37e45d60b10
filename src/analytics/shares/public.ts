import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { sharedPageStorage } from '../../../contract/browser_storage.ts';
import { type SharePeriod, shareLimits } from '../../../contract/shares.ts';
import { openThrottles, type Passwords, readCookie } from '../../accounts/index.ts';
import { defineRoute, RequestError, type Route, type RouteAnswer } from '../../platform/http/route.ts';
import type { Sql } from '../../platform/postgres/index.ts';
import type { House } from '../../platform/subject.ts';
import { readFoot, readIdentity } from '../../trust/documents/index.ts';
import type { openAsking } from './asking.ts';
import { passwordPage, plainPage, type SharedView, sharePage, widgetPage } from './page.ts';
import { isOver } from './period.ts';
import { openRate } from './rate.ts';
import { countView, findShare, type StoredShare } from './records.ts';
import { shareStyle } from './style.ts';

/**
 * Guesses that cost no wait: at one share, from one network and from all. Past them a share takes no further one for the
 * rest of the quarter of an hour; the work that shortens a wait at sign-in needs a script, and this page has none.
 */
const guesses = { perNetwork: 5, perAccount: 50, windowMs: 15 * 60_000 };
/** A wrong password is written down once in so long for each share, whatever a guesser does to the trail. */
const auditAgainMs = 10 * 60_000;
const formBytesMax = 4 * 1024;
const sheetSeconds = 300;

type PublicHouse = Pick<House, 'postgres' | 'clock' | 'random' | 'keys' | 'audit' | 'log'>;

/**
 * The pages of shares. They know nobody: no session and no key counts here, and what a link opens is the list of
 * questions of its share (questions.ts) and nothing else.
 */
export function publicShareRoutes(
  house: PublicHouse,
  parts: { passwords: Passwords; asking: ReturnType<typeof openAsking> },
): Route[] {
  const { postgres, clock, keys } = house;
  const style = shareStyle();
  const throttles = openThrottles(house);
  const isTooMany = openRate({ clock, perMinuteMax: shareLimits.viewsPerMinuteMax });
  const audited = new Map<number, number>();

  /** Unknown, revoked, expired and of another kind: alike to whoever asks. */
  async function openShare(token: string): Promise<StoredShare | undefined> {
    if (!/^[\w-]{20,64}$/.test(token)) return undefined;
    const share = await findShare(postgres, keys.digest('share-link', token));
    return share === undefined || isOver(share.expiresOn, clock.now(), share.site.timezone) ? undefined : share;
  }

  const answeringFor = ({ organisationId }: StoredShare) =>
    postgres.tenant(organisationId, (sql) => readAnswering(sql, organisationId));
  const operatorAlone = () => postgres.system((sql) => readFoot(sql));

  async function answer(
    share: StoredShare,
    query: { period?: string | undefined; theme?: string | undefined },
  ): Promise<RouteAnswer> {
    const widget = share.kind === 'widget';
    const headers = widget ? widgetHeaders(share.hosts) : pageHeaders;
    const withoutNumbers = async (title: string, words: string) =>
      plainPage(title, words, {
        ...{ widget, theme: themeOf(query.theme) },
        answering: widget ? [] : (await answeringFor(share)).answering,
      });
    if (isTooMany(share.id))
      return {
        status: 429,
        headers: { ...headers, 'retry-after': '60' },
        body: await withoutNumbers(
          'Too many readers at once',
          'This page was opened very often in the last minute. It answers again in a minute.',
        ),
      };
    const period = share.periods.find((one) => one === query.period) ?? (share.periods[0] as SharePeriod);
    try {
      const numbers = await parts.asking.numbers(share.site, share.panels, period);
      await countView(postgres, share, clock.now());
      const view: SharedView = {
        ...numbers,
        ...{ domain: share.site.domain, timezone: share.site.timezone, name: share.name },
        ...(await answeringFor(share)),
        ...{ panels: share.panels, periods: share.periods, period, linkQuery: '' },
        theme: themeOf(query.theme),
      };
      return { headers, body: widget ? widgetPage(view) : sharePage(view) };
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      house.log.warn('share.not_answered', { code: error.code });
      return {
        status: 503,
        headers: { ...headers, 'retry-after': '30' },
        body: await withoutNumbers(
          'The numbers cannot be read now',
          'The store they lie in does not answer. Nothing is lost, and visits go on being counted. Load the page again in a minute.',
        ),
      };
    }
  }

  /** Proof that the password of this share was given: for this link, this password and twelve hours. */
  function sessionOf(share: StoredShare, expiresAt: number): string {
    const mac = keys.digest(
      'share-session',
      `${share.id}\n${expiresAt}\n${share.digest.toString('hex')}\n${share.passwordHash}`,
    );
    return `${expiresAt}.${mac.toString('base64url')}`;
  }
  function hasSession(share: StoredShare, cookies: string | undefined): boolean {
    const value = readCookie(cookies, cookieName(share));
    const expiresAt = Number(value?.split('.')[0]);
    if (value === undefined || !Number.isSafeInteger(expiresAt) || expiresAt <= clock.now()) return false;
    const [given, expected] = [Buffer.from(value), Buffer.from(sessionOf(share, expiresAt))];
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  /** A try that is counted, or the seconds until one is taken again. */
  async function entered(share: StoredShare, address: string) {
    try {
      return await throttles.enter({ name: `share ${share.id}`, ...guesses }, { account: 'all', address });
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== 'rate_limited') throw error;
      return Number(error.headers['retry-after'] ?? guesses.windowMs / 1000);
    }
  }

  async function recordWrongPassword(share: StoredShare): Promise<void> {
    const last = audited.get(share.id);
    if (last !== undefined && clock.monotonic() - last < auditAgainMs) return;
    audited.delete(share.id);
    audited.set(share.id, clock.monotonic());
    if (audited.size > 5_000) audited.delete(audited.keys().next().value as number);
    // Whoever looks at a shared page is no account holder: neither address nor anything else of them is written down.
    await postgres.tenant(share.organisationId, (sql) =>
      house.audit.record(sql, share.organisationId, {
        action: 'share.refused',
        actor: { type: 'visitor' },
        targets: [
          { type: 'site', id: share.site.id, label: share.site.domain },
          { type: 'share', id: share.id, label: share.name },
        ],
        outcome: 'refused',
        reason: 'wrong_password',
      }),
    );
  }

  const ofShare = z.object({ token: z.string() });
  const asked = z.object({ period: z.string().optional(), theme: z.string().optional() });
  return [
    defineRoute({
      method: 'GET',
      path: '/share/assets/style.css',
      access: 'public',
      forVisitors: true,
      summary: 'How shared pages look.',
      async handle() {
        return {
          body: style,
          headers: {
            'content-type': 'text/css; charset=utf-8',
            'cache-control': `public, max-age=${sheetSeconds}`,
            'x-robots-tag': 'noindex',
          },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/share/:token',
      access: 'public',
      forVisitors: true,
      summary: 'The page of a share, or the question for its password. HTML without scripts.',
      params: ofShare,
      query: asked,
      async handle({ params, query, headers }) {
        const share = await openShare(params.token);
        if (share === undefined || share.kind === 'widget') return notThere(await operatorAlone());
        if (share.kind === 'password' && !hasSession(share, headers.cookie))
          return { headers: formHeaders, body: passwordPage(await operatorAlone()) };
        return answer(share, query);
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/share/:token',
      access: 'public',
      forVisitors: true,
      summary: 'Gives the password of a share. A form; opens the page for 12 hours.',
      params: ofShare,
      rawBodyBytesMax: formBytesMax,
      async handle({ params, body, address }) {
        const share = await openShare(params.token);
        if (share === undefined || share.kind === 'widget') return notThere(await operatorAlone());
        const back = { status: 303, headers: { ...pageHeaders, location: `/share/${params.token}` }, body: '' };
        if (share.kind === 'public' || share.passwordHash === null) return back;
        const answering = await operatorAlone();
        const refuse = (status: number, words: string, more: Record<string, string> = {}): RouteAnswer => ({
          status,
          headers: { ...formHeaders, ...more },
          body: passwordPage(answering, words),
        });
        const password = new URLSearchParams(String(body)).get('password') ?? '';
        if (password === '') return refuse(400, 'Type the password of this page.');
        const guess = await entered(share, address);
        if (typeof guess === 'number')
          return refuse(429, `Too many wrong passwords. The next one is taken in ${waitText(guess)}.`, {
            'retry-after': String(guess),
          });
        if (
          password.length > shareLimits.passwordCharsMax ||
          !(await parts.passwords.verify(password, share.passwordHash))
        ) {
          await recordWrongPassword(share);
          return refuse(403, 'This is not the password. Ask whoever sent you the link.');
        }
        await guess.succeeded();
        const seconds = shareLimits.sessionHours * 3_600;
        const value = sessionOf(share, clock.now() + seconds * 1000);
        const cookie = `${cookieName(share)}=${value}; Max-Age=${seconds}; Path=/; HttpOnly; Secure; SameSite=Lax`;
        return { ...back, headers: { ...back.headers, 'set-cookie': cookie } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/share/:token/widget',
      access: 'public',
      forVisitors: true,
      summary: 'A share as a widget, for frames in pages of the hosts that it names. HTML without scripts.',
      params: ofShare,
      query: asked,
      async handle({ params, query }) {
        const share = await openShare(params.token);
        return share === undefined || share.kind !== 'widget' ? noWidget(query.theme) : answer(share, query);
      },
    }),
  ];
}

/** Who answers for a page of this organisation. */
export async function readAnswering(
  sql: Sql,
  organisationId: number,
): Promise<Pick<SharedView, 'answering' | 'legalName'>> {
  const { legal_name } = await readIdentity(sql, organisationId);
  return { answering: await readFoot(sql, organisationId), legalName: legal_name };
}

function cookieName(share: StoredShare): string {
  return `${sharedPageStorage[0].name}${share.id}`;
}

function notThere(answering: readonly string[]): RouteAnswer {
  return {
    status: 404,
    headers: pageHeaders,
    body: plainPage(
      'This link opens nothing',
      'It was mistyped, taken back, or has reached its last day. Ask whoever sent it for another.',
      { answering },
    ),
  };
}

/**
 * The same in a frame. Any page may show it, since what was taken back has no hosts any more: it says nothing and asks
 * nothing, and without it the page around would show a browser's broken frame.
 */
function noWidget(theme: string | undefined): RouteAnswer {
  return {
    status: 404,
    headers: widgetHeaders(['*']),
    body: plainPage('No numbers here', 'Whoever made this widget took it back, or it has reached its last day.', {
      widget: true,
      theme: themeOf(theme),
    }),
  };
}

function themeOf(text: string | undefined): 'light' | 'dark' | undefined {
  return text === 'light' || text === 'dark' ? text : undefined;
}

function waitText(seconds: number): string {
  return seconds < 60 ? `${seconds} ${seconds === 1 ? 'second' : 'seconds'}` : `${Math.ceil(seconds / 60)} minutes`;
}

const everyPage = { 'content-type': 'text/html; charset=utf-8', 'x-robots-tag': 'noindex, nofollow' };
const policy = (more: string) => `default-src 'none'; style-src 'self'; base-uri 'none'; ${more}`;

/** Of a page of a share: it runs nothing, sends nothing, and stands in no frame. */
export const pageHeaders: Readonly<Record<string, string>> = {
  ...everyPage,
  'content-security-policy': policy("form-action 'none'; frame-ancestors 'none'"),
  'referrer-policy': 'no-referrer',
};

/** Of the question for a password. With no referrer at all a browser names no origin in what the form sends. */
const formHeaders: Readonly<Record<string, string>> = {
  ...everyPage,
  'content-security-policy': policy("form-action 'self'; frame-ancestors 'none'"),
  'referrer-policy': 'same-origin',
};

/** Of a widget: pages of these hosts alone may show it. */
function widgetHeaders(hosts: readonly string[]): Record<string, string> {
  return {
    ...everyPage,
    'content-security-policy': policy(`form-action 'none'; frame-ancestors ${hosts.join(' ')}`),
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'cross-origin',
  };
}
