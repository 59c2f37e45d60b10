import type { FormEvent, ReactNode } from 'react';
import { Refusal, useAsk } from '../account/use_account.tsx';
import { Dialog } from './dialog.tsx';
import { Field } from './field.tsx';
import { resting } from './resting.ts';

/** What a desk said of one field, or undefined. */
export type ErrorOf = (field: string) => string | undefined;

/** One thing to decide, with a form: what the desk refuses stands at the field that it names, or above the buttons. */
export function FormDialog({
  label,
  title,
  lead,
  fields,
  act,
  acting = 'Saving…',
  keep = 'Cancel',
  isDangerous = false,
  isResting = false,
  onSend,
  onClose,
  children,
}: {
  /** What a screen reader calls the dialog. */
  label: string;
  title: ReactNode;
  lead?: ReactNode;
  /** Names of the fields that show what is said of them. */
  fields: readonly string[];
  /** Verb and object. */
  act: string;
  acting?: string;
  /** The words of the button that leaves everything as it is. */
  keep?: string;
  isDangerous?: boolean;
  /** The form is not ready to be sent. */
  isResting?: boolean;
  /** Closes the dialog itself when it is done; a refusal is shown here. */
  onSend: () => Promise<unknown>;
  onClose: () => void;
  /** The fields. `clear` takes away what was said of what was typed before. */
  children: (errorOf: ErrorOf, clear: () => void) => ReactNode;
}) {
  const ask = useAsk();
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (!isResting && !ask.asking) await ask.ask(onSend);
  };
  return (
    <Dialog label={label} className="small" onClose={onClose}>
      <h2>{title}</h2>
      {lead !== undefined && <div className="q2">{lead}</div>}
      <form className="form" onSubmit={send} noValidate>
        {children(ask.errorOf, ask.clear)}
        <Refusal of={ask} fields={fields} />
        <div className="editor-foot">
          <button
            type="submit"
            className={isDangerous ? 'btn danger' : 'btn main-act'}
            {...resting(isResting || ask.asking)}
          >
            {ask.asking ? acting : act}
          </button>
          <button type="button" className="btn quiet" onClick={onClose}>
            {keep}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** The name of a thing: its one field, or its first. */
export function NameField({
  value,
  maxLength,
  error,
  onChange,
}: {
  value: string;
  maxLength: number;
  error: string | undefined;
  onChange: (name: string) => void;
}) {
  return (
    <Field label="Name" error={error}>
      {(props) => (
        <input
          {...props}
          className="in"
          maxLength={maxLength}
          autoComplete="off"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
