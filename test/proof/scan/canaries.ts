import { createHash } from 'node:crypto';

/**
 * A value that was planted and must not be found: text, an address, a secret, a number. It knows every form in which
 * a store, a log or an archive may hold it. Compression is no form: the scanner looks inside (see streams.ts).
 */
export interface Canary {
  readonly name: string;
  /** The way by which it was planted; what is found weakly is judged per group (see `leaked`). */
  readonly group: string;
  readonly forms: readonly Form[];
}

export interface Form {
  readonly name: string;
  readonly bytes: Buffer;
  /** Says no more than 32 bits do, so it also comes up by chance: alone it is no evidence. */
  readonly isWeak?: true;
}

/** A word. Give it letters and digits of one case, so that no ordinary text holds it. */
export function textCanary(name: string, text: string, group = name): Canary {
  return { name, group, forms: distinct([...formsOfText(text), ...digestsOf(text)]) };
}

/** Random bytes, such as a salt: whole, and each half, since a store may cut it. */
export function bytesCanary(name: string, bytes: Buffer, group = name): Canary {
  const half = Math.floor(bytes.length / 2);
  return {
    name,
    group,
    forms: distinct([
      ...formsOfBytes('bytes', bytes),
      ...formsOfBytes('first half', bytes.subarray(0, half)),
      ...formsOfBytes('second half', bytes.subarray(half)),
      { name: 'a list of numbers', bytes: Buffer.from([...bytes].join(',')) },
      { name: 'a list of numbers with spaces', bytes: Buffer.from([...bytes].join(', ')) },
      ...digestsOf(bytes),
    ]),
  };
}

/** A whole number from 2^24 on, so that its bytes are not everywhere. */
export function numberCanary(name: string, value: bigint, group = name): Canary {
  const wide = Buffer.alloc(8);
  wide.writeBigUInt64BE(value);
  const forms = [...formsOfText(String(value)), ...bothOrders('64 bits', wide)];
  if (value < 2n ** 32n) forms.push(...bothOrders('32 bits', wide.subarray(4)));
  if (value < 2n ** 53n) {
    const float = Buffer.alloc(8);
    float.writeDoubleBE(Number(value));
    forms.push(...bothOrders('float', float));
  }
  return { name, group, forms: distinct(forms) };
}

/** An IPv4 or IPv6 address in any text form: as texts, packed as the engines pack it, as numbers, as plain digests. */
export function addressCanary(address: string, group: string): Canary {
  const packed = address.includes(':') ? packIpv6(address) : packIpv4(address);
  const texts = packed.length === 4 ? textsOfIpv4(packed) : textsOfIpv6(packed);
  const number = numberOf(packed);
  const forms: Form[] = [
    ...texts.flatMap(formsOfText),
    ...texts.flatMap(digestsOf),
    ...digestsOf(packed),
    ...[
      ...bothOrders('packed', packed),
      ...formsOfBytes('packed', packed),
      ...[number, numberOf(Buffer.from(packed).reverse())].flatMap((value) => formsOfText(String(value))),
    ].map((form): Form => (packed.length === 4 ? { ...form, isWeak: true } : form)),
  ];
  if (packed.length === 16) {
    // The half that names a network, as one number and as two.
    forms.push(...bothOrders('packed network', packed.subarray(0, 8)));
    forms.push({ name: 'packed network in words', bytes: Buffer.from(packed.subarray(0, 8)).swap32() });
    forms.push(...formsOfText(String(number >> 64n)));
  }
  return { name: address, group, forms: distinct(forms) };
}

function formsOfText(text: string): Form[] {
  const bytes = Buffer.from(text);
  const units = Buffer.from(text, 'utf16le');
  const escaped = [...units.swap16()].map((_byte, at, all) => (at % 2 === 0 ? hexUnit(all, at) : '')).join('');
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const forms: Form[] = [
    ...formsOfBytes('text', bytes),
    { name: 'upper case', bytes: Buffer.from(text.toUpperCase()) },
    { name: 'lower case', bytes: Buffer.from(text.toLowerCase()) },
    { name: 'UTF-16LE', bytes: Buffer.from(text, 'utf16le') },
    { name: 'UTF-16BE', bytes: Buffer.from(text, 'utf16le').swap16() },
    { name: 'JSON', bytes: Buffer.from(JSON.stringify(text).slice(1, -1)) },
    { name: 'JSON, slashes escaped', bytes: Buffer.from(JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/')) },
    { name: 'JSON, all escaped', bytes: Buffer.from(escaped) },
    { name: 'JSON, all escaped in capitals', bytes: Buffer.from(escaped.toUpperCase().replaceAll('\\U', '\\u')) },
    { name: 'URL-encoded', bytes: Buffer.from(encodeURIComponent(text)) },
    { name: 'URL-encoded, small letters', bytes: Buffer.from(lowerEscapes(encodeURIComponent(text))) },
    { name: 'URL-encoded whole', bytes: Buffer.from(percent) },
    { name: 'URL-encoded whole in capitals', bytes: Buffer.from(percent.toUpperCase()) },
  ];
  return forms;
}

function hexUnit(bigEndian: number[], at: number): string {
  return `\\u${[bigEndian[at], bigEndian[at + 1]].map((byte) => (byte ?? 0).toString(16).padStart(2, '0')).join('')}`;
}

function lowerEscapes(text: string): string {
  return text.replace(/%[0-9A-F]{2}/g, (sequence) => sequence.toLowerCase());
}

function formsOfBytes(name: string, bytes: Buffer): Form[] {
  const hex = bytes.toString('hex');
  return [
    { name, bytes },
    { name: `${name} reversed`, bytes: Buffer.from(bytes).reverse() },
    { name: `${name} in hex`, bytes: Buffer.from(hex) },
    { name: `${name} in HEX`, bytes: Buffer.from(hex.toUpperCase()) },
    ...[0, 1, 2].flatMap((shift) => {
      const inside = base64At(bytes, shift);
      const forUrls = inside.replaceAll('+', '-').replaceAll('/', '_');
      return [inside, forUrls].map((text) => ({
        name: `${name} in base64, shifted by ${shift}`,
        bytes: Buffer.from(text),
      }));
    }),
  ];
}

/** The characters that depend on these bytes alone when `shift` unknown bytes come before them. */
function base64At(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
  return text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
}

/** An address has so few values that its plain digest is the address itself for whoever has an hour. */
function digestsOf(value: string | Buffer): Form[] {
  return ['md5', 'sha1', 'sha256'].flatMap((algorithm) => {
    const digest = createHash(algorithm).update(value).digest();
    const start = digest.subarray(0, 8);
    return [
      ...bothOrders(`plain ${algorithm}`, start),
      { name: `plain ${algorithm} in hex`, bytes: Buffer.from(start.toString('hex')) },
      { name: `plain ${algorithm} as a number`, bytes: Buffer.from(String(start.readBigUInt64BE())) },
    ];
  });
}

function bothOrders(name: string, bytes: Buffer): Form[] {
  return [
    { name: `${name}, big end first`, bytes },
    { name: `${name}, little end first`, bytes: Buffer.from(bytes).reverse() },
  ];
}

/** Forms that are equal (plain words are their own URL encoding) under the first name; those of no use are left out. */
function distinct(forms: Form[]): Form[] {
  const known = new Set<string>();
  return forms.filter(({ bytes }) => {
    const key = bytes.toString('latin1');
    if (bytes.length < 4 || known.has(key)) return false;
    known.add(key);
    return true;
  });
}

function numberOf(bigEndian: Buffer): bigint {
  return BigInt(`0x${bigEndian.toString('hex')}`);
}

function packIpv4(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

function packIpv6(address: string): Buffer {
  const [head = '', tail] = address.split('::');
  const groupsOf = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [left, right] = [groupsOf(head), groupsOf(tail ?? '')];
  const groups = tail === undefined ? left : [...left, ...Array(8 - left.length - right.length).fill(0), ...right];
  const packed = Buffer.alloc(16);
  for (const [at, group] of groups.entries()) packed.writeUInt16BE(group, at * 2);
  return packed;
}

function textsOfIpv4(packed: Buffer): string[] {
  const parts = [...packed];
  return [
    parts.join('.'),
    [...parts].reverse().join('.'),
    parts.join('-'),
    `::ffff:${packed.readUInt16BE(0).toString(16)}:${packed.readUInt16BE(2).toString(16)}`,
  ];
}

function textsOfIpv6(packed: Buffer): string[] {
  const groups = Array.from({ length: 8 }, (_, at) => packed.readUInt16BE(at * 2).toString(16));
  const full = groups.map((group) => group.padStart(4, '0')).join(':');
  const short = new URL(`http://[${full}]/`).hostname.slice(1, -1);
  // The network alone is too much as well: it names a household.
  return [short, groups.join(':'), full, full.slice(0, 19), groups.slice(0, 4).join(':')];
}
