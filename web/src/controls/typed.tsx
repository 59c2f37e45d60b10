import type { FormEvent } from 'react';
import { useState } from 'react';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { Field, FormError } from './field.tsx';
import { resting } from './resting.ts';

/** For what cannot be taken back, or not for long: the name is typed once more before the button does anything. */
export function TypedForm({
  wanted,
  field,
  act,
  keep,
  onTyped,
  onClose,
}: {
  wanted: string;
  /** The member of the body that carries the name: a refusal of it stands at the field. */
  field: string;
  act: string;
  keep: string;
  /** What is done with it; a refusal is shown here. */
  onTyped: (typed: string) => Promise<void>;
  onClose: () => void;
}) {
  const [typed, setTyped] = useState('');
  const [refusal, setRefusal] = useState<DeskError>();
  const [sending, setSending] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setSending(true);
    try {
      await onTyped(typed.trim());
    } catch (error) {
      setRefusal(asDeskError(error));
      setSending(false);
    }
  };
  return (
    <form className="form" onSubmit={send} noValidate>
      <Field label={`Type ${wanted}`} error={refusal?.field === field ? refusal.message : undefined}>
        {(props) => (
          <input
            {...props}
            className="in"
            autoCapitalize="off"
            spellCheck={false}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        )}
      </Field>
      {refusal !== undefined && refusal.field !== field && (
        <FormError message={refusal.message} reference={refusal.reference} />
      )}
      <div className="editor-foot">
        <button type="submit" className="btn danger" {...resting(typed.trim() !== wanted || sending)}>
          {act}
        </button>
        <button type="button" className="btn quiet" onClick={onClose}>
          {keep}
        </button>
      </div>
    </form>
  );
}
