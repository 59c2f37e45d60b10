import { useEffect, useState } from 'react';
import { copyText } from '../edge/browser.ts';
import { Icon } from './icons.tsx';

/** Copies a text and says so in its own place; where the browser refuses, it says what to do instead. */
export function CopyButton({
  text,
  label = 'Copy',
  disabled = false,
  onRefused,
}: {
  text: string;
  label?: string;
  disabled?: boolean;
  onRefused?: () => void;
}) {
  const [state, setState] = useState<'idle' | 'done' | 'refused'>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timer = setTimeout(() => setState('idle'), 2_500);
    return () => clearTimeout(timer);
  }, [state]);
  return (
    <button
      type="button"
      className="btn sm"
      disabled={disabled}
      onClick={async () => {
        const copied = await copyText(text);
        if (!copied) onRefused?.();
        setState(copied ? 'done' : 'refused');
      }}
    >
      <Icon name={state === 'done' ? 'check' : 'copy'} />
      <span aria-live="polite">{state === 'done' ? 'Copied' : state === 'refused' ? 'Press Ctrl C' : label}</span>
    </button>
  );
}
