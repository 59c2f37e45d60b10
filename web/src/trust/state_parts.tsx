import type { ProofPage, RequirementState } from '../../../contract/proof.ts';
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

const order: readonly RequirementState[] = ['proved', 'red', 'not_run', 'partly', 'open', 'later'];
const legend: Record<RequirementState, string> = {
  proved: 'proved',
  red: 'broken',
  not_run: 'not run here',
  partly: 'in part',
  open: 'not built yet',
  later: 'of capabilities to come',
};

/** All of them as one bar, and in words below it. */
export function Meter({ counts }: { counts: ProofPage['counts'] }) {
  const shown = order.filter((state) => counts[state] > 0);
  return (
    <>
      <div
        className="pf-meter"
        role="img"
        aria-label={shown.map((state) => `${counts[state]} ${legend[state]}`).join(', ')}
      >
        {shown.map((state) => (
          <i key={state} className={state} style={{ flexGrow: counts[state] }} />
        ))}
      </div>
      <ul className="pf-legend">
        {shown.map((state) => (
          <li key={state}>
            <StateOf state={state} word={`${counts[state]} ${legend[state]}`} />
          </li>
        ))}
      </ul>
    </>
  );
}
