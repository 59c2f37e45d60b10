/** Of what a site is made, without a schema: the dashboard reads these lists too, and loads no library for them. */

/** What an emptying removes. */
export const collectedKinds = [
  'events',
  'imported_events',
  'visits',
  'imported_days',
  'counts',
  'robots',
  'drops',
  'quarantine',
  'imports',
  'exports',
] as const;
/** What a deletion removes beside it, and a move takes along. */
export const settingKinds = ['goals', 'shields', 'annotations', 'foreign_ids', 'former_domains'] as const;
/** What ends with a move, and with a deletion: it opens the site to somebody. */
export const accessKinds = ['shares', 'reports', 'teams', 'keys'] as const;
export const contentKinds = [...collectedKinds, ...settingKinds, ...accessKinds] as const;
export type ContentKind = (typeof contentKinds)[number];
