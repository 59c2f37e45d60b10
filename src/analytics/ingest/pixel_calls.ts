import { ingestLimits } from '../../../contract/limits.ts';
import { type PixelPlatform, pixelPlatforms } from '../../../contract/pixels.ts';
import { bareText, withoutEmails } from './bare.ts';
import { cleanText } from './text.ts';

/** That a page called a platform's pixel: with which event, and with which id; undefined = with none. */
export type PixelCall = { readonly platform: PixelPlatform; readonly name: string; readonly id: string | undefined };

/** What a page tells of its pixels at once. */
export type PixelCalls = {
  readonly siteId: number;
  readonly organisationId: number;
  readonly atMs: number;
  readonly calls: readonly PixelCall[];
  /** Ids of the events that the tracker sent from the same view of the page. */
  readonly near: readonly string[];
};

export const pixelCallLimits = {
  /** Of one message. */
  callsMax: 20,
  nearMax: 10,
  nameCharsMax: 64,
  /** As much as an order number of an event. */
  idCharsMax: 128,
};

/** @returns the calls that can be read, or what is wrong with the message */
export function readPixelCalls(calls: unknown, near: unknown): Pick<PixelCalls, 'calls' | 'near'> | string {
  const { callsMax, nearMax, nameCharsMax, idCharsMax } = pixelCallLimits;
  if (!Array.isArray(calls) || calls.length === 0 || calls.length > callsMax)
    return `The "calls" are a list of 1 to ${callsMax}.`;
  if (near !== undefined && (!Array.isArray(near) || near.length > nearMax))
    return `The "near" is a list of at most ${nearMax} ids.`;
  const ids = ((near ?? []) as unknown[]).filter(
    (id): id is string => typeof id === 'string' && id !== '' && id.length <= ingestLimits.idCharsMax,
  );
  const read: PixelCall[] = [];
  for (const call of calls as unknown[]) {
    const { p, n, i } = (call ?? {}) as Record<string, unknown>;
    const platform = pixelPlatforms.find((one) => one === p);
    if (platform === undefined || typeof n !== 'string' || n.trim() === '' || n.length > nameCharsMax)
      return `A call has "p", ${pixelPlatforms.join(' or ')}, and "n", an event of at most ${nameCharsMax} characters.`;
    if (i !== undefined && (typeof i !== 'string' || i.length > idCharsMax))
      return `The "i" of a call is text of at most ${idCharsMax} characters.`;
    read.push({ platform, name: withoutEmails(bareText(cleanText(n.trim()))), id: i === '' ? undefined : i });
  }
  return { calls: read, near: ids };
}
