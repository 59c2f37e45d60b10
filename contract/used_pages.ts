/**
 * Pages of the dashboard that belong to an organisation, by their names in the code: the closed list of what is counted of its use.
 * No address is in it, so no site, person or search can be.
 */
export const usedPages = [
  ...['analytics', 'realtime', 'missing', 'profiles', 'profile', 'goals', 'goal', 'shields', 'shares', 'connections'],
  ...['exports', 'imports', 'settings', 'organisation', 'organisation-sites', 'trust', 'proof', 'requests', 'request'],
  ...[
    'windows',
    'tonight',
    'holds',
    'incidents',
    'documents',
    'consent',
    'subprocessors',
    'operations',
    'access-log',
    'audit',
  ],
  ...['relay-sources', 'relay-source', 'relay-mapping', 'relay-destinations', 'relay-destination'],
  ...['relay', 'relay-inspector', 'relay-requests', 'relay-dead-letters', 'relay-match-quality', 'relay-credits'],
] as const;

/** What the address of an overview says was used there. */
export const narrowed = ['filter', 'comparison', 'whole-list', 'table'] as const;

/** What the desk was used for: a closed list like that of the pages. */
export const usedFeatures = [
  ...narrowed,
  ...['goal', 'annotation', 'shield', 'export', 'import', 'share', 'report', 'site', 'invitation', 'role', 'team'],
  ...['api-key', 'request', 'hold', 'policy', 'incident', 'disclosure', 'document', 'lawful-basis', 'consent-record'],
  ...['access-review', 'audit-export', 'operations-export', 'archive', 'transfer'],
] as const;
export type UsedFeature = (typeof usedFeatures)[number];
