import type { Destination } from './destination.ts';
import { ga4 } from './ga4.ts';
import { googleAdsUpload } from './google_ads_upload.ts';
import { googleDataManager } from './google_data_manager.ts';
import { linkedin } from './linkedin.ts';
import { metaCapi } from './meta_capi.ts';
import { microsoft } from './microsoft.ts';
import { pinterest } from './pinterest.ts';
import { reddit } from './reddit.ts';
import { snap } from './snap.ts';
import { tiktok } from './tiktok.ts';
import { webhook } from './webhook.ts';
import { x } from './x.ts';

/** Every platform that conversions can be sent to; a new one is a file of its own and a line here. */
export const destinations: readonly Destination[] = [
  ...[metaCapi, googleDataManager, googleAdsUpload],
  ...[ga4, tiktok, microsoft, linkedin, pinterest, snap, reddit, x, webhook],
];

/** @param id such as `meta-capi` */
export function destinationOf(id: string): Destination | undefined {
  return destinations.find((destination) => destination.id === id);
}
