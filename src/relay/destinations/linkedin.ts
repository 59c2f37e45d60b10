import { hashedEmails } from '../identifiers/plain.ts';
import { amountText } from './amount_text.ts';
import { seriesOf, versionRefused } from './answer_parts.ts';
import { codeOf, isMiscounted, isRefusal, isSuccess, memberOf, readPlain, unknownAnswer } from './answers.ts';
import type {
  Answer,
  ApiVersion,
  Asked,
  Destination,
  Item,
  OutgoingRequest,
  Refusal,
  RowVerdict,
  Verdict,
} from './destination.ts';
import { dayMs, no, occurredMs, type Rules, refuseByRules } from './refusals.ts';
import { postJson, present } from './requests.ts';
import { readFields, settingsFields } from './settings_fields.ts';

/**
 * LinkedIn Conversions API. The token (`rw_conversions`) goes into `Authorization: Bearer` when it is sent.
 *
 * Read: endpoint, version 202603, `X-RestLi-Method: BATCH_CREATE`, `conversionHappenedAt` in milliseconds within 90 days,
 * the two kinds of `userIds` (the house's reference); `elements`, the amount as text, `eventId`, a status for each element
 * of the answer (the schema of StreamMultipleConversionEvents); 5,000 of a request (Salesforce's guide); `userIds` present
 * always (dev.to); `X-Restli-Protocol-Version` (LinkedIn's pages of the Conversions API, 2026-03 and 2026-08); `eventId`
 * against the Insight Tag's, of which the tag's counts (learn.microsoft.com, Deduplication); that a
 * version which is over answers 426, and codes of tokens 65600 to 65602 with a 401 (other senders' code). Recalled: nothing.
 *
 * Names in clear text (`userInfo`) and raw external ids, which it would take, are not sent.
 */
interface Settings {
  readonly conversion_id: string;
}

interface Identifiers {
  readonly email: readonly string[];
}

/** A month in digits. */
const version: ApiVersion = { standard: '202603', is: /^20\d\d(?:0[1-9]|1[0-2])$/ };
const rules: Rules = { ageMsMax: 90 * dayMs, apps: true };

const fields = settingsFields({
  conversion_id: {
    ...{ is: /^\d{1,20}$/, label: 'Conversion rule', required: true },
    what: 'the number of a conversion rule, such as 104012',
  },
});

export const linkedin: Destination<Settings, Identifiers> = {
  id: 'linkedin',
  label: 'LinkedIn Conversions API',
  receiver: { host: 'api.linkedin.com', legalName: 'LinkedIn Corporation' },
  version,
  batchMax: 5_000,
  purposes: ['ad_user_data', 'ad_personalization'],
  matchesBy: ['email', 'li_fat_id'],
  sharesPageId: true,
  fields,
  examples: { settings: { conversion_id: '104012' } },
  picks: { target: 'conversion_id' },
  secret: { label: 'Access token', what: 'a token with the scope rw_conversions' },
  credential: { kind: 'bearer' },
  rate: { perMinute: 600 },
  eventSetting: 'conversion_id',
  ageMsMax: () => rules.ageMsMax,
  settings(given) {
    return readFields(given, 'LinkedIn Conversions API', fields);
  },
  identify: (conversion) => ({ email: hashedEmails(conversion.user) }),
  refuse(item, _settings, now) {
    return refuseByRules(item, linkedin, rules, now) ?? refuseNobody(item);
  },
  build(items, { conversion_id }, _now, at = version.standard): OutgoingRequest {
    return postJson(
      'https://api.linkedin.com/rest/conversionEvents',
      { elements: items.map((item) => elementOf(item, conversion_id)) },
      {
        'linkedin-version': at,
        'x-restli-protocol-version': '2.0.0',
        'x-restli-method': 'BATCH_CREATE',
      },
    );
  },
  read,
};

function refuseNobody({ conversion, identifiers }: Item<Identifiers>): Refusal | undefined {
  const known = identifiers.email.length > 0 || conversion.click_ids?.li_fat_id !== undefined;
  return known ? undefined : no('no_identifier', 'click_ids.li_fat_id');
}

function elementOf({ id, conversion, identifiers }: Item<Identifiers>, rule: string) {
  const { value, currency, click_ids = {} } = conversion;
  return present({
    conversion: `urn:lla:llaPartnerConversion:${rule}`,
    conversionHappenedAt: occurredMs(conversion),
    conversionValue:
      value === undefined || currency === undefined ? undefined : { currencyCode: currency, amount: amountText(value) },
    eventId: id,
    user: {
      userIds: [
        ...identifiers.email.map((idValue) => ({ idType: 'SHA256_EMAIL', idValue })),
        ...(click_ids.li_fat_id === undefined
          ? []
          : [{ idType: 'LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID', idValue: click_ids.li_fat_id }]),
      ],
    },
  });
}

/** A token whose time is over; 65601 is one that was revoked. */
const expiredCode = '65602';

/** A batch that was taken has a status for each of its elements, in their order. */
function read(answer: Answer, asked?: Asked): Verdict {
  const plain = readPlain(answer, asked);
  const service = serviceCode(answer.body);
  if (plain?.class === 'auth' && service === expiredCode) return { class: 'auth', reason: service, isExpired: true };
  if (plain !== undefined) return { ...plain, reason: service ?? plain.reason };
  if (isSuccess(answer)) {
    const elements = seriesOf(memberOf(answer.body, 'elements'));
    if (elements.length > 0 && isMiscounted(elements.length, asked)) return { class: 'retry', reason: 'elements' };
    const rows = elements.flatMap(rowOf);
    return { class: 'accepted', reason: `http_${answer.status}`, ...(rows.length > 0 ? { rows } : {}) };
  }
  // The version is over: no conversion is to blame, and another one or a newer Fairlead ends it.
  if (answer.status === 426) return versionRefused('http_426', asked);
  if (answer.status === 409) return { class: 'treat_as_delivered', reason: 'http_409' };
  if (!isRefusal(answer)) return unknownAnswer(answer);
  return { class: 'permanent', reason: service ?? `http_${answer.status}` };
}

/** Only those that were not taken; the rest share what the whole says. */
function rowOf(element: unknown, index: number): RowVerdict[] {
  const status = memberOf(element, 'status');
  if (typeof status !== 'number' || (status >= 200 && status <= 299)) return [];
  const reason = serviceCode(memberOf(element, 'error')) ?? `http_${status}`;
  if (status === 409) return [{ index, class: 'treat_as_delivered', reason }];
  if (status === 400 || status === 422) return [{ index, class: 'permanent', reason }];
  return [{ index, class: readPlain({ status, headers: {}, body: undefined })?.class ?? 'retry', reason }];
}

function serviceCode(error: unknown): string | undefined {
  return codeOf(memberOf(error, 'serviceErrorCode'));
}
