export type { DirtyReason, FrozenDay, History, HistorySite, SiteHistory } from './history.ts';
export { historyLimits, openHistory } from './history.ts';
export { frozenDimensions } from './recipe.ts';
