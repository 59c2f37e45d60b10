import type { ReceiverRow } from './receivers.ts';

const google = {
  ...{ legalName: 'Google LLC', policyUrl: 'https://policies.google.com/privacy' },
  termsUrl: 'https://policies.google.com/terms',
};

/** Ad platforms by kind of destination: whose they are, and their host (reference, Contracts and Other senders). */
const platforms: Readonly<
  Record<string, { label: string; host: string } & Pick<ReceiverRow, 'legalName' | 'policyUrl' | 'termsUrl'>>
> = {
  'meta-capi': {
    ...{ label: 'Meta Conversions API', host: 'graph.facebook.com', legalName: 'Meta Platforms, Inc.' },
    ...{ policyUrl: 'https://www.facebook.com/privacy/policy', termsUrl: 'https://www.facebook.com/legal/terms' },
  },
  'google-data-manager': { label: 'Google Ads (Data Manager)', host: 'datamanager.googleapis.com', ...google },
  'google-ads-upload': { label: 'Google Ads (upload)', host: 'googleads.googleapis.com', ...google },
  ga4: { label: 'Google Analytics 4', host: 'www.google-analytics.com', ...google },
  tiktok: { label: 'TikTok Events API', host: 'business-api.tiktok.com', legalName: 'TikTok Inc.' },
  microsoft: { label: 'Microsoft Advertising', host: 'capi.uet.microsoft.com', legalName: 'Microsoft Corporation' },
  linkedin: { label: 'LinkedIn Conversions API', host: 'api.linkedin.com', legalName: 'LinkedIn Corporation' },
  pinterest: { label: 'Pinterest API for Conversions', host: 'api.pinterest.com', legalName: 'Pinterest, Inc.' },
  snap: { label: 'Snap Conversions API', host: 'tr.snapchat.com', legalName: 'Snap Inc.' },
  reddit: { label: 'Reddit Conversions API', host: 'ads-api.reddit.com', legalName: 'Reddit, Inc.' },
  x: { label: 'X Conversion API', host: 'ads-api.x.com', legalName: 'X Corp.' },
};

const sent =
  'Conversions of people who did not deny it: event, time, value, click ids, and addresses, phone numbers and names as SHA-256 hashes';

/**
 * Where conversions go that an organisation sends on: each of them only once the organisation has set it up as a
 * destination. Whoever runs the desk may put another address in a platform's place, of which nothing is known then.
 */
export function relayReceivers(relay: Readonly<Record<string, string>> = {}): ReceiverRow[] {
  const rows = Object.entries(platforms).map(([id, { label, host, ...company }]): ReceiverRow => {
    const other = relay[id];
    return {
      ...{
        id,
        label,
        role: 'controller',
        byOrganisation: true,
        purposes: [`relay.${id}`],
        classes: ['D5', 'D6'],
        sent,
      },
      hosts: [other === undefined ? host : new URL(other).hostname.replace(/^\[|\]$/g, '')],
      why: 'Gets the conversions that an organisation sends to its account there.',
      ...(other === undefined ? { ...company, country: 'US' } : {}),
    };
  });
  return [
    {
      ...{ id: 'webhook', label: 'Webhooks of organisations', role: 'own', byOrganisation: true },
      ...{ purposes: ['relay.webhook'], hosts: { chosenBy: 'who sets up a webhook as a destination' } },
      why: 'Gets the conversions that an organisation sends to a system of its own.',
      ...{ sent, classes: ['D5', 'D6'] },
    },
    ...rows,
  ];
}
