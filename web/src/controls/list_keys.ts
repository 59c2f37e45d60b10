import type { KeyboardEvent } from 'react';

/**
 * The keyboard of a combobox whose list stands beside it: arrows go round the options, Enter chooses the active one.
 * The input keeps the focus, so the list needs no keys of its own.
 */
export function listKeys(list: { active: number; count: number; move: (to: number) => void; choose: () => void }) {
  return (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && list.count > 0) {
      event.preventDefault();
      list.move((list.active + step + list.count) % list.count);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      list.choose();
    }
  };
}
