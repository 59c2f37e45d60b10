import { pathOf } from '../address/route.ts';
import type { View } from '../address/view.ts';
import { writeView } from '../address/view.ts';
import type { GoalRule, NewGoal } from '../desk/api.ts';

/** What the pages of goals keep in their address beside the view: the order of the list, and a form that is open. */
export const sortKeys = ['name', 'visitors', 'events', 'conversion_rate', 'total_revenue'] as const;
export type SortKey = (typeof sortKeys)[number];
export interface Sort {
  by: SortKey;
  direction: 'asc' | 'desc';
}

/** Most reached first; names from A. */
export const usualSort: Sort = { by: 'visitors', direction: 'desc' };

export function readSort(query: URLSearchParams): Sort {
  const [name, direction] = query.get('sort')?.split(':') ?? [];
  const by = sortKeys.find((one) => one === name);
  if (by === undefined) return usualSort;
  return { by, direction: direction === 'asc' || direction === 'desc' ? direction : firstDirection(by) };
}

/** Numbers begin with the greatest, names with A. */
export function firstDirection(by: SortKey): Sort['direction'] {
  return by === 'name' ? 'asc' : 'desc';
}

function sortText({ by, direction }: Sort): string | undefined {
  if (by === usualSort.by && direction === usualSort.direction) return undefined;
  return direction === firstDirection(by) ? by : `${by}:${direction}`;
}

const kinds = ['page', 'event', 'scroll'] as const satisfies readonly GoalRule['kind'][];

/** The form of a new goal, filled in as the address says; undefined where none is open. */
export function readStart(query: URLSearchParams): NewGoal | undefined {
  const kind = kinds.find((one) => one === query.get('new'));
  if (kind === undefined) return undefined;
  const currency = query.get('currency');
  return { kind, match: query.get('match') ?? '', ...(currency === null ? {} : { currency }) };
}

/** The list of goals, with the view of the overview and what else it shows. */
export function goalsAddress(
  site: string,
  view: View,
  more: { sort?: Sort; start?: NewGoal | undefined } = {},
): string {
  const query = new URLSearchParams();
  const sort = more.sort === undefined ? undefined : sortText(more.sort);
  if (sort !== undefined) query.set('sort', sort);
  if (more.start !== undefined) {
    query.set('new', more.start.kind);
    if (more.start.match !== '') query.set('match', more.start.match);
    if (more.start.currency != null) query.set('currency', more.start.currency);
  }
  return withQuery(pathOf({ page: 'goals', site }), view, query);
}

/** The page of one goal; `editing`: with the form that changes it. */
export function goalAddress(site: string, goal: number, view: View, editing = false): string {
  const query = new URLSearchParams(editing ? { edit: 'on' } : {});
  return withQuery(pathOf({ page: 'goal', site, goal: String(goal) }), view, query);
}

function withQuery(path: string, view: View, query: URLSearchParams): string {
  const own = query.toString().replaceAll('%3A', ':').replaceAll('%2F', '/');
  const all = [writeView(view).slice(1), own].filter((part) => part !== '').join('&');
  return all === '' ? path : `${path}?${all}`;
}
