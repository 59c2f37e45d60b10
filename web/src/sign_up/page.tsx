import type { FormEvent } from 'react';
import { useEffect, useState } from 'react';
import { passwordCharsMin } from '../../../contract/limits.ts';
import { Refusal, useAsk } from '../account/use_account.tsx';
import { Link } from '../address/navigate.tsx';
import { Field, PasswordInput } from '../controls/field.tsx';
import { useLacks } from '../controls/lacks.ts';
import { resting } from '../controls/resting.ts';
import { useReading } from '../desk/reading.ts';
import { useDesk } from '../desk/session.tsx';
import { passwordStrength } from '../first_run/password.ts';
import { Failed } from '../overview/states.tsx';
import { PlainPage } from '../shell/plain.tsx';
import { takeToken } from '../sign_in/fragment.ts';
import { ProviderButtons } from '../sign_in/other_ways.tsx';
import { askWithWork } from '../sign_in/work.ts';
import { AgreementFields, agreementNeeded, documentNames, useAgreement } from './agreement.tsx';
import { type SignUpReading, signUpApi } from './api.ts';
import './sign_up.css';

/** An account and an organisation of one's own, where the desk lets people in by themselves. */
export function SignUpPage() {
  const [token] = useState(takeToken);
  const state = useReading(signUpApi.state);
  const [invited, setInvited] = useState<SignUpReading>();
  const [isOver, setOver] = useState(false);
  const { visitor } = useDesk();
  useEffect(() => {
    if (token !== undefined) signUpApi.read(token).then(setInvited, () => setOver(true));
  }, [token]);

  if (state.problem !== undefined)
    return (
      <PlainPage title="Create an account" narrow>
        <Failed {...state.problem} onRetry={state.reload} what="This desk did not say whether one can sign up." />
      </PlainPage>
    );
  if (isOver)
    return (
      <Instead title="This invitation does not work">
        It was used, taken back, or is older than seven days. Ask whoever runs this desk for a new one.
      </Instead>
    );
  if (state.answer === undefined || (token !== undefined && invited === undefined))
    return (
      <PlainPage title="Create an account" narrow>
        <h1>Create an account</h1>
        <p className="lede">Asking the desk…</p>
      </PlainPage>
    );
  const { mode, mail_is_on, documents, missing } = state.answer;
  if (visitor.state === 'here')
    return (
      <Instead title="You are signed in" to="/" act="Open my sites">
        An account is yours already. Another organisation is added under its settings.
      </Instead>
    );
  if (mode === 'off' || (mode === 'invitation' && invited === undefined))
    return (
      <Instead title={mode === 'off' ? 'Nobody can sign up here' : 'Signing up needs an invitation'}>
        {mode === 'off'
          ? 'This desk takes people in by invitation of an organisation. Ask an owner for one.'
          : 'Open the link of its mail, or ask whoever runs this desk for one.'}
      </Instead>
    );
  if (missing.length > 0)
    return (
      <Instead title="Nobody can sign up here yet">
        {`Whoever runs this desk has published no ${missing.map((kind) => documentNames[kind].toLowerCase()).join(', ')}, so there is nothing to agree to.`}
      </Instead>
    );
  return (
    <Form documents={documents} mailIsOn={mail_is_on} invited={invited} token={token} byDomain={mode === 'domains'} />
  );
}

function Instead({
  title,
  children,
  to = '/sign-in',
  act = 'Back to signing in',
}: {
  title: string;
  children: string;
  to?: string;
  act?: string;
}) {
  return (
    <PlainPage title={title} narrow>
      <h1>{title}</h1>
      <p className="lede">{children}</p>
      <Link className="btn" href={to}>
        {act}
      </Link>
    </PlainPage>
  );
}

function Form({
  documents,
  mailIsOn,
  invited,
  token,
  byDomain,
}: {
  documents: Parameters<typeof useAgreement>[0];
  mailIsOn: boolean;
  invited: SignUpReading | undefined;
  token: string | undefined;
  byDomain: boolean;
}) {
  const [email, setEmail] = useState(invited?.email ?? '');
  const [name, setName] = useState('');
  const [organisation, setOrganisation] = useState('');
  const [password, setPassword] = useState('');
  const [working, setWorking] = useState(false);
  const agreement = useAgreement(documents, true);
  const ask = useAsk();
  const { said, isWhole } = useLacks({
    ...(email.trim() === '' ? { email: 'Your e-mail address is needed.' } : {}),
    ...(name.trim() === '' ? { name: 'Your name is needed.' } : {}),
    ...(organisation.trim() === '' ? { organisation: 'The organisation needs a name.' } : {}),
    ...([...password].length < passwordCharsMin ? { password: passwordStrength(password).text } : {}),
    ...(agreement.isWhole ? {} : { agreement: agreementNeeded }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!isWhole(event.currentTarget) || ask.asking) return;
    const given = {
      email: email.trim(),
      name: name.trim(),
      organisation: organisation.trim(),
      password,
      agreement: agreement.value,
      ...(token === undefined ? {} : { invitation: token }),
    };
    void ask.ask(() =>
      askWithWork(
        (proof) => signUpApi.ask(proof === undefined ? given : { ...given, proof }),
        () => setWorking(true),
      ),
    );
  };
  if (ask.done)
    return (
      <PlainPage title="Look into your mail" narrow>
        <h1>Look into your mail</h1>
        <p className="lede" role="status">
          A mail is on its way to {email.trim()}. Its link makes the account; it works once, for an hour, and asks for
          the password again.
        </p>
        <p className="help">Nothing came? Look into the folder for spam, or sign up once more.</p>
        <div className="go">
          <button type="button" className="btn" onClick={ask.clear}>
            Back to the form
          </button>
        </div>
      </PlainPage>
    );
  const field = (
    label: string,
    at: 'email' | 'name' | 'organisation',
    value: string,
    set: (value: string) => void,
    more: { help?: string; autoComplete: string; readOnly?: boolean },
  ) => (
    <Field label={label} error={said[at] ?? ask.errorOf(at)} help={more.help}>
      {(props) => (
        <input
          {...props}
          className="in"
          name={at}
          // biome-ignore lint/a11y/noAutofocus: the page is this form.
          autoFocus={at === 'email' && more.readOnly !== true}
          type={at === 'email' ? 'email' : 'text'}
          autoComplete={more.autoComplete}
          maxLength={at === 'email' ? 254 : 120}
          readOnly={more.readOnly === true}
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
    <PlainPage title="Create an account" narrow>
      <h1>Create an account</h1>
      <p className="lede">With it comes an organisation of your own. Your first site is next.</p>
      {mailIsOn ? (
        <form className="form" onSubmit={submit} noValidate>
          <Refusal
            of={ask}
            fields={['email', 'name', 'organisation', 'password', 'agreement.is_adult', 'agreement.accepted']}
          />
          {field('E-mail', 'email', email, setEmail, {
            autoComplete: 'username',
            readOnly: invited !== undefined,
            ...(invited !== undefined
              ? { help: 'The invitation is for this address.' }
              : byDomain
                ? { help: 'The address of your work: not every domain can sign up here.' }
                : {}),
          })}
          {field('Your name', 'name', name, setName, { autoComplete: 'name' })}
          {field('Organisation', 'organisation', organisation, setOrganisation, {
            autoComplete: 'organization',
            help: 'Whose sites are measured. You own it and can invite others.',
          })}
          <Field
            label="Password"
            help={passwordStrength(password).text}
            error={said.password ?? ask.errorOf('password')}
          >
            {(props) => (
              <PasswordInput
                {...props}
                name="password"
                autoComplete="new-password"
                value={password}
                onChange={(event) => {
                  setPassword(event.target.value);
                  ask.clear();
                }}
              />
            )}
          </Field>
          <AgreementFields
            of={agreement}
            error={said.agreement ?? ask.errorOf('agreement.is_adult') ?? ask.errorOf('agreement.accepted')}
          />
          <div className="go">
            <button type="submit" className="btn main-act" {...resting(ask.asking)}>
              {ask.asking ? 'Sending…' : 'Create the account'}
            </button>
            <Link href="/sign-in">I have an account</Link>
            <p className="help" aria-live="polite">
              {working && 'Several people sign up from here, so this browser does some work first. It takes seconds.'}
            </p>
          </div>
        </form>
      ) : (
        <p className="note">
          <span>
            <b>This desk sends no mail.</b> So it cannot confirm an address, and nobody can sign up with a password.
            Whoever runs it can name a mail server.
          </span>
        </p>
      )}
      <ProviderButtons next="/" invitation={token} label="Other ways to sign up" />
    </PlainPage>
  );
}
