import type { OperatorSection } from '../address/route.ts';

/** What belongs to the desk itself, for who runs it. */
export const operatorTabs: readonly { section: OperatorSection; label: string }[] = [
  { section: 'audit', label: 'Desk trail' },
  { section: 'operations', label: 'Operations log' },
  { section: 'sign-up', label: 'Sign-up' },
  { section: 'access-log', label: 'Access log' },
  { section: 'backups', label: 'Backups' },
  { section: 'checks', label: 'Live checks' },
  { section: 'usage', label: 'Usage' },
];
