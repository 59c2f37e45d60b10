import { isIP } from 'node:net';
import type { Conversion } from '../../../contract/conversion.ts';
import type { Mapping, Rules } from '../../../contract/mapping.ts';
import { factsOf } from '../conversions/facts.ts';
import type { OutgoingRequest } from '../destinations/destination.ts';

/**
 * What of a request and of what is made of it can be seen by whoever maps it: structure, names, and all that is nobody's.
 * What may be a person's is hidden by the shape of its text, so that a comma is still seen in a number and a domain in an
 * address of mail.
 */

/** Names under which senders write what is somebody's. */
const personal =
  /mail|phone|mobile|(?:^|_)(?:tel|fax|ip|ua|dob|sex|gender|street|city|town|zip|iban|note|comment|message)(?:$|_)|(?:first|last|full|given|family|middle|maiden|billing|shipping|card|holder)_?name|surname|company|address|post_?code|postal|birth|user_?agent|token|secret|passw|fingerprint/;
/** A bare `name` is somebody's where it stands in one of these. */
const people = /customer|user|buyer|contact|person|billing|shipping|recipient|traits/;
const mail = /[^\s@<>"',;:?&=/]+@[^\s@<>"',;:?&=/]+\.[^\s@<>"',;:?&=/]+/g;
const international = /^\+\d[\d\s().-]{6,20}$/;

/** The same text with what can be read of it taken out; never longer than can be shown in a line. */
export function maskText(text: string): string {
  const [name, domain] = text.split('@');
  if (domain !== undefined && name !== undefined && !/\s/.test(text)) {
    const end = domain.lastIndexOf('.');
    return `${dots(name)}@${end < 0 ? dots(domain) : dots(domain.slice(0, end)) + domain.slice(end)}`;
  }
  return text.replace(/[\p{L}\p{N}]/gu, '•').slice(0, 24);
}
const dots = (text: string) => '•'.repeat(Math.min(text.length, 8));

function snake(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[\s.-]+/g, '_')
    .toLowerCase();
}

function isPersonal(path: readonly string[], text: string): boolean {
  const names = path.filter((step) => step !== '[]').map(snake);
  const name = names.at(-1) ?? '';
  if (personal.test(name)) return true;
  if (name === 'name' && names.slice(0, -1).some((one) => people.test(one))) return true;
  return international.test(text) || isIP(text) !== 0;
}

/** A country is nobody's. */
const open: ReadonlySet<string> = new Set(['user.country', 'user.phone_country']);

/** Paths that a mapping reads identifiers of a person from, in the form `billing.email` or `items[].name`. */
export function personalPaths(mapping: Mapping): ReadonlySet<string> {
  const found = new Set<string>();
  for (const one of 'cases' in mapping ? mapping.cases : [mapping]) {
    if (!('fields' in one)) continue;
    for (const [field, rules] of Object.entries(one.fields))
      if (field.startsWith('user.') && !open.has(field) && !(typeof rules === 'object' && 'each' in rules))
        for (const path of pathsOf(rules as Rules)) found.add(path.replaceAll(/\[[^\]]*\]/g, '[]'));
  }
  return found;
}

function pathsOf(rules: Rules): string[] {
  return (Array.isArray(rules) ? rules : [rules]).flatMap((rule) => {
    if (typeof rule === 'string') return [rule];
    const parts = [...(rule.template ?? '').matchAll(/\{\{([^}]+)\}\}/g)].map((part) => (part[1] as string).trim());
    return rule.path === undefined ? parts : [rule.path];
  });
}

/** What a sender said, with what is a person's hidden. @param paths those of `personalPaths` */
export function hideData(data: unknown, paths: ReadonlySet<string>, at: readonly string[] = []): unknown {
  if (Array.isArray(data)) return data.map((one) => hideData(one, paths, [...at, '[]']));
  if (typeof data === 'object' && data !== null)
    return Object.fromEntries(
      Object.entries(data).map(([name, value]) => [name, hideData(value, paths, [...at, name])]),
    );
  if (typeof data !== 'string' && typeof data !== 'number') return data;
  const text = String(data);
  if (paths.has(at.join('.').replaceAll('.[]', '[]')) || isPersonal(at, text)) return maskText(text);
  return typeof data === 'string' ? hideMail(text) : data;
}

const hideMail = (text: string) => text.replaceAll(mail, maskText);

/** The canonical conversion as an editor shows it: what it knows of a person is there, and hidden. */
export function hideConversion(conversion: Conversion): Conversion {
  const { user, ...rest } = conversion;
  const facts = hideData(factsOf(rest as Conversion), new Set()) as Conversion;
  const shown = Object.entries(user ?? {}).map(([name, value]) => [
    name,
    open.has(`user.${name}`) ? value : Array.isArray(value) ? value.map(maskText) : maskText(String(value)),
  ]);
  return shown.length === 0 ? facts : ({ ...facts, user: Object.fromEntries(shown) } as Conversion);
}

/** The types of TypeScript do not have it yet. */
const { isRawJSON: isRaw } = JSON as unknown as { isRawJSON(data: object): boolean };

/** Shorter than that is no name and no number of anybody. */
const rawCharsMin = 3;

/** A request to a platform as it may be looked at: hashes shortened, and nothing raw of the person. */
export function hideRequest(request: OutgoingRequest, { user }: Conversion): OutgoingRequest {
  const raw = new Set(
    Object.entries(user ?? {})
      .filter(([name]) => name !== 'phone_country' && name !== 'country')
      .flatMap(([, value]) => [value].flat().map((one) => String(one).trim().toLowerCase()))
      .filter((text) => text.length >= rawCharsMin),
  );
  const hide = (data: unknown): unknown => {
    if (Array.isArray(data)) return data.map(hide);
    if (typeof data === 'string')
      return raw.has(data.trim().toLowerCase())
        ? maskText(data)
        : hideMail(data.replaceAll(/\b[0-9a-f]{64}\b/gi, (hash) => `${hash.slice(0, 4)}…${hash.slice(-4)}`));
    // Amounts that are written digit by digit are objects without members.
    if (typeof data === 'object' && data !== null && !isRaw(data))
      return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, hide(value)]));
    return data;
  };
  return { ...request, url: hide(request.url) as string, body: hide(request.body) };
}
