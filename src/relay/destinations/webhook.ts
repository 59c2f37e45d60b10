import { webhookSignature } from '../../platform/outbound/index.ts';
import { sha256 } from '../identifiers/given.ts';
import { hashedEmails, hashedExternalIds, hashedPhones } from '../identifiers/plain.ts';
import { isSuccess, paused, readPlain } from './answers.ts';
import type { Answer, Asked, Destination, Item, OutgoingRequest, Verdict } from './destination.ts';
import { dayMs, type Rules, refuseByRules } from './refusals.ts';
import { firstOf, pageOf, postJson, present, presentOrNone } from './requests.ts';
import { readFields, settingsFields } from './settings_fields.ts';

/**
 * A webhook of one's own, signed as Standard Webhooks 1.0.0 has it (read whole: github.com/standard-webhooks).
 *
 * `webhook-id` is the same over retries and replays, so that a receiver can tell doubles; `webhook-timestamp` is the time
 * of this attempt. `webhook-signature` is added with the secret when it is sent (`webhookSignature`).
 *
 * It is no ad platform, and whoever owns it has the consent of each conversion in the body. Of a person it gets hashes.
 */
interface Settings {
  readonly url: string;
}

interface Identifiers {
  readonly email_sha256: readonly string[];
  /** Of the number as E.164 with its plus. */
  readonly phone_sha256: readonly string[];
  readonly external_id_sha256: readonly string[];
}

/** Printable ASCII, as `URL` writes it; a port and a query may be there. */
const httpsAddress = /^https:\/\/[^\s/?#@\\]{1,255}(?:[/?][!-~]{0,1790})?$/;

/** A year: long enough for whoever loads old orders, and no year 1970. */
const rules: Rules = { ageMsMax: 366 * dayMs, limitedDataUse: true, refunds: true, apps: true };

const fields = settingsFields({
  url: { is: httpsAddress, label: 'Address', what: 'an https address without a user', required: true },
});

export const webhook: Destination<Settings, Identifiers> = {
  id: 'webhook',
  label: 'Webhook',
  batchMax: 1,
  purposes: [],
  fields,
  examples: { settings: { url: 'https://crm.example/hook' } },
  secret: {
    ...{ label: 'Signing secret', what: 'the secret that signatures are made with, as whsec_ and base64' },
    pasted: {
      platform: 'Webhook',
      what: 'secret that each request is signed with',
      where: 'whoever receives the requests',
    },
  },
  credential: {
    kind: 'signature',
    header: 'webhook-signature',
    sign: (request, body, secrets) => webhookSignature.sign(request, body, secrets),
  },
  rate: { perMinute: 6_000 },
  ageMsMax: () => rules.ageMsMax,
  settings(given) {
    return readFields(given, 'Webhook', fields);
  },
  identify: (conversion) => ({
    email_sha256: hashedEmails(conversion.user),
    phone_sha256: hashedPhones(conversion.user, 'e164'),
    external_id_sha256: hashedExternalIds(conversion.user),
  }),
  refuse: (item, _settings, now) => refuseByRules(item, webhook, rules, now),
  build,
  read,
};

function build(items: readonly Item<Identifiers>[], { url }: Settings, now: number): OutgoingRequest {
  if (items.length > webhook.batchMax) throw new Error('A webhook takes one conversion a request.');
  const { conversion, identifiers, id } = firstOf(items, webhook);
  const { user: _user, query: _query, page_url: _page, ...rest } = conversion;
  return postJson(
    url,
    {
      type: conversion.refund === true ? 'conversion.refunded' : 'conversion.created',
      timestamp: conversion.occurred_at,
      data: present({ id, ...rest, page_url: pageOf(conversion), user: presentOrNone(identifiers) }),
    },
    { 'webhook-id': messageId(id), 'webhook-timestamp': String(Math.floor(now / 1_000)) },
  );
}

/** Our id may be an order's, with any character; this one has no full stop, which would blur what is signed. */
function messageId(id: string): string {
  return `msg_${sha256(id).slice(0, 32)}`;
}

/** 2xx, whatever the body says. A receiver that is gone (410), moved (3xx) or closed is the settings' matter. */
function read(answer: Answer, asked?: Asked): Verdict {
  const { status } = answer;
  const reason = `http_${status}`;
  if (isSuccess(answer)) return { class: 'accepted', reason };
  if (status === 429) return paused(answer, 'rate_limited', reason, asked);
  if (status === 401) return { class: 'auth', reason };
  if (status === 400 || status === 413 || status === 422) return { class: 'permanent', reason };
  if ((status >= 300 && status <= 399) || status === 403 || status === 404 || status === 405 || status === 410)
    return { class: 'config', reason };
  return status === 409
    ? { class: 'treat_as_delivered', reason }
    : (readPlain(answer, asked) ?? paused(answer, 'retry', reason, asked));
}
