import { googleAdsFile, metaFile } from './files.ts';
import { canonical, clickflare, keitaro, postback, redtrack, voluum } from './postbacks.ts';
import type { Preset } from './preset.ts';
import { segment } from './segment.ts';
import { shopify, woocommerce } from './shops.ts';
import { stripe } from './stripe.ts';

export type { Preset } from './preset.ts';

/** In the order in which they are offered. */
export const presets: readonly Preset[] = [
  ...[voluum, keitaro, redtrack, clickflare, postback],
  ...[segment, shopify, woocommerce, stripe, canonical],
  ...[googleAdsFile, metaFile],
];

export function presetOf(id: string): Preset | undefined {
  return presets.find((preset) => preset.id === id);
}
