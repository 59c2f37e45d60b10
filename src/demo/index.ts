export { madeConversion, madeFile, madeOrder, madeRefund, madeUnmapped } from './conversions.ts';
export { openScenario, type Scenario } from './scenario.ts';
export type { DemoSite } from './site.ts';
export type { MadeRequest } from './walk.ts';
