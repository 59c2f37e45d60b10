import type { ActionSource, Conversion } from '../../../contract/conversion.ts';
import { isNegative } from '../conversions/amount.ts';
import { type Moment, readMoment } from '../conversions/moment.ts';
import type { Refusal } from './destination.ts';

/** REL-08: who said no to giving their data to advertisers is withheld from all of them. Silence is not turned into a yes. */
export function refuseConsent({ consent }: Conversion): Refusal | undefined {
  return consent?.ad_user_data === 'denied' ? { reason: 'consent_denied', field: 'consent.ad_user_data' } : undefined;
}

/** @param ageMsMax undefined: however old */
export function refuseTime(conversion: Conversion, now: number, ageMsMax: number | undefined): Refusal | undefined {
  if (ageMsMax === undefined || now - momentOf(conversion).ms <= ageMsMax) return undefined;
  return { reason: 'too_old', field: 'occurred_at' };
}

/** Platforms take no value below nothing, and guess at none that has no currency. */
export function refuseAmounts({ value, currency, items }: Conversion): Refusal | undefined {
  if (value !== undefined) {
    if (isNegative(value)) return { reason: 'invalid', field: 'value' };
    if (currency === undefined) return { reason: 'value_without_currency', field: 'currency' };
  }
  const below = items?.findIndex(({ price }) => price !== undefined && isNegative(price)) ?? -1;
  return below < 0 ? undefined : { reason: 'invalid', field: `items[${below}].price` };
}

/** Where nothing can be taken back a refund would count as one more sale. */
export function refuseRefund({ refund }: Conversion): Refusal | undefined {
  return refund === true ? { reason: 'not_supported', field: 'refund' } : undefined;
}

/** Where it happened: what has the address of a page and does not say was on a website. */
export function actionSourceOf({ action_source, page_url }: Conversion): ActionSource | undefined {
  return action_source ?? (page_url === undefined ? undefined : 'website');
}

/** When it happened; `clicked_at` is when the click was, and where nobody knows, when it happened. */
export function momentOf(conversion: Conversion, of: 'occurred_at' | 'clicked_at' = 'occurred_at'): Moment {
  const text = conversion[of] ?? conversion.occurred_at;
  const last = lastRead[of];
  if (last?.text === text) return last.moment;
  const moment = readMoment(text);
  if (typeof moment === 'string') throw new RangeError(`${of} of a conversion was not read before`);
  lastRead[of] = { text, moment };
  return moment;
}

/** What is asked of one conversion is mostly asked several times in a row. */
const lastRead: Partial<Record<'occurred_at' | 'clicked_at', { readonly text: string; readonly moment: Moment }>> = {};

/** Click ids and the cookies made of them live so long, and no window of a platform is longer (reference). */
export const clickMsMax = 90 * 86_400_000;

/** Was the click too long before the conversion for its id to say anything? Never where nobody knows when it was. */
export function isOldClick(conversion: Conversion): boolean {
  if (conversion.clicked_at === undefined) return false;
  return momentOf(conversion).ms - momentOf(conversion, 'clicked_at').ms > clickMsMax;
}

/** The year it was, in its own zone; undefined where it says none. */
export function yearOf({ occurred_at }: Conversion): number | undefined {
  return Number(occurred_at.slice(0, 4)) || undefined;
}
