import { z } from 'zod';
import { words } from './api.ts';

/** What a person wrote onto the chart of a site. */
export const annotation = z.object({
  id: z.number().int(),
  /** YYYY-MM-DD, a day of the site's timezone. */
  day: z.string(),
  note: z.string(),
});
export const newAnnotation = z.strictObject({
  day: z.iso.date(),
  note: words(200),
});
