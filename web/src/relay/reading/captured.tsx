import { type FormEvent, useCallback, useState } from 'react';
import type { CapturedRequestShown } from '../../../../contract/relay_reading.ts';
import { Field, FormError } from '../../controls/field.tsx';
import { resting } from '../../controls/resting.ts';
import { asDeskError, type DeskError } from '../../desk/api.ts';
import { useReading } from '../../desk/reading.ts';
import { may } from '../../desk/session.tsx';
import { relay } from './api.ts';
import type { Here } from './frame.tsx';

/** A captured request with its person hidden. Who may manage the relay reveals it with a reason, which is written down. */
export function Captured({ organisation, id }: { organisation: Here; id: string }) {
  const { answer, problem } = useReading(useCallback(() => relay.capture(organisation.id, id), [organisation.id, id]));
  const [revealed, setRevealed] = useState<CapturedRequestShown>();
  const [isAsking, setAsking] = useState(false);
  const shown = revealed ?? answer;
  if (problem !== undefined) return <p className="q2">{problem.message}</p>;
  if (shown === undefined) return <p className="q">…</p>;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling block must be reachable by keyboard. */}
      <pre className="code" tabIndex={0}>
        {captureText(shown)}
      </pre>
      {shown.is_revealed ? (
        <p className="q">As it came. That you looked stands in the audit log.</p>
      ) : isAsking ? (
        <RevealForm organisation={organisation} id={id} onShown={setRevealed} onClose={() => setAsking(false)} />
      ) : (
        <p className="re-line">
          <span className="q">What may be a person’s is hidden.</span>
          {may(organisation, 'relay.manage') && (
            <button type="button" className="btn sm" onClick={() => setAsking(true)}>
              Reveal…
            </button>
          )}
        </p>
      )}
    </>
  );
}

function RevealForm({
  organisation,
  id,
  onShown,
  onClose,
}: {
  organisation: Here;
  id: string;
  onShown: (shown: CapturedRequestShown) => void;
  onClose: () => void;
}) {
  const [reason, setReason] = useState('');
  const [refusal, setRefusal] = useState<DeskError>();
  const [isSending, setSending] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setSending(true);
    try {
      onShown(await relay.reveal(organisation.id, id, reason.trim()));
    } catch (error) {
      setRefusal(asDeskError(error));
      setSending(false);
    }
  };
  return (
    <form className="form re-reveal" onSubmit={send} noValidate>
      <Field
        label="Why does it have to be seen?"
        help="It stands in the audit log with your name."
        error={refusal?.field === 'reason' ? refusal.message : undefined}
      >
        {(props) => (
          <input
            {...props}
            className="in"
            maxLength={200}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        )}
      </Field>
      {refusal?.field !== 'reason' && <FormError message={refusal?.message} reference={refusal?.reference} />}
      <div className="editor-foot">
        <button type="submit" className="btn" {...resting(reason.trim() === '' || isSending)}>
          Reveal the request
        </button>
        <button type="button" className="btn quiet" onClick={onClose}>
          Leave it hidden
        </button>
      </div>
    </form>
  );
}

function captureText({ method, url, headers, data, body }: CapturedRequestShown): string {
  const head = [`${method} ${url}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  const rest = body ?? (data === null || data === undefined ? '' : JSON.stringify(data, null, 2));
  return [...head, ...(rest === '' ? [] : ['', rest])].join('\n');
}
