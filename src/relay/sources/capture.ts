import type { Conversion } from '../../../contract/conversion.ts';
import type { CaptureReason, Condition, Mapping } from '../../../contract/mapping.ts';
import { applyMapping } from '../mapping/apply.ts';
import { planCondition } from '../mapping/conditions.ts';
import type { Problem } from '../mapping/problem.ts';
import { type CapturedRequest, type RefusedRequest, readRequest, refusalOf, withoutQuery } from './request.ts';
import { type Signing, signatureHeader, signatureProblem } from './signature.ts';

/** Which record of a request, and which of those that `each` makes of it; both from 0. */
export type RecordPlace = readonly [record: number, place: number];

/** What a source makes of a request. */
export interface Taken {
  /** What the sender is answered: 202 where it is taken, also where it is no conversion. */
  readonly status: 200 | 202 | RefusedRequest['status'];
  readonly conversions: readonly Conversion[];
  /** Where each of them stands in the request; left out where there is the very first one at most. */
  readonly places?: readonly RecordPlace[];
  /** Null where there is nothing to say; the first of `problems` otherwise. */
  readonly reason: CaptureReason | null;
  readonly field: string | null;
  /** In the order of the records. `record` counts from 0 where there are several. */
  readonly problems: readonly (Problem & { readonly record?: number; readonly at?: number })[];
  /** How many records should have been conversions and could not be made one; left out for none. */
  readonly unmapped?: number;
}

export interface SourceRules {
  readonly mapping: Mapping;
  /** Where the sender signs. */
  readonly signing?: Signing | undefined;
  readonly ping?: Condition | undefined;
}

/**
 * One request to a source: is it by whom it should be, what does it say, which conversions are in it. Pure: the same
 * request gives the same answer.
 *
 * Shops turn a webhook off after repeated errors, so a request that was read is taken (202) whatever its mapping makes of
 * it; a problem is in the answer. A record that has one does not hold up the others.
 * @param now milliseconds since 1970: when it came
 * @param lookedAt and when it is looked at, where that is later: what was still to happen when it came may be past
 */
export function takeRequest(request: CapturedRequest, source: SourceRules, now: number, lookedAt = now): Taken {
  const unread = refusalOf(request);
  if (unread !== undefined) return refused(unread);
  const signature = source.signing && signatureProblem(request, source.signing, now);
  // A ping is unsigned and does nothing, so it may be answered before anybody has shown who they are.
  const read = signature === undefined || isShort(request) ? readRequest(signedPart(request, source), now) : undefined;
  if (read !== undefined && isPing(read, source)) return { ...nothing, status: 200, reason: 'ignored' };
  if (signature !== undefined)
    return refused({ status: 401, reason: signature, field: source.signing && signatureHeader(source.signing) });
  if (read === undefined || 'refused' in read) return refused(read?.refused ?? { status: 400, reason: 'empty' });
  return taken(
    read.records.map((scope) =>
      scope === undefined
        ? [{ problems: [{ field: '', reason: 'not_an_object' as const }] }]
        : applyMapping(scope, source.mapping, lookedAt),
    ),
  );
}

/** Is something of it only refused for being still to happen? A clock may be wrong, and then time mends it. */
export function isEarly({ problems }: Pick<Taken, 'problems'>): boolean {
  return problems.some(({ reason }) => reason === 'in_the_future');
}

const nothing = { conversions: [], field: null, problems: [] } as const;

/** Which part of a request it is about, where nothing nearer is known: a sender is told what to look at. */
const partOf: Readonly<Partial<Record<CaptureReason, string>>> = {
  ...{ method: 'method', content_type: 'content-type', empty: 'body', not_an_object: 'body', not_utf8: 'body' },
  ...{ not_json: 'body', not_form: 'body', not_multipart: 'body', too_deep: 'body', too_many_items: 'body' },
};

/** A request that is not taken, as it is answered and written down. */
export function refused({ status, reason, field = partOf[reason], at }: RefusedRequest): Taken {
  const problem = { field: field ?? '', reason, ...(at !== undefined && { at }) };
  return { status, conversions: [], reason, field: field ?? null, problems: [problem] };
}

const pingBytesMax = 256;

function isShort({ body }: CapturedRequest): boolean {
  return (body?.length ?? 0) <= pingBytesMax;
}

function isPing(read: ReturnType<typeof readRequest>, { ping }: SourceRules): boolean {
  if (ping === undefined || 'refused' in read || read.records.length !== 1) return false;
  const [scope] = read.records;
  return scope !== undefined && planCondition(ping)(scope);
}

/** What is read of a signed request: not the header of its signature, which is for nobody to map, and no query, which nobody signed. */
function signedPart(request: CapturedRequest, { signing }: SourceRules): CapturedRequest {
  if (signing === undefined) return request;
  const name = signing.header?.toLowerCase();
  const headers = Object.entries(request.headers).filter(([one]) => one.toLowerCase() !== name);
  return { ...request, url: withoutQuery(request.url), headers: Object.fromEntries(headers) };
}

function taken(records: readonly (readonly ReturnType<typeof applyMapping>[number][])[]): Taken {
  const all = records.flat();
  const conversions: Conversion[] = [];
  const places: RecordPlace[] = [];
  const problems: (Problem & { record?: number })[] = [];
  let isIgnored = false;
  let unmapped = 0;
  let number = 0;
  for (const [record, made] of records.entries())
    for (const [place, mapped] of made.entries()) {
      const at = number++;
      const numbered = (list: readonly Problem[]) =>
        all.length === 1 ? list : list.map((one) => ({ ...one, record: at }));
      if ('ignored' in mapped) isIgnored = true;
      else if ('problems' in mapped) {
        unmapped += 1;
        problems.push(...numbered(mapped.problems));
      } else {
        conversions.push(mapped.conversion);
        places.push([record, place]);
        problems.push(...numbered(mapped.notes));
      }
    }
  const first = problems[0];
  const reason = first?.reason ?? (conversions.length > 0 ? null : isIgnored ? 'ignored' : 'empty');
  return {
    ...{ status: 202, conversions, reason, field: first?.field || null, problems },
    ...(places.some(([record, place]) => record + place > 0) && { places }),
    ...(unmapped > 0 && { unmapped }),
  };
}
