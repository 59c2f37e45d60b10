import type { ProvedRequirement, RequirementState } from '../../../contract/proof.ts';
import { Glyph } from '../controls/icons.tsx';
import { stateWords } from './words.ts';

/** A state as glyph and word, never as colour alone. */
export function StateOf({ state, word }: { state: RequirementState; word?: string }) {
  const { word: usual, glyph, tone } = stateWords[state];
  return (
    <span className={`st ${tone}`}>
      <Glyph state={glyph} />
      {word ?? usual}
    </span>
  );
}

type Part = RequirementState | 'earlier';
const order: readonly Part[] = ['proved', 'red', 'earlier', 'not_run', 'partly', 'open', 'later'];
const legend: Record<Part, string> = {
  proved: 'proved',
  red: 'broken',
  earlier: 'proved by an earlier version, not yet tested for this one',
  not_run: 'not tested on this machine',
  partly: 'in part',
  open: 'not built yet',
  later: 'of capabilities to come',
};

/** All of them as one bar, and in words below it. */
export function Meter({ requirements }: { requirements: readonly ProvedRequirement[] }) {
  const partOf = ({ state, earlier }: ProvedRequirement): Part => (earlier === null ? state : 'earlier');
  const counts = Map.groupBy(requirements, partOf);
  const shown = order.flatMap((part) => {
    const count = counts.get(part)?.length ?? 0;
    return count === 0 ? [] : [{ part, count }];
  });
  return (
    <>
      <div
        className="pf-meter"
        role="img"
        aria-label={shown.map(({ part, count }) => `${count} ${legend[part]}`).join(', ')}
      >
        {shown.map(({ part, count }) => (
          <i key={part} className={part} style={{ flexGrow: count }} />
        ))}
      </div>
      <ul className="pf-legend">
        {shown.map(({ part, count }) => (
          <li key={part}>
            <StateOf state={part === 'earlier' ? 'not_run' : part} word={`${count} ${legend[part]}`} />
          </li>
        ))}
      </ul>
    </>
  );
}
