import type { AccessKind } from '../../platform/access.ts';
import { repeat } from '../../platform/clock.ts';
import type { ControlCommand } from '../../platform/control.ts';
import type { Route } from '../../platform/http/route.ts';
import { memberAccess } from './access.ts';
import { customRoleRoutes } from './custom_roles.ts';
import { removeWhatIsClosed } from './ending.ts';
import { generalRoutes } from './general.ts';
import { type Invitations, openInvitations } from './invitations.ts';
import { memberRoutes } from './members.ts';
import { openOperator, operatorRoutes } from './operator.ts';
import type { OrganisationParts } from './parts.ts';
import { closeWhatIsDue } from './status_changes.ts';
import { teamRoutes } from './teams.ts';

export {
  closedOrganisations,
  closeOrganisationAgain,
  onOrganisationEnds,
  onOrganisationRemoved,
  removeWhatIsClosed,
} from './ending.ts';
export { findOrganisation, organisationOfPath } from './found.ts';
export type { Invitations } from './invitations.ts';
export { readMemberships } from './memberships.ts';
export { effectiveStatus, openStatuses } from './statuses.ts';

/** How soon it is written down that a closing organisation is closed; it is treated as closed at once. */
const closingMs = 10 * 60_000;

/** Organisations: their people, roles, teams and invitations, their settings and their status. */
export function openOrganisations(parts: OrganisationParts): {
  routes: Route[];
  invitations: Invitations;
  access: AccessKind[];
  commands: Record<string, ControlCommand>;
  stop(): void;
} {
  const { clock, log, config } = parts.house;
  const operator = openOperator(parts);
  const invitations = openInvitations(parts);
  const endWhatIsDue = async () => {
    await closeWhatIsDue(parts);
    await removeWhatIsClosed(parts.house);
  };
  const stop =
    config.role === 'all' || config.role === 'work'
      ? repeat(clock, closingMs, endWhatIsDue, {
          firstMs: 5_000,
          onError: (error) => log.error('organisations.closing_failed', {}, error),
        })
      : () => {};
  return {
    invitations,
    access: memberAccess(parts, invitations),
    routes: [
      ...generalRoutes(parts),
      ...memberRoutes(parts),
      ...customRoleRoutes(parts),
      ...teamRoutes(parts),
      ...invitations.routes,
      ...operatorRoutes(parts, operator),
    ],
    commands: {
      /** `target` is an organisation's name in addresses, or the e-mail address of a person. */
      async 'status-of'(args) {
        const target = args.get('target') ?? '';
        const wish = {
          status: args.get('status') === 'suspended' ? ('suspended' as const) : ('active' as const),
          reason: args.get('reason') ?? undefined,
        };
        const by = { actor: { type: 'operator' as const } };
        if (target.includes('@')) await operator.setPerson(target, wish, by);
        else await operator.setOrganisation(target, wish, by);
      },
    },
    stop,
  };
}
