import { z } from 'zod';

/** The register of incidents, as the API says it. */
const severities = ['low', 'high', 'grave'] as const;
const moment = z.string();
const words = z.string().trim().min(1).max(2_000);

const incidentSummary = z.object({
  id: z.number(),
  title: z.string(),
  severity: z.enum(severities),
  classes: z.array(z.string()),
  /** Domains; none is every site of the organisation. */
  sites: z.array(z.string()),
  began_at: moment,
  known_at: moment,
  opened_at: moment,
  /** 72 hours after it became known. */
  due_at: moment,
  /** Of the clock: `late` is over and nothing is decided; `told` and `untold` are decided. */
  clock: z.enum(['running', 'late', 'told', 'untold']),
  closed_at: moment.nullable(),
});
export const incidentsAnswer = z.object({ incidents: z.array(incidentSummary), next: z.number().nullable() });

/** What somebody reported by the public form. */
const concern = z.object({
  said: z.string(),
  /** The day that they name, if any. */
  happened_on: z.string().nullable(),
  /** Their address; gone once it is no incident, or the incident is closed. */
  reach: z.string().nullable(),
});
export const concernWordsMax = 4_000;

export const incidentAnswer = incidentSummary.extend({
  what: z.string(),
  authority: z.string().nullable(),
  told_at: moment.nullable(),
  untold_reason: z.string().nullable(),
  /** The reports because of which it was entered, each with when it came: that began no clock. */
  concerns: z.array(concern.extend({ reported_at: moment })),
  log: z.array(
    z.object({
      id: z.number(),
      kind: z.enum(['opened', 'found', 'measure', 'told', 'untold', 'closed']),
      said: z.string(),
      at: moment,
      person: z.number(),
      /** Of who is a member now; null of who is not. */
      name: z.string().nullable(),
    }),
  ),
});
export type IncidentAnswer = z.infer<typeof incidentAnswer>;

export const newIncident = z.strictObject({
  title: z.string().trim().min(1).max(120),
  what: words,
  severity: z.enum(severities),
  classes: z.array(z.string().max(4)).min(1).max(25),
  /** Domains of this organisation; none is all of them. */
  sites: z.array(z.string().max(255)).max(500).default([]),
  began_at: z.iso.datetime({ offset: true }),
  known_at: z.iso.datetime({ offset: true }),
  /** The draft that it is entered because of: judged with it, or neither is. */
  draft: z.number().int().positive().optional(),
});
export type NewIncident = z.infer<typeof newIncident>;

export const incidentEntry = z.strictObject({ kind: z.enum(['found', 'measure']), said: words });

/** Which authority was told and when, or else why none was. */
export const incidentReport = z.strictObject({
  authority: z.string().trim().min(1).max(120).optional(),
  told_at: z.iso.datetime({ offset: true }).optional(),
  untold_reason: words.optional(),
});
export type IncidentReport = z.infer<typeof incidentReport>;
export const incidentClosing = z.strictObject({ said: words });

/** How many are affected, each with the question that was asked; never who. */
export const affectedAnswer = z.object({
  counts: z.array(z.object({ of: z.enum(['visitors', 'sites', 'members']), count: z.number(), question: z.string() })),
});

const incidentDraft = z.object({
  id: z.number(),
  /** Kind of the alert, a word of the code; `concern` is what somebody reported by the public form. */
  kind: z.string(),
  what: z.string(),
  raised_at: moment,
  concern: concern.nullable(),
});
export type IncidentDraft = z.infer<typeof incidentDraft>;
/** What alerts saw or somebody reported, and nobody has judged. */
export const incidentDrafts = z.object({ drafts: z.array(incidentDraft) });
/** The incident that it became, or else why it is none: one of the two. */
export const draftDecision = z.strictObject({
  incident: z.number().int().positive().optional(),
  dismissed_because: words.optional(),
});
export type DraftDecision = z.infer<typeof draftDecision>;
