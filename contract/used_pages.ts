/**
 * Pages of the dashboard that belong to an organisation, by their names in the code: the closed list of what is counted of its use.
 * No address is in it, so no site, person or search can be.
 */
export const usedPages = [
  ...['analytics', 'realtime', 'missing', 'profiles', 'profile', 'goals', 'goal', 'shields', 'shares'],
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
] as const;
