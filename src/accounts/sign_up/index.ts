import type { ControlCommand } from '../../platform/control.ts';
import { ControlError } from '../../platform/control.ts';
import type { Route } from '../../platform/http/route.ts';
import type { House } from '../../platform/subject.ts';
import type { Admit } from '../identities/flow.ts';
import { openThrottles } from '../throttle.ts';
import { openAdmission } from './admission.ts';
import { openSignUpInvitations } from './invitations.ts';
import type { SignUpParts } from './parts.ts';
import { signUpRoutes } from './routes.ts';
import { settingRoutes } from './setting_routes.ts';
import { openSignUpSettings } from './settings.ts';
import { openWaitingSignUps } from './waiting.ts';

export interface SignUp {
  routes: Route[];
  /** What becomes of somebody whom a provider has proved and nobody here knows. */
  admit: Admit;
  commands: Record<string, ControlCommand>;
}

/** Making an account by oneself: with a password and a link in a mail, or with an account elsewhere. */
export function openSignUp(
  house: Omit<House, 'authenticate'>,
  given: Pick<SignUpParts, 'passwords' | 'signIns' | 'legal' | 'invitations' | 'later' | 'refuseInsecure'>,
): SignUp {
  const settings = openSignUpSettings(house);
  const own = openSignUpInvitations(house);
  const parts: SignUpParts = {
    house,
    ...given,
    settings,
    own,
    admission: openAdmission({ settings, own, invitations: given.invitations, legal: given.legal }),
    waiting: openWaitingSignUps(house),
    throttles: openThrottles(house),
  };
  return {
    routes: [...signUpRoutes(parts), ...settingRoutes(parts)],
    // Nothing is made here: what has to be agreed to is asked on a page of the desk first.
    async admit({ profile, provider, identity, invitation }) {
      const followed = invitation === undefined ? undefined : await parts.admission.follow(invitation);
      const problem = await parts.admission.problemOf(profile.email, followed);
      if (problem !== undefined) return { refused: problem.code === 'other_address' ? 'other_address' : 'nobody' };
      const token = await parts.waiting.add(
        { email: profile.email, name: profile.name, organisation: '' },
        { provider, identity },
        followed?.digest,
      );
      return { next: `/sign-up/complete#token=${token}` };
    },
    commands: {
      async 'sign-up'(args) {
        const mode = args.get('mode');
        const state = async () => ({ ...(await settings.read()), missing: await given.legal.missing() });
        if (mode === null) return state();
        if (mode !== 'off' && mode !== 'open' && mode !== 'invitation' && mode !== 'domains')
          throw new ControlError('Say off, open, invitation or domains.');
        const domains = (args.get('domains') ?? '').split(',').filter((one) => one.trim() !== '');
        await settings.write({ mode, domains }, { actor: { type: 'operator' } });
        return state();
      },
    },
  };
}
