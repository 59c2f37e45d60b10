/**
 * The data classes of the promise ledger, §1. Every stored column carries exactly one, in its comment; retention,
 * erasure, export, the data map and the privacy notice are read from there.
 */
export interface DataClass {
  id: ClassId;
  name: string;
  contents: string;
  /** On whose behalf it is processed (rule R19): it decides who answers a request about it. */
  role: 'processor' | 'controller' | 'either';
  protection: string;
  window: string;
  onErasure: string;
  /** Memory only: a column or a file of this class is a broken promise. */
  neverAtRest?: true;
}

export type ClassId = `D${number}`;

export const classes: readonly DataClass[] = [
  {
    id: 'D1',
    name: 'visitor-transient',
    contents: 'raw address and raw User-Agent of web analytics requests',
    role: 'processor',
    protection: 'memory only, never at rest',
    window: '0',
    onErasure: 'nothing is kept',
    neverAtRest: true,
  },
  {
    id: 'D2',
    name: 'visitor-pseudonym',
    contents: 'daily hash, visit id, random id of storage mode',
    role: 'processor',
    protection: 'one value within one site',
    window: 'as D3; the hash is unlinkable once its salt is dead',
    onErasure: 'rows are deleted by id where it is linkable',
  },
  {
    id: 'D3',
    name: 'visitor-event',
    contents: 'page, referrer, UTM, engagement, parsed browser, system and device, coarse place',
    role: 'processor',
    protection: 'tenant key',
    window: 'the window of the site (25 months unless shortened), at most the subscription and 30 days',
    onErasure: 'deleted or aggregated',
  },
  {
    id: 'D4',
    name: 'visitor-contact',
    contents: 'values of mailto and tel clicks, traits of identify calls',
    role: 'processor',
    protection: 'sealed field',
    window: 'as D3, never in aggregates',
    onErasure: 'key destroyed',
  },
  {
    id: 'D5',
    name: 'conversion-PII',
    contents: 'e-mail, phone, names, address, fingerprint, User-Agent, city and postcode of a conversion',
    role: 'processor',
    protection: 'sealed field, key of the subject',
    window: 'delivered and 7 days; platform hashes sealed as long as D6',
    onErasure: 'key destroyed',
  },
  {
    id: 'D6',
    name: 'conversion-event',
    contents: 'which identifiers were present, click ids, value, currency, UTM, name, time',
    role: 'processor',
    protection: 'tenant key',
    window: 'while active; deleted at any time on request',
    onErasure: 'deleted',
  },
  {
    id: 'D7',
    name: 'account-profile',
    contents: 'name, e-mail, avatar, timezone, role, organisation and what it has configured',
    role: 'controller',
    protection: 'tenant key',
    window: 'active and 30 days',
    onErasure: 'deleted',
  },
  {
    id: 'D8',
    name: 'credential',
    contents: 'password hash, digests of sessions, keys and one-time tokens, second factors',
    role: 'controller',
    protection: 'hash or seal',
    window: 'life of the session; one-time tokens at most 1 hour',
    onErasure: 'deleted at once',
  },
  {
    id: 'D9',
    name: 'connector-secret',
    contents: "OAuth tokens, others' API keys, secrets of mail and webhooks",
    role: 'either',
    protection: 'sealed field, each access logged',
    window: 'until disconnected',
    onErasure: 'destroyed at once',
  },
  {
    id: 'D10',
    name: 'connector-data',
    contents: 'campaigns, ads, keywords, tag-manager objects, search query performance',
    role: 'processor',
    protection: 'tenant key',
    window: 'while active',
    onErasure: 'deleted within 30 days',
  },
  {
    id: 'D11',
    name: 'crawl-artifact',
    contents: 'address, title and structure of pages, screenshots, navigation paths',
    role: 'processor',
    protection: 'tenant key',
    window: 'while active; raw HTML 90 days',
    onErasure: 'deleted',
  },
  {
    id: 'D12',
    name: 'ai-transient',
    contents: 'outgoing prompt and raw answer of a model',
    role: 'processor',
    protection: 'memory only',
    window: '0',
    onErasure: 'nothing is kept',
    neverAtRest: true,
  },
  {
    id: 'D13',
    name: 'ai-result',
    contents: 'validated and redacted result, and whether it was applied or dismissed',
    role: 'processor',
    protection: 'tenant key',
    window: 'while active',
    onErasure: 'deleted',
  },
  {
    id: 'D14',
    name: 'content',
    contents: 'planned posts and what belongs to them',
    role: 'processor',
    protection: 'tenant key',
    window: 'while active',
    onErasure: 'deleted',
  },
  {
    id: 'D15',
    name: 'server-log',
    contents: 'access and error logs with address and time',
    role: 'controller',
    protection: 'restricted',
    window: '90 days',
    onErasure: 'ages out',
  },
  {
    id: 'D16',
    name: 'ops-log',
    contents: 'logs of actions, webhooks and operation, without an address after 90 days',
    role: 'controller',
    protection: 'restricted',
    window: '12 months',
    onErasure: 'pseudonymised',
  },
  {
    id: 'D17',
    name: 'audit',
    contents: 'who did what to which thing and when',
    role: 'controller',
    protection: 'chained by hash, append-only',
    window: '2 years',
    onErasure: 'pseudonymised by loss of the key',
  },
  {
    id: 'D18',
    name: 'billing-record',
    contents: "invoices, tax number, billing address, provider's references",
    role: 'controller',
    protection: 'fiscal vault',
    window: '10 years (a profile may say 7 to 10)',
    onErasure: 'exempt, minimised',
  },
  {
    id: 'D19',
    name: 'credit-ledger',
    contents: 'movements of a balance',
    role: 'controller',
    protection: 'double entry, append-only',
    window: 'as D18',
    onErasure: 'pseudonymised',
  },
  {
    id: 'D20',
    name: 'waitlist',
    contents: 'name, work e-mail, kind of business, range of spend, marketplaces, notes',
    role: 'controller',
    protection: 'tenant key',
    window: 'resolved and 12 months',
    onErasure: 'deleted',
  },
  {
    id: 'D21',
    name: 'correspondence',
    contents: 'support mail and messages',
    role: 'controller',
    protection: 'tenant key',
    window: '24 months',
    onErasure: 'deleted',
  },
  {
    id: 'D22',
    name: 'aggregate',
    contents: 'daily summaries, benchmarks, and records about no person',
    role: 'controller',
    protection: 'k-anonymous',
    window: 'unlimited',
    onErasure: 'there is no person in it',
  },
  {
    id: 'D23',
    name: 'consent-record',
    contents: 'purpose, version, state, time, proof',
    role: 'controller',
    protection: 'append-only',
    window: 'life of the relation and 3 years',
    onErasure: 'pseudonymised',
  },
  {
    id: 'D24',
    name: 'dsr-record',
    contents: 'a request of a data subject, its clock, steps and receipts',
    role: 'controller',
    protection: 'append-only',
    window: '3 years',
    onErasure: 'the subject is a keyed digest only',
  },
  {
    id: 'D25',
    name: 'suppression',
    contents: 'keyed digest of an address, and why',
    role: 'controller',
    protection: 'digest only',
    window: 'unlimited',
    onErasure: 'the digest stays: without it the objection could not be honoured',
  },
];

/** What is never in a table in clear, wherever the disk is. */
export const fieldSealed: readonly ClassId[] = classes
  .filter(({ protection }) => protection.startsWith('sealed field'))
  .map(({ id }) => id);

const byId = new Map(classes.map((one) => [one.id, one]));

/**
 * Reads a column's comment: the class, a space, what the column means.
 * @example readClass('D7 what its people call it')?.name // 'account-profile'
 */
export function readClass(comment: string | null): DataClass | undefined {
  const [, id] = /^(D\d{1,2}) \S/.exec(comment ?? '') ?? [];
  return byId.get(id as ClassId);
}
