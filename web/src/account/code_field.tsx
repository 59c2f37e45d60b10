import { Field } from '../controls/field.tsx';
import './account.css';

/** Six digits of an authenticator, or a recovery code: the desk tells them apart. */
export function CodeField({
  value,
  error,
  help = 'Six digits of the app, or a recovery code.',
  autoFocus = false,
  onChange,
}: {
  value: string;
  error: string | undefined;
  help?: string;
  autoFocus?: boolean;
  onChange: (value: string) => void;
}) {
  return (
    <Field label="Code" error={error} help={help}>
      {(props) => (
        <input
          {...props}
          className="in code-in"
          autoComplete="one-time-code"
          autoCapitalize="off"
          spellCheck={false}
          maxLength={40}
          // biome-ignore lint/a11y/noAutofocus: where it is asked for, the page is this field.
          autoFocus={autoFocus}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
