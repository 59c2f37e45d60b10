import { z } from 'zod';

/** What profiles may grow to. More than this is refused, never cut. */
export const profileLimits = {
  charsMax: { id: 255, email: 320, name: 200, avatar: 2_000 },
  profilesPerSiteMax: 100_000,
  /** Addresses and user ids that one profile is found by. */
  namesMax: 20,
  browsersMax: 200,
  /** Rows of a list, and of a timeline. */
  listedMax: 200,
} as const;

const traits = z.object({
  id: z.string().optional(),
  email: z.string().optional(),
  name: z.string().optional(),
  avatar: z.string().optional(),
});

const listedProfile = z.object({
  /** 16 hex digits of a profile, or the number of a visitor that nobody has named. */
  id: z.string(),
  is_known: z.boolean(),
  traits,
  browsers: z.number(),
  first_seen: z.string(),
  last_seen: z.string(),
  events: z.number(),
  country: z.string(),
});

/** GET /api/sites/:domain/profiles: visitors of storage mode of the last 30 days, newest first. */
export const profileList = z.object({
  profiles: z.array(listedProfile),
  /** Where the next page begins; null on the last one. */
  next: z.string().nullable(),
  /** Visitors of storage mode in the last 30 days, each counted once however often they came; null where one was searched for. */
  visitors: z.number().int().nullable(),
  /** How many browsers are left out, since the data of whoever uses them is restricted. */
  restricted: z.number(),
});
export type ProfileList = z.infer<typeof profileList>;

/** GET /api/sites/:domain/profiles/:profile: one of them with what they did, newest first. */
export const profilePage = z.object({
  /** Null when nothing is there of it, or not any more. */
  profile: listedProfile.nullable(),
  /** It is kept and not shown: somebody asked for that (restriction, objection). */
  is_restricted: z.boolean(),
  /** Those whose visitor is theirs, the one that was seen last first. */
  browsers: z.array(
    z.object({
      browser: z.string(),
      os: z.string(),
      device: z.string(),
      country: z.string(),
      first_seen: z.string(),
      last_seen: z.string(),
      events: z.number(),
      /** When a call named it; what it did before belongs to the profile too. Null where nobody has named it. */
      named_at: z.string().nullable(),
    }),
  ),
  timeline: z.array(
    z.object({
      time: z.string(),
      /** The same for events of one visit. */
      visit: z.string(),
      /** Its place in `browsers`. */
      browser: z.number(),
      name: z.string(),
      hostname: z.string(),
      pathname: z.string(),
      source: z.string(),
      country: z.string(),
      device: z.string(),
    }),
  ),
  /** Where the timeline goes on, further back; null at its end. */
  next: z.string().nullable(),
  /** All visits that are stored of them. */
  visit_count: z.number().int(),
  /** Those whose events are in this part of the timeline, each as a whole. */
  visits: z.array(
    z.object({
      visit: z.string(),
      started: z.string(),
      ended: z.string(),
      events: z.number().int(),
    }),
  ),
});
export type ProfilePage = z.infer<typeof profilePage>;
