import type { FormEvent, ReactNode } from 'react';
import { useState } from 'react';
import { Dialog } from '../controls/dialog.tsx';
import { Field, PasswordInput } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import type { Account } from './api.ts';
import { Refusal, useAsk } from './use_account.tsx';

/**
 * Asks once more before something that decides who may sign in: what will happen, and the password of whoever has one.
 * Somebody who has none is asked by the desk for a sign-in of the last minutes.
 */
export function ProveDialog({
  account,
  title,
  act,
  keep = 'Cancel',
  isDangerous = false,
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
  const ask = useAsk();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await ask.ask(() => onProve(account.has_password ? password : undefined));
  };
  return (
    <Dialog label={title} className="small" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <div className="dialog-head">
          <h2>{title}</h2>
        </div>
        <div className="q2 fate">{children}</div>
        {account.has_password && (
          <Field label="Your password" error={ask.errorOf('password')}>
            {(props) => (
              <PasswordInput
                {...props}
                autoComplete="current-password"
                value={password}
                onChange={(event) => {
                  setPassword(event.target.value);
                  ask.clear();
                }}
              />
            )}
          </Field>
        )}
        <Refusal of={ask} fields={account.has_password ? ['password'] : []} />
        <div className="editor-foot">
          <button
            type="submit"
            className={isDangerous ? 'btn danger' : 'btn main-act'}
            {...resting(ask.asking || (account.has_password && password === ''))}
          >
            {act}
          </button>
          <button type="button" className="btn quiet" onClick={onClose}>
            {keep}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
