import type { ReactNode } from 'react';

/** So many stand in a cell of a list; the rest is a number. */
const shownMax = 4;

/** The first of many in a cell, words or tags, and how many more there are. All of them stand where they are changed. */
export function Some({ of }: { of: readonly ReactNode[] }) {
  const rest = of.length - shownMax;
  // One more costs no more room than to say so.
  const shown = rest <= 1 ? of : of.slice(0, shownMax);
  const areWords = of.every((one) => typeof one === 'string');
  return (
    <>
      {areWords ? shown.join(', ') : shown}
      {rest > 1 && <span className="q"> and {rest} more</span>}
    </>
  );
}
