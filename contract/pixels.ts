/** Platforms whose pixels the tracker knows: whose ids it may read, and whose calls it may count. */
export const pixelPlatforms = ['meta', 'tiktok'] as const;
export type PixelPlatform = (typeof pixelPlatforms)[number];

/** The kind of destination that a platform is to the relay. */
export const kindOfPixel: Readonly<Record<PixelPlatform, string>> = { meta: 'meta-capi', tiktok: 'tiktok' };

/**
 * What is known of the browser's own event of a delivery, the best first: a pixel was called with the same id and event; with the
 * same id and another event; with another id; with none; or no call was seen.
 */
export const browserStates = ['same', 'other_name', 'other_id', 'no_id', 'unseen'] as const;
export type BrowserState = (typeof browserStates)[number];

/** How far apart two events may be that a platform takes for one: Meta's window, and TikTok's. */
export const pixelHours = 48;
