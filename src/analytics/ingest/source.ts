import type { ClickIdKind } from './click_ids.ts';

/** The part of a page address that says where a visit came from. A `URL` fits as it is. */
export type LandingPage = { readonly hostname: string; readonly search: string };

/** Where a visit came from, in the words of the `events` table. Every member is a clean, well-formed string. */
export type Source = {
  /** Host and path, without scheme, query and fragment; '' when there is none or when it is the site itself. */
  readonly referrer: string;
  /** A name people know ("Google"), else the host without www; '' is direct. */
  readonly source: string;
  /** As tagged (`utm_medium`); '' when untagged. */
  readonly medium: string;
  /** As tagged (`utm_campaign`); '' when untagged. */
  readonly campaign: string;
  readonly utm_source: string;
  readonly utm_medium: string;
  readonly utm_campaign: string;
  readonly utm_term: string;
  readonly utm_content: string;
  /** The kind of the ad click id in the address, never its value. */
  readonly click_id: ClickIdKind | '';
};

/** Reads where a visit came from. Pure; never throws, whatever the strings hold. */
export function readSource(_hit: { page: LandingPage; referrer: string; siteHostnames: readonly string[] }): Source {
  throw new Error('not written yet');
}
