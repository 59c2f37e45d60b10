import type { UsedFeature } from '../../../contract/used_pages.ts';
import type { Answered } from '../../platform/http/server.ts';

/** Which feature a call is the use of, where it was answered well. A test looks whether each call still exists. */
export const featureOfCall: Readonly<Record<string, UsedFeature>> = {
  'POST /api/sites': 'site',
  'POST /api/sites/:domain/goals': 'goal',
  'POST /api/sites/:domain/annotations': 'annotation',
  'POST /api/sites/:domain/shields': 'shield',
  'POST /api/sites/:domain/exports': 'export',
  'POST /api/sites/:domain/imports/:id/start': 'import',
  'POST /api/sites/:domain/shares': 'share',
  'PUT /api/sites/:domain/report-subscription': 'report',
  'POST /api/organisations/:organisation/invitations': 'invitation',
  'POST /api/organisations/:organisation/roles': 'role',
  'POST /api/organisations/:organisation/teams': 'team',
  'POST /api/keys': 'api-key',
  'POST /api/organisations/:organisation/requests': 'request',
  'POST /api/organisations/:organisation/holds': 'hold',
  'PUT /api/organisations/:organisation/policy': 'policy',
  'POST /api/organisations/:organisation/incidents': 'incident',
  'POST /api/organisations/:organisation/disclosures': 'disclosure',
  'POST /api/organisations/:organisation/documents/:kind/versions': 'document',
  'PUT /api/organisations/:organisation/lawful-bases/:purpose/:region': 'lawful-basis',
  'POST /api/organisations/:organisation/consents': 'consent-record',
  'POST /api/organisations/:organisation/access-reviews/:review/decisions': 'access-review',
  'GET /api/organisations/:organisation/audit/export': 'audit-export',
  'GET /api/organisations/:organisation/operations/export': 'operations-export',
  'POST /api/organisations/:organisation/archives': 'archive',
  'POST /api/organisations/:organisation/transfers': 'transfer',
};

/** Whose act it was, for the question whether they agreed, and in which organisation; a key uses nothing. */
export function featureUse({ asked, route, status }: Answered) {
  const feature = featureOfCall[route];
  const { principal, organisationId } = asked;
  if (feature === undefined || status >= 400 || principal?.kind !== 'person' || organisationId === undefined)
    return undefined;
  return { feature, personId: principal.id, organisationId };
}
