import type { Goal } from '../desk/api.ts';

/** A goal, and what the desk gave for it: with that it comes back under its number. */
export interface Removed {
  goal: Goal;
  undo: string;
}

/** A goal that was removed on its own page, for the list that the page leads back to. It is offered once. */
let removed: (Removed & { site: string }) | undefined;

export function leaveRemoved(site: string, gone: Removed): void {
  removed = { site, ...gone };
}

export function takeRemoved(site: string): Removed | undefined {
  const found = removed?.site === site ? removed : undefined;
  removed = undefined;
  return found;
}
