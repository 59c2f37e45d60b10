import type { FormEvent } from 'react';
import { useEffect, useRef, useState } from 'react';
import { Link, navigate, useAddress } from '../address/navigate.tsx';
import { safeReturn } from '../address/route.ts';
import { Field, FormError, PasswordInput } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError, SetUpState } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { useDesk } from '../desk/session.tsx';
import { PlainPage } from '../shell/plain.tsx';

/** Who are you? One form, and reasons in words. */
export function SignInPage({ ended }: { ended: boolean }) {
  const { visitor, enter } = useDesk();
  const { search } = useAddress();
  const next = safeReturn(new URLSearchParams(search).get('next'));
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [caps, setCaps] = useState(false);
  const [missing, setMissing] = useState<'email' | 'password'>();
  const [refusal, setRefusal] = useState<DeskError>();
  const [sending, setSending] = useState(false);
  const [setUp, setSetUp] = useState<SetUpState>();
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    api.setUpState().then(setSetUp, () => {});
  }, []);
  useEffect(() => {
    if (visitor.state === 'here') navigate(next, { replace: true });
  }, [visitor.state, next]);

  // Signed in again in another tab, this one goes on as well.
  useEffect(() => {
    const look = () => {
      if (!document.hidden) api.session().then(enter, () => {});
    };
    document.addEventListener('visibilitychange', look);
    window.addEventListener('focus', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      window.removeEventListener('focus', look);
    };
  }, [enter]);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const empty = email.trim() === '' ? 'email' : password === '' ? 'password' : undefined;
    setMissing(empty);
    if (empty !== undefined) {
      form.current?.querySelector<HTMLInputElement>(`[name="${empty}"]`)?.focus();
      return;
    }
    setSending(true);
    setRefusal(undefined);
    try {
      await enter(await api.signIn({ email: email.trim(), password }));
    } catch (error) {
      setRefusal(asDeskError(error, 'Signing in failed. Try again.'));
      setPassword('');
      form.current?.querySelector<HTMLInputElement>('[name="password"]')?.focus();
    } finally {
      setSending(false);
    }
  };

  if (setUp?.waiting === true)
    return (
      <PlainPage title="Sign in" version={setUp.version} narrow>
        <h1>Nobody is here yet</h1>
        <p className="lede">
          This desk waits for its first owner. The address that it printed when it started is the way in.
        </p>
        <Link className="btn" href="/setup">
          Where is that address?
        </Link>
      </PlainPage>
    );

  return (
    <PlainPage title="Sign in" version={setUp?.version} narrow>
      <h1>Sign in</h1>
      <p className="lede">
        {ended
          ? 'Your session has ended. After signing in, the same page comes back.'
          : next === '/'
            ? 'To the desk of your organisation.'
            : 'Then the page that you asked for opens.'}
      </p>
      <form className="form" ref={form} onSubmit={submit} noValidate>
        <FormError message={refusal?.message} reference={refusal?.status === 500 ? refusal.reference : undefined} />
        <Field label="E-mail" error={missing === 'email' ? 'Your e-mail address is needed.' : undefined}>
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
                setMissing(undefined);
              }}
            />
          )}
        </Field>
        <Field
          label="Password"
          error={missing === 'password' ? 'Your password is needed.' : undefined}
          help={caps ? 'Caps Lock is on.' : undefined}
        >
          {(props) => (
            <PasswordInput
              {...props}
              name="password"
              autoComplete="current-password"
              value={password}
              onCapsLock={setCaps}
              onChange={(event) => {
                setPassword(event.target.value);
                setMissing(undefined);
              }}
            />
          )}
        </Field>
        <div className="go">
          <button type="submit" className="btn main-act" {...resting(sending)}>
            {sending ? 'Signing in…' : 'Sign in'}
          </button>
        </div>
      </form>
    </PlainPage>
  );
}
