export { openReports } from './routes.ts';
