import { jsonAmount } from '../conversions/amount.ts';
import { hashedEmails, hashedExternalIds, hashedPhones, microsoftEmail } from '../identifiers/plain.ts';
import { seriesOf } from './answer_parts.ts';
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
import { pageOf, postJson, present, presentOrNone, type Reached, reachedOf } from './requests.ts';
import { readFields, settingsFields } from './settings_fields.ts';

/**
 * Microsoft Advertising Conversions API (UET). The token of the tag goes into `Authorization: Bearer` when it is sent; an
 * account has to be let into the pilot first.
 *
 * Read: endpoint, `data[]`, `eventId` against the tag's, hashes of e-mail (trimmed, lower case) and phone (digits), rows
 * in `error.details[]`, 1,000 of a request (the house's reference); names of members, `eventTime` in seconds within 7 days,
 * `adStorageConsent` G or D, `index`, `errorCode` and `isWarning` of a detail (public connectors that cite Microsoft's
 * guide of September 2026). Recalled: nothing.
 */
interface Settings {
  readonly tag_id: string;
}

interface Identifiers extends Reached {
  readonly em?: string;
  readonly ph?: string;
  readonly externalId?: string;
}

const version: ApiVersion = { standard: 'v1', is: /^v\d{1,3}$/, variable: 'FAIRLEAD_MICROSOFT_CAPI_VERSION' };
const rules: Rules = { ageMsMax: 7 * dayMs, apps: true };

const fields = settingsFields({
  tag_id: {
    ...{ is: /^\d{1,20}$/, label: 'UET tag', required: true },
    what: 'the number of a UET tag, such as 187012345',
  },
});

export const microsoft: Destination<Settings, Identifiers> = {
  id: 'microsoft',
  label: 'Microsoft Advertising Conversions API',
  receiver: { label: 'Microsoft Advertising', host: 'capi.uet.microsoft.com', legalName: 'Microsoft Corporation' },
  version,
  batchMax: 1_000,
  purposes: ['ad_user_data', 'ad_personalization'],
  matchesBy: ['email', 'phone', 'external_id', 'msclkid'],
  sharesPageId: true,
  fields,
  examples: { settings: { tag_id: '187012345' } },
  secret: { label: 'Access token', what: 'the token of the tag, which Microsoft gives to accounts of the pilot' },
  credential: { kind: 'bearer' },
  rate: { perMinute: 600 },
  ageMsMax: () => rules.ageMsMax,
  settings(given) {
    return readFields(given, 'Microsoft Advertising Conversions API', fields);
  },
  /** One of each: the first. */
  identify(conversion) {
    return {
      ...present({ em: hashedEmails(conversion.user, microsoftEmail)[0] }),
      ...present({ ph: hashedPhones(conversion.user, 'digits')[0] }),
      ...present({ externalId: hashedExternalIds(conversion.user)[0] }),
      ...reachedOf(conversion),
    };
  },
  refuse(item, _settings, now) {
    return refuseByRules(item, microsoft, rules, now) ?? refuseNobody(item);
  },
  build(items, { tag_id }, _now, at = version.standard): OutgoingRequest {
    return postJson(`https://capi.uet.microsoft.com/${at}/${tag_id}/events`, { data: items.map(eventOf) });
  },
  read,
};

/** An address and an agent are sent, and are no identifier of theirs. */
function refuseNobody({ conversion, identifiers: { em, ph, externalId } }: Item<Identifiers>): Refusal | undefined {
  const known = em ?? ph ?? externalId ?? conversion.click_ids?.msclkid;
  return known === undefined ? no('no_identifier', 'click_ids.msclkid') : undefined;
}

function eventOf({ id, conversion, identifiers }: Item<Identifiers>) {
  const { click_ids = {}, items = [] } = conversion;
  return present({
    eventType: 'custom',
    eventId: id,
    eventName: conversion.event_name,
    eventTime: Math.floor(occurredMs(conversion) / 1_000),
    eventSourceUrl: pageOf(conversion),
    // Left out where nobody said: unknown is not granted.
    adStorageConsent: conversion.consent?.ad_user_data === 'granted' ? 'G' : undefined,
    userData: present({
      ...{ em: identifiers.em, ph: identifiers.ph, externalId: identifiers.externalId, msclkid: click_ids.msclkid },
      ...{ clientIpAddress: identifiers.ip, clientUserAgent: identifiers.user_agent },
    }),
    customData: presentOrNone({
      value: jsonAmount(conversion.value),
      currency: conversion.currency,
      transactionId: conversion.order_id,
      itemIds: items.map((item) => item.id),
      items: items.map(({ id: item, quantity, price }) => present({ id: item, quantity, price: jsonAmount(price) })),
    }),
  });
}

/** A request with a wrong row is refused as a whole; the details name the row, warnings aside, and the others are sent again. */
function read(answer: Answer, asked?: Asked): Verdict {
  const plain = readPlain(answer, asked);
  if (plain !== undefined) return plain;
  const error = memberOf(answer.body, 'error');
  const code = codeOf(memberOf(error, 'code'));
  const reason = code ?? `http_${answer.status}`;
  const rows = wrongRows(error);
  if (isSuccess(answer) && rows.length === 0)
    return isMiscounted(memberOf(answer.body, 'eventsReceived'), asked)
      ? { class: 'retry', reason: 'eventsReceived' }
      : { class: 'accepted', reason };
  if (isSuccess(answer)) return { class: 'accepted', reason, rows };
  if (!isRefusal(answer)) return unknownAnswer(answer);
  if (rows.length > 0) return { class: 'retry', reason, rows };
  return { class: code === undefined || isWrong(code) ? 'permanent' : 'retry', reason };
}

function wrongRows(error: unknown): RowVerdict[] {
  return seriesOf(memberOf(error, 'details')).flatMap((detail) => {
    const index = memberOf(detail, 'index');
    if (!Number.isSafeInteger(index) || memberOf(detail, 'isWarning') === true) return [];
    const reason = codeOf(memberOf(detail, 'errorCode')) ?? 'unknown';
    return [{ index: Number(index), class: isWrong(reason) ? 'permanent' : 'retry', reason } as const];
  });
}

/** No document lists the codes: a word in it says that the row, or the request, is wrong. Any other one, such as a fault of theirs, may yet go through. */
function isWrong(code: string): boolean {
  return (
    /badrequest|validation|invalid|missing|required|hashed|personal|toolong|tooold|outofrange|unsupported/i.test(
      code,
    ) && !isFault(code)
  );
}

function isFault(code: string): boolean {
  return /internal|time.?out|unavailable|throttl|temporar|again/i.test(code);
}
