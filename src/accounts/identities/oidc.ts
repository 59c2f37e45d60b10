import type { SignInSettings } from '../../platform/sign_in_config.ts';
import type { OpenIdDescription } from './openid.ts';

/** The operator's own provider: any that has a discovery document and signs with RS256 or ES256. */
export function oidc({ issuer, name, ...client }: NonNullable<SignInSettings['oidc']>): OpenIdDescription {
  return { id: 'oidc', name, scopes: ['openid', 'email', 'profile'], issuer, client };
}
