import type { ComponentProps, InputHTMLAttributes, MouseEvent, ReactNode } from 'react';
import { useId, useState } from 'react';
import { Glyph, Icon } from './icons.tsx';

/** Label above, help under; an error takes the place of the help and says how to mend it (ui.md §8). */
export function Field({
  label,
  help,
  error,
  optional,
  children,
}: {
  label: string;
  help?: ReactNode;
  error?: string | undefined;
  optional?: boolean;
  children: (props: { id: string; 'aria-describedby': string | undefined; 'aria-invalid': boolean }) => ReactNode;
}) {
  const id = useId();
  const below = `${id}-help`;
  const described = error !== undefined || help !== undefined;
  return (
    <div className={`field ${error === undefined ? '' : 'wrong'}`}>
      <label htmlFor={id}>
        {label}
        {optional === true && <span className="q"> optional</span>}
      </label>
      {children({ id, 'aria-describedby': described ? below : undefined, 'aria-invalid': error !== undefined })}
      {error !== undefined ? (
        <span className="help st bad" id={below} role="alert">
          <Glyph state="bad" />
          <span>{error}</span>
        </span>
      ) : (
        help !== undefined && (
          <span className="help" id={below}>
            {help}
          </span>
        )
      )}
    </div>
  );
}

export function Select({ children, ...rest }: ComponentProps<'select'>) {
  return (
    <span className="in select">
      <select {...rest}>{children}</select>
      <Icon name="down" />
    </span>
  );
}

export function PasswordInput(props: InputHTMLAttributes<HTMLInputElement> & { onCapsLock?: (on: boolean) => void }) {
  const { onCapsLock, ...rest } = props;
  const [shown, setShown] = useState(false);
  return (
    <span className="in">
      <input
        {...rest}
        type={shown ? 'text' : 'password'}
        spellCheck={false}
        autoCapitalize="off"
        onKeyUp={(event) => onCapsLock?.(event.getModifierState('CapsLock'))}
      />
      <button
        type="button"
        className="in-button"
        aria-pressed={shown}
        aria-label={shown ? 'Hide the password' : 'Show the password'}
        onClick={() => setShown(!shown)}
      >
        <Icon name={shown ? 'eyeOff' : 'eye'} />
      </button>
    </span>
  );
}

/**
 * For the button that sends a form: pressing it does not leave the field, whose problem would come between the press
 * and the release, move the button away and swallow the click. Sending checks every field anyway.
 */
export function keepFocus(event: MouseEvent): void {
  event.preventDefault();
}

/** A message that stands for the whole form: what the desk said when it refused. */
export function FormError({ message, reference }: { message: string | undefined; reference?: string | undefined }) {
  if (message === undefined) return null;
  return (
    <p className="note bad" role="alert">
      <Glyph state="bad" />
      <span>
        {message}
        {reference !== undefined && <code className="ref"> {reference}</code>}
      </span>
    </p>
  );
}
