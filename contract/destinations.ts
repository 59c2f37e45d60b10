// Written by `npm run write` from the files of src/relay/destinations, and not by hand.

/** Platforms of which a secret is pasted, and which nobody signs in at. */
export const pastedProviders = ['ga4', 'pinterest', 'reddit', 'snap', 'webhook', 'x'] as const;

/** Click ids that a destination brought with it. */
export const destinationClickIds = ['ob_click_id', 'tblci'] as const;

/** What is pasted of each, and where somebody finds it. Without a host, the settings of a destination name it. */
export const pastedPlatforms = [
  {
    id: 'ga4',
    platform: 'Google Analytics 4',
    what: 'API secret of the Measurement Protocol',
    where: 'Admin, Data streams, the stream, "Measurement Protocol API secrets"',
    host: 'www.google-analytics.com',
  },
  {
    id: 'pinterest',
    platform: 'Pinterest Ads',
    what: 'conversion access token',
    where: 'Ads manager, Conversions, "Set up the API"',
    host: 'api.pinterest.com',
  },
  {
    id: 'reddit',
    platform: 'Reddit Ads',
    what: 'conversion access token',
    where: 'Events manager, the pixel, "Conversions API"',
    host: 'ads-api.reddit.com',
  },
  {
    id: 'snap',
    platform: 'Snapchat Ads',
    what: 'token of the Conversions API',
    where: 'Business settings, Business details, "Conversions API tokens"',
    host: 'tr.snapchat.com',
  },
  {
    id: 'webhook',
    platform: 'Webhook',
    what: 'secret that each request is signed with',
    where: 'whoever receives the requests',
    host: null,
  },
  {
    id: 'x',
    platform: 'X Ads',
    what: 'token of the pixel',
    where: 'Events manager, the pixel, "Conversion API"',
    host: 'ads-api.x.com',
  },
] as const;

/** By kind of destination whose interface has a version: the operator's setting, what holds without it, and its shape. */
export const destinationVersions: Readonly<Record<string, DestinationVersion>> = {
  'google-data-manager': {
    label: 'Google Ads (Data Manager)',
    variable: 'FAIRLEAD_DATA_MANAGER_VERSION',
    standard: 'v1',
    is: '^v\\d{1,3}$',
  },
  'google-ads-upload': {
    label: 'Google Ads (upload)',
    variable: 'FAIRLEAD_GOOGLE_ADS_VERSION',
    standard: 'v25',
    is: '^v\\d{1,3}$',
  },
  linkedin: {
    label: 'LinkedIn Conversions API',
    variable: 'FAIRLEAD_LINKEDIN_VERSION',
    standard: '202603',
    is: '^20\\d\\d(?:0[1-9]|1[0-2])$',
  },
  'meta-capi': {
    label: 'Meta Conversions API',
    variable: 'FAIRLEAD_META_VERSION',
    standard: 'v25.0',
    is: '^v\\d{1,3}\\.\\d$',
  },
  microsoft: {
    label: 'Microsoft Advertising',
    variable: 'FAIRLEAD_MICROSOFT_CAPI_VERSION',
    standard: 'v1',
    is: '^v\\d{1,3}$',
  },
  pinterest: {
    label: 'Pinterest API for Conversions',
    variable: 'FAIRLEAD_PINTEREST_VERSION',
    standard: 'v5',
    is: '^v\\d{1,3}$',
  },
  reddit: {
    label: 'Reddit Conversions API',
    variable: 'FAIRLEAD_REDDIT_VERSION',
    standard: 'v2.0',
    is: '^v\\d{1,3}(?:\\.\\d)?$',
  },
  snap: { label: 'Snap Conversions API', variable: 'FAIRLEAD_SNAP_VERSION', standard: 'v3', is: '^v\\d{1,3}$' },
  tiktok: {
    label: 'TikTok Events API',
    variable: 'FAIRLEAD_TIKTOK_VERSION',
    standard: 'v1.3',
    is: '^v\\d{1,3}\\.\\d$',
  },
  x: { label: 'X Conversion API', variable: 'FAIRLEAD_X_VERSION', standard: '12', is: '^\\d{1,3}$' },
};
export interface DestinationVersion {
  readonly label: string;
  readonly variable: string;
  readonly standard: string;
  readonly is: string;
}

/** By kind of destination: whose it is, its host, and the operator's setting for another address. */
export const destinationReceivers: Readonly<Record<string, DestinationReceiver>> = {
  'google-data-manager': {
    label: 'Google Ads (Data Manager)',
    variable: 'FAIRLEAD_RELAY_DATA_MANAGER_URL',
    legalName: 'Google LLC',
    policyUrl: 'https://policies.google.com/privacy',
    termsUrl: 'https://policies.google.com/terms',
    host: 'datamanager.googleapis.com',
    getsHashes: true,
  },
  'google-ads-upload': {
    label: 'Google Ads (upload)',
    variable: 'FAIRLEAD_RELAY_GOOGLE_ADS_URL',
    legalName: 'Google LLC',
    policyUrl: 'https://policies.google.com/privacy',
    termsUrl: 'https://policies.google.com/terms',
    host: 'googleads.googleapis.com',
    getsHashes: true,
  },
  ga4: {
    label: 'Google Analytics 4',
    variable: 'FAIRLEAD_RELAY_GA4_URL',
    legalName: 'Google LLC',
    policyUrl: 'https://policies.google.com/privacy',
    termsUrl: 'https://policies.google.com/terms',
    host: 'www.google-analytics.com',
    getsHashes: true,
  },
  linkedin: {
    label: 'LinkedIn Conversions API',
    variable: 'FAIRLEAD_RELAY_LINKEDIN_URL',
    host: 'api.linkedin.com',
    legalName: 'LinkedIn Corporation',
    getsHashes: true,
  },
  'meta-capi': {
    label: 'Meta Conversions API',
    variable: 'FAIRLEAD_RELAY_META_URL',
    host: 'graph.facebook.com',
    legalName: 'Meta Platforms, Inc.',
    policyUrl: 'https://www.facebook.com/privacy/policy',
    termsUrl: 'https://www.facebook.com/legal/terms',
    getsHashes: true,
  },
  microsoft: {
    label: 'Microsoft Advertising',
    variable: 'FAIRLEAD_RELAY_MICROSOFT_URL',
    host: 'capi.uet.microsoft.com',
    legalName: 'Microsoft Corporation',
    getsHashes: true,
  },
  outbrain: {
    label: 'Outbrain (server to server)',
    variable: 'FAIRLEAD_RELAY_OUTBRAIN_URL',
    host: 'tr.outbrain.com',
    legalName: 'Outbrain Inc.',
    getsHashes: false,
  },
  pinterest: {
    label: 'Pinterest API for Conversions',
    variable: 'FAIRLEAD_RELAY_PINTEREST_URL',
    host: 'api.pinterest.com',
    legalName: 'Pinterest, Inc.',
    getsHashes: true,
  },
  reddit: {
    label: 'Reddit Conversions API',
    variable: 'FAIRLEAD_RELAY_REDDIT_URL',
    host: 'ads-api.reddit.com',
    legalName: 'Reddit, Inc.',
    getsHashes: true,
  },
  snap: {
    label: 'Snap Conversions API',
    variable: 'FAIRLEAD_RELAY_SNAP_URL',
    host: 'tr.snapchat.com',
    legalName: 'Snap Inc.',
    getsHashes: true,
  },
  taboola: {
    label: 'Taboola (server to server)',
    variable: 'FAIRLEAD_RELAY_TABOOLA_URL',
    host: 'trc.taboola.com',
    legalName: 'Taboola, Inc.',
    policyUrl: 'https://www.taboola.com/policies/privacy-policy',
    getsHashes: false,
  },
  tiktok: {
    label: 'TikTok Events API',
    variable: 'FAIRLEAD_RELAY_TIKTOK_URL',
    host: 'business-api.tiktok.com',
    legalName: 'TikTok Inc.',
    getsHashes: true,
  },
  x: {
    label: 'X Conversion API',
    variable: 'FAIRLEAD_RELAY_X_URL',
    host: 'ads-api.x.com',
    legalName: 'X Corp.',
    getsHashes: true,
  },
};
export interface DestinationReceiver {
  readonly label: string;
  readonly host: string;
  readonly variable: string;
  readonly legalName: string;
  readonly policyUrl?: string;
  readonly termsUrl?: string;
  /** Of what somebody wrote of themselves, and not the ids of clicks alone. */
  readonly getsHashes: boolean;
}
