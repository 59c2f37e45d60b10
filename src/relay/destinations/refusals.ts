import type { Conversion } from '../../../contract/conversion.ts';
import { momentOf, refuseAmounts, refuseConsent, refuseRefund, refuseTime } from './conversion_rules.ts';
import type { Destination, Item, Refusal } from './destination.ts';

export const dayMs = 86_400_000;

/** What a platform can be told and takes, as far as a refusal depends on it. */
export interface Rules {
  /** Older ones are not taken; 90 days where no document says less, since click ids are kept no longer. */
  readonly ageMsMax: number;
  /** It has a flag for limited data use. Without one a conversion that asks for it stays here. */
  readonly limitedDataUse?: boolean;
  /** It can take an order back. Elsewhere a refund would count as one more sale. */
  readonly refunds?: boolean;
  /** It takes events of apps without an identifier of the device, which no source gives us; true where no document asks for one. */
  readonly apps?: boolean;
}

/** What holds for every platform: consent, then time, then the rest. @param now milliseconds since 1970 */
export function refuseByRules(
  { conversion }: Pick<Item, 'conversion'>,
  { purposes }: Pick<Destination, 'purposes'>,
  { ageMsMax, limitedDataUse = false, refunds = false, apps = false }: Rules,
  now: number,
): Refusal | undefined {
  const { consent, action_source } = conversion;
  const refused = purposes.includes('ad_user_data') ? refuseConsent(conversion) : undefined;
  if (refused !== undefined) return refused;
  if (purposes.includes('ad_personalization') && consent?.ad_personalization === 'denied')
    return no('consent_denied', 'consent.ad_personalization');
  if (consent?.limited_data_use === true && !limitedDataUse) return no('consent_denied', 'consent.limited_data_use');
  const rest = (refunds ? undefined : refuseRefund(conversion)) ?? refuseTime(conversion, now, ageMsMax);
  if (rest !== undefined) return rest;
  return action_source === 'app' && !apps ? no('not_supported', 'action_source') : refuseAmounts(conversion);
}

/** Of platforms that know two places: what no website, app or message brought. What does not say is of the web. */
export function isOffline({ action_source }: Conversion): boolean {
  return action_source !== undefined && offline.has(action_source);
}
const offline: ReadonlySet<string> = new Set(['physical_store', 'phone_call', 'system_generated', 'other']);

/** Milliseconds since 1970. */
export function occurredMs(conversion: Conversion): number {
  return momentOf(conversion).ms;
}

export function no(reason: Refusal['reason'], field: string): Refusal {
  return { reason, field };
}
