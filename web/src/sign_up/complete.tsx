import type { FormEvent } from 'react';
import { useEffect, useState } from 'react';
import { Refusal, useAsk } from '../account/use_account.tsx';
import { Link, navigate } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { Field } from '../controls/field.tsx';
import { useLacks } from '../controls/lacks.ts';
import { resting } from '../controls/resting.ts';
import { asDeskError, type DeskError } from '../desk/api.ts';
import { useDesk } from '../desk/session.tsx';
import { PlainPage } from '../shell/plain.tsx';
import { takeToken } from '../sign_in/fragment.ts';
import { AgreementFields, agreementNeeded, useAgreement } from './agreement.tsx';
import { type SignUpReading, signUpApi } from './api.ts';
import './sign_up.css';

/** Somebody new whom a provider has proved: what is left to say, before anything is made. */
export function SignUpCompletePage() {
  const [token] = useState(takeToken);
  const [reading, setReading] = useState<SignUpReading>();
  const [problem, setProblem] = useState<DeskError>();
  useEffect(() => {
    if (token !== undefined) signUpApi.read(token).then(setReading, (error) => setProblem(asDeskError(error)));
  }, [token]);
  if (token === undefined || problem !== undefined)
    return (
      <PlainPage title="Begin again" narrow>
        <h1>This sign-up is over</h1>
        <p className="lede" role="alert">
          {problem?.message ?? 'The page was loaded again, and what the provider said is not kept. Begin again.'}
        </p>
        <Link className="btn" href="/sign-in">
          Back to signing in
        </Link>
      </PlainPage>
    );
  if (reading === undefined)
    return (
      <PlainPage title="Almost there" narrow>
        <h1>Almost there</h1>
        <p className="lede">Reading it…</p>
      </PlainPage>
    );
  return <Rest token={token} reading={reading} />;
}

function Rest({ token, reading }: { token: string; reading: SignUpReading }) {
  const joins = reading.organisation !== null;
  const { enter } = useDesk();
  const [name, setName] = useState(reading.name);
  const [organisation, setOrganisation] = useState('');
  const agreement = useAgreement(reading.documents, !joins || reading.documents.length > 0);
  const ask = useAsk();
  const { said, isWhole } = useLacks({
    ...(name.trim() === '' ? { name: 'Your name is needed.' } : {}),
    ...(!joins && organisation.trim() === '' ? { organisation: 'The organisation needs a name.' } : {}),
    ...(agreement.isWhole ? {} : { agreement: agreementNeeded }),
  });
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!isWhole(event.currentTarget) || ask.asking) return;
    const done = await ask.ask(() =>
      signUpApi.complete({
        token,
        name: name.trim(),
        agreement: agreement.value,
        ...(joins ? {} : { organisation: organisation.trim() }),
      }),
    );
    if (done === undefined) return;
    await enter();
    const { slug, is_new } = done.answer;
    navigate(
      is_new ? `/sites/new?o=${encodeURIComponent(slug)}` : pathOf({ page: 'organisation-sites', organisation: slug }),
      { replace: true },
    );
  };
  const text = (
    label: string,
    at: 'name' | 'organisation',
    value: string,
    set: (value: string) => void,
    autoComplete: string,
  ) => (
    <Field label={label} error={said[at] ?? ask.errorOf(at)}>
      {(props) => (
        <input
          {...props}
          className="in"
          name={at}
          autoComplete={autoComplete}
          maxLength={120}
          value={value}
          onChange={(event) => {
            set(event.target.value);
            ask.clear();
          }}
        />
      )}
    </Field>
  );
  return (
    <PlainPage title="Almost there" narrow>
      <h1>{joins ? `Join ${reading.organisation}` : 'Almost there'}</h1>
      <p className="lede">
        {reading.provider_name ?? 'The provider'} says that you are {reading.email}. No account is made before you send
        this.
      </p>
      <form className="form" onSubmit={(event) => void submit(event)} noValidate>
        <Refusal of={ask} fields={['name', 'organisation', 'agreement.is_adult', 'agreement.accepted']} />
        {text('Your name', 'name', name, setName, 'name')}
        {!joins && text('Organisation', 'organisation', organisation, setOrganisation, 'organization')}
        <AgreementFields
          of={agreement}
          error={said.agreement ?? ask.errorOf('agreement.is_adult') ?? ask.errorOf('agreement.accepted')}
        />
        <div className="go">
          <button type="submit" className="btn main-act" {...resting(ask.asking)}>
            {ask.asking ? 'Making the account…' : joins ? 'Make the account and join' : 'Make the account'}
          </button>
        </div>
      </form>
    </PlainPage>
  );
}
