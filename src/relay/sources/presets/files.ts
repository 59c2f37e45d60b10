import type { Rule } from '../../../../contract/mapping.ts';
import type { Preset } from './preset.ts';

/**
 * Files that people have anyway, because a platform has asked for them: the columns are those of its template. Times without
 * an offset are of a timezone that the file does not say; UTC stands until somebody says which.
 */
/** A word that is none of Google's makes the row a wrong one: what was meant for a no would go as if nothing had been said. */
const consent = (path: string): Rule => ({
  path,
  apply: ['lower'],
  lookup: { granted: 'granted', denied: 'denied', unspecified: 'unknown', unknown: 'unknown' },
});

/** "Import conversions from clicks" of Google Ads: offline conversion template, with the columns of enhanced conversions for leads. */
export const googleAdsFile: Preset = {
  id: 'google-ads-file',
  label: 'Google Ads offline conversions',
  kind: 'upload',
  mapping: {
    fields: {
      event_name: 'Conversion Name',
      occurred_at: { path: 'Conversion Time', apply: [{ date: { timezone: 'UTC', order: 'mdy' } }] },
      value: { path: 'Conversion Value', apply: [{ number: { decimal: '.' } }] },
      currency: { path: 'Conversion Currency', apply: ['upper'] },
      order_id: [{ path: 'Order ID' }, { path: 'Transaction ID' }],
      'click_ids.gclid': 'Google Click ID',
      'click_ids.gbraid': 'GBRAID',
      'click_ids.wbraid': 'WBRAID',
      'user.email': 'Email',
      'user.phone': 'Phone Number',
      'consent.ad_user_data': consent('Ad User Data'),
      'consent.ad_personalization': consent('Ad Personalization'),
    },
  },
};

/** Offline events of Meta. Its times are seconds since 1970, or ISO 8601. */
export const metaFile: Preset = {
  id: 'meta-offline-file',
  label: 'Meta offline events',
  kind: 'upload',
  mapping: {
    fields: {
      event_name: 'event_name',
      occurred_at: [
        { path: 'event_time', when: { path: 'event_time', compare: '>=', to: 100_000_000 }, apply: ['unix_seconds'] },
        { path: 'event_time', apply: [{ date: { timezone: 'UTC' } }] },
      ],
      value: { path: 'value', apply: [{ number: { decimal: '.' } }] },
      currency: { path: 'currency', apply: ['upper'] },
      order_id: 'order_id',
      action_source: { path: 'action_source', default: 'physical_store' },
      'user.email': 'email',
      'user.phone': 'phone',
      'user.first_name': 'fn',
      'user.last_name': 'ln',
      'user.city': 'ct',
      'user.state': 'st',
      'user.zip': 'zip',
      'user.country': 'country',
      'user.date_of_birth': 'dob',
      'user.gender': 'gen',
      'user.external_id': 'extern_id',
    },
  },
};
