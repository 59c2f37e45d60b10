import { z } from 'zod';
import { words } from './api.ts';
import { type Conversion, conversionRefusals } from './conversion.ts';
import { captureLimits, captureReasons, type Mapping, signatureSchemes } from './mapping.ts';
import { routeRules } from './relay.ts';

/** Settings of the conversion relay: sources, their mappings, destinations and routes. All of an organisation. */

const id = z.number().int();
const optionalId = id
  .positive()
  .max(2 ** 53 - 1)
  .nullable();

export const sourceKinds = ['http', 'upload', 'goals'] as const;
export type SourceKind = (typeof sourceKinds)[number];
export const relayStates = ['active', 'paused'] as const;

/** A header by its name; where a sender of its own puts the HMAC. */
const headerName = z.string().regex(/^[A-Za-z0-9-]{1,80}$/, 'is no name of a header, such as x-signature');
/** What a sender signs with: printable, as it is copied from the shop's page. */
const signingSecret = z
  .string()
  .trim()
  .min(8)
  .max(256)
  .regex(/^[\x21-\x7e]+$/, 'is one word of printable characters');

const newSignature = z
  .strictObject({
    scheme: z.enum(signatureSchemes),
    secret: signingSecret,
    header: headerName.optional().describe('Of `hmac` alone: where the signature stands.'),
  })
  .refine(({ scheme, header }) => (scheme === 'hmac') === (header !== undefined), {
    message: 'the scheme hmac, and it alone, names its header',
    path: ['header'],
  });

/** What of a visitor the conversions of goals may have, each of them only where consent allows it. */
const goalSettings = {
  click_ids: z.boolean().describe('Of goals alone: their conversions have the click ids of their visits.'),
  ip_and_agent: z
    .boolean()
    .describe("Of goals alone: their conversions have the address and the User-Agent of the visitor's browser."),
  browser_ids: z
    .boolean()
    .describe(
      'Of goals alone: their conversions have what pixels of the platforms they go to keep in the browser (`_fbc`, `_fbp`, `_ttp`), of visitors who said yes to ads.',
    ),
  pixel_calls: z
    .boolean()
    .describe('Of goals alone: counts which events, with which ids, the pixels on the site are called with.'),
};

const sourceSettings = {
  unmapped_status: z.union([z.literal(202), z.literal(422)]),
  doubles_minutes: z.int().min(1).max(1_440),
  raw_days: z.int().min(0).max(30),
  intake_days: z.int().min(1).max(90),
  requests_per_minute: z
    .int()
    .min(1)
    .max(1_000_000)
    .nullable()
    .describe(
      'How many requests it takes in a minute, a tenth of them at once; what is beyond is answered 429. null: as many as come.',
    ),
};

export const relaySource = z.object({
  id,
  name: z.string(),
  kind: z.enum(sourceKinds),
  preset: z.string().nullable(),
  site: z.object({ id, domain: z.string() }).nullable(),
  state: z.enum(relayStates),
  /** Null where it has none. The address itself is in the answer that makes it, and nowhere else. */
  address: z.object({ former_until: z.string().nullable() }).nullable(),
  signature: z
    .object({
      scheme: z.enum(signatureSchemes),
      header: z.string().nullable(),
      /** Until when the secret before is taken, too. */
      former_until: z.string().nullable(),
    })
    .nullable(),
  /** 0 = none yet. */
  mapping_version: z.number().int(),
  ...sourceSettings,
  ...goalSettings,
  created_at: z.string(),
  /** Of 90 days; null where there is none. */
  last_request_at: z.string().nullable(),
  /** Since midnight UTC, those that were refused too; null where the intake log cannot be read now. */
  requests_today: z.number().int().nullable(),
  /** Of them those that its rate limit refused; written down once a minute. */
  rate_refused_today: z.number().int().nullable(),
  /** Conversions since midnight UTC that it told of first. */
  conversions_today: z.number().int(),
  /** Requests of the last seven days of which no conversion could be made. */
  unmapped: z.number().int(),
  /** Routes that begin here and are active. */
  routes: z.number().int(),
});
export type RelaySource = z.infer<typeof relaySource>;

export const newRelaySource = z.strictObject({
  name: words(80),
  kind: z.enum(sourceKinds).default('http'),
  preset: z.string().min(1).max(40).optional().describe('Its mapping is the first version.'),
  site_id: optionalId.optional(),
  signature: newSignature.optional(),
  click_ids: goalSettings.click_ids.optional(),
  ip_and_agent: goalSettings.ip_and_agent.optional(),
  browser_ids: goalSettings.browser_ids.optional(),
  pixel_calls: goalSettings.pixel_calls.optional(),
});
export const relaySourceChange = z
  .strictObject({
    name: words(80),
    site_id: optionalId,
    state: z.enum(relayStates),
    signature: newSignature.nullable().describe('null: its address alone says who sends.'),
    ...sourceSettings,
    ...goalSettings,
  })
  .partial();
/** The one answer with the address. */
export const madeRelaySource = z.object({ source: relaySource, address: z.string().nullable() });
/** Without one the desk makes it up, and says it in this one answer. */
export const newSigningSecret = z.strictObject({ secret: signingSecret.optional() });
export const madeSigningSecret = z.object({ source: relaySource, secret: z.string().nullable() });

/** What goes with a source, and what stays. */
export const relaySourceContents = z.object({
  mappings: z.number().int(),
  routes: z.number().int(),
  captures: z.number().int(),
  /** Not sent yet; they are cancelled. */
  waiting: z.number().int(),
  /** They stay, with what became of them. */
  conversions: z.number().int(),
});
export type RelaySourceContents = z.infer<typeof relaySourceContents>;

export const relayPreset = z.object({
  id: z.string(),
  label: z.string(),
  /** Of which sources it is: requests, or rows of files. */
  kind: z.enum(['http', 'upload']),
  signature: z.enum(signatureSchemes).nullable(),
  /** What stands behind the source's address in the tracker, with the macros that it fills in. */
  template: z.string().nullable(),
});
export type RelayPreset = z.infer<typeof relayPreset>;
export const relaySources = z.object({
  sources: z.array(relaySource),
  presets: z.array(relayPreset),
  limits: z.object({ sources: z.number().int() }),
});

/** Read by the mapping's own reader, which says what is wrong with it and where. */
const givenMapping = z
  .record(z.string(), z.unknown())
  .describe('A mapping, as contract/mapping.ts and the guide to mappings say it.');

export const mappingVersion = z.object({
  version: z.number().int(),
  note: z.string().nullable(),
  created_at: z.string(),
  /** Who saved it; null where they are no member any more, or a key did. */
  created_by: z.string().nullable(),
  /** Fields that it fills, over all its cases. */
  fields: z.number().int(),
  in_force: z.boolean(),
});
export const mappingVersions = z.object({ versions: z.array(mappingVersion) });
export type MappingVersion = z.infer<typeof mappingVersion>;
export const mappingOfVersion = mappingVersion.extend({ mapping: z.custom<Mapping>().meta({ type: 'object' }) });
export const newMappingVersion = z.strictObject({
  mapping: givenMapping,
  note: words(200).optional(),
  after: z.int().min(0).describe('The version that it was made from. Where another was saved meanwhile: conflict.'),
});
export const mappingRestoration = z.strictObject({ after: z.int().min(0), note: words(200).optional() });

/** A request to try a mapping on: one that was pasted, or one that came. */
const pastedRequest = z.strictObject({
  method: z.enum(['GET', 'POST']).default('POST'),
  query: z.string().max(captureLimits.urlCharsMax).default('').describe('What stands behind the `?` of the address.'),
  headers: z.record(z.string().max(80), z.string().max(4_096)).default({}),
  body: z.string().max(captureLimits.bodyBytesMax).nullable().default(null),
});
export type PastedRequest = z.input<typeof pastedRequest>;
export const mappingTrial = z
  .strictObject({
    mapping: givenMapping.optional().describe('Absent: the one in force.'),
    request: pastedRequest.optional(),
    capture_id: z.uuid().optional(),
  })
  .refine(({ request, capture_id }) => (request === undefined) !== (capture_id === undefined), {
    message: 'says a request or a capture_id, and not both',
    path: ['request'],
  });
export type MappingTrial = z.input<typeof mappingTrial>;

export const mappingProblem = z.object({
  /** The canonical field; empty where it is about the whole record. */
  field: z.string(),
  reason: z.enum(captureReasons),
  /** Where the mapping looked. */
  path: z.string().optional(),
  macro: z.string().optional(),
  record: z.number().int().optional(),
  at: z.number().int().optional(),
});
export type TrialProblem = z.infer<typeof mappingProblem>;

/** What would go to a destination for one conversion, or why it would not. */
export const triedDelivery = z.object({
  route_id: id,
  destination_id: id,
  destination: z.string(),
  kind: z.string(),
  outcome: z.enum(['sent', 'held', 'withheld', 'skipped', 'refused', 'misconfigured']),
  /** Of what is not sent: the route's own word, or that of the destination. */
  reason: z.enum([...conversionRefusals, 'condition', 'event', 'settings', 'consent_unknown']).optional(),
  /** The canonical field, or the setting. */
  field: z.string().optional(),
  /** Hashes are shortened and what is a person's is hidden; without the token, which is added when it is sent. */
  request: z
    .object({
      method: z.enum(['GET', 'POST']),
      url: z.string(),
      headers: z.record(z.string(), z.string()),
      body: z.unknown(),
    })
    .optional(),
});
export type TriedDelivery = z.infer<typeof triedDelivery>;

export const mappingTrialAnswer = z.object({
  /** What the sender would be answered. */
  status: z.number().int(),
  reason: z.enum(captureReasons).nullable(),
  field: z.string().nullable(),
  /** What is wrong with the mapping itself, and where in it. */
  mapping_problem: z.object({ at: z.string(), sentence: z.string() }).nullable(),
  problems: z.array(mappingProblem),
  /** How the request was read; what is a person's is hidden. Null where it could not be. */
  read: z
    .object({
      method: z.string(),
      records: z.number().int(),
      /** The first record. */
      body: z.unknown(),
      query: z.record(z.string(), z.unknown()),
      headers: z.record(z.string(), z.unknown()),
    })
    .nullable(),
  /** At most so many as are shown; `found` says how many there are. */
  conversions: z.array(
    z.object({ conversion: z.custom<Conversion>().meta({ type: 'object' }), deliveries: z.array(triedDelivery) }),
  ),
  found: z.number().int(),
});
export type MappingTrialAnswer = z.infer<typeof mappingTrialAnswer>;
/** Conversions that a trial shows; a request may have thousands. */
export const trialConversionsMax = 20;

export const relayCapture = z.object({ id: z.string(), received_at: z.string(), is_unmapped: z.boolean() });
export type RelayCapture = z.infer<typeof relayCapture>;
export const relayCaptures = z.object({ captures: z.array(relayCapture) });

/** A mapping over all requests that are kept of its source. */
export const mappingTest = z.strictObject({ mapping: givenMapping.optional() });
export const mappingTestAnswer = z.object({
  captures: z.number().int(),
  /** Without a problem, and with a conversion or one that is meant to be none. */
  clean: z.number().int(),
  mapping_problem: z.object({ at: z.string(), sentence: z.string() }).nullable(),
  failures: z.array(z.object({ capture_id: z.string(), reason: z.enum(captureReasons), field: z.string().nullable() })),
});

/** Names, and for each what it is. No secret among them. */
const givenSettings = z
  .record(z.string().max(40), z.string().max(2_048))
  .describe('By the names that its kind lists; null and empty are not set.');

export const destinationKind = z.object({
  id: z.string(),
  label: z.string(),
  fields: z.array(
    z.object({
      name: z.string(),
      label: z.string(),
      what: z.string(),
      required: z.boolean(),
      choices: z.array(z.string()).nullable(),
    }),
  ),
  /** null: it takes none. */
  secret: z.object({ label: z.string(), what: z.string() }).nullable(),
  /** Whose connections it can be sent with (contract/connections.ts). */
  provider: z.string(),
  /** Settings that are chosen from the lists of a connected account; null where they are written, and a sign-in sends nothing there. */
  picks: z
    .object({
      target: z.string(),
      account: z.string().nullable(),
      through: z.string().nullable(),
      counting: z.string().nullable(),
    })
    .nullable(),
  /** How a test is told: by a code of the platform's, by a switch (any code), or not at all. */
  test: z.enum(['code', 'switch']).nullable(),
  /** What the code is, where it is one. */
  test_code: z.object({ label: z.string(), what: z.string() }).nullable(),
  /** Can it check a request without counting it? */
  has_dry_run: z.boolean(),
  purposes: z.array(z.string()),
  batch_max: z.number().int(),
});
export type DestinationKind = z.infer<typeof destinationKind>;

export const destinationStates = ['active', 'paused', 'reconnect', 'misconfigured'] as const;
export const unknownConsents = ['block', 'block_in_consent_regions'] as const;

export const relayDestination = z.object({
  id,
  kind: z.string(),
  name: z.string(),
  settings: z.record(z.string(), z.string()),
  connection_id: id.nullable(),
  has_secret: z.boolean(),
  state: z.enum(destinationStates),
  /** The platform's code, or a word of ours. */
  state_reason: z.string().nullable(),
  state_since: z.string(),
  unknown_consent: z.enum(unknownConsents),
  test_code: z.string().nullable(),
  is_dry_run: z.boolean(),
  created_at: z.string(),
  routes: z.number().int(),
  /** Not sent yet. */
  waiting: z.number().int(),
});
export type RelayDestination = z.infer<typeof relayDestination>;

/** One line of printable characters: it becomes a header of a request. */
const destinationSecret = z
  .string()
  .trim()
  .min(4)
  .max(4_096)
  .regex(/^[\x21-\x7e]+$/, 'is one word of printable characters');
const destinationParts = {
  name: words(80),
  settings: givenSettings,
  connection_id: optionalId,
  unknown_consent: z.enum(unknownConsents),
  test_code: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'is no code of test events, such as TEST12345')
    .nullable(),
  is_dry_run: z.boolean(),
};
export const newRelayDestination = z.strictObject({
  kind: z.string().min(1).max(40),
  name: destinationParts.name,
  settings: destinationParts.settings,
  secret: destinationSecret.optional(),
  connection_id: destinationParts.connection_id.optional(),
  unknown_consent: destinationParts.unknown_consent.optional(),
  test_code: destinationParts.test_code.optional(),
  is_dry_run: destinationParts.is_dry_run.optional(),
});
export const relayDestinationChange = z
  .strictObject({
    ...destinationParts,
    secret: destinationSecret.nullable(),
    state: z.enum(relayStates).describe('`active` also after the platform refused: what waits is tried again.'),
  })
  .partial();
export const relayDestinations = z.object({
  destinations: z.array(relayDestination),
  kinds: z.array(destinationKind),
  limits: z.object({ destinations: z.number().int() }),
});

export const relayRoute = z.object({
  id,
  source_id: id,
  destination_id: id,
  state: z.enum(relayStates),
  rules: routeRules,
  version: z.number().int(),
  created_at: z.string(),
});
export type RelayRoute = z.infer<typeof relayRoute>;
export const relayRoutes = z.object({ routes: z.array(relayRoute), limits: z.object({ routes: z.number().int() }) });
export const newRelayRoute = z.strictObject({
  source_id: id.positive(),
  destination_id: id.positive(),
  rules: routeRules.default({}),
});
export const relayRouteChange = z.strictObject({
  rules: routeRules.optional(),
  state: z.enum(relayStates).optional(),
  version: z.int().min(1).describe('The version that was looked at. Where another change came first: conflict.'),
});
/** What a route would do with the requests that are kept of its source. */
export const routeTest = z.strictObject({
  source_id: id.positive(),
  destination_id: id.positive(),
  rules: routeRules.default({}),
});
export const routeTestAnswer = z.object({
  captures: z.number().int(),
  conversions: z.number().int(),
  /** By what would become of them, `sent` first. */
  outcomes: z.array(
    triedDelivery.pick({ outcome: true, reason: true, field: true }).extend({ count: z.number().int() }),
  ),
});
