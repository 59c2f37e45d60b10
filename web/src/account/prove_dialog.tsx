import type { ReactNode } from 'react';
import { useState } from 'react';
import { Field, PasswordInput } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import type { Account } from './api.ts';

/**
 * Asks once more before something that decides who may sign in: what will happen, and the password of whoever has one.
 * Somebody who has none is asked by the desk for a sign-in of the last minutes.
 */
export function ProveDialog({
  account,
  title,
  act,
  keep,
  isDangerous,
  onProve,
  onClose,
  children,
}: {
  account: Account;
  title: string;
  /** The words of the button that does it. */
  act: string;
  keep?: string;
  isDangerous?: boolean;
  /** Does it, with the password where there is one. What it throws is said in the dialog, which stays open. */
  onProve: (password: string | undefined) => Promise<void>;
  onClose: () => void;
  children: ReactNode;
}) {
  const [password, setPassword] = useState('');
  const asks = account.has_password;
  return (
    <FormDialog
      label={title}
      title={title}
      lead={<div className="fate">{children}</div>}
      fields={asks ? ['password'] : []}
      act={act}
      acting={act}
      {...(keep === undefined ? {} : { keep })}
      {...(isDangerous === undefined ? {} : { isDangerous })}
      isResting={asks && password === ''}
      onSend={() => onProve(asks ? password : undefined)}
      onClose={onClose}
    >
      {(errorOf, clear) =>
        asks && (
          <Field label="Your password" error={errorOf('password')}>
            {(props) => (
              <PasswordInput
                {...props}
                autoComplete="current-password"
                value={password}
                onChange={(event) => {
                  setPassword(event.target.value);
                  clear();
                }}
              />
            )}
          </Field>
        )
      }
    </FormDialog>
  );
}
