import type { Conversion } from '../../../contract/conversion.ts';
import { clickMsMax, isOldClick, refuseAmounts, refuseConsent, refuseTime } from './conversion_rules.ts';
import type { Picks, Refusal } from './destination.ts';
import { readFields, settingsFields } from './settings_fields.ts';

/** Where conversions of Google Ads go, all ids as digits. */
export interface GoogleSettings {
  readonly customer_id: string;
  /** The manager account through which access runs. */
  readonly login_customer_id?: string;
  readonly conversion_action_id: string;
  /** How the conversion action counts; with `ONE_PER_CLICK` it takes no braids. */
  readonly counting_type?: string;
}

const account = { is: /^\d{1,19}$/, what: 'the number of an account, such as 123-456-7890', without: /-/g };
const counting = ['ONE_PER_CLICK', 'MANY_PER_CLICK'] as const;

export const googleFields = settingsFields({
  customer_id: { ...account, label: 'Customer', required: true },
  login_customer_id: { ...account, label: 'Manager account' },
  conversion_action_id: {
    ...{ is: /^\d{1,19}$/, label: 'Conversion action', required: true },
    what: 'the number of a conversion action',
  },
  counting_type: {
    ...{ is: /^(?:ONE|MANY)_PER_CLICK$/i, label: 'How the action counts', choices: counting },
    what: 'ONE_PER_CLICK or MANY_PER_CLICK',
  },
});

/** Whose all of Google's are. */
export const googleCompany = {
  ...{ legalName: 'Google LLC', policyUrl: 'https://policies.google.com/privacy' },
  termsUrl: 'https://policies.google.com/terms',
} as const;

/** What is chosen from the lists of a connected account. */
export const googlePicks: Picks = {
  ...{ account: 'customer_id', through: 'login_customer_id' },
  ...{ target: 'conversion_action_id', counting: 'counting_type' },
};

/** Both of Google's take a token that a connected account renews; one alone lives an hour. */
export const googleSecret = { label: 'Access token', what: 'a token of OAuth, for as long as it lives' };

/** @throws SettingsProblem */
export function readGoogleSettings(given: unknown, label: string): GoogleSettings {
  const read = readFields(given, label, googleFields);
  if (read.counting_type !== undefined) read.counting_type = read.counting_type.toUpperCase();
  return read;
}

/** Click ids are kept no longer, and no window of an action is longer. */
export const googleAgeMsMax = clickMsMax;

export interface GoogleClick {
  readonly name: 'gclid' | 'gbraid' | 'wbraid';
  readonly id: string;
}

/**
 * The one click id that goes along (REL-03): two are refused. A gclid says more than a braid, which iPhones have where a
 * gclid is missing. One of an old click stays here, so that the person stands in for it.
 */
export function clickOf(conversion: Conversion): GoogleClick | undefined {
  if (isOldClick(conversion)) return undefined;
  const { gclid, gbraid, wbraid } = conversion.click_ids ?? {};
  if (gclid !== undefined) return { name: 'gclid', id: gclid };
  if (gbraid !== undefined) return { name: 'gbraid', id: gbraid };
  return wbraid === undefined ? undefined : { name: 'wbraid', id: wbraid };
}

export function isBraid(click: GoogleClick | undefined): boolean {
  return click !== undefined && click.name !== 'gclid';
}

/**
 * Consent in Google's words: a no is passed on, and what nobody said stays unsaid, so that Google goes by the settings of the
 * account. Limited data use has no word of its own there; what it asks for is that nobody is advertised to by this.
 * @param word such as `CONSENT_`, which Data Manager writes before each
 */
export function googleConsent({ consent }: Conversion, word = ''): Record<string, string> | undefined {
  if (consent === undefined) return undefined;
  const { ad_user_data, ad_personalization, limited_data_use } = consent;
  const personal = limited_data_use === true ? 'denied' : ad_personalization;
  if (ad_user_data === undefined && personal === undefined) return undefined;
  return {
    ...(ad_user_data === undefined ? {} : { adUserData: word + ad_user_data.toUpperCase() }),
    ...(personal === undefined ? {} : { adPersonalization: word + personal.toUpperCase() }),
  };
}

/** What both ways to Google Ads refuse, each before Google refuses it: there one wrong row can cost the whole request. */
export function refuseForGoogle(
  conversion: Conversion,
  { counting_type }: GoogleSettings,
  now: number,
  ageMsMax = googleAgeMsMax,
): Refusal | undefined {
  return (
    refuseConsent(conversion) ??
    refuseTime(conversion, now, ageMsMax) ??
    refuseAmounts(conversion) ??
    refuseCorrection(conversion) ??
    refuseClicks(conversion, counting_type) ??
    refuseCart(conversion)
  );
}

/** Is it about an order that Google has already? */
export function isCorrection({ refund, original }: Conversion): boolean {
  return refund === true || original !== undefined;
}

/**
 * What is taken back of an order is not what Google asks for: it wants what remains. Whoever knows the order says it
 * (`original`, and `value` as the rest); a refund of the whole needs no value.
 */
function refuseCorrection(conversion: Conversion): Refusal | undefined {
  if (!isCorrection(conversion)) return undefined;
  const { refund, value, action_source, original, order_id } = conversion;
  if (action_source === 'physical_store' || action_source === 'phone_call')
    return { reason: 'not_supported', field: 'action_source' };
  if (original?.order_id === undefined && order_id === undefined && original?.event_id === undefined)
    return { reason: 'missing', field: 'original.order_id' };
  if (refund === true && value !== undefined) return { reason: 'not_supported', field: 'refund' };
  return refund !== true && value === undefined ? { reason: 'missing', field: 'value' } : undefined;
}

function refuseClicks(conversion: Conversion, counting_type: string | undefined): Refusal | undefined {
  const { gbraid, wbraid } = (isOldClick(conversion) ? undefined : conversion.click_ids) ?? {};
  if (gbraid !== undefined && wbraid !== undefined) return { reason: 'click_ids_conflict', field: 'click_ids' };
  const click = clickOf(conversion);
  if (click === undefined || !isBraid(click) || counting_type !== 'ONE_PER_CLICK') return undefined;
  return { reason: 'not_supported', field: `click_ids.${click.name}` };
}

/** Pieces are whole ones to Google, and a merchant is a number. */
function refuseCart(conversion: Conversion): Refusal | undefined {
  if (!hasCart(conversion)) return undefined;
  const { items = [], merchant } = conversion;
  const parted = items.findIndex(({ quantity = 1 }) => !Number.isSafeInteger(quantity));
  if (parted >= 0) return { reason: 'invalid', field: `items[${parted}].quantity` };
  return merchant !== undefined && !/^\d{1,19}$/.test(merchant.id)
    ? { reason: 'invalid', field: 'merchant.id' }
    : undefined;
}

/** Google takes neither a cart nor custom variables with a braid. */
export function hasCart(conversion: Conversion): boolean {
  return (conversion.items?.length ?? 0) > 0 && !isBraid(clickOf(conversion));
}

/** Declared variables as texts; none with a braid. */
export function variablesOf(conversion: Conversion): [name: string, value: string][] {
  if (conversion.custom === undefined || isBraid(clickOf(conversion))) return [];
  return Object.entries(conversion.custom).map(([name, value]) => [name, String(value)]);
}
