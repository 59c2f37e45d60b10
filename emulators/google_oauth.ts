import {
  type Emulated,
  type EmulatedAnswer,
  type EmulatedRequest,
  type EmulatorParts,
  openEmulator,
  type Platform,
} from './admin.ts';
import { answerOfOAuth, fieldsOf, type Issued, OAuth, type OAuthApp, OAuthRefusal, tokensFor } from './oauth.ts';

/**
 * Google's OAuth, after `reference/conversion-relay.md`: `GET /o/oauth2/v2/auth` (PKCE S256 is demanded), `POST /token` for
 * codes and refreshes, `POST /revoke`, `GET /tokeninfo`. An access token lives 3,600 s of the emulator's clock; a refresh
 * token is given where `access_type=offline` was asked, and again only where `prompt=consent` was.
 *
 * Recalled, and not in the reference: a revoked token takes with it all that its user gave to the app, whoever connected;
 * `tokeninfo` gives the address of the user where `email` was asked for.
 *
 * `POST /__admin/platform` takes what `oauth.ts` takes, `isTesting` (a consent screen in "Testing": refresh tokens live seven
 * days) and `rotates`.
 */
export async function openGoogleOAuthEmulator(
  settings: GoogleOAuthSettings & EmulatorParts,
): Promise<Emulated & TokenSource> {
  const google = new GoogleOAuth(settings);
  const emulated = await openEmulator(google, settings);
  return { ...emulated, scopesOf: (token) => google.scopesOf(token, emulated.now()) };
}

export interface GoogleOAuthSettings {
  apps: OAuthApp[];
  /** Whether a refresh gives a new refresh token too. True unless it is said. */
  rotates?: boolean;
}

/** Where another emulator of the same process asks about a token. */
export interface TokenSource {
  /** @returns the scopes of a living token; undefined for any other */
  scopesOf(token: string): readonly string[] | undefined;
}

const accessMs = 3_600_000;
const testingMs = 7 * 86_400_000;
const auth = 'https://www.googleapis.com/auth';
const scopes = [
  ...['openid', 'email', 'profile', `${auth}/datamanager`, `${auth}/adwords`],
  ...[`${auth}/userinfo.email`, `${auth}/userinfo.profile`],
  ...[`${auth}/tagmanager.readonly`, `${auth}/tagmanager.edit.containers`, `${auth}/analytics.readonly`],
];

class GoogleOAuth implements Platform {
  readonly #oauth: OAuth;
  readonly #settings: GoogleOAuthSettings;
  #isTesting = false;

  constructor(settings: GoogleOAuthSettings) {
    this.#settings = settings;
    this.#oauth = new OAuth(settings.apps, {
      ...{ name: 'Google', scopes, codeMs: 600_000, accessMs, refreshMs: Number.POSITIVE_INFINITY },
      ...{ rotates: settings.rotates ?? true, isPkceDemanded: true, prefix: 'ya29.' },
    });
  }

  reset(): void {
    this.#oauth.reset();
    this.set({ isTesting: false, rotates: this.#settings.rotates ?? true });
  }

  set(change: Record<string, unknown>): void {
    const { isTesting, rotates } = change;
    if (typeof isTesting === 'boolean') {
      this.#isTesting = isTesting;
      this.#oauth.rules.refreshMs = isTesting ? testingMs : Number.POSITIVE_INFINITY;
    }
    if (typeof rotates === 'boolean') this.#oauth.rules.rotates = rotates;
    this.#oauth.set(change);
  }

  state(): object {
    return { ...this.#oauth.state(), isTesting: this.#isTesting };
  }

  scopesOf(token: string, now: number): readonly string[] | undefined {
    return this.#oauth.scopesOf(token, now);
  }

  quota(): EmulatedAnswer {
    return answerOfOAuth(new OAuthRefusal('rate_limit_exceeded', 'Rate Limit Exceeded', 429));
  }

  answer(request: EmulatedRequest, now: number): EmulatedAnswer {
    try {
      return this.#route(request, now);
    } catch (error) {
      if (!(error instanceof OAuthRefusal)) throw error;
      return answerOfOAuth(error);
    }
  }

  #route(request: EmulatedRequest, now: number): EmulatedAnswer {
    const { method, path } = request;
    if (path === '/o/oauth2/v2/auth') return this.#oauth.authorise(request, now, (...asked) => this.#before(...asked));
    if (path === '/token' && method === 'POST') return this.#token(request, now);
    if (path === '/revoke' && method === 'POST') return this.#revoke(request);
    if (path === '/tokeninfo') return this.#tell(request, now);
    return { status: 404, body: { error: 'not_found' } };
  }

  /** With `include_granted_scopes` a token is good for what was allowed before, too. */
  #before({ include_granted_scopes: isAsked, client_id = '' }: Record<string, string>, user: string): string[] {
    return isAsked === 'true' ? this.#oauth.living(client_id, user).flatMap((grant) => grant.scopes) : [];
  }

  #token(request: EmulatedRequest, now: number): EmulatedAnswer {
    const isRefreshable = ({ asked, app: id, user }: Issued['grant']) =>
      asked.access_type === 'offline' &&
      (asked.prompt?.split(' ').includes('consent') === true || this.#oauth.living(id, user).length === 0);
    return tokens(tokensFor(this.#oauth, request, now, isRefreshable));
  }

  #revoke(request: EmulatedRequest): EmulatedAnswer {
    const token = fieldsOf(request).token ?? request.query.get('token');
    const grant = this.#oauth.grantOf(String(token));
    if (grant === undefined) throw new OAuthRefusal('invalid_token', 'Token expired or revoked');
    for (const each of this.#oauth.living(grant.app, grant.user)) each.isRevoked = true;
    return { status: 200, body: {} };
  }

  #tell(request: EmulatedRequest, now: number): EmulatedAnswer {
    const token = request.query.get('access_token') ?? fieldsOf(request).access_token;
    const known = this.#oauth.know(String(token), now);
    if (known?.state !== 'living') throw new OAuthRefusal('invalid_token', 'Invalid Value');
    const { grant, expiresAt } = known;
    const isAddressed = ['email', `${auth}/userinfo.email`].some((scope) => grant.scopes.includes(scope));
    return {
      status: 200,
      body: {
        ...{ azp: grant.app, aud: grant.app, sub: grant.user, scope: grant.scopes.join(' ') },
        exp: String(Math.floor(expiresAt / 1_000)),
        expires_in: String(Math.floor((expiresAt - now) / 1_000)),
        ...(isAddressed && { email: `${grant.user}@example.com`, email_verified: 'true' }),
        access_type: grant.asked.access_type ?? 'online',
      },
    };
  }
}

function tokens({ accessToken, refreshToken, grant, expiresInSeconds }: Issued): EmulatedAnswer {
  return {
    status: 200,
    headers: { 'cache-control': 'no-store' },
    body: {
      ...{ access_token: accessToken, expires_in: expiresInSeconds, token_type: 'Bearer' },
      ...(refreshToken !== undefined && { refresh_token: refreshToken }),
      scope: grant.scopes.join(' '),
    },
  };
}
