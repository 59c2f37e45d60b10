import type { Conversion } from '../../../contract/conversion.ts';
import type { ConversionRegion } from '../../../contract/relay.ts';
import { sha256Bytes } from '../../platform/hmac.ts';
import { type Random, timedUuidOf } from '../../platform/random.ts';
import type { KeyRing } from '../../platform/subject.ts';
import type { FreshKey, FreshKeys, Vault } from '../../platform/vault.ts';
import { factsOf, presentIn } from '../conversions/facts.ts';
import { readMoment } from '../conversions/moment.ts';
import { tellingPlace, withoutRaw } from '../conversions/people.ts';
import { destinationOf } from '../destinations/index.ts';
import { countryCode } from '../identifiers/countries.ts';
import { phoneRegion } from '../identifiers/meta.ts';
import { internationalDigits } from '../identifiers/phone.ts';
import type { RecordPlace } from '../sources/capture.ts';
import type { RunningSource } from './directory.ts';
import type { CallsRecord } from './pixels.ts';

/** How two tellings are known to be of one conversion. */
export type IdentityKind = 'order' | 'event' | 'words';

/**
 * A conversion as the spool has it: a line of JSON. Facts are in the clear; whom it is about is sealed under a key that was
 * made for this line and travels with it, wrapped by the key of the organisation. Bytes are base64, digests hex.
 */
export interface ConversionRecord {
  readonly kind: 'conversion';
  readonly organisation: number;
  readonly source: number;
  readonly site: number | null;
  readonly id: string;
  readonly request: string;
  /** Milliseconds since 1970: when it came. */
  readonly at: number;
  readonly identity: { readonly kind: IdentityKind; readonly digest: string; readonly minutes: number };
  readonly facts: Conversion;
  readonly region: ConversionRegion;
  readonly present: readonly string[];
  /** Keyed digests of addresses, numbers and ids. */
  readonly subjects: readonly string[];
  readonly key: RecordKey | null;
  readonly hashes: string | null;
  readonly raw: string | null;
  readonly mapping: number;
  readonly rawDays: number;
}

/** A request that nothing could be made of, whole, until its mapping is put right. */
export interface UnmappedRecord {
  readonly kind: 'unmapped';
  readonly organisation: number;
  readonly source: number;
  readonly id: string;
  readonly at: number;
  /** The mapping that made nothing of it. */
  readonly mapping: number;
  readonly key: RecordKey;
  readonly sealed: string;
  /** When it is tried again by the same mapping, where time alone may mend it. */
  readonly again?: number;
}
export type IntakeRecord = ConversionRecord | UnmappedRecord | CallsRecord;

/** A `FreshKey` as text: id, subject, what wrapped it, wrapped. */
export type RecordKey = readonly [id: string, subject: string, wrappedBy: string, wrapped: string];

export function keyText({ id, subject, wrappedBy, wrapped }: FreshKey): RecordKey {
  return [id, subject, wrappedBy, wrapped].map((one) => one.toString('base64')) as unknown as RecordKey;
}
export function keyOfText(text: RecordKey): FreshKey {
  const [id, subject, wrappedBy, wrapped] = text.map((one) => Buffer.from(one, 'base64')) as [
    ...[Buffer, Buffer, Buffer, Buffer],
  ];
  return { id, subject, wrappedBy, wrapped };
}

/** The subject alone, where the rest is not asked for. */
export function subjectOfKey([, subject]: RecordKey): Buffer {
  return Buffer.from(subject, 'base64');
}

/** Under which subject the key of something of the relay stands: by whom it is about, or by itself where it is about nobody. */
export function keySubject(digestOrId: string): Buffer {
  return sha256Bytes(`relay ${digestOrId}`);
}

const first: RecordPlace = [0, 0];
/** More than a request of two megabytes can hold in one record. */
const placesMax = 2 ** 20;
/**
 * The number of a telling, the same each time that its request is taken: one that was stored is known then, whatever a later
 * mapping makes of it. The time of the request stays in front, as in every number that is drawn for one.
 * @param request a version 7 UUID. This one is of version 8 (RFC 9562: made of something of one's own), so that none is a request's
 */
export function tellingIdOf(request: string, [record, place]: RecordPlace = first): string {
  // The very first one, which nearly all are, has the end of its request.
  if (record + place === 0) return `${request.slice(0, 14)}8${request.slice(15)}`;
  const tail = (Number.parseInt(request.slice(24), 16) + record * placesMax + place) % 2 ** 48;
  return `${request.slice(0, 14)}8${request.slice(15, 24)}${tail.toString(16).padStart(12, '0')}`;
}

export interface Sealing {
  readonly keys: Pick<KeyRing, 'digest'>;
  readonly vault: Pick<Vault, 'subject'>;
  readonly random: Random;
  /** Country of an address, ISO 3166-1 alpha-2; undefined where nobody knows. */
  readonly countryOf: (address: string) => string | undefined;
  readonly regionOf: (country: string) => ConversionRegion;
}

/**
 * Makes the record of a conversion: what is a person's is hashed for each platform that it may go to, and sealed, here and now.
 * @param came.id its number, where the same one may come a second time; a new one otherwise
 * @returns undefined where no key is at hand: the sender has to come again
 */
export function makeRecord(
  conversion: Conversion,
  source: Pick<
    RunningSource,
    'id' | 'organisationId' | 'siteId' | 'kind' | 'kinds' | 'doublesMinutes' | 'rawDays' | 'mappingVersion'
  >,
  came: {
    readonly request: string;
    readonly at: number;
    readonly freshKeys: FreshKeys | undefined;
    readonly id?: string;
  },
  sealing: Sealing,
): ConversionRecord | undefined {
  const { organisationId, kinds } = source;
  const id = came.id ?? timedUuidOf(sealing.random, came.at);
  const facts = factsOf(conversion);
  const subjects = subjectsOf(conversion.user, organisationId, sealing.vault);
  const identifiers: Record<string, object> = {};
  for (const kind of kinds) {
    const made = withoutRaw(destinationOf(kind)?.identify({ ...facts, ...userOf(conversion) }));
    if (Object.keys(made).length > 0) identifiers[kind] = made;
  }
  const isSomebody = conversion.user !== undefined;
  const made = isSomebody ? came.freshKeys?.make(keySubject(subjects[0] ?? id)) : undefined;
  if (isSomebody && made === undefined) return undefined;
  const seal = (column: 'hashes_sealed' | 'raw_sealed', plain: object) => {
    const { organisationId: _, ...place } = tellingPlace(organisationId, column, id);
    return made?.seal(place, JSON.stringify(plain)).toString('base64') ?? null;
  };
  return {
    ...{ kind: 'conversion', organisation: organisationId, source: source.id, site: source.siteId },
    ...{ id, request: came.request, at: came.at },
    identity: identityOf(conversion, source, sealing.keys, came.at),
    facts,
    region: regionOfConversion(conversion, sealing),
    present: presentIn(conversion),
    subjects,
    key: made === undefined ? null : keyText(made.key),
    hashes: Object.keys(identifiers).length === 0 ? null : seal('hashes_sealed', identifiers),
    raw: conversion.user === undefined ? null : seal('raw_sealed', conversion.user),
    ...{ mapping: source.mappingVersion, rawDays: source.rawDays },
  };
}

/**
 * A record as its line of JSON, as `JSON.stringify` would write it: that one looks at each sign of ciphertexts and digests, of
 * which a record has two thousand, to see whether it has to be escaped.
 */
export function recordLine(record: ConversionRecord): string {
  const { organisation, source, site, id, request, at, identity, facts, region, present, subjects, key } = record;
  const { hashes, raw, mapping, rawDays } = record;
  const plain = (text: string | null) => (text === null ? 'null' : `"${text}"`);
  const list = (texts: readonly string[]) => (texts.length === 0 ? '[]' : `["${texts.join('","')}"]`);
  return `{"kind":"conversion","organisation":${organisation},"source":${source},"site":${site},"id":"${id}","request":${JSON.stringify(request)},"at":${at},"identity":{"kind":"${identity.kind}","digest":"${identity.digest}","minutes":${identity.minutes}},"facts":${JSON.stringify(facts)},"region":"${region}","present":${list(present)},"subjects":${list(subjects)},"key":${key === null ? 'null' : list(key)},"hashes":${plain(hashes)},"raw":${plain(raw)},"mapping":${mapping},"rawDays":${rawDays}}`;
}

function userOf({ user }: Conversion): Pick<Conversion, 'user'> {
  return user === undefined ? {} : { user };
}

/** Digests by which a request of a data subject finds it: of this organisation alone (REL-11). An address alone is nobody. */
function subjectsOf(user: Conversion['user'], organisationId: number, vault: Pick<Vault, 'subject'>): string[] {
  if (user === undefined) return [];
  const found = new Set<string>();
  const keep = (kind: 'email' | 'phone' | 'external-id', value: string) =>
    found.add(vault.subject(organisationId, kind, value).toString('hex'));
  for (const email of listOf(user.email)) keep('email', email);
  for (const phone of listOf(user.phone)) {
    const digits = internationalDigits(phone, phoneRegion(user));
    if (digits !== undefined) keep('phone', `+${digits}`);
  }
  for (const one of listOf(user.external_id)) keep('external-id', one);
  return [...found];
}

function listOf(given: string | string[] | undefined): readonly string[] {
  return given === undefined ? [] : typeof given === 'string' ? [given] : given;
}

/**
 * (event, order) is one conversion whatever its source; else an id of the source; else the same words within some minutes. A
 * refund belongs to its order and is none of its conversions, so an order never stands in it.
 * @param cameAt milliseconds since 1970: when it came, where a mapping can say that
 */
export function identityOf(
  conversion: Conversion,
  {
    id,
    organisationId,
    siteId,
    kind,
    doublesMinutes,
  }: Pick<RunningSource, 'id' | 'organisationId' | 'siteId' | 'kind' | 'doublesMinutes'>,
  keys: Pick<KeyRing, 'digest'>,
  cameAt?: number,
): ConversionRecord['identity'] {
  const { order_id, event_id, event_name } = conversion;
  const digest = (...parts: unknown[]) =>
    keys.digest('relay-identity', JSON.stringify([organisationId, ...parts])).toString('hex');
  if (order_id !== undefined)
    return { kind: 'order', digest: digest(siteId, 'order', event_name, order_id), minutes: 0 };
  // One event of a site may reach several goals, each of which is a conversion.
  const reached = kind === 'goals' ? [event_name] : [];
  if (event_id !== undefined) return { kind: 'event', digest: digest(id, 'event', event_id, ...reached), minutes: 0 };
  return { kind: 'words', digest: digest(id, 'words', canonical(saidOf(conversion, cameAt))), minutes: doublesMinutes };
}

/**
 * A conversion in the words of its sender. A time that a mapping takes from the arrival (`$received_at`, as of postbacks) is the desk's
 * word: with it the same request would be another conversion each time that it is sent.
 */
function saidOf(conversion: Conversion, cameAt: number | undefined): Partial<Conversion> {
  const said: Partial<Conversion> = { ...conversion };
  for (const name of ['occurred_at', 'clicked_at'] as const) {
    const read = said[name] === undefined || cameAt === undefined ? 'invalid' : readMoment(said[name]);
    if (typeof read !== 'string' && read.ms === Math.trunc(cameAt as number)) delete said[name];
  }
  return said;
}

/** The same words in the same order, whatever the order they came in. */
function canonical(given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given;
  if (Array.isArray(given)) return given.map(canonical);
  return Object.entries(given)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, canonical(value)]);
}

/** Whose first one it may be: a click, else a person; null for nobody's. */
export function whoOf(
  { click_ids = {} }: Conversion,
  subjects: readonly string[],
  organisationId: number,
  keys: Pick<KeyRing, 'digest'>,
): string | null {
  const { fbp: _browser, ttp: _tiktok, ...clicks } = click_ids;
  const [click] = Object.entries(clicks).sort(([a], [b]) => (a < b ? -1 : 1));
  if (click === undefined) return subjects[0] ?? null;
  return keys.digest('relay-identity', JSON.stringify([organisationId, 'click', ...click])).toString('hex');
}

/** By the country that is said of the person, else by the address; where neither is known it is unknown, and asks for consent. */
export function regionOfConversion(
  { user }: Conversion,
  { countryOf, regionOf }: Pick<Sealing, 'countryOf' | 'regionOf'>,
): ConversionRegion {
  const country = countryCode(user?.country) ?? (user?.ip === undefined ? undefined : countryOf(user.ip));
  return country === undefined || country === null ? 'unknown' : regionOf(country);
}
