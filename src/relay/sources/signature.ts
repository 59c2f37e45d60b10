import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SignatureScheme } from '../../../contract/mapping.ts';
import { type CapturedRequest, headerOf } from './request.ts';

/**
 * How a sender signs, and with what.
 * @property secrets more than one while a secret is rotated: any of them counts
 * @property header for `hmac` alone: where the signature stands
 */
export interface Signing {
  readonly scheme: SignatureScheme;
  readonly secrets: readonly string[];
  readonly header?: string | undefined;
}

export type SignatureProblem = 'signature_missing' | 'signature_wrong' | 'signature_expired';

/** As Stripe's own libraries have it. Either way: a clock of theirs ahead of ours is as wrong as an old request. */
export const stripeToleranceMs = 5 * 60_000;
const headerCharsMax = 4_096;

/** The header of each scheme; `hmac` brings its own. */
export const signatureHeaders: Readonly<Record<Exclude<SignatureScheme, 'hmac'>, string>> = {
  shopify: 'x-shopify-hmac-sha256',
  woocommerce: 'x-wc-webhook-signature',
  stripe: 'stripe-signature',
};

/** The header in which a sender signs, in lower case; undefined for an `hmac` that names none. */
export function signatureHeader({ scheme, header }: Signing): string | undefined {
  return scheme === 'hmac' ? header?.toLowerCase() : signatureHeaders[scheme];
}

/**
 * Is the request by whom it says it is by? Signatures are HMAC-SHA256 of the body as it came, byte for byte: base64 at
 * Shopify and WooCommerce, hex at `hmac` (a `sha256=` before it is passed over), and at Stripe hex of `<t>.<body>` in
 * `t=…,v1=…`, where several v1 may stand while a secret is rotated. Comparing takes the same time wherever they differ.
 * @param now milliseconds since 1970
 * @returns undefined where it is
 */
export function signatureProblem(
  { headers, body }: Pick<CapturedRequest, 'headers' | 'body'>,
  signing: Signing,
  now: number,
): SignatureProblem | undefined {
  const name = signatureHeader(signing);
  const given = name === undefined ? undefined : headerOf(headers, name)?.trim();
  if (given === undefined || given === '') return 'signature_missing';
  // A secret of no length would let everybody sign.
  const secrets = signing.secrets.filter((secret) => secret !== '');
  // One of nothing fits every request without a body, and would be good for ever.
  if (given.length > headerCharsMax || (body?.length ?? 0) === 0) return 'signature_wrong';
  if (signing.scheme === 'stripe') return stripeProblem(given, body ?? '', secrets, now);
  const isHex = signing.scheme === 'hmac';
  const sent = isHex ? fromHex(given.replace(/^sha256=/i, '')) : fromBase64(given);
  return isAny(secrets, [body ?? ''], [sent]) ? undefined : 'signature_wrong';
}

function stripeProblem(
  given: string,
  body: string | Uint8Array,
  secrets: readonly string[],
  now: number,
): SignatureProblem | undefined {
  const parts = given.split(',').map((part) => part.trim().split('='));
  const time = parts.find(([name]) => name === 't')?.[1];
  const sent = parts.flatMap(([name, value = '']) => (name === 'v1' ? [fromHex(value)] : []));
  if (time === undefined || !/^\d{1,12}$/.test(time)) return 'signature_wrong';
  if (!isAny(secrets, [`${time}.`, body], sent)) return 'signature_wrong';
  return Math.abs(now - Number(time) * 1_000) > stripeToleranceMs ? 'signature_expired' : undefined;
}

/** Every secret is held against every signature, so that the time says nothing of which one it was. */
function isAny(
  secrets: readonly string[],
  pieces: readonly (string | Uint8Array)[],
  sent: readonly (Buffer | undefined)[],
): boolean {
  let isRight = false;
  for (const secret of secrets) {
    const mac = createHmac('sha256', secret);
    for (const piece of pieces) mac.update(piece);
    const wanted = mac.digest();
    for (const one of sent) if (one?.length === wanted.length && timingSafeEqual(one, wanted)) isRight = true;
  }
  return isRight;
}

function fromHex(text: string): Buffer | undefined {
  return /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, 'hex') : undefined;
}

function fromBase64(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/]{43}=$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}
