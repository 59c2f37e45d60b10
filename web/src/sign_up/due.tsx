import { useState } from 'react';
import { Refusal, useAsk } from '../account/use_account.tsx';
import { Link } from '../address/navigate.tsx';
import { resting } from '../controls/resting.ts';
import { useReading } from '../desk/reading.ts';
import { useDesk } from '../desk/session.tsx';
import { Failed } from '../overview/states.tsx';
import { PlainPage } from '../shell/plain.tsx';
import { AgreementFields, useAgreement } from './agreement.tsx';
import { type LegalDocument, signUpApi } from './api.ts';
import './sign_up.css';

/** Before everything else, after the desk has published something material. */
export function AgreementDuePage() {
  const reading = useReading(signUpApi.agreements);
  return (
    <PlainPage title="The documents have changed" narrow>
      <h1>The documents of this desk have changed</h1>
      <p className="lede">Your sites open again once you have accepted what holds now. Collection goes on meanwhile.</p>
      {reading.problem !== undefined ? (
        <Failed {...reading.problem} onRetry={reading.reload} what="What is to be accepted could not be read." />
      ) : reading.answer === undefined ? (
        <p>…</p>
      ) : (
        <Accept due={reading.answer.due} />
      )}
    </PlainPage>
  );
}

function Accept({ due }: { due: readonly LegalDocument[] }) {
  const { enter, leave } = useDesk();
  const agreement = useAgreement(due, false);
  const ask = useAsk();
  const [entering, setEntering] = useState(false);
  const accept = async () => {
    const done = await ask.ask(() => signUpApi.accept(agreement.value.accepted));
    if (done === undefined) return;
    setEntering(true);
    await enter();
    setEntering(false);
  };
  return (
    <form className="form" onSubmit={(event) => event.preventDefault()}>
      <Refusal of={ask} />
      <AgreementFields of={agreement} />
      <div className="go">
        <button
          type="button"
          className="btn main-act"
          onClick={() => void accept()}
          {...resting(ask.asking || entering || !agreement.isWhole)}
        >
          {ask.asking || entering ? 'Accepting…' : 'Accept and go on'}
        </button>
        <button type="button" className="btn quiet" onClick={() => void leave()}>
          Sign out
        </button>
      </div>
      <p className="help">
        Without accepting,{' '}
        <Link className="link" href="/account">
          your account
        </Link>{' '}
        stays open to you: look at it, change it or leave.
      </p>
    </form>
  );
}
