import { z } from 'zod';
import { narrowed, usedPages } from './used_pages.ts';

/** Days that the page of the operator looks back. */
export const usageDays = 30;
/** Organisations with fewer members are shown together: a count of theirs would be about somebody. */
export const usageMembersMin = 5;

export const pageOpened = z.strictObject({
  organisation: z.number().int().positive(),
  page: z.enum(usedPages),
  /** False where the same page is still open, and only what it shows was changed. */
  is_new: z.boolean().default(true),
  /** What its address has of an overview that it did not have before. */
  features: z.array(z.enum(narrowed)).max(narrowed.length).default([]),
});

export const usageAnswer = z.object({
  is_on: z.boolean(),
  class: z.string(),
  kept: z.string(),
  /** Of the last 30 days, with today; the most used first. */
  pages: z.array(z.object({ page: z.string(), opened: z.number().int() })),
  /** `days`: on how many of these days. */
  features: z.array(z.object({ feature: z.string(), used: z.number().int(), days: z.number().int() })),
  days: z.array(z.object({ day: z.string(), opened: z.number().int(), used: z.number().int() })),
  organisations: z.array(
    z.object({
      /** Null: those with fewer than five members, together. */
      name: z.string().nullable(),
      opened: z.number().int(),
      page: z.string().nullable(),
      used: z.number().int(),
      feature: z.string().nullable(),
    }),
  ),
});
export type UsageAnswer = z.infer<typeof usageAnswer>;
export const usageChange = z.strictObject({ is_on: z.boolean() });
