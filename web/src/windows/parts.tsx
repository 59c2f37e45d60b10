import type { ReactNode } from 'react';
import { ComingRows } from '../controls/coming.tsx';
import { Glyph } from '../controls/icons.tsx';
import { useReading } from '../desk/reading.ts';
import { exactCount } from '../numbers/format.ts';
import { Failed } from '../overview/states.tsx';
import { TrustFrame } from '../trust/trust_frame.tsx';
import './windows.css';

/** The frame of a page about windows. */
export function WindowsFrame(props: Omit<Parameters<typeof TrustFrame>[0], 'name'>) {
  return <TrustFrame {...props} name="windows" />;
}

/** What is read once for a page, and what stands in its place until it is here. */
export function useRead<T>(
  read: () => Promise<T>,
  what: string,
  heads: readonly string[],
): { answer: T | undefined; set: (answer: T) => void; reload: () => void; instead: ReactNode } {
  const { answer, problem, reload, set } = useReading(read);
  const instead =
    problem === undefined ? (
      <ComingRows what={what} heads={heads} rows={8} />
    ) : (
      <Failed
        code={problem.code}
        message={problem.message}
        reference={problem.reference}
        onRetry={reload}
        what="This list could not be read."
      />
    );
  return { answer, set, reload, instead };
}

export function rowsOf(count: number): string {
  return count === 1 ? '1 row' : `${exactCount(count)} rows`;
}

const stateWords = {
  done: ['ok', 'clean'],
  clean: ['ok', 'clean'],
  red: ['bad', 'left something'],
  running: ['idle', 'runs'],
  interrupted: ['idle', 'interrupted'],
} as const;

/** How a run or a receipt ended, in a word and a sign. */
export function State({ of }: { of: string }) {
  const [state, word] = stateWords[of as keyof typeof stateWords] ?? ['idle', of];
  return (
    <span className={`st ${state}`}>
      <Glyph state={state} />
      {word}
    </span>
  );
}
