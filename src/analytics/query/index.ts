export { keptGauge, openKeptSums } from './kept_sums.ts';
export type { Goal, Problem, QueryProblem } from './parse.ts';
export { askOfSite, type QueryDoors, queryRoutes } from './routes.ts';
export {
  type FrozenDays,
  type QueryHouse,
  type QueryOutcome,
  type QuerySite,
  runBatch,
  runQuery,
} from './run.ts';
export { sitesToWarm, warm } from './warm.ts';
