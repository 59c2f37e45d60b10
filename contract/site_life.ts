import { z } from 'zod';
import { domain } from './api.ts';
import { contentKinds } from './site_kinds.ts';

/** What can become of a site as a whole: renamed, emptied, deleted, moved. Limits are written in docs/guides/sites.md. */
export const siteLifeLimits = {
  /** Former domains whose trackers are counted for a site. */
  formerDomainsMax: 10,
  /** So long a deletion can be taken back. */
  deletionDays: 7,
  /** So long an owner of the other organisation can accept a site. */
  moveDays: 7,
  /** Offers of one organisation that wait at a time. */
  movesOpenMax: 20,
} as const;

/** How much of one kind there is, from which day to which (UTC), where it has days. */
export const siteContent = z.object({
  kind: z.enum(contentKinds),
  rows: z.number().int(),
  first_day: z.string().nullable(),
  last_day: z.string().nullable(),
});
export type SiteContent = z.infer<typeof siteContent>;
export const siteContents = z.object({ contents: z.array(siteContent) });

export const removalKinds = ['emptying', 'deletion'] as const;
/** `waiting`: for its day, or to begin. `taken_back`: a deletion that was not to be. */
export const removalStates = ['waiting', 'running', 'done', 'taken_back'] as const;
/** What a running removal waits for, when it cannot go on. */
export const removalWaits = ['warehouse', 'spool', 'import'] as const;

export const siteRemoval = z.object({
  id: z.number().int(),
  kind: z.enum(removalKinds),
  state: z.enum(removalStates),
  domain: z.string(),
  asked_at: z.string(),
  /** When it begins: at once, or at the end of the days in which it can be taken back. */
  due_at: z.string(),
  /** What was collected before this moment goes; what comes later stays. Null for a deletion, and before it has begun. */
  cut_at: z.string().nullable(),
  steps_done: z.number().int(),
  steps: z.number().int(),
  waits_for: z.enum(removalWaits).nullable(),
  /** What there was when it began. */
  removed: z.array(siteContent),
  /** Rows that a second reading of every table and file found at the end; null before it. */
  rows_left: z.number().int().nullable(),
  finished_at: z.string().nullable(),
});
export type SiteRemoval = z.infer<typeof siteRemoval>;
export const siteRemovals = z.object({ removals: z.array(siteRemoval) });

export const moveStates = ['offered', 'moved', 'refused', 'withdrawn', 'expired'] as const;
export const siteMove = z.object({
  id: z.number().int(),
  state: z.enum(moveStates),
  site: z.string(),
  site_id: z.number().int(),
  /** The organisation that offers it. */
  from: z.string(),
  /** What the offer was addressed to: the name of an organisation in addresses, or an e-mail address. Its giver alone reads it, while it is open. */
  to: z.string().nullable(),
  offered_at: z.string(),
  expires_at: z.string(),
  decided_at: z.string().nullable(),
});
export type SiteMove = z.infer<typeof siteMove>;

/** GET /api/sites/:domain/life */
export const siteLife = z.object({
  domain: z.string(),
  former_domains: z.array(z.object({ domain: z.string(), replaced_at: z.string() })),
  /** The last emptying or deletion that was asked for; null when there was none. */
  removal: siteRemoval.nullable(),
  /** The open offer to move it; null when there is none. */
  move: siteMove.nullable(),
});
export type SiteLife = z.infer<typeof siteLife>;

/** PUT /api/sites/:domain/domain */
export const newDomain = z.strictObject({ domain });
/** The domain typed once more, before its events are gone. */
export const domainTyped = z.strictObject({ domain: z.string().min(1).max(253) });
/** POST /api/sites/:domain/moves: the name of an organisation in addresses, or the e-mail address of an owner. */
export const newMove = z.strictObject({ to: z.string().min(1).max(254) });
/** GET /api/organisations/:organisation/site-moves */
export const siteMoves = z.object({ received: z.array(siteMove), given: z.array(siteMove) });
/** What goes along, and what does not. */
export const moveContents = z.object({ move: siteMove, contents: z.array(siteContent) });
