import { useState } from 'react';

/** Whatever has to be ticked is one thing of a form, and its first open box takes the focus. */
const ofTicks = 'agreement';

/**
 * What keeps a form from being sent, by the names of its fields and in their order: said once sending was tried, and
 * then as long as it holds (ui.md §8). The button is never dead, so that it can say what is missing.
 */
export function useLacks<Name extends string>(lacks: Partial<Record<Name, string>>) {
  const [isTried, setTried] = useState(false);
  const said: Partial<Record<Name, string>> = isTried ? lacks : {};
  return {
    said,
    /** May it be sent? If not, the first field that lacks something has the focus. */
    isWhole(form: HTMLFormElement): boolean {
      setTried(true);
      const [first] = Object.keys(lacks);
      if (first === undefined) return true;
      const at = first === ofTicks ? 'input[type=checkbox]:not(:checked)' : `[name=${first}]`;
      form.querySelector<HTMLInputElement>(at)?.focus();
      return false;
    },
  };
}
