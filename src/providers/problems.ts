import type { AccountProblem } from '../../contract/connections.ts';

/**
 * What a look before the first send finds. Each says what it is and what to do; `blocks` where the platform would refuse
 * what is sent (reference, "Discover" and the table of config errors).
 */
export const termsMissing = (where: string): AccountProblem => ({
  code: 'data_terms',
  sentence: `Nobody has accepted the customer data terms of this account: accept them under ${where}. Until then identifiers are refused.`,
  blocks: true,
});

export const otherCustomer = (owner: string): AccountProblem => ({
  code: 'other_customer',
  sentence: `Conversions of this account are managed by account ${owner}: choose that one.`,
  blocks: true,
});

export const noEnhancedLeads = (): AccountProblem => ({
  code: 'enhanced_leads_off',
  sentence:
    'Enhanced conversions for leads are off in this account, so mail addresses and phone numbers find nobody. Click ids work.',
  blocks: false,
});

export const oncePerClick = (): AccountProblem => ({
  code: 'one_per_click',
  sentence: 'It counts one conversion per click: those with gbraid or wbraid are refused. Let it count every one.',
  blocks: false,
});

export const notEnabled = (what: string): AccountProblem => ({
  code: 'not_enabled',
  sentence: `This ${what} is not enabled: switch it on at the platform.`,
  blocks: true,
});

export const wrongType = (what: string, type: string): AccountProblem => ({
  code: 'wrong_type',
  sentence: `This ${what} is of the type ${type}, which takes nothing that is sent: choose one for imports or the API.`,
  blocks: true,
});

export const accountBlocked = (status: string): AccountProblem => ({
  code: 'account_blocked',
  sentence: `The platform says that this account is ${status.toLowerCase().replaceAll('_', ' ')}.`,
  blocks: true,
});

export const permissionMissing = (scope: string): AccountProblem => ({
  code: 'permission',
  sentence: `The permission ${scope} was not granted, and sending needs it: allow it under Connections.`,
  blocks: true,
});
