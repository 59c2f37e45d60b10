// Written by `npm run write` from the files of src/relay/destinations, and not by hand.

import type { Destination } from './destination.ts';
import { ga4 } from './ga4.ts';
import { googleAdsUpload } from './google_ads_upload.ts';
import { googleDataManager } from './google_data_manager.ts';
import { linkedin } from './linkedin.ts';
import { metaCapi } from './meta_capi.ts';
import { microsoft } from './microsoft.ts';
import { outbrain } from './outbrain.ts';
import { pinterest } from './pinterest.ts';
import { reddit } from './reddit.ts';
import { snap } from './snap.ts';
import { taboola } from './taboola.ts';
import { tiktok } from './tiktok.ts';
import { webhook } from './webhook.ts';
import { x } from './x.ts';

/** Every platform that conversions can be sent to, in the order of the form. */
export const destinations: readonly Destination[] = [
  googleDataManager,
  googleAdsUpload,
  ga4,
  linkedin,
  metaCapi,
  microsoft,
  outbrain,
  pinterest,
  reddit,
  snap,
  taboola,
  tiktok,
  webhook,
  x,
];
