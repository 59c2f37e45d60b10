import type {
  Connection,
  ConnectionsAnswer,
  connectionAccounts,
  connectionAnswer,
  connectionTargets,
  Disconnection,
  DisconnectionPreview,
  newAuthorisation,
  pastedSecret,
} from '../../../contract/connections.ts';
import { call } from '../desk/api.ts';

export type {
  AccountProblem,
  Connection,
  ConnectionOffer,
  ConnectionsAnswer,
  DisconnectionPreview,
} from '../../../contract/connections.ts';

export type ConnectionAccounts = (typeof connectionAccounts)['_zod']['output'];
export type ConnectionTargets = (typeof connectionTargets)['_zod']['output'];
type Sent<T extends { _zod: { input: unknown } }> = T['_zod']['input'];

const of = (organisation: number, rest = 's') => `/api/organisations/${organisation}/connection${rest}`;

/** The calls about connections, in a part of their own. */
export const connectionsApi = {
  read: (organisation: number) => call<ConnectionsAnswer>('GET', of(organisation)),
  authorise: (organisation: number, body: Sent<typeof newAuthorisation>) =>
    call<{ url: string }>('POST', of(organisation, '-authorisations'), { body }),
  answer: (organisation: number, body: Sent<typeof connectionAnswer>) =>
    call<Connection>('POST', of(organisation, '-answers'), { body }),
  paste: (organisation: number, body: Sent<typeof pastedSecret>) =>
    call<Connection>('POST', of(organisation), { body }),
  rename: (organisation: number, id: number, label: string) =>
    call<Connection>('PATCH', of(organisation, `s/${id}`), { body: { label } }),
  accounts: (organisation: number, id: number) =>
    call<ConnectionAccounts>('GET', of(organisation, `s/${id}/accounts`), { quiet: true }),
  targets: (organisation: number, id: number, account: string, through: string | null) =>
    call<ConnectionTargets>(
      'GET',
      of(
        organisation,
        `s/${id}/targets?${new URLSearchParams({ account, ...(through === null ? {} : { through }) }).toString()}`,
      ),
      { quiet: true },
    ),
  ending: (organisation: number, id: number) =>
    call<DisconnectionPreview>('GET', of(organisation, `s/${id}/disconnection`)),
  disconnect: (organisation: number, id: number) => call<Disconnection>('DELETE', of(organisation, `s/${id}`)),
};
