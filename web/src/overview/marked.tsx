import { useEffect, useState } from 'react';
import { Icon } from '../controls/icons.tsx';
import { exactCount } from '../numbers/format.ts';
import { type DimensionKey, declaredDimension, type PropertyKey } from '../questions/dimensions.ts';
import type { Filter } from '../questions/filters.ts';
import { leaveOut, onlyThese } from '../questions/filters.ts';

/** Rows of one list that were selected with `x` or Ctrl and a click, to be filtered by together. */
export interface Marked {
  dimension: DimensionKey | PropertyKey;
  values: readonly string[];
}

export interface Marking {
  marked: Marked | undefined;
  /** Selects a row or takes it out again. Rows of another list begin anew. */
  mark: (dimension: Marked['dimension'], value: string) => void;
  clear: () => void;
}

/** @param view what the rows are of: when it changes, nothing is selected any more */
export function useMarked(view: string): Marking {
  const [marked, setMarked] = useState<Marked>();
  useEffect(() => setMarked(undefined), [view]);
  return {
    marked,
    clear: () => setMarked(undefined),
    mark: (dimension, value) =>
      setMarked((before) => {
        const values = before?.dimension === dimension ? before.values : [];
        const after = values.includes(value) ? values.filter((one) => one !== value) : [...values, value];
        return after.length === 0 ? undefined : { dimension, values: after };
      }),
  };
}

/** What can be done with the selected rows, at the foot of the page. */
export function MarkedBar({
  marking: { marked, clear },
  filters,
  onFilters,
}: {
  marking: Marking;
  filters: readonly Filter[];
  onFilters: (filters: Filter[]) => void;
}) {
  useEffect(() => {
    if (marked === undefined) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented && document.querySelector('dialog[open]') === null) clear();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  });
  const dimension = marked === undefined ? undefined : declaredDimension(marked.dimension);
  const many = marked?.values.length ?? 0;
  return (
    <div className={`marked ${many === 0 ? 'none' : ''}`}>
      <span role="status">
        {dimension !== undefined &&
          `${exactCount(many)} ${many === 1 ? dimension.label.toLowerCase() : dimension.plural} selected`}
      </span>
      {marked !== undefined && (
        <>
          <button
            type="button"
            className="btn sm"
            onClick={() => onFilters(onlyThese(filters, marked.dimension, marked.values))}
          >
            Show only {many === 1 ? 'this' : 'these'}
          </button>
          <button
            type="button"
            className="btn sm"
            onClick={() => onFilters(leaveOut(filters, marked.dimension, marked.values))}
          >
            Leave {many === 1 ? 'it' : 'them'} out
          </button>
          <button type="button" className="btn quiet sm icon" aria-label="Clear what is selected" onClick={clear}>
            <Icon name="close" />
          </button>
        </>
      )}
    </div>
  );
}
