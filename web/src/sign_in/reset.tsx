import type { FormEvent } from 'react';
import { useState } from 'react';
import { passwordCharsMin } from '../../../contract/limits.ts';
import { people } from '../account/api.ts';
import { Refusal, useAsk } from '../account/use_account.tsx';
import { Link } from '../address/navigate.tsx';
import { Field, PasswordInput } from '../controls/field.tsx';
import { useLacks } from '../controls/lacks.ts';
import { resting } from '../controls/resting.ts';
import { passwordStrength } from '../first_run/password.ts';
import { PlainPage } from '../shell/plain.tsx';
import { takeToken } from './fragment.ts';

/** A forgotten password: ask for the link, or, coming by it, set a new one. */
export function ResetPage() {
  const [token] = useState(takeToken);
  const [asksAgain, setAsksAgain] = useState(false);
  return token === undefined || asksAgain ? (
    <AskForLink />
  ) : (
    <NewPassword token={token} onAgain={() => setAsksAgain(true)} />
  );
}

function AskForLink() {
  const [email, setEmail] = useState('');
  const ask = useAsk();
  const { said, isWhole } = useLacks(email.trim() === '' ? { email: 'Your e-mail address is needed.' } : {});
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (isWhole(event.currentTarget) && !ask.asking) void ask.ask(() => people.askReset(email.trim()));
  };
  if (ask.done)
    return (
      <PlainPage title="Look into your mail" narrow>
        <h1>Look into your mail</h1>
        <p className="lede" role="status">
          If somebody here has the address {email.trim()}, a link is on its way to it. It works once, for an hour.
          Nothing came? The address may be another one, or this desk cannot send mail yet: whoever runs it can make a
          link with <code>fairlead people reset</code>.
        </p>
        <Link className="btn" href="/sign-in">
          Back to signing in
        </Link>
      </PlainPage>
    );
  return (
    <PlainPage title="Reset the password" narrow>
      <h1>Set a new password</h1>
      <p className="lede">A link to do so comes by mail. Until it is opened your password stays as it is.</p>
      <form className="form" onSubmit={submit} noValidate>
        <Refusal of={ask} fields={['email']} />
        <Field label="E-mail" error={said.email ?? ask.errorOf('email')}>
          {(props) => (
            <input
              {...props}
              className="in"
              name="email"
              type="email"
              autoComplete="username"
              // biome-ignore lint/a11y/noAutofocus: the page is this form.
              autoFocus
              value={email}
              onChange={(event) => {
                setEmail(event.target.value);
                ask.clear();
              }}
            />
          )}
        </Field>
        <div className="go">
          <button type="submit" className="btn main-act" {...resting(ask.asking)}>
            {ask.asking ? 'Sending…' : 'Send the link'}
          </button>
          <Link href="/sign-in">Back to signing in</Link>
        </div>
      </form>
    </PlainPage>
  );
}

function NewPassword({ token, onAgain }: { token: string; onAgain: () => void }) {
  const [password, setPassword] = useState('');
  const ask = useAsk();
  const { said, isWhole } = useLacks(
    [...password].length < passwordCharsMin ? { password: passwordStrength(password).text } : {},
  );
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (isWhole(event.currentTarget) && !ask.asking) void ask.ask(() => people.reset({ token, password }));
  };
  if (ask.done)
    return (
      <PlainPage title="The password is set" narrow>
        <h1>The password is set</h1>
        <p className="lede" role="status">
          Every session of yours has ended. Sign in with the new password.
        </p>
        <Link className="btn main-act" href="/sign-in">
          Sign in
        </Link>
      </PlainPage>
    );
  if (ask.refusal?.code === 'link_expired')
    return (
      <PlainPage title="This link does not work any more" narrow>
        <h1>This link does not work any more</h1>
        <p className="lede" role="alert">
          {ask.refusal.message}
        </p>
        <button type="button" className="btn main-act" onClick={onAgain}>
          Ask for a new link
        </button>
      </PlainPage>
    );
  return (
    <PlainPage title="Set a new password" narrow>
      <h1>Set a new password</h1>
      <p className="lede">It ends every session of yours.</p>
      <form className="form" onSubmit={submit} noValidate>
        <Refusal of={ask} fields={['password']} />
        <Field
          label="New password"
          help={passwordStrength(password).text}
          error={said.password ?? ask.errorOf('password')}
        >
          {(props) => (
            <PasswordInput
              {...props}
              name="password"
              autoComplete="new-password"
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
          <button type="submit" className="btn main-act" {...resting(ask.asking)}>
            {ask.asking ? 'Setting…' : 'Set password'}
          </button>
        </div>
      </form>
    </PlainPage>
  );
}
