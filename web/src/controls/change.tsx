import type { Change } from '../numbers/format.ts';

/** A change as ui.md §4 wants it: triangle, sign, value. The triangle alone carries the colour; the sign carries the fact. */
export function ChangeMark({ change, against }: { change: Change; against?: string }) {
  if (change.kind === 'none') return <span className="dl none">–</span>;
  if (change.kind === 'new') return <span className="dl">new</span>;
  if (change.kind === 'counts')
    return (
      <span className="dl" title={`Too few for a percentage: ${change.spoken}`}>
        {change.text}
      </span>
    );
  const kind = change.good === null ? '' : change.good ? 'pos' : 'neg';
  return (
    <span className={`dl ${kind}`} title={against}>
      {change.direction !== 'flat' && (
        <svg width="8" height="8" viewBox="0 0 8 8" aria-hidden="true">
          <path d={change.direction === 'up' ? 'M4 1 7.500 7H.5z' : 'M4 7 .5 1h7z'} />
        </svg>
      )}
      {change.text}
    </span>
  );
}
