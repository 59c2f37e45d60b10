import { z } from 'zod';
import type { House } from '../../platform/subject.ts';
import type { Legal } from '../legal/index.ts';
import type { Notices } from '../mail/index.ts';
import type { Passwords } from '../passwords.ts';
import type { SignIns } from '../people/index.ts';
import type { Statuses } from './statuses.ts';

/** What the calls about organisations need of the rest of accounts. */
export interface OrganisationParts {
  house: Omit<House, 'authenticate'>;
  passwords: Passwords;
  signIns: Pick<SignIns, 'finish'>;
  statuses: Statuses;
  legal: Pick<Legal, 'current' | 'read' | 'keep'>;
  notices: Pick<Notices, 'tell'>;
}

/** By number, slug or former slug. */
export const ofOrganisation = z.object({ organisation: z.string().max(64) });
/** `name` where there is one, else the address. */
export const calledOf = (person: { name: string; email: string }) => (person.name === '' ? person.email : person.name);
