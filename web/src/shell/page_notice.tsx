import type { ReactNode } from 'react';
import { Glyph } from '../controls/icons.tsx';

/** A line over every page that something concerns: what it is, until when, and where it is ended. */
export function PageNotice({ state, children }: { state: 'idle' | 'bad'; children: ReactNode }) {
  return (
    <p className="factor-due" role="status">
      <Glyph state={state} />
      <span>{children}</span>
    </p>
  );
}
