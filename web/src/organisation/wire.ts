import type { AlertHookChange, AlertTest, alertHookAnswer, MadeAlertHook } from '../../../contract/alert_hooks.ts';
import type { OrganisationArchive, OrganisationArchives } from '../../../contract/organisation_archives.ts';
import type {
  Invitation,
  InvitationReading,
  invitationAcceptance,
  Member,
  memberChange,
  newInvitation,
  newOrganisation,
  newRole,
  newTeam,
  OrganisationDetails,
  OrganisationRole,
  organisationChange,
  RoleTable,
  SentInvitation,
  Team,
} from '../../../contract/organisations.ts';
import type { secondFactorSetting } from '../../../contract/people.ts';
import type { newTransfer, Transfer, TransfersAnswer } from '../../../contract/transfers.ts';
import { call } from '../desk/api.ts';
import { paidCall } from '../sign_in/work.ts';

export type {
  Invitation,
  InvitationReading,
  Member,
  OrganisationDetails,
  OrganisationRole,
  RoleTable,
  SentInvitation,
  Team,
};

export type SecondFactorRule = (typeof secondFactorSetting)['_zod']['output']['required'];

type Sent<T extends { _zod: { input: unknown } }> = T['_zod']['input'];
export type NewInvitation = Sent<typeof newInvitation>;
export type NewTeam = Sent<typeof newTeam>;
export type NewRole = Sent<typeof newRole>;

const at = (organisation: number | string, rest = '') =>
  `/api/organisations/${encodeURIComponent(organisation)}${rest}`;

/** The calls about organisations, in a part of their own: who looks at numbers does not load them. */
export const organisations = {
  read: (organisation: number | string) => call<OrganisationDetails>('GET', at(organisation)),
  make: (body: Sent<typeof newOrganisation>) => call<OrganisationDetails>('POST', '/api/organisations', { body }),
  change: (organisation: number, body: Sent<typeof organisationChange>) =>
    call<OrganisationDetails>('PATCH', at(organisation), { body }),
  setLogo: (organisation: number, bytes: Blob) => call<{ logo: string }>('PUT', at(organisation, '/logo'), { bytes }),
  removeLogo: (organisation: number) => call<undefined>('DELETE', at(organisation, '/logo')),
  logoAddress: (organisation: number, version: string) => at(organisation, `/logo?v=${version}`),
  close: (organisation: number, slug: string) =>
    call<OrganisationDetails>('PUT', at(organisation, '/closing'), { body: { slug } }),
  transfers: (organisation: number) => call<TransfersAnswer>('GET', at(organisation, '/transfers')),
  announceTransfer: (organisation: number, body: Sent<typeof newTransfer>) =>
    call<Transfer>('POST', at(organisation, '/transfers'), { body }),
  withdrawTransfer: (organisation: number, id: number) =>
    call<Transfer>('DELETE', at(organisation, `/transfers/${id}`)),
  archives: (organisation: number, signal: AbortSignal) =>
    call<OrganisationArchives>('GET', at(organisation, '/archives'), { signal }),
  makeArchive: (organisation: number) => call<OrganisationArchive>('POST', at(organisation, '/archives')),
  removeArchive: (organisation: number, id: number) => call<undefined>('DELETE', at(organisation, `/archives/${id}`)),
  archiveAddress: (organisation: number, id: number) => at(organisation, `/archives/${id}/file`),
  reopen: (organisation: number) => call<OrganisationDetails>('DELETE', at(organisation, '/closing')),
  leave: (organisation: number, slug: string) =>
    call<undefined>('POST', at(organisation, '/departures'), { body: { slug } }),
  offerOwnership: (organisation: number, person: number) =>
    call<unknown>('PUT', at(organisation, '/ownership-offer'), { body: { person_id: person } }),
  endOffer: (organisation: number) => call<undefined>('DELETE', at(organisation, '/ownership-offer')),
  acceptOffer: (organisation: number) => call<undefined>('POST', at(organisation, '/ownership-offer/acceptances')),
  secondFactor: (organisation: number) =>
    call<{ required: SecondFactorRule }>('GET', at(organisation, '/second-factor')),
  setSecondFactor: (organisation: number, required: SecondFactorRule) =>
    call<{ required: SecondFactorRule }>('PUT', at(organisation, '/second-factor'), { body: { required } }),
  members: (organisation: number) =>
    call<{ members: Member[] }>('GET', at(organisation, '/members')).then((answer) => answer.members),
  changeMember: (organisation: number, person: number, body: Sent<typeof memberChange>) =>
    call<Member>('PATCH', at(organisation, `/members/${person}`), { body }),
  removeMember: (organisation: number, person: number) =>
    call<undefined>('DELETE', at(organisation, `/members/${person}`)),
  roles: (organisation: number) => call<RoleTable>('GET', at(organisation, '/roles')),
  makeRole: (organisation: number, body: NewRole) =>
    call<OrganisationRole>('POST', at(organisation, '/roles'), { body }),
  changeRole: (organisation: number, role: string, body: NewRole) =>
    call<OrganisationRole>('PUT', at(organisation, `/roles/${role.slice('custom:'.length)}`), { body }),
  removeRole: (organisation: number, role: string, successor: string | undefined) =>
    call<undefined>(
      'DELETE',
      at(
        organisation,
        `/roles/${role.slice('custom:'.length)}${successor === undefined ? '' : `?${new URLSearchParams({ successor })}`}`,
      ),
    ),
  teams: (organisation: number) =>
    call<{ teams: Team[] }>('GET', at(organisation, '/teams')).then((answer) => answer.teams),
  makeTeam: (organisation: number, body: NewTeam) => call<Team>('POST', at(organisation, '/teams'), { body }),
  changeTeam: (organisation: number, id: number, body: NewTeam) =>
    call<Team>('PUT', at(organisation, `/teams/${id}`), { body }),
  removeTeam: (organisation: number, id: number) => call<undefined>('DELETE', at(organisation, `/teams/${id}`)),
  invitations: (organisation: number) =>
    call<{ invitations: Invitation[] }>('GET', at(organisation, '/invitations')).then((answer) => answer.invitations),
  invite: (organisation: number, body: NewInvitation) =>
    call<SentInvitation>('POST', at(organisation, '/invitations'), { body }),
  resend: (organisation: number, id: number) =>
    call<SentInvitation>('POST', at(organisation, `/invitations/${id}/links`)),
  revoke: (organisation: number, id: number) => call<undefined>('DELETE', at(organisation, `/invitations/${id}`)),
  readInvitation: (token: string) => paidCall<InvitationReading>('POST', '/api/invitations/readings', { token }),
  acceptInvitation: (body: Sent<typeof invitationAcceptance>) =>
    paidCall<{ slug: string }>('POST', '/api/invitations/acceptances', body),
  joinByInvitation: (token: string) =>
    paidCall<{ slug: string }>('POST', '/api/invitations/joins', { token }, { quiet: false }),
};

const alertsAt = (id: number, rest = '') => `/api/organisations/${id}/alert-hook${rest}`;
/** Where alerts of an organisation are posted to. */
export const alertHooks = {
  read: (id: number) => call<(typeof alertHookAnswer)['_zod']['output']>('GET', alertsAt(id)),
  change: (id: number, body: AlertHookChange) => call<MadeAlertHook>('PUT', alertsAt(id), { body }),
  newSecret: (id: number) => call<MadeAlertHook>('POST', alertsAt(id, '/secrets')),
  test: (id: number) => call<AlertTest>('POST', alertsAt(id, '/tests')),
  remove: (id: number) => call<undefined>('DELETE', alertsAt(id)),
};
