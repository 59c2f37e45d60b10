import type { SignInSettings } from '../../platform/sign_in_config.ts';
import type { OpenIdDescription } from './openid.ts';

/**
 * Google, by OpenID Connect (https://developers.google.com/identity/openid-connect/openid-connect). Three scopes: the
 * number of the account, its address, its name and picture (AUT-03).
 */
export function google({ url, ...client }: NonNullable<SignInSettings['google']>): OpenIdDescription {
  return {
    id: 'google',
    name: 'Google',
    scopes: ['openid', 'email', 'profile'],
    issuer: url,
    // Its documentation allows both spellings in a token.
    issuersOfTokens: [url.replace(/^https:\/\//, '')],
    client,
  };
}
