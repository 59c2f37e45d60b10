import type { Goal } from '../desk/api.ts';

/** A goal that was removed on its own page, for the list that the page leads back to. It is offered once. */
let removed: { site: string; goal: Goal } | undefined;

export function leaveRemoved(site: string, goal: Goal): void {
  removed = { site, goal };
}

export function takeRemoved(site: string): Goal | undefined {
  const found = removed?.site === site ? removed.goal : undefined;
  removed = undefined;
  return found;
}
