export { openShares } from './routes.ts';
