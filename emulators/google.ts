import { type OpenIdEmulator, type OpenIdSettings, openOpenIdEmulator } from './oidc.ts';

/**
 * Google's sign-in, from https://developers.google.com/identity/openid-connect/openid-connect: its paths, its scopes by
 * short name, the client's secret in the body or as Basic, `azp` and the parts of the name beside the usual claims.
 */
export function openGoogleEmulator(
  settings: Pick<OpenIdSettings, 'clientId' | 'clientSecret' | 'redirectUris' | 'user' | 'port'>,
): Promise<OpenIdEmulator> {
  return openOpenIdEmulator({
    ...settings,
    paths: { authorise: '/o/oauth2/v2/auth', token: '/token', keys: '/oauth2/v3/certs', userinfo: '/v1/userinfo' },
    clientAuthentication: ['client_secret_post', 'client_secret_basic'],
    ownClaims: (user, clientId) => {
      const [given = '', ...family] = user.name.split(' ');
      return { azp: clientId, given_name: given, family_name: family.join(' ') };
    },
  });
}
