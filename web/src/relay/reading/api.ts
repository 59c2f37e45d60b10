import type { DeadLetters, deliveriesChanged, deliveryChoice, ReplayPreview } from '../../../../contract/deliveries.ts';
import type { RelayPeriod } from '../../../../contract/relay_asked.ts';
import type {
  BrowserShare,
  CapturedRequestShown,
  ConversionStory,
  conversionsPage,
  DeletionPreview,
  DeletionQuestion,
  DeletionReceipt,
  MatchQuality,
  RelayOverview,
  RequestStory,
  RequestsPage,
} from '../../../../contract/relay_reading.ts';
import { call } from '../../desk/api.ts';

export type ConversionsPage = (typeof conversionsPage)['_zod']['output'];

export type { DeadLetters } from '../../../../contract/deliveries.ts';
export type ReplayChoice = (typeof deliveryChoice)['_zod']['input'];
export type { ReplayPreview };

type ReplayResult = (typeof deliveriesChanged)['_zod']['output'];

const base = (organisation: number) => `/api/organisations/${organisation}/relay`;
const asked = (path: string, query: string) => (query === '' ? path : `${path}?${query}`);

/** What the relay says of its conversions. @param query as it stands in the address */
export const relay = {
  overview: (of: number, period: RelayPeriod) => call<RelayOverview>('GET', `${base(of)}/overview?period=${period}`),
  matchQuality: (of: number, period: RelayPeriod) =>
    call<MatchQuality>('GET', `${base(of)}/match-quality?period=${period}`),
  browserShare: (of: number, period: RelayPeriod) =>
    call<BrowserShare>('GET', `${base(of)}/browser-share?period=${period}`),
  conversions: (of: number, query: string, signal?: AbortSignal) =>
    call<ConversionsPage>('GET', asked(`${base(of)}/conversions`, query), { signal }),
  story: (of: number, id: string) => call<ConversionStory>('GET', `${base(of)}/conversions/${id}`, { quiet: true }),
  requests: (of: number, query: string) => call<RequestsPage>('GET', asked(`${base(of)}/requests`, query)),
  request: (of: number, id: string) => call<RequestStory>('GET', `${base(of)}/requests/${id}`, { quiet: true }),
  capture: (of: number, id: string) => call<CapturedRequestShown>('GET', `${base(of)}/captures/${id}`, { quiet: true }),
  reveal: (of: number, id: string, reason: string) =>
    call<CapturedRequestShown>('POST', `${base(of)}/captures/${id}/reveals`, { body: { reason }, quiet: true }),
  deadLetters: (of: number, query: string) => call<DeadLetters>('GET', asked(`${base(of)}/dead-letters`, query)),
  previewReplay: (of: number, body: ReplayChoice) =>
    call<ReplayPreview>('POST', `${base(of)}/replays/preview`, { body }),
  replay: (of: number, body: ReplayChoice) => call<ReplayResult>('POST', `${base(of)}/replays`, { body }),
  previewDeletion: (of: number, body: DeletionQuestion) =>
    call<DeletionPreview>('POST', `${base(of)}/deletion-previews`, { body }),
  remove: (of: number, body: DeletionQuestion) => call<DeletionReceipt>('POST', `${base(of)}/deletions`, { body }),
  deletions: (of: number) => call<{ deletions: DeletionReceipt[] }>('GET', `${base(of)}/deletions`),
};
