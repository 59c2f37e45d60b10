import type {
  IdentityAnswer,
  newReceiverList,
  OperatorIdentity,
  operatorIdentity,
  organisationIdentity,
  PaperAnswer,
  PaperKind,
  PapersAnswer,
  paperPublication,
  ReceiverListsAnswer,
} from '../../../contract/documents.ts';
import { call } from '../desk/api.ts';

export type {
  IdentityAnswer,
  OperatorIdentity,
  PaperAnswer,
  PaperBlock,
  PaperSummary,
  PapersAnswer,
  ReceiverListsAnswer,
} from '../../../contract/documents.ts';

type Sent<T extends { _zod: { input: unknown } }> = T['_zod']['input'];
export type OrganisationParty = Sent<typeof organisationIdentity>;
export type OperatorParty = Sent<typeof operatorIdentity>;

const at = (organisation: number, rest: string) => `/api/organisations/${organisation}${rest}`;

/** The calls about documents, identity and the public list, in a part of their own. */
export const documents = {
  list: (organisation: number) => call<PapersAnswer>('GET', at(organisation, '/documents')),
  read: (organisation: number, kind: PaperKind) => call<PaperAnswer>('GET', at(organisation, `/documents/${kind}`)),
  review: (organisation: number, kind: PaperKind, digest: string) =>
    call<PaperAnswer>('POST', at(organisation, `/documents/${kind}/reviews`), { body: { digest } }),
  publish: (organisation: number, kind: PaperKind, body: Sent<typeof paperPublication>) =>
    call<PaperAnswer>('POST', at(organisation, `/documents/${kind}/versions`), { body }),
  accept: (organisation: number, version: number) =>
    call<PapersAnswer>('POST', at(organisation, '/agreement-acceptances'), { body: { version } }),
  identity: (organisation: number) => call<IdentityAnswer>('GET', at(organisation, '/identity')),
  sayWho: (organisation: number, body: OrganisationParty) =>
    call<IdentityAnswer>('PUT', at(organisation, '/identity'), { body }),
  sayOperator: (body: OperatorParty) => call<OperatorIdentity>('PUT', '/api/desk/identity', { body }),
  lists: (organisation: number) => call<ReceiverListsAnswer>('GET', at(organisation, '/subprocessor-lists')),
  announce: (body: Sent<typeof newReceiverList>) => call<unknown>('POST', '/api/subprocessor-lists', { body }),
};
