import { z } from 'zod';
import { keySitesMax, passwordCharsMax, passwordCharsMin, retentionMonthsMax } from './limits.ts';
import { organisationStatuses } from './organisation_status.ts';

/** What people write into names and patterns. PostgreSQL's text holds every character but NUL, which nobody types. */
export const words = (charsMax: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(charsMax)
    .regex(/^[^\0]*$/, 'it has a NUL character');
/** Where this desk posts to for somebody: the connection says whether it leads out of here. */
export const httpsAddress = z
  .url({ protocol: /^https$/ })
  .max(2_000)
  .refine((url) => !/^https:\/\/[^/?#]*@/.test(url), 'An address holds no name and password.');
/** A domain as people type it: scheme, path and a leading `www.` are taken off by the server, the rest must be a host name. */
export const domain = z.string().trim().min(1).max(253);
const email = z.email().max(254);
const password = z.string().min(passwordCharsMin).max(passwordCharsMax);
/** IANA name; the server checks it against the zones that its own Intl knows. */
const timezone = z.string().max(64);
/** ISO 4217, upper case. */
export const currency = z.string().regex(/^[A-Z]{3}$/);

export const site = z.object({
  id: z.number().int(),
  domain: z.string(),
  organisation_id: z.number().int(),
  timezone: z.string(),
  currency: z.string(),
  retention_months: z.number().int(),
  titles: z.boolean(),
  revenue: z.boolean(),
  /** Are addresses and numbers of clicked mail and phone links kept (sealed)? Off: the click and the mail domain alone. */
  contact_clicks: z.boolean(),
  /** What Sec-GPC and DNT do here: nothing beyond memory mode's promises, or drop the event. */
  privacy_signals: z.enum(['ignore', 'drop']),
  created_at: z.string(),
  /** When its deletion begins, which collects nothing any more; null while none is asked for. */
  deletes_at: z.string().nullable(),
});
export type Site = z.infer<typeof site>;

export const newSite = z.strictObject({
  domain,
  timezone,
  currency,
  retention_months: z.number().int().min(1).max(retentionMonthsMax).default(retentionMonthsMax),
});
export const siteChange = z.strictObject({
  timezone: timezone.optional(),
  currency: currency.optional(),
  retention_months: z.number().int().min(1).max(retentionMonthsMax).optional(),
  titles: z.boolean().optional(),
  revenue: z.boolean().optional(),
  contact_clicks: z.boolean().optional(),
  privacy_signals: z.enum(['ignore', 'drop']).optional(),
});

/** A solved `challenge` of the last answer (contract/errors.ts). */
export const proof = z.strictObject({ token: z.string().max(600), answer: z.string().max(32) });

/** GET /api/set-up: does this desk wait for its first owner? Answers anyone. */
export const setUpState = z.object({ waiting: z.boolean(), version: z.string() });
/** POST /api/set-up with the one-time code of the printed address. Answers with a session. */
export const setUp = z.strictObject({
  code: z.string().max(128),
  email,
  password,
  organisation: words(120),
  site: newSite,
  proof: proof.optional(),
});

/** POST /api/sessions signs in; the cookies carry everything. */
export const signIn = z.strictObject({
  email: z.string().max(254),
  password: z.string().max(passwordCharsMax),
  proof: proof.optional(),
});
/** GET /api/session: who am I, and what may I see? 401 when nobody. */
export const session = z.object({
  person: z.object({
    id: z.number(),
    email: z.string(),
    name: z.string(),
    /** Runs this desk, so may set what belongs to no organisation. */
    is_operator: z.boolean(),
    /** How they want days, times and numbers; null = as their browser does. */
    timezone: z.string().nullable(),
    locale: z.string().nullable(),
  }),
  /** With what the person may do in each, so that pages show what can be done. */
  organisations: z.array(
    z.object({
      id: z.number(),
      name: z.string(),
      slug: z.string(),
      /** One of contract/roles.ts, or `custom`; `role_name` is what people call it. */
      role: z.string(),
      role_name: z.string(),
      permissions: z.array(z.string()),
      status: z.enum(organisationStatuses),
      /** Why it is suspended. */
      status_reason: z.string().nullable(),
      /** When a closing organisation is closed. */
      status_until: z.string().nullable(),
      /** What a new site begins with. */
      timezone: z.string(),
      currency: z.string(),
      /** Names the bytes of its logo; null where it has none. */
      logo: z.string().nullable(),
      /** Does the person see the sites of their teams and no others? */
      team_sites_only: z.boolean(),
      /** Does sending its conversions cost credits? */
      has_credits: z.boolean(),
      /** By when the person has to have a second factor here; null when none is asked for or there is one. */
      second_factor_due: z.string().nullable(),
      /** That moment is over: nothing of the organisation is open until there is one. */
      is_second_factor_overdue: z.boolean(),
    }),
  ),
  sites: z.array(site),
  /** A document of the desk waits to be accepted: until then nothing of an organisation is open. */
  agreement_due: z.boolean(),
  /** Has the person agreed that opened pages are counted, and are they? */
  is_counted: z.boolean(),
  version: z.string(),
});
export type Session = z.infer<typeof session>;

/** Custom properties that were seen lately, with the events that carried each. */
export const seenProperties = z.object({
  properties: z.array(z.object({ name: z.string(), events: z.number().int() })),
});

/** Products whose trackers may send here as they are. */
export const foreignProducts = ['umami', 'rybbit', 'openpanel'] as const;
export type ForeignProduct = (typeof foreignProducts)[number];
/** The id that a site has in another product, so that its events find the site here. */
export const foreignId = z.object({
  product: z.enum(foreignProducts),
  id: z.string(),
  /** Is there a client secret, by which servers say address and time themselves? The secret is never shown again. */
  has_secret: z.boolean(),
});
export type ForeignId = z.infer<typeof foreignId>;
/** PUT /api/sites/:domain/foreign-ids/:product sets the id, and with it the secret: without one there is none. */
export const foreignIdSetting = z.strictObject({
  id: z.string().trim().min(1).max(64),
  /** OpenPanel's client secret, where servers of the site send events too. */
  secret: z.string().min(16).max(200).optional(),
});

export const keyScopes = [
  'stats:read',
  'stats:export',
  'events:write',
  'sites:read',
  'sites:write',
  'requests:write',
  'consents:write',
  'profiles:read',
  'relay:read',
  'relay:write',
] as const;
export const apiKey = z.object({
  id: z.number().int(),
  name: z.string(),
  last4: z.string(),
  scopes: z.array(z.string()),
  /** The only sites that it reaches; null for all of the organisation. */
  site_ids: z.array(z.number().int()).nullable(),
  created_at: z.string(),
  /** Null: it does not end by itself. */
  expires_at: z.string().nullable(),
  /** The UTC day of its last use, and no finer. */
  last_used_day: z.string().nullable(),
  /** Null: the command line. The name is null once the person has left the organisation; the key goes on. */
  made_by: z.object({ id: z.number().int(), name: z.string().nullable() }).nullable(),
});
export const newApiKey = z.strictObject({
  name: words(120),
  scopes: z.array(z.enum(keyScopes)).min(1),
  site_ids: z.array(z.number().int().positive()).min(1).max(keySitesMax).nullish(),
  expires_at: z.iso.datetime({ offset: true }).nullish(),
});
/** The only answer that ever carries the key itself. */
export const createdApiKey = apiKey.extend({ key: z.string() });

/** GET /api/sites/:domain/checks: the live checks of the first run; asked every few seconds while the page waits. */
export const siteChecks = z.object({
  public_url: z.object({ ok: z.boolean(), address: z.string(), detail: z.string() }),
  site_answers: z.object({ state: z.enum(['ok', 'waiting', 'failed', 'not_possible']), detail: z.string() }),
  snippet: z.object({ state: z.enum(['ok', 'waiting', 'failed', 'not_possible']), detail: z.string() }),
  first_event: z
    .object({
      received_at: z.string(),
      /** From arrival to the disk's answer; null when the event came before the last start. */
      stored_ms: z.number().nullable(),
      page: z.string(),
      source: z.string().nullable(),
      place: z.string().nullable(),
      browser: z.string().nullable(),
      os: z.string().nullable(),
      device: z.string().nullable(),
    })
    .nullable(),
});
/** GET /api/sites/:domain/contact-clicks: the last kept values of mail and phone links, newest first, at most 1,000. */
export const contactClicks = z.object({
  clicks: z.array(
    z.object({
      time: z.string(),
      name: z.string(),
      hostname: z.string(),
      page: z.string(),
      /** Null where the value opens no more. */
      kind: z.enum(['mail', 'phone']).nullable(),
      /** Null when it was sealed under a key file that is no longer there, or is of somebody whose data is restricted. */
      value: z.string().nullable(),
    }),
  ),
});
export type ContactClicks = z.infer<typeof contactClicks>;
/** GET /api/sites/:domain/now: visitors with an event in the last five minutes. */
export const siteNow = z.object({
  visitors: z.number(),
  /** When the newest event that is counted came; null where none came in the last minutes. A new one is news for numbers. */
  last_event_at: z.string().nullable(),
  spool_lag_ms: z.number(),
  stores: z.object({ postgres: z.boolean(), warehouse: z.boolean() }),
});
