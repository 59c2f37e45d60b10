import type {
  Hold,
  HoldsAnswer,
  holdRelease,
  holdReview,
  newHold,
  PreviewAnswer,
  policyChange,
  Receipt,
  WindowsAnswer,
} from '../../../contract/windows.ts';
import { call } from '../desk/api.ts';

export type {
  Hold,
  HoldsAnswer,
  PreviewAnswer,
  Receipt,
  WindowLine,
  WindowsAnswer,
} from '../../../contract/windows.ts';

type Sent<T extends { _zod: { input: unknown } }> = T['_zod']['input'];
export type NewHold = Sent<typeof newHold>;

const at = (organisation: number, rest: string) => `/api/organisations/${organisation}${rest}`;

/** The calls about windows, policy and holds, in a part of their own. */
export const windows = {
  read: (organisation: number) => call<WindowsAnswer>('GET', at(organisation, '/windows')),
  tonight: (organisation: number) => call<PreviewAnswer>('GET', at(organisation, '/windows/tonight')),
  receipts: (organisation: number, before?: number) =>
    call<{ receipts: Receipt[]; next: number | null }>(
      'GET',
      at(organisation, `/windows/receipts${before === undefined ? '' : `?before=${before}`}`),
    ),
  change: (organisation: number, body: Sent<typeof policyChange>) =>
    call<WindowsAnswer>('PUT', at(organisation, '/policy'), { body }),
  holds: (organisation: number) => call<HoldsAnswer>('GET', at(organisation, '/holds')),
  place: (organisation: number, body: NewHold) => call<Hold>('POST', at(organisation, '/holds'), { body }),
  review: (organisation: number, id: number, body: Sent<typeof holdReview>) =>
    call<Hold>('PUT', at(organisation, `/holds/${id}/review`), { body }),
  release: (organisation: number, id: number, body: Sent<typeof holdRelease>) =>
    call<Hold>('PUT', at(organisation, `/holds/${id}/release`), { body }),
};
