import type { Receiver, RegisterAnswer } from './api.ts';

export const roleWords: Readonly<Record<Receiver['role'], string>> = {
  processor: 'processor',
  controller: 'controller of its own',
  own: 'own',
};

export const basisWords: Readonly<Record<NonNullable<Receiver['basis']>, string>> = {
  not_needed: 'no personal data goes there',
  adequacy: 'adequacy decision',
  clauses: 'standard contractual clauses',
};

export const reasonWords: Readonly<Record<Receiver['refusals'][number]['reason'], string>> = {
  not_registered: 'no row',
  region_refused: 'outside the regions',
};

export function regionWords(regions: RegisterAnswer['pinned_to']): string {
  return regions.map((region) => region.toUpperCase()).join(', ');
}
