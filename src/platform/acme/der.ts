import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';

/**
 * The two documents that ACME needs and Node cannot write: a signing request, and the self-signed certificate that
 * answers a tls-alpn-01 challenge. Both are a handful of nested lengths (DER), so they are written here instead of
 * by a library of fifteen packages.
 */

/**
 * A PKCS #10 signing request (RFC 2986) for these names, with an empty subject: authorities read the names from the
 * subjectAltName alone.
 * @param key a P-256 private key, which signs the request and will belong to the certificate
 * @returns DER
 */
export function signingRequest(names: readonly string[], key: KeyObject): Buffer {
  const extensions = sequence(extension(oid.subjectAltName, generalNames(names)));
  const attribute = sequence(oid.extensionRequest, tlv(tag.set, extensions));
  const info = sequence(integer(Buffer.of(0)), sequence(), publicKeyOf(key), tlv(tag.context0, attribute));
  return signed(info, key);
}

/**
 * The certificate of RFC 8737: valid for one name, with the digest of the key authorization in a critical extension
 * that no browser knows, so that none will ever accept it.
 * @param from when it begins, in milliseconds since the epoch; it lasts a week
 * @returns DER
 */
export function challengeCertificate(
  challenge: { name: string; keyAuthorization: string; serial: Buffer; from: number },
  key: KeyObject,
): Buffer {
  const digest = createHash('sha256').update(challenge.keyAuthorization).digest();
  return certificate(challenge, key, [
    extension(oid.subjectAltName, generalNames([challenge.name])),
    extension(oid.acmeIdentifier, tlv(tag.octetString, digest), 'critical'),
  ]);
}

/** A self-signed certificate that names nothing: the engine wants one before it asks which protocol a client speaks. */
export function emptyCertificate(of: { serial: Buffer; from: number }, key: KeyObject): Buffer {
  return certificate({ ...of, name: 'no certificate yet' }, key, []);
}

/** DER as the text that files and OpenSSL want. */
export function toPem(label: 'CERTIFICATE', der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

const weekMs = 7 * 86_400_000;
const hourMs = 3_600_000;

function certificate(of: { name: string; serial: Buffer; from: number }, key: KeyObject, extensions: Buffer[]): Buffer {
  const named = sequence(tlv(tag.set, sequence(oid.commonName, tlv(tag.utf8, Buffer.from(of.name.slice(0, 64))))));
  return signed(
    sequence(
      tlv(tag.context0, integer(Buffer.of(2))),
      // The shortest form of a number begins with neither nine zero bits nor a set one.
      integer(Buffer.concat([Buffer.of(0x40), of.serial])),
      ecdsaWithSha256,
      named,
      // An hour back, for clocks that are behind ours.
      sequence(time(of.from - hourMs), time(of.from + weekMs)),
      named,
      publicKeyOf(key),
      ...(extensions.length === 0 ? [] : [tlv(tag.context3, sequence(...extensions))]),
    ),
    key,
  );
}

function signed(content: Buffer, key: KeyObject): Buffer {
  return sequence(content, ecdsaWithSha256, bits(sign('sha256', content, key)));
}

function publicKeyOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

function extension(id: Buffer, content: Buffer, critical?: 'critical'): Buffer {
  return sequence(
    id,
    ...(critical === undefined ? [] : [tlv(tag.boolean, Buffer.of(0xff))]),
    tlv(tag.octetString, content),
  );
}

function generalNames(names: readonly string[]): Buffer {
  return sequence(...names.map((name) => tlv(tag.context2Primitive, Buffer.from(name, 'ascii'))));
}

// ── DER ──

const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  context2Primitive: 0x82,
  context0: 0xa0,
  context3: 0xa3,
} as const;

/** A tag, the length of what follows, and what follows: all there is to DER. */
function tlv(kind: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(kind, body.length), body]);
  const length = Buffer.from(body.length.toString(16).padStart(body.length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.of(kind, 0x80 | length.length), length, body]);
}

function sequence(...parts: Buffer[]): Buffer {
  return tlv(tag.sequence, ...parts);
}

function integer(bytes: Buffer): Buffer {
  return tlv(tag.integer, bytes);
}

function bits(bytes: Buffer): Buffer {
  return tlv(tag.bitString, Buffer.of(0), bytes);
}

/** Two digits of the year until 2049, four from then on: so RFC 5280 wants it. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\..*/g, '');
  const short = Number(digits.slice(0, 4)) < 2050;
  return tlv(short ? tag.utcTime : tag.generalizedTime, Buffer.from(`${short ? digits.slice(2) : digits}Z`));
}

function objectId(...numbers: [number, number, ...number[]]): Buffer {
  const [first, second, ...rest] = numbers;
  return tlv(tag.objectId, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Seven bits a byte, the highest first; all but the last have their top bit set. */
function base128(number: number): number[] {
  const low = [number & 0x7f];
  for (let rest = number >>> 7; rest > 0; rest >>>= 7) low.unshift((rest & 0x7f) | 0x80);
  return low;
}

const oid = {
  subjectAltName: objectId(2, 5, 29, 17),
  commonName: objectId(2, 5, 4, 3),
  extensionRequest: objectId(1, 2, 840, 113549, 1, 9, 14),
  acmeIdentifier: objectId(1, 3, 6, 1, 5, 5, 7, 1, 31),
};
const ecdsaWithSha256 = sequence(objectId(1, 2, 840, 10045, 4, 3, 2));
