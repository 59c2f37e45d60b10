import { z } from 'zod';
import { words } from './api.ts';
import { type Conversion, clickIds } from './conversion.ts';
import { browserStates, pixelPlatforms } from './pixels.ts';
import { conversionRegions, deliveryStates } from './relay.ts';
import { askedStates, intakeWays, relayPeriods } from './relay_asked.ts';

/** What the relay says of its conversions: how many and where they are, each one's story, its requests, and deletions. */

/** Limits of reading; each is enforced. */
export const relayReadingLimits = {
  /** Rows of a page at most, and without saying. */
  pageMax: 100,
  page: 50,
  /** Days that figures reach back. */
  days: 90,
  /** Conversions that one deletion names by their ids. */
  idsMax: 100,
  /** Tellings and attempts of one conversion that its story shows, the newest. */
  tellingsMax: 100,
  attemptsMax: 100,
  /** A statement that reads ends with an error after so long. */
  statementMs: 10_000,
} as const;

const id = z.number().int();
const asked = z.coerce
  .number()
  .int()
  .positive()
  .max(2 ** 53 - 1);
const time = z.iso.datetime({ offset: true }).describe('ISO 8601 with an offset.');
const reason = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\x20-\x7e]+$/, 'is a code of printable characters');
const limit = z.coerce.number().int().min(1).max(relayReadingLimits.pageMax).default(relayReadingLimits.page);

/** How a window of time is said: its first moment, and the first after it. */
export const relaySpan = z.object({ from: z.string(), to: z.string(), timezone: z.string() });

// Overview

export const relayFiguresQuestion = z.strictObject({
  period: z.enum(relayPeriods).default('7d').describe('Days of the organisation’s zone, today being one of them.'),
});

const reasons = z.array(z.object({ reason: z.string(), count: z.number().int() }));
const latency = z.object({ p50_ms: z.number().int(), p95_ms: z.number().int() }).nullable();

/** What became of the deliveries that were made in a period. `sent` + what was never sent = `deliveries`. */
const flow = z.object({
  deliveries: z.number().int(),
  withheld: z.number().int(),
  withheld_reasons: reasons,
  sent: z.number().int(),
  accepted: z.number().int(),
  dead: z.number().int(),
  dead_reasons: reasons,
  cancelled: z.number().int(),
  open: z.number().int(),
  /** From being taken in until the platform had accepted it; null where it accepted none. Within 5 %. */
  latency,
});
export const relayOverview = z.object({
  span: relaySpan,
  /** Whether there is one at all. */
  set_up: z.object({ sources: z.number().int(), destinations: z.number().int(), routes: z.number().int() }),
  /** Conversions that were told for the first time in the period, and how often they were told again. */
  conversions: z.number().int(),
  doubles: z.number().int(),
  /** Conversions that no route took. */
  routed_nowhere: z.number().int(),
  all: flow,
  destinations: z.array(
    flow.extend({
      ...{ id, name: z.string(), kind: z.string(), label: z.string() },
      state: z.enum(['active', 'paused', 'reconnect', 'misconfigured', 'removed']),
      state_reason: z.string().nullable(),
      state_since: z.string().nullable(),
      /** As it is now, whatever the period. `oldest_at`: when the oldest that waits was made. */
      queue: z.object({ waiting: z.number().int(), held: z.number().int(), oldest_at: z.string().nullable() }),
    }),
  ),
  /** Requests to sources, from the intake log; null where that cannot be read now. */
  requests: z
    .object({
      all: z.number().int(),
      taken: z.number().int(),
      /** Kept, and nothing could be made of them yet. */
      unmapped: z.number().int(),
      refused: z.number().int(),
      reasons: z.array(z.object({ status: z.number().int(), reason: z.string(), count: z.number().int() })),
    })
    .nullable(),
});
export type RelayOverview = z.infer<typeof relayOverview>;
export type RelayFlow = z.infer<typeof flow>;

// Inspector

const narrowing = {
  source: asked.optional(),
  destination: asked.optional(),
  state: z.enum(askedStates).optional().describe('Of a delivery.'),
  reason: reason.optional().describe('Of a delivery: a word of ours or a code of the platform.'),
  event: words(512).optional().describe('The event by its own name.'),
  browser: z
    .enum(browserStates)
    .optional()
    .describe('Of a delivery: what is known of the browser’s own event, where its site counts calls of pixels.'),
  period: z
    .enum(relayPeriods)
    .optional()
    .describe('Days of the organisation’s zone up to now, in place of from and to.'),
  from: time.optional(),
  to: time.optional().describe('Before this moment.'),
};

export const conversionsQuestion = z.strictObject({
  ...narrowing,
  search: words(512)
    .optional()
    .describe('An order id, an event id, the id of a conversion or of a request: all of it, not a part.'),
  cursor: z
    .string()
    .regex(/^\d{1,16}\.[0-9a-f-]{36}$/, 'is what the page before said')
    .optional(),
  limit,
});
export type ConversionsQuestion = z.infer<typeof conversionsQuestion>;

export const listedConversion = z.object({
  id: z.string(),
  event_name: z.string(),
  received_at: z.string(),
  occurred_at: z.string(),
  order_id: z.string().nullable(),
  value: z.string().nullable(),
  currency: z.string().nullable(),
  is_refund: z.boolean(),
  source: z.object({ id, name: z.string().nullable() }),
  doubles: z.number().int(),
  deliveries: z.array(z.object({ destination_id: id, state: z.enum(deliveryStates), reason: z.string().nullable() })),
});
export type ListedConversion = z.infer<typeof listedConversion>;
export const conversionsPage = z.object({
  conversions: z.array(listedConversion),
  next: z.string().nullable(),
  /** For the filter: what there is to choose from. */
  sources: z.array(z.object({ id, name: z.string() })),
  destinations: z.array(z.object({ id, name: z.string(), kind: z.string() })),
});

const shownRequest = z.object({
  method: z.string(),
  url: z.string(),
  headers: z.record(z.string(), z.string()),
  body: z.unknown(),
});
const attempt = z.object({
  id,
  sent_at: z.string(),
  items: z.number().int(),
  /** Null while it is under way. */
  ms: z.number().int().nullable(),
  status: z.number().int(),
  class: z.string().nullable(),
  reason: z.string().nullable(),
  /** Redacted when it was written. */
  answer: z.string().nullable(),
  platform_request: z.string().nullable(),
  result: z.string().nullable(),
});
const intakeLine = z.object({
  id: z.string(),
  way: z.enum(intakeWays),
  /** How many it stands for: what a rate limit refused is one line a minute. */
  requests: z.number().int(),
  source_id: id,
  at: z.string(),
  status: z.number().int(),
  reason: z.string().nullable(),
  field: z.string().nullable(),
  method: z.string(),
  content_type: z.string(),
  bytes: z.number().int(),
  ms: z.number().int(),
  conversions: z.number().int(),
  problems: z.number().int(),
});
export type IntakeLine = z.infer<typeof intakeLine>;

export const conversionStory = z.object({
  id: z.string(),
  source: z.object({ id, name: z.string().nullable(), preset: z.string().nullable() }),
  site: z.object({ id, domain: z.string() }).nullable(),
  event_name: z.string(),
  occurred_at: z.string(),
  received_at: z.string(),
  order_id: z.string().nullable(),
  value: z.string().nullable(),
  currency: z.string().nullable(),
  doubles: z.number().int(),
  settled_at: z.string().nullable(),
  /** The canonical conversion without its user. */
  facts: z.custom<Conversion>().meta({ type: 'object' }),
  mapping_version: z.number().int(),
  /** Identifiers by their names in the canonical conversion. */
  present: z.array(z.string()),
  /** Raw identifiers: whether they are still there, how many days they stay after the last delivery, and until when as it stands. */
  raw: z.object({ is_kept: z.boolean(), days: z.number().int(), until: z.string().nullable() }),
  consent: z.record(z.string(), z.unknown()),
  region: z.enum(conversionRegions),
  is_restricted: z.boolean(),
  tellings: z.array(
    z.object({
      id: z.string(),
      source: z.object({ id, name: z.string().nullable() }),
      request_id: z.string(),
      received_at: z.string(),
      present: z.array(z.string()),
      /** Null where the intake log has it no more, or cannot be read now. */
      request: intakeLine.nullable(),
      has_capture: z.boolean(),
    }),
  ),
  deliveries: z.array(
    z.object({
      id,
      destination: z.object({
        id,
        name: z.string().nullable(),
        kind: z.string().nullable(),
        label: z.string().nullable(),
      }),
      route_id: id,
      state: z.enum(deliveryStates),
      reason: z.string().nullable(),
      field: z.string().nullable(),
      /** Purposes that the destination asks for, with what was said of each. */
      purposes: z.array(z.object({ purpose: z.string(), said: z.enum(['granted', 'denied', 'unknown']) })),
      platform_id: z.string(),
      platform_event: z.string().nullable(),
      /** What is known of the browser’s own event; null where the site counts no calls of pixels. */
      browser: z.enum(browserStates).nullable(),
      /** The event that a pixel has to be called with to be the same one. */
      browser_event: z.string().nullable(),
      value: z.string().nullable(),
      waits_for: z.string().nullable(),
      next_at: z.string().nullable(),
      /** When it gives up; null before the first attempt and after the end. */
      gives_up_at: z.string().nullable(),
      attempt_count: z.number().int(),
      attempts: z.array(attempt),
      replays: z.number().int(),
      is_test: z.boolean(),
      platform_result: z.string().nullable(),
      created_at: z.string(),
      first_sent_at: z.string().nullable(),
      settled_at: z.string().nullable(),
      /** What goes there, made anew and redacted: hashes cut short, nothing raw of a person, no token. */
      request: shownRequest.nullable(),
      /** Why there is none: what the platform would refuse, or `gone` where destination or identifiers are. */
      no_request: z.object({ reason: z.string(), field: z.string() }).nullable(),
    }),
  ),
});
export type ConversionStory = z.infer<typeof conversionStory>;
export type StoryDelivery = ConversionStory['deliveries'][number];

/** A captured request; `is_revealed` with what is a person's. */
export const capturedRequest = z.object({
  id: z.string(),
  received_at: z.string(),
  is_unmapped: z.boolean(),
  is_revealed: z.boolean(),
  method: z.string(),
  url: z.string(),
  headers: z.record(z.string(), z.string()),
  /** The fields as they were read; null where they cannot be. */
  data: z.unknown(),
  /** Of one that is revealed: the body as it came; null where it is no text. */
  body: z.string().nullable(),
});
export type CapturedRequestShown = z.infer<typeof capturedRequest>;
export const newReveal = z.strictObject({
  reason: words(200).describe('Why it has to be seen; it stands in the audit log.'),
});

// Intake log

export const requestsQuestion = z.strictObject({
  source: asked.optional(),
  way: z.enum(intakeWays).optional(),
  status: z.coerce.number().int().min(100).max(599).optional(),
  outcome: z
    .enum(['taken', 'unmapped', 'refused'])
    .optional()
    .describe('What became of it, as the overview counts: taken, kept as unmapped, or refused.'),
  reason: reason.optional(),
  period: z.enum(relayPeriods).optional(),
  from: time.optional(),
  to: time.optional(),
  cursor: z
    .string()
    .regex(/^\d{1,16}\.[0-9a-f-]{36}$/, 'is what the page before said')
    .optional(),
  limit,
});
export const requestsPage = z.object({
  requests: z.array(intakeLine.extend({ source_name: z.string().nullable() })),
  next: z.string().nullable(),
  sources: z.array(z.object({ id, name: z.string() })),
  /** Reasons of the span, for the filter; without those of the page's own filter. */
  reasons: z.array(z.object({ status: z.number().int(), reason: z.string(), count: z.number().int() })),
});
export type RequestsPage = z.infer<typeof requestsPage>;

/** One line with the shape of its body, and what became of it. */
export const requestStory = intakeLine.extend({
  source_name: z.string().nullable(),
  shape: z.string().describe('The body without its values.'),
  /** The file, while its line is kept; null for what came otherwise. */
  upload: z.object({ id, file_name: z.string(), state: z.string() }).nullable(),
  /** Conversions that it told of and that are still there; `told` shows the first hundred. */
  told_all: z.number().int(),
  has_capture: z.boolean(),
  told: z.array(
    z.object({
      conversion_id: z.string(),
      event_name: z.string(),
      order_id: z.string().nullable(),
      /** It told of this conversion first, or again. */
      is_first: z.boolean(),
      deliveries: z.array(z.object({ destination_id: id, state: z.enum(deliveryStates) })),
    }),
  ),
});
export type RequestStory = z.infer<typeof requestStory>;

// Match quality

/** What most platforms take of a person. */
export const ofPeople = ['email', 'phone', 'name_address', 'external_id', 'ip_agent'] as const;
/** Identifiers as reports name them: what a platform can match by. */
export const matchKeys = [...ofPeople, ...clickIds.filter((one) => one !== 'tracker')] as const;
export type MatchKey = (typeof matchKeys)[number];

export const matchQuality = z.object({
  span: relaySpan,
  steps: z.array(z.string()).describe('Days of the organisation’s zone.'),
  /** Coverage by kind of destination: of what was to go there, how much carries an identifier. Never a platform’s own score. */
  kinds: z.array(
    z.object({
      kind: z.string(),
      label: z.string(),
      conversions: z.number().int(),
      by_step: z.array(z.number().int()),
      /** With at least one of the identifiers below. */
      matchable: z.number().int(),
      keys: z.array(z.object({ key: z.enum(matchKeys), count: z.number().int(), by_step: z.array(z.number().int()) })),
      latency,
    }),
  ),
  sources: z.array(
    z.object({
      source: z.object({ id, name: z.string().nullable() }),
      conversions: z.number().int(),
      /** With an identifier of some kind: of a person or a click. */
      with_identifier: z.number().int(),
      doubles: z.number().int(),
    }),
  ),
  conversions: z.number().int(),
  doubles: z.number().int(),
});
export type MatchQuality = z.infer<typeof matchQuality>;

// Browser and server

const stepCounts = z.array(z.number().int());
export const browserShare = z.object({
  span: relaySpan,
  steps: z.array(z.string()).describe('Days of the organisation’s zone.'),
  /** Sources that count calls of pixels. */
  counting_sources: z.number().int(),
  /** What platforms accepted of events of pages, by destination and event, and what is known of the browser’s own event. */
  server: z.array(
    z.object({
      destination: z.object({ id, name: z.string().nullable(), kind: z.string(), label: z.string() }),
      event: z.string(),
      /** As the platform has it. */
      sent_as: z.string(),
      count: z.number().int(),
      states: z.record(z.enum(browserStates), z.number().int()),
      by_step: stepCounts,
      same_by_step: stepCounts,
    }),
  ),
  /** Calls of pixels that no delivery belonged to, of events that the relay sends. Those of two days may still be met. */
  browser: z.array(
    z.object({
      platform: z.enum(pixelPlatforms),
      label: z.string(),
      event: z.string(),
      with_id: z.number().int(),
      without_id: z.number().int(),
      by_step: stepCounts,
    }),
  ),
  /** There are more rows than these. */
  is_cut: z.boolean(),
});
export type BrowserShare = z.infer<typeof browserShare>;

// Deletion

/** One or some by their ids, those that a filter finds, or everything that there is until now: one of the three. */
export const deletionQuestion = z
  .strictObject({
    ids: z.array(z.uuid()).min(1).max(relayReadingLimits.idsMax).optional(),
    filter: z
      .strictObject(narrowing)
      .refine((given) => Object.values(given).some((one) => one !== undefined), {
        message: 'names at least one thing; everything is asked for by its name',
      })
      .optional(),
    everything: z.literal(true).optional(),
  })
  .refine((given) => Object.values(given).filter((one) => one !== undefined).length === 1, {
    message: 'is one of ids, filter and everything',
    path: ['ids'],
  });
export type DeletionQuestion = z.infer<typeof deletionQuestion>;

const counts = {
  conversions: z.number().int(),
  tellings: z.number().int(),
  deliveries: z.number().int(),
  /** Of those, what had not been sent. */
  unsent: z.number().int(),
  /** Of those, what platforms have: it is not taken back there. */
  delivered: z.number().int(),
  captures: z.number().int(),
};
export const deletionPreview = z.object({
  ...counts,
  /** Conversions that a legal hold keeps; they are not among the others. */
  held: z.number().int(),
  /** Which platforms have some of it. */
  delivered_to: z.array(z.object({ destination_id: id, name: z.string().nullable(), count: z.number().int() })),
});
export type DeletionPreview = z.infer<typeof deletionPreview>;

/** What was deleted, and what was kept. A large one goes on by itself, and its figures grow until it is `done`. */
export const deletionReceipt = z.object({
  id,
  state: z.enum(['running', 'done']),
  asked_at: z.string(),
  asked_by: z.object({ type: z.enum(['person', 'key']), id }),
  ended_at: z.string().nullable(),
  what: z.enum(['ids', 'filter', 'everything']),
  filter: z.record(z.string(), z.unknown()),
  ...counts,
  held: z.number().int(),
  /** What had been accepted and was not stored yet when everything was deleted: it was dropped instead, a telling or a request each. */
  on_the_way: z.number().int(),
});
export type DeletionReceipt = z.infer<typeof deletionReceipt>;
export const deletionReceipts = z.object({ deletions: z.array(deletionReceipt) });
