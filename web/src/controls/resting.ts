import type { MouseEvent } from 'react';

/**
 * For a button that has nothing to do just now: what it was pressed for is under way, or there is nothing to save. It
 * does nothing and says so, and keeps the focus of whoever has pressed it, which `disabled` would throw away. It stands
 * behind `onClick`; a form is not sent by it either.
 */
export const resting = (rests: boolean) =>
  rests ? { 'aria-disabled': true, onClick: (event: MouseEvent) => event.preventDefault() } : {};
