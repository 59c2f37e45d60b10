import type { FormEvent } from 'react';
import { useEffect, useState } from 'react';
import { people } from '../account/api.ts';
import { CodeField } from '../account/code_field.tsx';
import { Refusal, useAsk } from '../account/use_account.tsx';
import { Link, navigate, useAddress } from '../address/navigate.tsx';
import { safeReturn } from '../address/route.ts';
import { resting } from '../controls/resting.ts';
import { useDesk } from '../desk/session.tsx';
import { PlainPage } from '../shell/plain.tsx';

/** The second step of signing in. Whoever comes without a first one is sent to it. */
export function SecondFactorPage() {
  const { search } = useAddress();
  const next = safeReturn(new URLSearchParams(search).get('next'));
  const { enter } = useDesk();
  const [code, setCode] = useState('');
  const [isOver, setOver] = useState(false);
  const ask = useAsk();

  useEffect(() => {
    people.secondStep().catch(() => setOver(true));
  }, []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (code.trim() === '') return;
    const done = await ask.ask(() => people.takeSecondStep(code.trim()));
    if (done === undefined) return;
    await enter();
    navigate(next, { replace: true });
  };

  if (isOver || ask.refusal?.code === 'sign_in_expired')
    return (
      <PlainPage title="Sign in again" narrow>
        <h1>This sign-in is over</h1>
        <p className="lede" role="alert">
          {ask.refusal?.message ?? 'No sign-in waits for a code here. Start with the password.'}
        </p>
        <Link className="btn main-act" href={next === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`}>
          Sign in
        </Link>
      </PlainPage>
    );
  return (
    <PlainPage title="Second factor" narrow>
      <h1>Enter the code</h1>
      <p className="lede">Your authenticator shows it. Without the phone at hand, a recovery code opens once.</p>
      <form className="form" onSubmit={submit} noValidate>
        <Refusal of={ask} fields={['code']} />
        <CodeField
          value={code}
          error={ask.errorOf('code')}
          autoFocus
          onChange={(value) => {
            setCode(value);
            ask.clear();
          }}
        />
        <div className="go">
          <button type="submit" className="btn main-act" {...resting(ask.asking || code.trim() === '')}>
            {ask.asking ? 'Checking…' : 'Sign in'}
          </button>
          <Link href="/sign-in">Sign in as somebody else</Link>
        </div>
      </form>
    </PlainPage>
  );
}
