import type { FormEvent } from 'react';
import { useRef, useState } from 'react';
import { languages } from '../../../contract/languages.ts';
import { peopleLimits } from '../../../contract/limits.ts';
import { Field, PasswordInput, Select } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import { useDesk } from '../desk/session.tsx';
import { readerNames } from '../edge/reader.ts';
import { TimezoneField } from '../sites/fields.tsx';
import './account.css';
import { type Account, type AccountChange, people } from './api.ts';
import { CloseAccount } from './closing.tsx';
import { Done, Refusal, useAccount, useAsk } from './use_account.tsx';

/** Name, username, picture, how numbers are written, and the address. */
export function AccountProfile() {
  const { account, set, reload, instead } = useAccount();
  if (account === undefined) return <>{instead}</>;
  return (
    <div className="settings">
      <Names key={account.id} account={account} onChange={set} />
      <Picture account={account} onChange={reload} />
      <Address account={account} onChange={reload} />
      <CloseAccount account={account} />
    </div>
  );
}

function Names({ account, onChange }: { account: Account; onChange: (account: Account) => void }) {
  const { enter } = useDesk();
  const saved = {
    name: account.name,
    username: account.username ?? '',
    timezone: account.timezone ?? '',
    locale: account.locale ?? '',
  };
  const [draft, setDraft] = useState(saved);
  const ask = useAsk();
  const changed = (Object.keys(saved) as (keyof typeof saved)[]).filter((one) => draft[one].trim() !== saved[one]);
  const put = (part: Partial<typeof draft>) => {
    setDraft({ ...draft, ...part });
    ask.clear();
  };
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (changed.length === 0) return;
    const body: AccountChange = {};
    if (changed.includes('name')) body.name = draft.name.trim();
    for (const one of ['username', 'timezone', 'locale'] as const)
      if (changed.includes(one)) body[one] = draft[one].trim() === '' ? null : draft[one].trim();
    const done = await ask.ask(() => people.change(body));
    if (done === undefined) return;
    onChange(done.answer);
    setDraft({ ...draft, username: done.answer.username ?? '' });
    await enter();
  };
  const shown = [...new Set([...languages, ...(saved.locale === '' ? [] : [saved.locale])])];
  const names = readerNames('language');
  return (
    <section>
      <h2>You</h2>
      <p>Colleagues see your name and picture. You can sign in with the username instead of the address.</p>
      <form className="form" onSubmit={save} noValidate>
        <Field label="Name" optional error={ask.errorOf('name')}>
          {(props) => (
            <input
              {...props}
              className="in"
              autoComplete="name"
              maxLength={120}
              value={draft.name}
              onChange={(event) => put({ name: event.target.value })}
            />
          )}
        </Field>
        <Field
          label="Username"
          optional
          help="3 to 32 letters a to z, digits, dashes and underscores."
          error={ask.errorOf('username')}
        >
          {(props) => (
            <input
              {...props}
              className="in"
              autoCapitalize="off"
              spellCheck={false}
              maxLength={peopleLimits.usernameCharsMax}
              value={draft.username}
              onChange={(event) => put({ username: event.target.value })}
            />
          )}
        </Field>
        <TimezoneField
          value={draft.timezone}
          error={ask.errorOf('timezone')}
          none="As the browser has it"
          onChange={(timezone) => put({ timezone })}
        />
        <Field label="Numbers and dates" error={ask.errorOf('locale')}>
          {(props) => (
            <Select {...props} value={draft.locale} onChange={(event) => put({ locale: event.target.value })}>
              <option value="">As the browser has them</option>
              {shown.map((one) => (
                <option key={one} value={one}>
                  {names.of(one)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Refusal of={ask} fields={['name', 'username', 'timezone', 'locale']} />
        <div className="go">
          <button type="submit" className="btn main-act" {...resting(changed.length === 0 || ask.asking)}>
            {ask.asking ? 'Saving…' : 'Save profile'}
          </button>
          {changed.length > 0 && (
            <button type="button" className="btn quiet" onClick={() => put(saved)}>
              Discard
            </button>
          )}
          <Done when={ask.done && changed.length === 0}>Saved.</Done>
        </div>
      </form>
    </section>
  );
}

function Picture({ account, onChange }: { account: Account; onChange: () => void }) {
  const ask = useAsk();
  const [problem, setProblem] = useState<string>();
  /** The address of a picture that did not come: the letter stands for it. */
  const [lost, setLost] = useState<string | null>(null);
  const file = useRef<HTMLInputElement>(null);
  const choose = async (chosen: File | undefined) => {
    if (chosen === undefined) return;
    const tooLarge = chosen.size > peopleLimits.avatarBytesMax;
    setProblem(
      tooLarge ? 'This picture is larger than 256 KB. Save a smaller one; 256 pixels wide is enough.' : undefined,
    );
    if (tooLarge) return;
    if ((await ask.ask(() => people.setAvatar(chosen))) !== undefined) onChange();
  };
  return (
    <section>
      <h2>Picture</h2>
      <p>
        A PNG, JPEG or WebP file of at most 256 KB and 2,048 pixels a side. This desk serves it itself, to colleagues
        only.
      </p>
      <div className="portrait">
        {account.avatar === null || lost === account.avatar ? (
          <span className="avatar" aria-hidden="true">
            {(account.name || account.email).slice(0, 1).toUpperCase()}
          </span>
        ) : (
          <img
            className="avatar"
            src={account.avatar}
            alt="You"
            width={64}
            height={64}
            onError={() => setLost(account.avatar)}
          />
        )}
        <input
          ref={file}
          className="vh"
          type="file"
          accept="image/png,image/jpeg,image/webp"
          aria-label="Choose a picture"
          tabIndex={-1}
          onChange={(event) => {
            void choose(event.target.files?.[0]);
            event.target.value = '';
          }}
        />
        <button type="button" className="btn" {...resting(ask.asking)} onClick={() => file.current?.click()}>
          {account.avatar === null ? 'Choose a picture' : 'Choose another'}
        </button>
        {account.avatar !== null && (
          <button
            type="button"
            className="btn quiet"
            onClick={async () => {
              if ((await ask.ask(people.removeAvatar)) !== undefined) onChange();
            }}
          >
            Remove it
          </button>
        )}
      </div>
      {problem !== undefined && (
        <p className="st bad" role="alert">
          {problem}
        </p>
      )}
      <Refusal of={ask} />
    </section>
  );
}

function Address({ account, onChange }: { account: Account; onChange: () => void }) {
  const [draft, setDraft] = useState({ email: '', password: '' });
  const change = useAsk();
  const verify = useAsk();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const done = await change.ask(() => people.changeEmail({ email: draft.email.trim(), password: draft.password }));
    if (done === undefined) return;
    setDraft({ email: '', password: '' });
    onChange();
  };
  return (
    <section>
      <h2>E-mail address</h2>
      <p>
        You sign in with <b>{account.email}</b>.{' '}
        {account.email_verified ? 'It is confirmed.' : 'It is not confirmed yet.'}
      </p>
      {!account.mail_is_on && (
        <p className="note">
          This desk cannot send mail yet, so an address can be neither confirmed nor changed. Whoever runs it sets that
          up under Settings, Mail.
        </p>
      )}
      {account.new_email !== null && (
        <p className="note" role="status">
          A link was sent to {account.new_email}. The address changes when it is opened, within an hour.
        </p>
      )}
      {!account.email_verified && account.mail_is_on && (
        <div className="go">
          <button
            type="button"
            className="btn"
            {...resting(verify.asking || verify.done)}
            onClick={() => void verify.ask(people.askVerification)}
          >
            Send a link to confirm it
          </button>
          <Done when={verify.done}>Sent. It works for an hour.</Done>
        </div>
      )}
      <Refusal of={verify} />
      {account.mail_is_on && (
        <form className="form" onSubmit={submit} noValidate>
          <Field label="New address" error={change.errorOf('email')}>
            {(props) => (
              <input
                {...props}
                className="in"
                type="email"
                autoComplete="email"
                value={draft.email}
                onChange={(event) => {
                  setDraft({ ...draft, email: event.target.value });
                  change.clear();
                }}
              />
            )}
          </Field>
          {account.has_password && (
            <Field label="Your password" error={change.errorOf('password')}>
              {(props) => (
                <PasswordInput
                  {...props}
                  autoComplete="current-password"
                  value={draft.password}
                  onChange={(event) => {
                    setDraft({ ...draft, password: event.target.value });
                    change.clear();
                  }}
                />
              )}
            </Field>
          )}
          <Refusal of={change} fields={['email', 'password']} />
          <div className="go">
            <button
              type="submit"
              className="btn"
              {...resting(
                change.asking || draft.email.trim() === '' || (account.has_password && draft.password === ''),
              )}
            >
              Change address
            </button>
          </div>
        </form>
      )}
    </section>
  );
}
