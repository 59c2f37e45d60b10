/**
 * Number of the rules by which days are counted. A change of what a row of `daily` means, or of which dimensions it
 * has, is a new number: every day is then counted again, and read live until it is.
 */
export const recipe = 2;

/** A dimension with more values than this in a day is left out of that day and read live, never cut. */
export const valuesPerDayMax = 20_000;

/** Said by a visit's first event, the same on all of its rows: name of the dimension → column of `visits`. */
export const visitDimensions = {
  'visit:source': 'source',
  'visit:referrer': 'referrer',
  'visit:channel': 'channel',
  'visit:utm_source': 'utm_source',
  'visit:utm_medium': 'utm_medium',
  'visit:utm_campaign': 'utm_campaign',
  'visit:utm_term': 'utm_term',
  'visit:utm_content': 'utm_content',
  'visit:click_id': 'click_id',
  'visit:device': 'device',
  'visit:screen': 'screen',
  'visit:browser': 'browser',
  'visit:browser_version': 'browser_version',
  'visit:os': 'os',
  'visit:os_version': 'os_version',
  'visit:country': 'country',
  'visit:region': 'region',
  'visit:city': 'city',
  'visit:entry_page': 'entry_page',
  'visit:exit_page': 'exit_page',
  'visit:entry_page_hostname': 'entry_hostname',
  'visit:exit_page_hostname': 'exit_hostname',
} as const;

/**
 * Said by each event: name of the dimension → column of `events`. Titles are not among them: as many as pages, and no
 * list of the overview asks for them.
 */
export const eventDimensions = {
  'event:page': 'pathname',
  'event:hostname': 'hostname',
  'event:name': 'name',
} as const;

/** Attention is not something a visitor did by name: engagement events have no part in these. */
export const actionsOnly: readonly string[] = ['event:name'];

/** What a goal counts; its name and currency make no difference to that. */
export interface GoalRule {
  kind: 'page' | 'event' | 'scroll';
  /** A page pattern (`*` within a segment, `**` anything), or the name of an event. */
  match: string;
  /** An event counts only with this value of this property. */
  property?: { name: string; value: string } | null | undefined;
  /** Percent of the page that has to have been seen, for the kind `scroll`. */
  scroll_depth?: number | null | undefined;
}

/** The dimension of `daily` whose values are goals, by what they count. */
export const goalDimension = 'event:goal';

/**
 * The value of a goal in `daily`, and its word in the register of frozen days. A goal that is changed has another key, so
 * what was frozen for it before is never read as the changed one.
 */
export function goalKey({ kind, match, property, scroll_depth: depth }: GoalRule): string {
  if (kind === 'scroll') return `scroll:${depth ?? scrollDepthMax}:${match}`;
  if (kind === 'event' && property != null) return `property:${JSON.stringify([match, property.name, property.value])}`;
  return `${kind}:${match}`;
}

/** Percent. A scroll goal without a depth is one of the whole page. */
export const scrollDepthMax = 100;

/** Pages of entry and exit are known to visits alone, and revenue to events alone: it is not frozen by them. */
const endsOfVisits: readonly string[] = [
  'visit:entry_page',
  'visit:exit_page',
  'visit:entry_page_hostname',
  'visit:exit_page_hostname',
];

/** Name of the dimension → column of `events`, for revenue. */
export const revenueDimensions: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({ ...visitDimensions, ...eventDimensions }).filter(([name]) => !endsOfVisits.includes(name)),
);

/** '' are the totals. */
export const frozenDimensions: readonly string[] = [
  '',
  ...Object.keys(visitDimensions),
  ...Object.keys(eventDimensions),
];
