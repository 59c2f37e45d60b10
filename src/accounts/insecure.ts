import { type Config, isLoopback } from '../platform/config.ts';
import { RequestError } from '../platform/http/route.ts';

/**
 * A password in clear over the network is worse than no sign-in at all.
 * @throws RequestError https_required
 */
export function refuseInsecure(config: Pick<Config, 'host' | 'trustedProxies'>, request: { secure: boolean }): void {
  if (request.secure || (isLoopback(config.host) && config.trustedProxies === 0)) return;
  throw new RequestError(
    'https_required',
    'This desk was opened without HTTPS, so signing in is off: the password could be read on the way. Put a proxy with HTTPS in front (docs/guides/https.md), or set FAIRLEAD_TLS_CERT and FAIRLEAD_TLS_KEY.',
  );
}
