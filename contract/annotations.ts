import { z } from 'zod';

/** What a person wrote onto the chart of a site. */
export const annotation = z.object({
  id: z.number().int(),
  /** YYYY-MM-DD, a day of the site's timezone. */
  day: z.string(),
  note: z.string(),
});
export const newAnnotation = z.strictObject({
  day: z.iso.date(),
  note: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .regex(/^[^\0]*$/, 'it has a NUL character'),
});
