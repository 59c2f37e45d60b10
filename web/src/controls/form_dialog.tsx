import type { FormEvent, ReactNode } from 'react';
import { useAsk } from '../account/use_account.tsx';
import { Dialog } from './dialog.tsx';
import { Field, FormError } from './field.tsx';
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
  /** The form is not ready to be sent. */
  isResting?: boolean;
  /** Closes the dialog itself when it is done; a refusal is shown here. */
  onSend: () => Promise<unknown>;
  onClose: () => void;
  children: (errorOf: ErrorOf) => ReactNode;
}) {
  const ask = useAsk();
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (!isResting && !ask.asking) await ask.ask(onSend);
  };
  const { refusal } = ask;
  const atField = refusal?.field !== undefined && fields.includes(refusal.field);
  return (
    <Dialog label={label} className="small" onClose={onClose}>
      <h2>{title}</h2>
      {lead !== undefined && <p>{lead}</p>}
      <form className="form" onSubmit={send} noValidate>
        {children(ask.errorOf)}
        {refusal !== undefined && !atField && <FormError message={refusal.message} reference={refusal.reference} />}
        <div className="editor-foot">
          <button type="submit" className="btn main-act" {...resting(isResting || ask.asking)}>
            {ask.asking ? acting : act}
          </button>
          <button type="button" className="btn quiet" onClick={onClose}>
            Cancel
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
