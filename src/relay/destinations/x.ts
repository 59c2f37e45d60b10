import { jsonAmount } from '../conversions/amount.ts';
import { hashedEmails, hashedPhones } from '../identifiers/plain.ts';
import { mostUrgent, seriesOf, versionRefused } from './answer_parts.ts';
import { codeOf, isMiscounted, isRefusal, isSuccess, memberOf, paused, readPlain, unknownAnswer } from './answers.ts';
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
import { piecesOf, postJson, present, type Reached, reachedOf } from './requests.ts';
import { readFields, settingsFields } from './settings_fields.ts';

/**
 * X Conversion API (Ads API 12). Signed with OAuth 1.0a, or with the pixel's token in `X-Pixel-Token`, when it is sent.
 *
 * Read: endpoint, 500 of a request, members of a conversion, both spellings of `event_id`, that an event without a twclid,
 * a hashed e-mail or a phone is refused, that one wrong conversion refuses the request, statuses 400, 401, 403 and 404
 * (developer.x.com, Web conversions and Troubleshooting); `hashed_phone_number` in E.164, that address and agent count only
 * beside another identifier, 100,000 requests in 15 minutes of an account (Web conversions); `errors[].code` in capitals,
 * INVALID_PARAMETER and INTERNAL_ERROR (docs.x.com, Error codes and responses); `conversion_id` against the pixel's (Adobe's
 * and Tealium's guides, which cite X's); `X-Pixel-Token` and `conversions_processed`
 * (another sender's tests); `operation_errors` beside `errors` (twittercommunity.com, of campaigns). Its documents name no
 * age: ours is the life of a click id. Recalled: `operation_errors` of conversions, the other codes.
 */
interface Settings {
  readonly pixel_id: string;
  readonly event_id: string;
}

interface Identifiers extends Reached {
  readonly email: readonly string[];
  readonly phone: readonly string[];
}

const version: ApiVersion = { standard: '12', is: /^\d{1,3}$/ };
const rules: Rules = { ageMsMax: 90 * dayMs, apps: true };

const fields = settingsFields({
  pixel_id: { is: /^[a-z0-9]{1,32}$/i, label: 'Pixel', what: 'the id of a pixel, such as o8z6j', required: true },
  event_id: {
    ...{ is: /^[a-z0-9-]{1,64}$/i, label: 'Event', required: true },
    what: 'the id of an event, such as tw-o8z6j-o87ne',
  },
});

export const x: Destination<Settings, Identifiers> = {
  id: 'x',
  label: 'X Conversion API',
  receiver: { host: 'ads-api.x.com', legalName: 'X Corp.' },
  version,
  batchMax: 500,
  purposes: ['ad_user_data', 'ad_personalization'],
  matchesBy: ['email', 'phone', 'ip_agent', 'twclid'],
  sharesPageId: true,
  fields,
  examples: { settings: { pixel_id: 'o8z6j', event_id: 'tw-o8z6j-o87ne' } },
  secret: {
    ...{ label: 'Pixel token', what: 'the token of the pixel, which goes along as X-Pixel-Token' },
    pasted: {
      platform: 'X Ads',
      what: 'token of the pixel',
      where: 'Events manager, the pixel, "Conversion API"',
    },
  },
  credential: { kind: 'header', name: 'x-pixel-token' },
  // 100,000 in 15 minutes.
  rate: { perMinute: 6_000 },
  eventSetting: 'event_id',
  ageMsMax: () => rules.ageMsMax,
  settings(given) {
    return readFields(given, 'X Conversion API', fields);
  },
  identify: (conversion) => ({
    email: hashedEmails(conversion.user),
    phone: hashedPhones(conversion.user, 'e164'),
    ...reachedOf(conversion),
  }),
  refuse(item, _settings, now) {
    return refuseByRules(item, x, rules, now) ?? refuseNobody(item);
  },
  build(items, { pixel_id, event_id }, _now, at = version.standard): OutgoingRequest {
    return postJson(`https://ads-api.x.com/${at}/measurement/conversions/${pixel_id}`, {
      conversions: items.map((item) => conversionOf(item, event_id)),
    });
  },
  read,
};

function refuseNobody({ conversion, identifiers: { email, phone } }: Item<Identifiers>): Refusal | undefined {
  const known = email.length + phone.length > 0 || conversion.click_ids?.twclid !== undefined;
  return known ? undefined : no('no_identifier', 'click_ids.twclid');
}

function conversionOf({ id, conversion, identifiers }: Item<Identifiers>, event_id: string) {
  const { click_ids = {} } = conversion;
  const { email, phone, ip, user_agent } = identifiers;
  return present({
    conversion_time: new Date(occurredMs(conversion)).toISOString(),
    event_id,
    identifiers: [
      ...(click_ids.twclid === undefined ? [] : [{ twclid: click_ids.twclid }]),
      ...email.map((hashed_email) => ({ hashed_email })),
      ...phone.map((hashed_phone_number) => ({ hashed_phone_number })),
      ...(ip === undefined || user_agent === undefined ? [] : [{ ip_address: ip, user_agent }]),
    ],
    conversion_id: id,
    number_items: piecesOf(conversion),
    price_currency: conversion.currency,
    value: jsonAmount(conversion.value),
  });
}

const codes: Readonly<Record<string, 'rate_limited' | 'auth' | 'config' | 'retry'>> = {
  ...{ TOO_MANY_REQUESTS: 'rate_limited', UNAUTHORIZED_ACCESS: 'auth', UNAUTHORIZED_CLIENT_APPLICATION: 'config' },
  ...{ FORBIDDEN: 'config', NOT_FOUND: 'config', ROUTE_NOT_FOUND: 'config' },
  ...{ INTERNAL_ERROR: 'retry', OVER_CAPACITY: 'retry', SERVICE_UNAVAILABLE: 'retry' },
};

function read(answer: Answer, asked?: Asked): Verdict {
  const code = codeOf(memberOf(seriesOf(memberOf(answer.body, 'errors'))[0], 'code'));
  const known = code !== undefined && Object.hasOwn(codes, code) ? codes[code] : undefined;
  const isJudged = !isSuccess(answer) && (answer.status < 500 || known === 'retry');
  if (code !== undefined && known === 'config' && answer.status === 404) return versionRefused(code, asked);
  if (code !== undefined && known !== undefined && isJudged)
    return known === 'auth' || known === 'config' ? { class: known, reason: code } : paused(answer, known, code, asked);
  const plain = readPlain(answer, asked);
  if (plain !== undefined) return { ...plain, reason: code ?? plain.reason };
  if (isSuccess(answer))
    return isMiscounted(memberOf(memberOf(answer.body, 'data'), 'conversions_processed'), asked)
      ? { class: 'retry', reason: 'conversions_processed' }
      : { class: 'accepted', reason: `http_${answer.status}` };
  if (!isRefusal(answer)) return unknownAnswer(answer);
  const rows = wrongRows(answer.body);
  const reason = code ?? `http_${answer.status}`;
  if (rows.length > 0) return { class: 'retry', reason, rows };
  return { class: code === undefined || wrong.has(code) ? 'permanent' : 'retry', reason };
}

/** What says of a row, or of the whole request, that it is wrong. Any other code, and none, may yet go through. */
const wrong: ReadonlySet<string> = new Set(['INVALID', 'INVALID_PARAMETER', 'MISSING_PARAMETER']);

/** Nothing of a refused request counts: rows without errors are sent again without these. */
function wrongRows(body: unknown): RowVerdict[] {
  return seriesOf(memberOf(body, 'operation_errors')).flatMap((errors, index) => {
    const said = seriesOf(errors).map((error) => rowVerdict(index, codeOf(memberOf(error, 'code'))));
    return mostUrgent(said) ?? [];
  });
}

function rowVerdict(index: number, code = 'unknown'): RowVerdict {
  if (wrong.has(code)) return { index, class: 'permanent', reason: code };
  return { index, class: (Object.hasOwn(codes, code) ? codes[code] : undefined) ?? 'retry', reason: code };
}
