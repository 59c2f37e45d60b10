export { aloneIn } from '../../platform/postgres/index.ts';
export type { DirtyReason, FrozenDay, History, HistorySite, SiteHistory } from './history.ts';
export { historyLimits, openHistory } from './history.ts';
export type { GoalRule } from './recipe.ts';
export { frozenDimensions, goalDimension, goalKey, revenueDimensions, scrollDepthMax } from './recipe.ts';
