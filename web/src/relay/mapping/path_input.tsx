import type { InputHTMLAttributes } from 'react';
import { createContext, use, useRef } from 'react';

/** The input that a click in the request goes to: the one that had the focus last. */
export interface Taker {
  current: { element: HTMLElement; take: (path: string) => void } | undefined;
}
export const TakerContext = createContext<Taker>({ current: undefined });

/** A path into the request. While it is the last that had the focus, a value that is clicked in the request is put into it. */
export function PathInput({
  value,
  onPath,
  onPick,
  ...rest
}: Omit<InputHTMLAttributes<HTMLInputElement>, 'value' | 'onChange'> & {
  value: string;
  onPath: (path: string) => void;
  /** What is done with the path of a value that was clicked; absent: it takes the place of what stands there. */
  onPick?: (path: string) => void;
}) {
  const taker = use(TakerContext);
  const latest = useRef(onPick ?? onPath);
  latest.current = onPick ?? onPath;
  return (
    <input
      placeholder="click a value, or write a path"
      {...rest}
      className="in mono"
      autoCapitalize="off"
      autoComplete="off"
      spellCheck={false}
      maxLength={512}
      value={value}
      onChange={(event) => onPath(event.target.value)}
      onFocus={(event) => {
        taker.current = { element: event.currentTarget, take: (path) => latest.current(path) };
      }}
    />
  );
}
