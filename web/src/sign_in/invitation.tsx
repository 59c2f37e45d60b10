import type { FormEvent } from 'react';
import { useEffect, useState } from 'react';
import { passwordCharsMin } from '../../../contract/limits.ts';
import { Link, navigate } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { Field, FormError, PasswordInput } from '../controls/field.tsx';
import { useLacks } from '../controls/lacks.ts';
import { resting } from '../controls/resting.ts';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { useDesk } from '../desk/session.tsx';
import { passwordStrength } from '../first_run/password.ts';
import type { InvitationReading } from '../organisation/wire.ts';
import { organisations } from '../organisation/wire.ts';
import { roleText } from '../organisation/words.ts';
import { PlainPage } from '../shell/plain.tsx';
import { AgreementFields, agreementNeeded, useAgreement } from '../sign_up/agreement.tsx';
import { ProviderButtons } from './other_ways.tsx';
import '../sign_up/sign_up.css';

/** Whoever comes by the link of an invitation: with the right account, with another one, or with none. */
export function InvitationPage({ token }: { token: string }) {
  const { visitor } = useDesk();
  const [reading, setReading] = useState<InvitationReading>();
  const [problem, setProblem] = useState<DeskError>();
  useEffect(() => {
    organisations.readInvitation(token).then(setReading, (error) => setProblem(asDeskError(error)));
  }, [token]);
  if (problem !== undefined)
    return (
      <PlainPage title="Invitation" narrow>
        <h1>This invitation does not work</h1>
        <p className="lede">{problem.message}</p>
        <Link className="btn" href="/">
          Open the desk
        </Link>
      </PlainPage>
    );
  if (reading === undefined || visitor.state === 'asking')
    return (
      <PlainPage title="Invitation" narrow>
        <h1>Invitation</h1>
        <p className="lede">Reading it…</p>
      </PlainPage>
    );
  const signedInAs = visitor.state === 'here' ? visitor.session.person.email : undefined;
  return (
    <PlainPage title="Invitation" narrow>
      <h1>Join {reading.organisation}</h1>
      <p className="lede">
        {reading.invited_by === '' ? 'Somebody who has left since' : reading.invited_by} invites {reading.email}, with
        the role {roleText(reading.role_name).toLowerCase()}.
      </p>
      {signedInAs === undefined ? (
        reading.has_account ? (
          <SignInFirst email={reading.email} token={token} />
        ) : (
          <NewAccount token={token} email={reading.email} documents={reading.documents} />
        )
      ) : signedInAs.toLowerCase() === reading.email.toLowerCase() ? (
        <Join token={token} organisation={reading.organisation} />
      ) : (
        <SomebodyElse signedInAs={signedInAs} email={reading.email} />
      )}
    </PlainPage>
  );
}

function SignInFirst({ email, token }: { email: string; token: string }) {
  const back = pathOf({ page: 'invitation', token });
  return (
    <>
      <p>There is an account of {email} here already. Sign in with it; then this page comes back.</p>
      <div className="go">
        <Link className="btn main-act" href={`/sign-in?next=${encodeURIComponent(back)}`}>
          Sign in
        </Link>
      </div>
    </>
  );
}

function SomebodyElse({ signedInAs, email }: { signedInAs: string; email: string }) {
  const { leave } = useDesk();
  return (
    <>
      <p className="note warn">
        You are signed in as {signedInAs}, and this invitation is for {email}. Nothing was joined.
      </p>
      <div className="go">
        <button type="button" className="btn main-act" onClick={() => void leave()}>
          Sign out and go on as {email}
        </button>{' '}
        <Link className="btn quiet" href="/">
          Stay signed in
        </Link>
      </div>
    </>
  );
}

function Join({ token, organisation }: { token: string; organisation: string }) {
  const { enter } = useDesk();
  const [refusal, setRefusal] = useState<DeskError>();
  const [sending, setSending] = useState(false);
  const join = async () => {
    setSending(true);
    try {
      const { slug } = await organisations.joinByInvitation(token);
      await enter();
      navigate(pathOf({ page: 'organisation-sites', organisation: slug }), { replace: true });
    } catch (error) {
      setRefusal(asDeskError(error));
      setSending(false);
    }
  };
  return (
    <>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      <div className="go">
        <button type="button" className="btn main-act" onClick={() => void join()} {...resting(sending)}>
          {sending ? 'Joining…' : `Join ${organisation}`}
        </button>
      </div>
    </>
  );
}

function NewAccount({
  token,
  email,
  documents,
}: {
  token: string;
  email: string;
  documents: InvitationReading['documents'];
}) {
  const agreement = useAgreement(documents, documents.length > 0);
  const { enter } = useDesk();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [refusal, setRefusal] = useState<DeskError>();
  const [sending, setSending] = useState(false);
  const { said, isWhole } = useLacks({
    ...(name.trim() === '' ? { name: 'Your name is needed.' } : {}),
    ...([...password].length < passwordCharsMin ? { password: passwordStrength(password).text } : {}),
    ...(agreement.isWhole ? {} : { agreement: agreementNeeded }),
  });
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!isWhole(event.currentTarget) || sending) return;
    setSending(true);
    setRefusal(undefined);
    try {
      const { slug } = await organisations.acceptInvitation({
        token,
        name: name.trim(),
        password,
        agreement: agreement.value,
      });
      await enter();
      navigate(pathOf({ page: 'organisation-sites', organisation: slug }), { replace: true });
    } catch (error) {
      setRefusal(asDeskError(error));
      setSending(false);
    }
  };
  const errorOf = (field: string) => (refusal?.field === field ? refusal.message : undefined);
  return (
    <>
      <form className="form" onSubmit={submit} noValidate>
        {refusal !== undefined && !['name', 'password', 'agreement'].includes(refusal.field?.split('.')[0] ?? '') && (
          <FormError message={refusal.message} reference={refusal.reference} />
        )}
        <Field label="E-mail" help="The invitation proves it, so there is nothing to confirm.">
          {(props) => <input {...props} className="in" type="email" autoComplete="username" value={email} readOnly />}
        </Field>
        <Field label="Your name" error={said.name ?? errorOf('name')}>
          {(props) => (
            <input
              {...props}
              className="in"
              name="name"
              autoComplete="name"
              maxLength={120}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label="Password" error={said.password ?? errorOf('password')} help={passwordStrength(password).text}>
          {(props) => (
            <PasswordInput
              {...props}
              name="password"
              autoComplete="new-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        <AgreementFields
          of={agreement}
          error={said.agreement ?? errorOf('agreement.is_adult') ?? errorOf('agreement.accepted')}
        />
        <div className="go">
          <button type="submit" className="btn main-act" {...resting(sending)}>
            {sending ? 'Making the account…' : 'Make the account and join'}
          </button>
        </div>
      </form>
      <ProviderButtons
        next={pathOf({ page: 'invitation', token })}
        invitation={token}
        label="Join with an account elsewhere"
      />
    </>
  );
}
