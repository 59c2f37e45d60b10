import type { ReactNode } from 'react';
import { useEffect, useRef } from 'react';
import type { RelayPreset } from '../../../contract/relay_settings.ts';
import { CopyButton } from '../controls/copy.tsx';
import type { MadeSource } from './api.ts';

/** What is said once comes into view and takes the focus, after the dialog that asked for it has given it back. */
export function SaidOnce({ label, children }: { label: string; children: ReactNode }) {
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    box.current?.focus();
    box.current?.scrollIntoView({ block: 'center' });
  }, []);
  return (
    <section className="panel rl-made" aria-label={label} ref={box} tabIndex={-1}>
      {children}
    </section>
  );
}

/** The address of a source, for the one time that it can be said. */
export function MadeAddress({
  made: { source, address },
  preset,
  onHide,
  children,
}: {
  made: MadeSource;
  preset: RelayPreset | undefined;
  onHide: () => void;
  children?: ReactNode;
}) {
  if (address === null) return null;
  const whole = address + (preset?.template ?? '');
  const test = `curl -X POST '${address}' -H 'content-type: application/json' \\\n  -d '{"event_name":"test","occurred_at":"${new Date(Date.parse(source.created_at)).toISOString()}","order_id":"test-1"}'`;
  return (
    <SaidOnce label="The new address">
      <h2>The address of {source.name}</h2>
      <p className="q2">
        It is shown now and never again: whoever has it can send conversions. Put it where{' '}
        {preset?.label ?? 'your system'} asks for the address of a webhook or postback.
      </p>
      <div className="secret">
        <code>{whole}</code>
        <CopyButton text={whole} label="Copy the address" />
      </div>
      <details className="call">
        <summary>Send a request to try it</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling block must be reachable by keyboard. */}
        <pre className="code" tabIndex={0}>
          {test}
        </pre>
        <CopyButton text={test} label="Copy for a shell" />
      </details>
      <div className="editor-foot">
        {children}
        <button type="button" className="btn quiet sm" onClick={onHide}>
          I have copied it
        </button>
      </div>
    </SaidOnce>
  );
}
