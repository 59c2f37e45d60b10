import type { FormEvent } from 'react';
import { useEffect, useState } from 'react';
import { people } from '../account/api.ts';
import { CodeField } from '../account/code_field.tsx';
import { Refusal, useAsk } from '../account/use_account.tsx';
import { Link, navigate, useAddress } from '../address/navigate.tsx';
import { safeReturn } from '../address/route.ts';
import { FormError } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { identitiesApi } from '../desk/identities.ts';
import { useDesk } from '../desk/session.tsx';
import { askPasskey, hasPasskeys } from '../edge/passkeys.ts';
import { PlainPage } from '../shell/plain.tsx';

/** The second step of signing in. Whoever comes without a first one is sent to it. */
export function SecondFactorPage() {
  const { search } = useAddress();
  const next = safeReturn(new URLSearchParams(search).get('next'));
  const { enter } = useDesk();
  const [code, setCode] = useState('');
  const [isOver, setOver] = useState(false);
  /** What this person can answer with; both until the desk has said. */
  const [ways, setWays] = useState<readonly string[]>(['code']);
  const [passkey, setPasskey] = useState<{ waits: boolean; refusal?: DeskError }>({ waits: false });
  const ask = useAsk();

  useEffect(() => {
    people.secondStep().then(
      (step) => setWays(step.second_factor ?? ['code']),
      () => setOver(true),
    );
  }, []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (code.trim() === '') return;
    const done = await ask.ask(() => people.takeSecondStep(code.trim()));
    if (done === undefined) return;
    await enter();
    navigate(next, { replace: true });
  };

  const byPasskey = async () => {
    setPasskey({ waits: true });
    try {
      const { options } = await identitiesApi.secondStepOptions();
      const credential = await askPasskey(options);
      if (credential === undefined) return setPasskey({ waits: false });
      await identitiesApi.takeSecondStep(credential);
      await enter();
      navigate(next, { replace: true });
    } catch (error) {
      setPasskey({
        waits: false,
        refusal: asDeskError(error, 'The browser could not ask for the passkey. Try again.'),
      });
    }
  };
  const takesPasskey = ways.includes('passkey') && hasPasskeys();
  const takesCode = ways.includes('code') || !takesPasskey;

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
      <h1>{takesCode ? 'Enter the code' : 'Use your passkey'}</h1>
      <p className="lede">
        {takesCode
          ? 'Your authenticator shows it. Without the phone at hand, a recovery code opens once.'
          : 'Your account asks for it after the password. Without it, whoever runs this desk can take it away.'}
      </p>
      {takesPasskey && (
        <>
          <FormError message={passkey.refusal?.message} />
          <button
            type="button"
            className={takesCode ? 'btn' : 'btn main-act'}
            onClick={() => void byPasskey()}
            {...resting(passkey.waits)}
          >
            {passkey.waits ? 'Waiting for the passkey…' : 'Use a passkey'}
          </button>
        </>
      )}
      {!takesCode && <Link href="/sign-in">Sign in as somebody else</Link>}
      {takesCode && (
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
      )}
    </PlainPage>
  );
}
