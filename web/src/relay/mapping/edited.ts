import { useState } from 'react';

/**
 * What is edited, beside what is written of it: a row that is empty yet, or a comma at the end, is not lost while somebody
 * types. What is written from elsewhere (a click in the request, an undo) is read anew.
 */
export function useEdited<Written, Edited>(
  written: Written,
  { read, write }: { read: (written: Written) => Edited; write: (edited: Edited) => Written },
  onChange: (written: Written) => void,
): [Edited, (next: Edited) => void] {
  const text = JSON.stringify(written) ?? '';
  const [kept, setKept] = useState(() => ({ text, edited: read(written) }));
  const edited = kept.text === text ? kept.edited : read(written);
  const set = (next: Edited) => {
    const made = write(next);
    setKept({ text: JSON.stringify(made) ?? '', edited: next });
    onChange(made);
  };
  return [edited, set];
}
