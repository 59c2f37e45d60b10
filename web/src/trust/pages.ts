import type { Route } from '../address/route.ts';

/**
 * The pages under Trust, in the order of the rail. A page of a part that is built goes here once; rail, tabs, palette and
 * the overview read it.
 */
export const trustPages = [
  { page: 'trust', label: 'Overview', about: 'What this desk promises, and what needs you.' },
  { page: 'proof', label: 'Proof', about: 'Every promise, what shows it, and the live checks.' },
  { page: 'requests', label: 'Requests', about: 'Who asked for their data, and by when they hear.' },
  { page: 'windows', label: 'Windows', about: 'What is kept here, for how long, and what ends it.' },
  { page: 'tonight', label: 'Tonight', about: 'What would go tonight, and what went before.' },
  { page: 'holds', label: 'Holds', about: 'What has to stay, whatever the clock says.' },
  { page: 'access', label: 'Access review', about: 'Who and what still has access, and whether they should.' },
  { page: 'incidents', label: 'Incidents', about: 'What went wrong, and how long is left to tell the authority.' },
  { page: 'documents', label: 'Documents', about: 'What is said publicly, and whether it is what is done.' },
  { page: 'consent', label: 'Consent', about: 'What each purpose rests on, and who agreed.' },
  {
    page: 'subprocessors',
    label: 'Subprocessors',
    about: 'Who else gets data of this desk, where, and on what basis.',
  },
  {
    page: 'operations',
    label: 'Operations log',
    about: 'What was done, what was refused or failed, for a support case.',
  },
  { page: 'access-log', label: 'Access log', about: 'Who asked for what, and from where, for owners.' },
  { page: 'audit', label: 'Audit log', about: 'Who did what, and that nobody has altered it.' },
] as const satisfies readonly { page: Route['page']; label: string; about: string }[];

export function isTrustPage(page: Route['page']): boolean {
  return page === 'request' || trustPages.some((one) => one.page === page);
}
