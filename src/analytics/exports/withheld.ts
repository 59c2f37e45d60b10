import { RequestError } from '../../platform/http/route.ts';

/*
 * Copies that were begun before the data of somebody in them was restricted or erased, and that a legal hold keeps: they stay, and
 * nobody is given one while the restriction is in force, nor after an erasure (DSR-05, R9). Conditions on the row of the copy, for its own query.
 */
export const isExportWithheld = `EXISTS (SELECT FROM restrictions r JOIN restricted_visitors v ON v.restriction_id = r.id
  WHERE r.ended_at IS NULL AND r.began_at >= exports.created_at AND v.site_id = exports.site_id)`;
/** Of the whole organisation: some visitor of a site is enough. */
export const isArchiveWithheld = `(erased_at IS NOT NULL OR EXISTS (SELECT FROM restrictions r JOIN restricted_visitors v ON v.restriction_id = r.id
  WHERE r.ended_at IS NULL AND r.began_at >= organisation_archives.created_at))`;

/** @throws RequestError conflict */
export function refuseWithheld(what: 'export' | 'archive', isWithheld: boolean): void {
  if (isWithheld)
    throw new RequestError(
      'conflict',
      `The data of somebody was restricted or erased after this ${what} was begun. It may have them in it, so nobody is given it while that lasts. Start another one: it leaves them out.`,
    );
}
