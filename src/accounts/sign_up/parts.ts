import type { House } from '../../platform/subject.ts';
import type { Legal } from '../legal/index.ts';
import type { Invitations } from '../organisations/index.ts';
import type { Passwords } from '../passwords.ts';
import type { SignIns } from '../people/index.ts';
import type { Later } from '../people/later.ts';
import type { Throttles } from '../throttle.ts';
import type { Admission } from './admission.ts';
import type { SignUpInvitations } from './invitations.ts';
import type { SignUpSettings } from './settings.ts';
import type { WaitingSignUps } from './waiting.ts';

/** What the calls of this folder work with. */
export interface SignUpParts {
  house: Omit<House, 'authenticate'>;
  passwords: Passwords;
  signIns: Pick<SignIns, 'finish'>;
  legal: Legal;
  /** Invitations to organisations that exist. */
  invitations: Invitations;
  /** Invitations to make an organisation. */
  own: SignUpInvitations;
  settings: SignUpSettings;
  admission: Admission;
  waiting: WaitingSignUps;
  throttles: Throttles;
  later: Later;
  refuseInsecure(request: { secure: boolean }): void;
}
