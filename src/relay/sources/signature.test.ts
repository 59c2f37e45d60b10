import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Signing, signatureProblem } from './signature.ts';

/** Signed here by what the documents of the platforms say, with Node's own HMAC. */
const body = '{"id":450789469,"total_price":"409.94","note":"é"}';
const secret = 'hush';
const mac = (encoding: 'base64' | 'hex', text: string | Buffer = body, key = secret) =>
  createHmac('sha256', key).update(text).digest(encoding);
const now = Date.UTC(2026, 10, 30, 9);
const problem = (
  signing: Partial<Signing>,
  headers: Record<string, string | string[]>,
  sent: string | Uint8Array = body,
) => signatureProblem({ headers, body: sent }, { scheme: 'hmac', secrets: [secret], ...signing }, now);

describe.each([
  ['shopify', 'X-Shopify-Hmac-Sha256'],
  ['woocommerce', 'X-WC-Webhook-Signature'],
] as const)('%s signs with base64 of the body in %s', (scheme, header) => {
  it('in any case of the name, over text or bytes', () => {
    expect(problem({ scheme }, { [header]: mac('base64') })).toBeUndefined();
    expect(problem({ scheme }, { [header.toLowerCase()]: mac('base64') }, Buffer.from(body))).toBeUndefined();
  });
  it.each([
    ['another secret', mac('base64', body, 'other')],
    ['another body', mac('base64', `${body} `)],
    ['hex', mac('hex')],
    ['cut', mac('base64').slice(0, -2)],
    ['something', 'x'],
    ['very long', 'A'.repeat(100_000)],
  ])('%s is wrong', (_what, signature) => {
    expect(problem({ scheme }, { [header]: signature })).toBe('signature_wrong');
  });
  it.each(['', new Uint8Array()])('one of nothing proves nothing', (sent) => {
    expect(problem({ scheme }, { [header]: mac('base64', '') }, sent)).toBe('signature_wrong');
  });
  it('none is missing', () => {
    expect(problem({ scheme }, {})).toBe('signature_missing');
    expect(problem({ scheme }, { [header]: '' })).toBe('signature_missing');
  });
});

describe('stripe signs `<t>.<body>` in hex', () => {
  const at = (seconds: number, key = secret) => createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex');
  const t = now / 1_000;
  const stripe = (header: string, secrets = [secret]) =>
    problem({ scheme: 'stripe', secrets }, { 'Stripe-Signature': header });
  it.each([
    ['one v1', `t=${t},v1=${at(t)}`],
    ['spaces', `t=${t}, v1=${at(t)}`],
    ['several v1, of which the second is right', `t=${t},v1=${at(t, 'old')},v1=${at(t)}`],
    ['a v0 beside it', `t=${t},v1=${at(t)},v0=${at(t, 'x')}`],
    ['300 seconds ago', `t=${t - 300},v1=${at(t - 300)}`],
    ['300 seconds ahead', `t=${t + 300},v1=${at(t + 300)}`],
  ])('%s', (_what, header) => {
    expect(stripe(header)).toBeUndefined();
  });
  it.each([
    ['301 seconds ago', `t=${t - 301},v1=${at(t - 301)}`, 'signature_expired'],
    ['301 seconds ahead', `t=${t + 301},v1=${at(t + 301)}`, 'signature_expired'],
    ['the time of another', `t=${t},v1=${at(t - 1)}`, 'signature_wrong'],
    ['only v0', `t=${t},v0=${at(t)}`, 'signature_wrong'],
    ['no t', `v1=${at(t)}`, 'signature_wrong'],
    ['a t that is none', `t=soon,v1=${at(t)}`, 'signature_wrong'],
    ['an old one with a wrong signature', `t=1,v1=${at(t)}`, 'signature_wrong'],
    ['nothing of it', 'x', 'signature_wrong'],
  ])('%s', (_what, header, wanted) => {
    expect(stripe(header)).toBe(wanted);
  });
  it('while a secret is rotated either counts', () => {
    expect(stripe(`t=${t},v1=${at(t, 'new')}`, ['old', 'new'])).toBeUndefined();
    expect(stripe(`t=${t},v1=${at(t, 'old')}`, ['old', 'new'])).toBeUndefined();
  });
});

describe('hmac signs with hex in a header of its own', () => {
  const header = 'X-Signature';
  it.each([mac('hex'), mac('hex').toUpperCase(), `sha256=${mac('hex')}`])('%s', (signature) => {
    expect(problem({ header }, { 'x-signature': signature })).toBeUndefined();
  });
  it.each([mac('base64'), `sha1=${mac('hex')}`, mac('hex', body, '')])('and not %s', (signature) => {
    expect(problem({ header }, { 'x-signature': signature })).toBe('signature_wrong');
  });
  it('an empty secret, or none, lets nobody in', () => {
    expect(problem({ header, secrets: [''] }, { 'x-signature': mac('hex', body, '') })).toBe('signature_wrong');
    expect(problem({ header, secrets: [] }, { 'x-signature': mac('hex') })).toBe('signature_wrong');
    expect(problem({}, { 'x-signature': mac('hex') })).toBe('signature_missing');
  });
  it('one of nothing proves nothing', () => {
    expect(problem({ header }, { 'x-signature': mac('hex', '') }, '')).toBe('signature_wrong');
  });
});
