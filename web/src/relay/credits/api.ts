import type { CreditChange, Credits, CreditTransferStory, CreditTransfersPage } from '../../../../contract/credits.ts';
import type { RelayPeriod } from '../../../../contract/relay_asked.ts';
import { call } from '../../desk/api.ts';

const base = (organisation: number) => `/api/organisations/${organisation}/relay/credits`;

/** Calls about credits. @param cursor `next` of the page before */
export const credits = {
  read: (of: number, period: RelayPeriod) => call<Credits>('GET', `${base(of)}?period=${period}`),
  transfers: (of: number, holds: boolean, cursor?: number) =>
    call<CreditTransfersPage>(
      'GET',
      `${base(of)}/transfers?holds=${holds ? 'yes' : 'no'}${cursor === undefined ? '' : `&cursor=${cursor}`}`,
    ),
  transfer: (of: number, id: number, cursor?: number) =>
    call<CreditTransferStory>('GET', `${base(of)}/transfers/${id}${cursor === undefined ? '' : `?cursor=${cursor}`}`),
  change: (of: number, body: CreditChange) =>
    call<{ is_new: boolean; available: number }>('POST', `/api/desk/organisations/${of}/credits`, { body }),
};
