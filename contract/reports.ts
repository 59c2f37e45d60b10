import { z } from 'zod';

export const reportLimits = {
  /** A report that could not go at its time goes up to so many days late, and is then left out and counted. */
  lateDaysMax: 3,
  /** "Send it to me now", by one person in an hour. */
  sentNowPerHourMax: 10,
  rowsMax: 5,
} as const;

export const reportKinds = ['weekly', 'monthly'] as const;
export type ReportKind = (typeof reportKinds)[number];

/** GET and PUT /api/sites/:domain/report-subscription: what the asker gets by mail about this site. */
export const reportSubscription = z.object({
  weekly: z.boolean(),
  monthly: z.boolean(),
  /** When the next one of each kind is due, chosen or not. */
  next: z.object({ weekly: z.string(), monthly: z.string() }),
  /** Does this desk send mail at all? */
  mail_is_on: z.boolean(),
});
export type ReportSubscription = z.infer<typeof reportSubscription>;
export const reportChoice = z.strictObject({ weekly: z.boolean(), monthly: z.boolean() });

/** GET /api/sites/:domain/report-preview: the last whole period as a page of HTML. */
export const reportQuestion = z.strictObject({ kind: z.enum(reportKinds) });
/** POST /api/sites/:domain/report-sendings: the same to the asker's own address. */
export const reportSending = z.strictObject({ kind: z.enum(reportKinds) });
