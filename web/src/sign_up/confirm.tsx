import type { FormEvent } from 'react';
import { useState } from 'react';
import { Refusal, useAsk } from '../account/use_account.tsx';
import { Link, navigate } from '../address/navigate.tsx';
import { Field, PasswordInput } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import { useDesk } from '../desk/session.tsx';
import { PlainPage } from '../shell/plain.tsx';
import { takeToken } from '../sign_in/fragment.ts';
import { signUpApi } from './api.ts';

/** Coming by the link of the mail: with the password that was chosen, account and organisation are made. */
export function SignUpConfirmPage() {
  const [token] = useState(takeToken);
  const [password, setPassword] = useState('');
  const { enter } = useDesk();
  const ask = useAsk();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (password === '' || token === undefined) return;
    const done = await ask.ask(() => signUpApi.confirm({ token, password }));
    if (done === undefined) return;
    await enter();
    navigate(`/sites/new?o=${encodeURIComponent(done.answer.slug)}`, { replace: true });
  };
  if (token === undefined || ask.refusal?.code === 'link_expired' || ask.refusal?.code === 'conflict')
    return (
      <PlainPage title="This link does not work" narrow>
        <h1>This link does not work</h1>
        <p className="lede" role="alert">
          {ask.refusal?.message ?? 'It was cut short. Open it from the mail again, whole.'}
        </p>
        <div className="go">
          <Link className="btn" href="/sign-up">
            Sign up again
          </Link>
          <Link href="/sign-in">Sign in</Link>
        </div>
      </PlainPage>
    );
  return (
    <PlainPage title="Confirm the address" narrow>
      <h1>Confirm the address</h1>
      <p className="lede">
        The link shows that the mailbox is yours. The password shows that it was you who signed up.
      </p>
      <form className="form" onSubmit={(event) => void submit(event)} noValidate>
        <Refusal of={ask} fields={['password']} />
        <Field label="The password that you chose" error={ask.errorOf('password')}>
          {(props) => (
            <PasswordInput
              {...props}
              autoComplete="current-password"
              autoFocus
              value={password}
              onChange={(event) => {
                setPassword(event.target.value);
                ask.clear();
              }}
            />
          )}
        </Field>
        <div className="go">
          <button type="submit" className="btn main-act" {...resting(ask.asking || password === '')}>
            {ask.asking ? 'Making the account…' : 'Make the account'}
          </button>
        </div>
      </form>
    </PlainPage>
  );
}
