import type { BasesAnswer, ConsentsAnswer, LawfulBasis } from '../../../contract/consent_records.ts';
import { call } from '../desk/api.ts';

export type { BasesAnswer, ConsentRecord, LawfulBasis } from '../../../contract/consent_records.ts';
export type PurposeRow = BasesAnswer['purposes'][number];
export type Cell = PurposeRow['bases'][number];

const of = (organisation: number) => `/api/organisations/${organisation}`;

/** The calls about consent, in a part of their own. */
export const consent = {
  bases: (organisation: number) => call<BasesAnswer>('GET', `${of(organisation)}/lawful-bases`),
  change: (organisation: number, purpose: string, cell: Cell, basis: LawfulBasis) =>
    call<BasesAnswer>('PUT', `${of(organisation)}/lawful-bases/${purpose}/${cell.region}`, {
      body: { basis, version: cell.version },
    }),
  records: (organisation: number, before?: number) =>
    call<ConsentsAnswer>('GET', `${of(organisation)}/consents${before === undefined ? '' : `?before=${before}`}`),
};
