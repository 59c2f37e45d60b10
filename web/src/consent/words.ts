import type { Cell, ConsentRecord, LawfulBasis } from './api.ts';

export const regionWords: Readonly<Record<Cell['region'], string>> = {
  eea: 'EEA',
  uk: 'UK',
  ch: 'Switzerland',
  us: 'USA',
  sg: 'Singapore',
  other: 'Elsewhere',
};

export const basisWords: Readonly<Record<LawfulBasis, string>> = {
  contract: 'contract',
  legal_obligation: 'legal duty',
  notice: 'notice, opt-out',
  legitimate_interest: 'legitimate interest',
  consent: 'consent',
  off: 'not done',
};

export const stateWords: Readonly<Record<ConsentRecord['state'], readonly ['ok' | 'idle', string]>> = {
  given: ['ok', 'given'],
  withdrawn: ['idle', 'withdrawn'],
  refused: ['idle', 'refused'],
};

export const wayWords: Readonly<Record<ConsentRecord['how'], string>> = {
  banner: 'banner',
  form: 'form',
  page: 'page',
  mail: 'mail',
  paper: 'paper',
  api: 'API',
  account: 'account',
};
