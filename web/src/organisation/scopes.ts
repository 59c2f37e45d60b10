import type { keyScopes } from '../../../contract/api.ts';

/** What an API key may do, as people say it. */
export type Scope = (typeof keyScopes)[number];
export const scopeWords: Record<Scope, string> = {
  'stats:read': 'Read statistics',
  'stats:export': 'Export everything into files',
  'events:write': 'Send events with their own time and address',
  'sites:read': 'Read sites and their settings',
  'sites:write': 'Create and change sites',
  'requests:write': 'Hand in requests of data subjects',
  'consents:write': 'Record consents, for the whole organisation',
  'profiles:read': 'See who visitors of storage mode are',
  'relay:read': 'Read what the conversion relay does and how it is set, for the whole organisation',
  'relay:write': 'Change the conversion relay, for the whole organisation',
};
