import type { Provider } from './provider.ts';

/** Platforms whose secret is copied from them, and of which nothing is asked here. */
export const ga4: Provider = {
  id: 'ga4',
  destinations: ['ga4'],
  label: 'Google Analytics 4',
  pasted: {
    what: 'API secret of the Measurement Protocol',
    where: 'Admin, Data streams, the stream, "Measurement Protocol API secrets"',
  },
  hosts: ['https://www.google-analytics.com'],
};

export const pinterest: Provider = {
  id: 'pinterest',
  destinations: ['pinterest'],
  label: 'Pinterest Ads',
  pasted: { what: 'conversion access token', where: 'Ads manager, Conversions, "Set up the API"' },
  hosts: ['https://api.pinterest.com'],
};

export const snap: Provider = {
  id: 'snap',
  destinations: ['snap'],
  label: 'Snapchat Ads',
  pasted: {
    what: 'token of the Conversions API',
    where: 'Business settings, Business details, "Conversions API tokens"',
  },
  hosts: ['https://tr.snapchat.com'],
};

export const reddit: Provider = {
  id: 'reddit',
  destinations: ['reddit'],
  label: 'Reddit Ads',
  pasted: { what: 'conversion access token', where: 'Events manager, the pixel, "Conversions API"' },
  hosts: ['https://ads-api.reddit.com'],
};

export const x: Provider = {
  id: 'x',
  destinations: ['x'],
  label: 'X Ads',
  pasted: { what: 'token of the pixel', where: 'Events manager, the pixel, "Conversion API"' },
  hosts: ['https://ads-api.x.com'],
};

export const webhook: Provider = {
  id: 'webhook',
  destinations: ['webhook'],
  label: 'Webhook',
  pasted: { what: 'secret that each request is signed with', where: 'whoever receives the requests' },
  hosts: ['https://'],
};
