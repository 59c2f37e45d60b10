import type { Route } from '../../platform/http/route.ts';
import type { House } from '../../platform/subject.ts';
import type { Sessions } from '../sessions.ts';
import { type Admit, openFlow, type SignInEnd, type WhoIs } from './flow.ts';
import { openGitHub } from './github.ts';
import { google } from './google.ts';
import { openLinked } from './linked.ts';
import { oidc } from './oidc.ts';
import { openOpenId } from './openid.ts';
import { openPasskeys } from './passkeys.ts';
import type { Provider } from './provider.ts';
import { identityRoutes, type ProveAgain } from './routes.ts';
import { openSteps } from './steps.ts';

export interface Identities {
  routes: Route[];
  stop(): void;
}

/** Signing in by an account elsewhere or by a passkey. */
export function openIdentities(
  house: Omit<House, 'authenticate'>,
  parts: {
    signIns: SignInEnd;
    sessions: Sessions;
    admit: Admit;
    whoIs: WhoIs;
    proveAgain: ProveAgain;
    expectPassword(): void;
    refuseInsecure(request: { secure: boolean }): void;
  },
): Identities {
  const steps = openSteps(house);
  const linked = openLinked(house);
  const passkeys = openPasskeys(house);
  parts.signIns.addSecondFactor({ name: 'passkey', has: passkeys.has });
  const flow = openFlow(house, { ...parts, providers: providersOf(house), steps, linked });
  return {
    routes: identityRoutes(house, { ...parts, flow, steps, linked, passkeys }),
    stop: () => steps.stop(),
  };
}

/** Those that the operator has set up, in the order of their buttons. */
function providersOf({ config, clock }: Pick<House, 'config' | 'clock'>): Provider[] {
  const { google: byGoogle, github: byGitHub, oidc: byIssuer } = config.signIn ?? {};
  return [
    ...(byGoogle === undefined ? [] : [openOpenId(google(byGoogle), clock)]),
    ...(byGitHub === undefined ? [] : [openGitHub(byGitHub)]),
    ...(byIssuer === undefined ? [] : [openOpenId(oidc(byIssuer), clock)]),
  ];
}
