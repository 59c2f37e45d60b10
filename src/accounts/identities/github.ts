import type { SignInSettings } from '../../platform/sign_in_config.ts';
import { isAddress } from './openid.ts';
import { authorisationUrl, isRefused, type Profile, type Provider, type Refused, readObject } from './provider.ts';

/**
 * GitHub, by OAuth 2.0 with PKCE: it has no ID token, so who came is asked of its API.
 * https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
 */
export function openGitHub({ url, apiUrl, clientId, clientSecret }: NonNullable<SignInSettings['github']>): Provider {
  const scopes = ['read:user', 'user:email'];
  return {
    id: 'github',
    name: 'GitHub',
    scopes,
    issuer: url,
    async authorise({ nonce: _, ...ask }) {
      return { url: authorisationUrl(`${url}/login/oauth/authorize`, { ...ask, clientId, scopes }) };
    },
    async identify(answer, send) {
      if (answer.issuer !== undefined && answer.issuer !== url && answer.issuer !== `${url}/login/oauth`)
        return { refused: 'wrong_issuer' };
      const token = readToken(
        readObject(
          await send(
            {
              method: 'POST',
              url: `${url}/login/oauth/access_token`,
              headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
              body: new URLSearchParams({
                client_id: clientId,
                client_secret: clientSecret,
                code: answer.code,
                redirect_uri: answer.redirectUri,
                code_verifier: answer.verifier,
              }).toString(),
            },
            'sign_in.token',
          ),
        ),
      );
      if (isRefused(token)) return token;
      const ask = (path: string) =>
        send(
          {
            method: 'GET',
            url: `${apiUrl}${path}`,
            headers: {
              accept: 'application/vnd.github+json',
              authorization: `Bearer ${token.accessToken}`,
              'x-github-api-version': '2022-11-28',
            },
          },
          'sign_in.profile',
        );
      const user = readObject(await ask('/user'));
      if (isRefused(user)) return user;
      const emails = await ask('/user/emails');
      if ('failed' in emails || emails.status >= 500) return { refused: 'provider_away' };
      return readProfile(user, emails.status === 200 ? emails.body.toString('utf8') : '[]');
    },
  };
}

/** A refusal comes with status 200 and a member `error` here. */
function readToken(body: Record<string, unknown> | Refused): { accessToken: string } | Refused {
  if (isRefused(body)) return body;
  if (body.error !== undefined) return { refused: 'provider_refused' };
  if (typeof body.access_token !== 'string' || !/^bearer$/i.test(String(body.token_type)))
    return { refused: 'provider_broken' };
  return { accessToken: body.access_token };
}

/** The address of the profile is one that is shown to others, and may be anybody's: the verified primary one counts. */
function readProfile(user: Record<string, unknown>, emails: string): { profile: Profile } | Refused {
  const { id, name, login } = user;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1) return { refused: 'provider_broken' };
  let list: unknown;
  try {
    list = JSON.parse(emails);
  } catch {
    return { refused: 'provider_broken' };
  }
  if (!Array.isArray(list)) return { refused: 'provider_broken' };
  const primary = list.find(
    (one: { primary?: unknown; verified?: unknown } | null) => one?.primary === true && one.verified === true,
  ) as { email?: unknown } | undefined;
  if (!isAddress(primary?.email)) return { refused: 'email_unverified' };
  const shown = typeof name === 'string' && name.trim() !== '' ? name : typeof login === 'string' ? login : '';
  return { profile: { subject: String(id), email: primary.email, name: shown.trim().slice(0, 120) } };
}
