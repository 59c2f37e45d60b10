import { useEffect, useRef } from 'react';

/**
 * A list that opens takes the focus from what opened it and is gone; one that closes gives it back to its panel.
 * @param open the panel whose list is open
 */
export function useListFocus(open: string | undefined): void {
  const before = useRef(open);
  useEffect(() => {
    const closed = before.current;
    if (closed === open) return;
    before.current = open;
    const place = document.getElementById(open === undefined ? `panel-${closed}` : 'all-rows');
    place?.scrollIntoView({ block: open === undefined ? 'nearest' : 'start' });
    place?.focus({ preventScroll: true });
  }, [open]);
}
