import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { equal, readText, sendJson } from './oidc.ts';

/**
 * GitHub's sign-in for OAuth apps, from
 * https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps and the pages of its REST API on
 * users and e-mails. As there: refusals of the token endpoint have status 200 and a member `error`, answers are form
 * encoded unless JSON is asked for, the API wants a User-Agent and hides addresses without `user:email`. PKCE, which
 * GitHub takes, is demanded here. A code lives 60 s here and 10 minutes there.
 *
 * `POST /__admin` takes any part of `GitHubMischief`; `GET /__admin` gives what it has seen.
 */
export interface GitHubEmulator {
  /** Of the site; the API is at `${url}/api`. */
  url: string;
  seen: { authorisations: Record<string, string>[]; tokens: Record<string, string>[]; requests: string[] };
  set(mischief: Partial<GitHubMischief>): void;
  reset(): void;
  close(): Promise<void>;
}

export interface GitHubUser {
  id: number;
  login: string;
  name: string | null;
  /** The public address, which may be anything. */
  email: string | null;
  emails: { email: string; primary: boolean; verified: boolean }[];
}

export interface GitHubMischief {
  user: Partial<GitHubUser>;
  denies: boolean;
  slowMs: number;
  /** The next answers on these paths have this status. */
  fail: Record<string, number>;
  /** Answers with a page where JSON is due. */
  babbles: boolean;
}

const codeMs = 60_000;
const scopesKnown = ['read:user', 'user:email', 'user', 'repo', 'gist', 'read:org'];

export async function openGitHubEmulator(settings: {
  clientId: string;
  clientSecret: string;
  /** The callback address of the app; a redirect address has to be it or lie below it. */
  callback: string;
  user: GitHubUser;
  port?: number;
}): Promise<GitHubEmulator> {
  const honest: GitHubMischief = { user: {}, denies: false, slowMs: 0, fail: {}, babbles: false };
  let mischief = { ...honest };
  const seen: GitHubEmulator['seen'] = { authorisations: [], tokens: [], requests: [] };
  const grants = new Map<string, { redirectUri: string; challenge: string; scopes: string[]; issuedAt: number }>();
  const tokens = new Map<string, string[]>();
  const user = () => ({ ...settings.user, ...mischief.user });

  const server = createServer((request, response) => {
    answer(request, response).catch(() => {
      if (!response.headersSent) sendJson(response, 500, { message: 'Server Error' });
    });
  });
  await new Promise<void>((resolve) => server.listen(settings.port ?? 0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = new URL(request.url ?? '/', url);
    const { pathname } = asked;
    if (pathname === '/__admin') {
      if (request.method === 'POST')
        mischief = { ...mischief, ...(JSON.parse(await readText(request)) as Partial<GitHubMischief>) };
      return sendJson(response, 200, seen);
    }
    seen.requests.push(`${request.method} ${pathname}`);
    if (mischief.slowMs > 0) await new Promise((resolve) => setTimeout(resolve, mischief.slowMs));
    const status = mischief.fail[pathname];
    if (status !== undefined) return sendJson(response, status, { message: 'Server Error' });
    if (pathname === '/login/oauth/authorize' && request.method === 'GET')
      return authorise(asked.searchParams, response);
    if (pathname === '/login/oauth/access_token' && request.method === 'POST') return exchange(request, response);
    const found = pathname.startsWith('/api/')
      ? api(pathname.slice('/api'.length), request)
      : { status: 404, body: { message: 'Not Found' } };
    sendJson(response, found.status, found.body);
  }

  function authorise(query: URLSearchParams, response: ServerResponse): void {
    const given = Object.fromEntries(query);
    seen.authorisations.push(given);
    if (given.client_id !== settings.clientId) {
      sendJson(response, 404, { message: 'Not Found' });
      return;
    }
    const redirectUri = given.redirect_uri ?? settings.callback;
    const back = new URL(isBelow(redirectUri, settings.callback) ? redirectUri : settings.callback);
    if (given.state !== undefined) back.searchParams.set('state', given.state);
    const scopes = (given.scope ?? '').split(/[ ,]+/).filter((one) => one !== '');
    const fault = !isBelow(redirectUri, settings.callback)
      ? 'redirect_uri_mismatch'
      : mischief.denies
        ? 'access_denied'
        : scopes.some((one) => !scopesKnown.includes(one))
          ? 'invalid_scope'
          : given.code_challenge_method !== 'S256' || !/^[A-Za-z0-9_-]{43}$/.test(given.code_challenge ?? '')
            ? 'invalid_request'
            : undefined;
    if (fault === undefined) {
      const code = randomBytes(10).toString('hex');
      grants.set(code, { redirectUri, challenge: given.code_challenge as string, scopes, issuedAt: Date.now() });
      back.searchParams.set('code', code);
    } else {
      back.searchParams.set('error', fault);
      back.searchParams.set('error_description', 'The request was not granted.');
    }
    response.writeHead(302, { location: back.href }).end();
  }

  async function exchange(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await readText(request);
    const form = (
      /json/.test(request.headers['content-type'] ?? '')
        ? JSON.parse(text)
        : Object.fromEntries(new URLSearchParams(text))
    ) as Record<string, string>;
    seen.tokens.push(form);
    const say = (body: Record<string, string>) => {
      if (mischief.babbles) return void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Unicorn</p>');
      if (/application\/json/.test(request.headers.accept ?? '')) return sendJson(response, 200, body);
      response
        .writeHead(200, { 'content-type': 'application/x-www-form-urlencoded' })
        .end(new URLSearchParams(body).toString());
    };
    if (form.client_id !== settings.clientId || !equal(form.client_secret ?? '', settings.clientSecret))
      return say({ error: 'incorrect_client_credentials' });
    const grant = grants.get(form.code ?? '');
    grants.delete(form.code ?? '');
    const challenge = createHash('sha256')
      .update(form.code_verifier ?? '')
      .digest('base64url');
    if (grant === undefined || Date.now() - grant.issuedAt > codeMs || challenge !== grant.challenge)
      return say({ error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' });
    if (form.redirect_uri !== undefined && form.redirect_uri !== grant.redirectUri)
      return say({ error: 'redirect_uri_mismatch' });
    const token = `gho_${randomBytes(18).toString('hex')}`;
    tokens.set(token, grant.scopes);
    say({ access_token: token, token_type: 'bearer', scope: grant.scopes.join(',') });
  }

  function api(path: string, request: IncomingMessage): { status: number; body: object } {
    if (!request.headers['user-agent']) return { status: 403, body: { message: 'A User-Agent header is required.' } };
    const token = /^(?:Bearer|token) (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const scopes = tokens.get(token);
    if (scopes === undefined) return { status: 401, body: { message: 'Bad credentials' } };
    const { emails, ...profile } = user();
    if (path === '/user') return { status: 200, body: { ...profile, node_id: `U_${profile.id}`, type: 'User' } };
    if (path === '/user/emails' && scopes.some((one) => one === 'user:email' || one === 'user'))
      return { status: 200, body: emails.map((one) => ({ ...one, visibility: null })) };
    return { status: 404, body: { message: 'Not Found' } };
  }

  return {
    url,
    seen,
    set: (change) => {
      mischief = { ...mischief, ...change };
    },
    reset: () => {
      mischief = { ...honest };
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Same host and port, and a path that is the callback's or lies below it. */
function isBelow(address: string, callback: string): boolean {
  if (!URL.canParse(address)) return false;
  const [asked, known] = [new URL(address), new URL(callback)];
  return (
    asked.origin === known.origin &&
    (asked.pathname === known.pathname || asked.pathname.startsWith(`${known.pathname.replace(/\/$/, '')}/`))
  );
}
