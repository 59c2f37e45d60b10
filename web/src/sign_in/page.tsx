import type { FormEvent } from 'react';
import { useEffect, useRef, useState } from 'react';
import { Link, navigate, useAddress } from '../address/navigate.tsx';
import { safeReturn } from '../address/route.ts';
import { Field, FormError, PasswordInput } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import type { SetUpState } from '../desk/api.ts';
import { api, asDeskError, DeskError } from '../desk/api.ts';
import { useDesk } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { localTime } from '../period/period.ts';
import { dayText } from '../period/words.ts';
import { PlainPage } from '../shell/plain.tsx';
import { signUpApi } from '../sign_up/api.ts';
import { OtherWays } from './other_ways.tsx';
import { askWithWork } from './work.ts';

/** COK-08: a session is two cookies, so a browser that keeps none cannot hold one. */
const noCookies =
  'This browser keeps no cookies, and a session is in two of them. Allow cookies for this address, then sign in.';

/** Who are you? One form, and reasons in words. */
export function SignInPage({ ended }: { ended: boolean }) {
  const { visitor, enter } = useDesk();
  const { search } = useAddress();
  const next = safeReturn(new URLSearchParams(search).get('next'));
  /** Whoever has just set their account to close comes here. */
  const closing = /^\d{4}-\d\d-\d\d$/.exec(new URLSearchParams(search).get('closing') ?? '')?.[0];
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [caps, setCaps] = useState(false);
  const [missing, setMissing] = useState<'email' | 'password'>();
  const [refusal, setRefusal] = useState<DeskError>();
  const [sending, setSending] = useState(false);
  const [working, setWorking] = useState(false);
  const [setUp, setSetUp] = useState<SetUpState>();
  const [mayJoin, setMayJoin] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    api.setUpState().then(setSetUp, () => {});
    // By an invitation one comes from its mail.
    signUpApi.state().then(
      ({ mode, missing: lacks }) => setMayJoin((mode === 'open' || mode === 'domains') && lacks.length === 0),
      () => {},
    );
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
      const given = { email: email.trim(), password };
      const session = await askWithWork(
        (proof) => api.signIn(proof === undefined ? given : { ...given, proof }),
        () => setWorking(true),
      );
      if (!navigator.cookieEnabled) throw new DeskError(0, { code: 'no_cookies', message: noCookies });
      if (session !== undefined && 'second_factor' in session) {
        navigate(`/second-factor${next === '/' ? '' : `?next=${encodeURIComponent(next)}`}`);
        return;
      }
      await enter();
    } catch (error) {
      setRefusal(asDeskError(error, 'Signing in failed. Try again.'));
      setPassword('');
      form.current?.querySelector<HTMLInputElement>('[name="password"]')?.focus();
    } finally {
      setSending(false);
      setWorking(false);
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
        {closing !== undefined
          ? `Your account will be closed on ${dayText(closing, localTime(now(), 'UTC').day)}, and you are signed out. Sign in before that day to keep it.`
          : ended
            ? 'Your session has ended. After signing in, the same page comes back.'
            : next === '/'
              ? 'To the desk of your organisation.'
              : 'Then the page that you asked for opens.'}
      </p>
      <form className="form" ref={form} onSubmit={submit} noValidate>
        {!navigator.cookieEnabled && refusal === undefined && <FormError message={noCookies} />}
        <FormError message={refusal?.message} reference={refusal?.status === 500 ? refusal.reference : undefined} />
        <Field
          label="E-mail or username"
          error={missing === 'email' ? 'Your e-mail address or username is needed.' : undefined}
        >
          {(props) => (
            <input
              {...props}
              className="in"
              name="email"
              autoCapitalize="off"
              spellCheck={false}
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
          <Link href="/reset">Forgot the password?</Link>
          {mayJoin && <Link href="/sign-up">Create an account</Link>}
          <p className="help" aria-live="polite">
            {working &&
              'Several tries failed, so this browser does some work first. It takes seconds, at most a minute.'}
          </p>
        </div>
      </form>
      <OtherWays next={next} />
    </PlainPage>
  );
}
