import type { FormEvent } from 'react';
import { useEffect, useRef, useState } from 'react';
import { passwordCharsMin, retentionMonthsMax } from '../../../contract/limits.ts';
import { Link, navigate } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { Field, FormError, keepFocus, PasswordInput } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError, SetUpState } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { useDesk } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { PlainPage } from '../shell/plain.tsx';
import { browserTimezone, cleanDomain, domainProblem, likelyCurrency } from '../sites/choices.tsx';
import { CurrencyField, DomainField, RetentionField, TimezoneField } from '../sites/fields.tsx';
import { passwordStrength } from './password.ts';
import { SnippetBox } from './snippet_box.tsx';
import { snippetPlaces } from './snippets.ts';
import { addressOf, TestEventButton, useChecks, WaitingCard, WhyNothing } from './waiting.tsx';

/**
 * The one-time code arrives in the fragment, which no server and no log ever sees. It is taken out of the address
 * at once and lives in this variable only.
 */
let code: string | undefined;
function takeCode(): string | undefined {
  const found = new URLSearchParams(window.location.hash.slice(1)).get('code');
  if (found !== null && found !== '') {
    code = found;
    history.replaceState(null, '', window.location.pathname + window.location.search);
  }
  return code;
}

/** From nothing to the first event: owner and site, snippet, "It works". */
export function FirstRunPage() {
  const [given] = useState(takeCode);
  const [state, setState] = useState<SetUpState>();
  const [problem, setProblem] = useState<string>();
  const [made, setMade] = useState<{ domain: string; timezone: string }>();
  const { visitor } = useDesk();

  useEffect(() => {
    api.setUpState().then(setState, (error: Error) => setProblem(error.message));
  }, []);

  if (made !== undefined)
    return <SnippetSteps domain={made.domain} timezone={made.timezone} version={state?.version} />;
  if (problem !== undefined)
    return (
      <PlainPage title="Set up">
        <h1>This desk does not answer</h1>
        <p className="lede">{problem}</p>
      </PlainPage>
    );
  if (state === undefined) return <PlainPage title="Set up">{null}</PlainPage>;
  if (!state.waiting)
    return (
      <PlainPage title="Set up" version={state.version}>
        <h1>This desk is set up</h1>
        <p className="lede">It has an owner already. New people come in by invitation of an owner.</p>
        <Link className="btn main-act" href={visitor.state === 'here' ? '/' : '/sign-in'}>
          {visitor.state === 'here' ? 'Open my sites' : 'Sign in'}
        </Link>
      </PlainPage>
    );
  if (given === undefined)
    return (
      <PlainPage title="Set up" version={state.version}>
        <h1>Open the printed address</h1>
        <p className="lede">
          This desk waits for its first owner. So that nobody else becomes it, the way in carries a one-time code: the
          line that <code className="ref">npm start</code> printed ends in <code className="ref">/setup#code=…</code>.
          Open that address, or copy it whole.
        </p>
        <p className="q2">
          The line has scrolled away? Start the desk again; as long as there is no owner, it prints a fresh one. With
          the system's own log: <code className="ref">journalctl -u fairlead</code>.
        </p>
      </PlainPage>
    );
  return (
    <OwnerForm code={given} version={state.version} onMade={(domain, timezone) => setMade({ domain, timezone })} />
  );
}

function Steps({ at }: { at: 0 | 1 | 2 | 3 }) {
  return (
    <ol className="steps">
      {['Owner and site', 'Snippet', 'First event'].map((text, index) => (
        <li
          key={text}
          className={index < at ? 'done' : ''}
          {...(index === at ? { 'aria-current': 'step' as const } : {})}
        >
          {text}
          {index < at && <span className="vh">, done</span>}
        </li>
      ))}
    </ol>
  );
}

type FieldName = 'email' | 'password' | 'organisation' | 'domain';

function OwnerForm({
  code: oneTimeCode,
  version,
  onMade,
}: {
  code: string;
  version: string;
  onMade: (domain: string, timezone: string) => void;
}) {
  const { enter } = useDesk();
  const form = useRef<HTMLFormElement>(null);
  const [values, setValues] = useState({
    email: '',
    password: '',
    organisation: '',
    domain: '',
    timezone: browserTimezone(),
    currency: likelyCurrency(navigator.language),
    months: retentionMonthsMax as number,
  });
  const [touched, setTouched] = useState<Partial<Record<FieldName, boolean>>>({});
  const [refusal, setRefusal] = useState<DeskError>();
  const [sending, setSending] = useState(false);
  useEffect(() => form.current?.querySelector<HTMLInputElement>('[name="email"]')?.focus(), []);
  const strength = passwordStrength(values.password);
  const set = (part: Partial<typeof values>) => {
    setValues({ ...values, ...part });
    setRefusal(undefined);
  };
  const problems: Partial<Record<FieldName, string>> = {
    ...(/^\S+@\S+\.\S+$/.test(values.email)
      ? {}
      : {
          email:
            values.email === ''
              ? 'Your e-mail address is needed to sign in.'
              : 'This is no e-mail address: name@example.com is one.',
        }),
    ...([...values.password].length >= passwordCharsMin
      ? {}
      : { password: `A password has at least ${passwordCharsMin} characters.` }),
    ...(values.organisation.trim() !== '' ? {} : { organisation: 'The organisation needs a name.' }),
    ...(domainProblem(values.domain) === undefined ? {} : { domain: domainProblem(values.domain) as string }),
  };
  const refusedField = refusal?.field?.replace(/^site\./, '');
  const errorOf = (name: FieldName) =>
    refusedField === name ? refusal?.message : touched[name] === true ? problems[name] : undefined;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTouched({ email: true, password: true, organisation: true, domain: true });
    const [first] = Object.keys(problems);
    if (first !== undefined) {
      form.current?.querySelector<HTMLInputElement>(`[name="${first}"]`)?.focus();
      return;
    }
    setSending(true);
    try {
      await api.setUp({
        code: oneTimeCode,
        email: values.email.trim(),
        password: values.password,
        organisation: values.organisation.trim(),
        site: {
          domain: cleanDomain(values.domain),
          timezone: values.timezone,
          currency: values.currency,
          retention_months: values.months,
        },
      });
      code = undefined;
      await enter();
      onMade(cleanDomain(values.domain), values.timezone);
    } catch (error) {
      setRefusal(asDeskError(error, 'The desk could not be set up. Try again.'));
      setSending(false);
    }
  };

  return (
    <PlainPage title="Set up" version={version}>
      <Steps at={0} />
      <h1>Set up this desk</h1>
      <p className="lede">
        You are the first here, so you become the owner. Everything you enter stays on this server.
      </p>
      <form className="form" ref={form} onSubmit={submit} noValidate>
        <Field label="E-mail" error={errorOf('email')}>
          {(props) => (
            <input
              {...props}
              className="in"
              name="email"
              type="email"
              autoComplete="username"
              value={values.email}
              onChange={(event) => set({ email: event.target.value })}
              onBlur={() => values.email !== '' && setTouched({ ...touched, email: true })}
            />
          )}
        </Field>
        <Field label="Password" error={errorOf('password')} help={strength.text}>
          {(props) => (
            <>
              <PasswordInput
                {...props}
                name="password"
                autoComplete="new-password"
                value={values.password}
                onChange={(event) => set({ password: event.target.value })}
                onBlur={() => values.password !== '' && setTouched({ ...touched, password: true })}
              />
              <span className={`meter ${strength.parts < 3 ? 'weak' : ''}`} aria-hidden="true">
                {[1, 2, 3, 4].map((part) => (
                  <i key={part} className={part <= strength.parts ? 'f' : ''} />
                ))}
              </span>
            </>
          )}
        </Field>
        <div className="pair">
          <Field label="Organisation" error={errorOf('organisation')}>
            {(props) => (
              <input
                {...props}
                className="in"
                name="organisation"
                autoComplete="organization"
                maxLength={120}
                value={values.organisation}
                onChange={(event) => set({ organisation: event.target.value })}
                onBlur={() => values.organisation !== '' && setTouched({ ...touched, organisation: true })}
              />
            )}
          </Field>
          <DomainField
            label="First site"
            error={errorOf('domain')}
            value={values.domain}
            onChange={(domain) => set({ domain })}
            onLeave={(domain) => {
              set({ domain });
              setTouched({ ...touched, domain: true });
            }}
          />
        </div>
        <div className="pair keep">
          <TimezoneField value={values.timezone} onChange={(timezone) => set({ timezone })} />
          <CurrencyField value={values.currency} onChange={(currency) => set({ currency })} />
        </div>
        <RetentionField value={values.months} onChange={(months) => set({ months })} />
        {refusal !== undefined &&
          (refusedField === undefined || !['email', 'password', 'organisation', 'domain'].includes(refusedField)) && (
            <FormError message={refusal.message} reference={refusal.reference} />
          )}
        <div className="go">
          <button type="submit" className="btn main-act" onMouseDown={keepFocus} {...resting(sending)}>
            {sending ? 'Creating…' : 'Create owner and site'}
          </button>
          <span className="q">Days start at midnight in this timezone. It can be changed later.</span>
        </div>
      </form>
    </PlainPage>
  );
}

/** Steps two and three: the snippet with its live checks, then what the first event looked like. */
export function SnippetSteps({
  domain,
  timezone,
  version,
}: {
  domain: string;
  timezone: string;
  version?: string | undefined;
}) {
  const waiting = useChecks(domain);
  const [since] = useState(now);
  const [place, setPlace] = useState(() => snippetPlaces.html(domain));
  const heading = useRef<HTMLHeadingElement>(null);
  const address = addressOf(waiting);
  const works = waiting.checks !== undefined && waiting.checks.first_event !== null;
  useEffect(() => heading.current?.focus(), [works]);
  if (works)
    return (
      <PlainPage title="It works" version={version}>
        <Steps at={3} />
        <h1 ref={heading} tabIndex={-1}>
          It works
        </h1>
        <p className="lede">The first event of {domain} is stored. From here on the numbers fill by themselves.</p>
        <WaitingCard domain={domain} waiting={waiting} since={since} timezone={timezone} />
        <div className="go">
          <button
            type="button"
            className="btn main-act"
            onClick={() => navigate(pathOf({ page: 'analytics', site: domain }))}
          >
            Open the overview
          </button>
        </div>
      </PlainPage>
    );
  return (
    <PlainPage title="Snippet" version={version}>
      <Steps at={1} />
      <h1 ref={heading} tabIndex={-1}>
        Put this on every page
      </h1>
      <p className="lede">{place}</p>
      <SnippetBox domain={domain} address={address} onPlace={setPlace} />
      <WaitingCard domain={domain} waiting={waiting} since={since} timezone={timezone} />
      <div className="go">
        <TestEventButton domain={domain} />
      </div>
      <WhyNothing domain={domain} address={address ?? window.location.origin} />
      <p className="why-nothing">
        <Link className="link" href={pathOf({ page: 'analytics', site: domain })}>
          Open the overview already
        </Link>
      </p>
    </PlainPage>
  );
}
