import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
  X509Certificate,
} from 'node:crypto';

/** X.509 as an authority needs it: a throwaway root with an intermediate, certificates of requests, and reading both. */

export interface Authority {
  /** PEM; what a client of the desk would have to trust. */
  root: string;
  /** @returns PEM: the certificate, then the intermediate */
  issue(of: { names: readonly string[]; publicKey: KeyObject; from: number; until: number }): string;
}

const yearMs = 365 * 86_400_000;

export function openAuthority(now: number): Authority {
  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const middle = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const rootName = nameOf('Emulated root');
  const middleName = nameOf('Emulated intermediate');
  const span = { from: now - yearMs, until: now + 20 * yearMs };
  const rootDer = certificate({
    ...span,
    issuer: rootName,
    subject: rootName,
    publicKey: root.publicKey,
    signer: root.privateKey,
    extensions: [mayIssue],
  });
  const middleDer = certificate({
    ...span,
    issuer: rootName,
    subject: middleName,
    publicKey: middle.publicKey,
    signer: root.privateKey,
    extensions: [mayIssue],
  });
  return {
    root: pem(rootDer),
    issue({ names, publicKey, from, until }) {
      const leaf = certificate({
        from,
        until,
        issuer: middleName,
        subject: seq(),
        publicKey,
        signer: middle.privateKey,
        extensions: [
          // The subject is empty, so the names are critical (RFC 5280, 4.2.1.6).
          seq(oidOf('2.5.29.17'), yes, wrap(0x04, seq(...names.map((name) => wrap(0x82, Buffer.from(name)))))),
          seq(oidOf('2.5.29.37'), wrap(0x04, seq(oidOf('1.3.6.1.5.5.7.3.1')))),
        ],
      });
      return pem(leaf) + pem(middleDer);
    },
  };
}

/** basicConstraints with CA set, critical. */
const yes = Buffer.of(0x01, 0x01, 0xff);
const mayIssue = wrap(0x30, oidOf('2.5.29.19'), yes, wrap(0x04, wrap(0x30, yes)));

function certificate(of: {
  issuer: Buffer;
  subject: Buffer;
  publicKey: KeyObject;
  signer: KeyObject;
  from: number;
  until: number;
  extensions: Buffer[];
}): Buffer {
  const algorithm = seq(oidOf('1.2.840.10045.4.3.2'));
  const serial = Buffer.concat([Buffer.of(0x11), randomBytes(15)]);
  const body = seq(
    wrap(0xa0, Buffer.of(0x02, 0x01, 0x02)),
    wrap(0x02, serial),
    algorithm,
    of.issuer,
    seq(date(of.from), date(of.until)),
    of.subject,
    of.publicKey.export({ type: 'spki', format: 'der' }),
    wrap(0xa3, seq(...of.extensions)),
  );
  return seq(body, algorithm, wrap(0x03, Buffer.of(0), sign('sha256', body, of.signer)));
}

// ── Reading a request ──

/**
 * Reads a PKCS #10 request and checks that it is signed by the key inside.
 * @throws an Error whose message says what is wrong
 */
export function readSigningRequest(der: Buffer): { names: string[]; publicKey: KeyObject } {
  const [outer, after] = next(der, 0);
  if (outer.tag !== 0x30 || after !== der.length) throw new Error('The CSR is not one DER sequence.');
  const [info, algorithm, signature] = children(outer.body);
  if (info === undefined || algorithm === undefined || signature?.tag !== 0x03)
    throw new Error('The CSR is cut short.');
  const [version, subject, key, attributes] = children(info.body);
  if (version?.body.equals(Buffer.of(0)) !== true) throw new Error('The version of the CSR is not 0.');
  if (subject?.tag !== 0x30 || key === undefined) throw new Error('The CSR has no subject or no key.');
  const publicKey = createPublicKey({ key: key.whole, type: 'spki', format: 'der' });
  if (!verify('sha256', info.whole, publicKey, signature.body.subarray(1)))
    throw new Error('The signature of the CSR does not fit its key.');
  const inSubject = children(subject.body).flatMap((set) =>
    children(set.body).flatMap((pair) => {
      const [id, value] = children(pair.body);
      return id?.whole.equals(oidOf('2.5.4.3')) === true && value !== undefined ? [value.body.toString('utf8')] : [];
    }),
  );
  const inExtension = attributes === undefined ? [] : children(attributes.body).flatMap(namesOfAttribute);
  return { names: [...new Set([...inSubject, ...inExtension])], publicKey };
}

function namesOfAttribute(attribute: Element): string[] {
  const [id, values] = children(attribute.body);
  if (id?.whole.equals(oidOf('1.2.840.113549.1.9.14')) !== true || values === undefined) return [];
  return children(values.body)
    .flatMap((extensions) => children(extensions.body))
    .flatMap((extension) => namesOfExtension(children(extension.body)));
}

function namesOfExtension(parts: Element[]): string[] {
  if (parts[0]?.whole.equals(oidOf('2.5.29.17')) !== true) return [];
  const [list] = next((parts.at(-1) as Element).body, 0);
  return children(list.body).map((name) => {
    if (name.tag !== 0x82) throw new Error('The CSR has a name that is not of DNS.');
    return name.body.toString('ascii');
  });
}

/**
 * What RFC 8737, 3, asks of the certificate of a tls-alpn-01 challenge.
 * @returns what is wrong with it, or undefined
 */
export function faultOfProof(raw: Buffer, expected: { name: string; keyAuthorization: string }): string | undefined {
  const parsed = new X509Certificate(raw);
  if (!parsed.verify(parsed.publicKey)) return 'the certificate is not self-signed';
  if (parsed.subjectAltName !== `DNS:${expected.name}`) return `the certificate is not for ${expected.name} alone`;
  const [whole] = next(raw, 0);
  const body = children(whole.body)[0] as Element;
  const list = children(body.body).find((part) => part.tag === 0xa3);
  const extensions = list === undefined ? [] : children(next(list.body, 0)[0].body);
  const proof = extensions.map((one) => children(one.body)).find(([id]) => id?.whole.equals(acmeIdentifier) === true);
  if (proof === undefined) return 'the certificate has no acmeIdentifier';
  if (proof.length !== 3 || !(proof[1] as Element).whole.equals(yes)) return 'acmeIdentifier is not critical';
  const digest = createHash('sha256').update(expected.keyAuthorization).digest();
  const [inner] = next((proof[2] as Element).body, 0);
  return inner.tag === 0x04 && inner.body.equals(digest) ? undefined : 'acmeIdentifier has another digest';
}

// ── DER ──

interface Element {
  tag: number;
  body: Buffer;
  whole: Buffer;
}

function next(bytes: Buffer, at: number): [Element, number] {
  const first = bytes[at + 1];
  if (first === undefined) throw new Error('DER is cut short.');
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (more > 3) throw new Error('DER with a length that nobody needs.');
  const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
  const start = at + 2 + more;
  if (start + length > bytes.length) throw new Error('DER is cut short.');
  return [
    {
      tag: bytes[at] as number,
      body: bytes.subarray(start, start + length),
      whole: bytes.subarray(at, start + length),
    },
    start + length,
  ];
}

function children(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [element, after] = next(bytes, at);
    found.push(element);
    at = after;
  }
  return found;
}

function wrap(kind: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head =
    body.length < 0x80
      ? [kind, body.length]
      : body.length < 0x100
        ? [kind, 0x81, body.length]
        : [kind, 0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from(head), body]);
}

function seq(...parts: Buffer[]): Buffer {
  return wrap(0x30, ...parts);
}

function nameOf(text: string): Buffer {
  return seq(wrap(0x31, seq(oidOf('2.5.4.3'), wrap(0x0c, Buffer.from(text)))));
}

function date(ms: number): Buffer {
  const text = new Date(ms).toISOString();
  const digits = text.slice(0, 19).replace(/\D/g, '');
  return digits < '2050' ? wrap(0x17, Buffer.from(`${digits.slice(2)}Z`)) : wrap(0x18, Buffer.from(`${digits}Z`));
}

function oidOf(dotted: string): Buffer {
  const [a = 0, b = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [a * 40 + b];
  for (const number of rest) {
    const groups: number[] = [];
    let left = number;
    do {
      groups.unshift((left % 128) | (groups.length === 0 ? 0 : 0x80));
      left = Math.floor(left / 128);
    } while (left > 0);
    bytes.push(...groups);
  }
  return wrap(0x06, Buffer.from(bytes));
}

const acmeIdentifier = oidOf('1.3.6.1.5.5.7.1.31');

function pem(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
}
