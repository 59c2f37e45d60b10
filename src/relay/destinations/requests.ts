import type { Conversion } from '../../../contract/conversion.ts';
import type { Destination, Item, OutgoingRequest } from './destination.ts';
import { sentAddress, sentPageUrl } from './sent_parts.ts';

/** A POST of JSON. */
export function postJson(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): OutgoingRequest {
  return { method: 'POST', url, headers: { 'content-type': 'application/json', ...headers }, body };
}

/** A GET whose parameters say it all, in the order given; those that are not there are left out. */
export function getWith(address: string, parameters: Readonly<Record<string, string | undefined>>): OutgoingRequest {
  const said = Object.entries(parameters).filter((pair): pair is [string, string] => pair[1] !== undefined);
  // A space as `+` is one in forms alone.
  const query = new URLSearchParams(said).toString().replaceAll('+', '%20');
  return { method: 'GET', url: `${address}?${query}`, headers: {}, body: undefined };
}

/** The first of items that go together. Others in one request would count as the first one's. */
export function firstOf<Identifiers>(
  items: readonly Item<Identifiers>[],
  { together }: Pick<Destination<unknown, Identifiers>, 'together'>,
): Item<Identifiers> {
  const [first] = items;
  if (first === undefined || new Set(items.map((item) => together?.(item))).size > 1)
    throw new Error('A request is made of items that go together, and of one at least.');
  return first;
}

/** Where somebody was, and what the browser said of itself. */
export interface Reached {
  readonly ip?: string;
  readonly user_agent?: string;
}

export function reachedOf({ user }: Conversion): Reached {
  const ip = sentAddress(user?.ip);
  return {
    ...(ip === undefined ? {} : { ip }),
    ...(user?.user_agent === undefined ? {} : { user_agent: user.user_agent }),
  };
}

export function pageOf({ page_url }: Conversion): string | undefined {
  return page_url === undefined ? undefined : sentPageUrl(page_url);
}

/** The members that are there, in the order given: none that are undefined, and no empty lists. */
export function present<Members extends object>(members: Members): Present<Members> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  ) as Present<Members>;
}

/** The same, and nothing at all where nothing is in it. */
export function presentOrNone<Members extends object>(members: Members): Present<Members> | undefined {
  const left = present(members);
  return Object.keys(left).length === 0 ? undefined : left;
}

type Present<Members> = { [Name in keyof Members]?: Exclude<Members[Name], undefined> };

/** How many pieces, where each item counts as one that does not say. Undefined without items, or with parts of pieces. */
export function piecesOf({ items = [] }: Conversion): number | undefined {
  const pieces = items.reduce((sum, { quantity = 1 }) => sum + quantity, 0);
  return items.length > 0 && Number.isSafeInteger(pieces) ? pieces : undefined;
}
