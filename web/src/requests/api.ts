import type {
  newRequest,
  RequestDetail,
  RequestStep,
  RequestsAnswer,
  requestCorrections,
  requestExtension,
  restrictionStep,
} from '../../../contract/requests.ts';
import { call } from '../desk/api.ts';

export type {
  Erasure,
  Measure,
  RequestDetail,
  RequestStep,
  SubjectRequest,
} from '../../../contract/requests.ts';

type Sent<T extends { _zod: { input: unknown } }> = T['_zod']['input'];
export type NewRequest = Sent<typeof newRequest>;
export type Corrections = Sent<typeof requestCorrections>['corrections'];
export type RestrictionStep = Sent<typeof restrictionStep>;

const at = (organisation: number, rest = '') => `/api/organisations/${organisation}/requests${rest}`;

/** The calls about requests of data subjects. */
export const requests = {
  read: (organisation: number, after = 0) =>
    call<RequestsAnswer>('GET', at(organisation, after === 0 ? '' : `?after=${after}`)),
  one: (organisation: number, id: number) => call<RequestDetail>('GET', at(organisation, `/${id}`)),
  enter: (organisation: number, body: NewRequest) => call<RequestDetail>('POST', at(organisation), { body }),
  step: (organisation: number, id: number, body: RequestStep) =>
    call<RequestDetail>('PUT', at(organisation, `/${id}/state`), { body }),
  erase: (organisation: number, id: number) =>
    call<RequestDetail>('POST', at(organisation, `/${id}/erasure`), { body: {} }),
  correct: (organisation: number, id: number, corrections: Corrections) =>
    call<RequestDetail>('POST', at(organisation, `/${id}/corrections`), { body: { corrections } }),
  restrict: (organisation: number, id: number, body: RestrictionStep) =>
    call<RequestDetail>('PUT', at(organisation, `/${id}/restriction`), { body }),
  receiptPath: (organisation: number, id: number, number: number) => at(organisation, `/${id}/receipts/${number}`),
  gather: (organisation: number, id: number) =>
    call<RequestDetail>('POST', at(organisation, `/${id}/archive`), { body: {} }),
  archivePath: (organisation: number, id: number) => at(organisation, `/${id}/archive`),
  extend: (organisation: number, id: number, body: Sent<typeof requestExtension>) =>
    call<RequestDetail>('PUT', at(organisation, `/${id}/extension`), { body }),
};
