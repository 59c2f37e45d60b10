import { Glyph } from '../controls/icons.tsx';
import { destinationStateWords } from './words.ts';

/** How something stands: a glyph and a word. Good is quiet. */
export function StateWord({ state }: { state: keyof typeof destinationStateWords }) {
  const kind = state === 'active' ? 'ok' : state === 'paused' ? 'off' : 'bad';
  return (
    <span className={`st ${kind === 'bad' ? 'bad' : 'rl-quiet'}`}>
      <Glyph state={kind} />
      {destinationStateWords[state]}
    </span>
  );
}
