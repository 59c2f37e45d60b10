import type { FormEvent } from 'react';
import { useState } from 'react';
import { passwordCharsMin, peopleLimits } from '../../../contract/limits.ts';
import { CopyButton } from '../controls/copy.tsx';
import { Field, PasswordInput } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import { takeFocus } from '../controls/take_focus.ts';
import { useDesk } from '../desk/session.tsx';
import { saveFile } from '../edge/browser.ts';
import { readerDay, readerToday } from '../edge/reader.ts';
import { passwordStrength } from '../first_run/password.ts';
import { dayText } from '../period/words.ts';
import './account.css';
import { type Account, type BegunAuthenticator, people } from './api.ts';
import { CodeField } from './code_field.tsx';
import { LinkedAccounts } from './identities.tsx';
import { Passkeys } from './passkeys.tsx';
import { Done, Refusal, useAccount, useAsk } from './use_account.tsx';

/** How I prove that I am I: password, authenticator, recovery codes, passkeys, other accounts. */
export function AccountSecurity() {
  const { account, reload, instead } = useAccount();
  if (account === undefined) return <>{instead}</>;
  return (
    <div className="settings wide">
      <Password account={account} onChange={reload} />
      <Authenticator account={account} onChange={reload} />
      <Passkeys account={account} />
      <LinkedAccounts account={account} />
    </div>
  );
}

function dayOf(moment: string): string {
  return dayText(readerDay(moment), readerToday());
}

function Password({ account, onChange }: { account: Account; onChange: () => void }) {
  const [draft, setDraft] = useState({ current: '', password: '' });
  const ask = useAsk();
  const [ended, setEnded] = useState(0);
  const put = (part: Partial<typeof draft>) => {
    setDraft({ ...draft, ...part });
    ask.clear();
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const done = await ask.ask(() => people.changePassword(draft));
    if (done === undefined) return;
    setEnded(done.answer.sessions_ended);
    setDraft({ current: '', password: '' });
    onChange();
  };
  if (!account.has_password)
    return (
      <section>
        <h2>Password</h2>
        <p>
          You have none: you sign in another way. A link to set one comes by mail from the page for a forgotten
          password.
        </p>
      </section>
    );
  const ready = draft.current !== '' && draft.password.length >= passwordCharsMin;
  return (
    <section>
      <h2>Password</h2>
      <p>
        {account.password_changed_at !== null && `Last set ${dayOf(account.password_changed_at)}. `}A new one ends every
        other session of yours.
      </p>
      <form className="form" onSubmit={submit} noValidate>
        <Field label="Current password" error={ask.errorOf('current')}>
          {(props) => (
            <PasswordInput
              {...props}
              autoComplete="current-password"
              value={draft.current}
              onChange={(event) => put({ current: event.target.value })}
            />
          )}
        </Field>
        <Field label="New password" help={passwordStrength(draft.password).text} error={ask.errorOf('password')}>
          {(props) => (
            <PasswordInput
              {...props}
              autoComplete="new-password"
              value={draft.password}
              onChange={(event) => put({ password: event.target.value })}
            />
          )}
        </Field>
        <Refusal of={ask} fields={['current', 'password']} />
        <div className="go">
          <button type="submit" className="btn" {...resting(!ready || ask.asking)}>
            {ask.asking ? 'Changing…' : 'Change password'}
          </button>
          <Done when={ask.done}>
            Changed.{' '}
            {ended === 0
              ? 'No other session was open.'
              : `${ended} other ${ended === 1 ? 'session' : 'sessions'} ended.`}
          </Done>
        </div>
      </form>
    </section>
  );
}

function Authenticator({ account, onChange }: { account: Account; onChange: () => void }) {
  const { enter } = useDesk();
  const [begun, setBegun] = useState<BegunAuthenticator>();
  const [codes, setCodes] = useState<string[]>();
  const [proving, setProving] = useState<'begin' | 'renew' | 'remove'>();
  const finish = async (made: string[] | undefined) => {
    setProving(undefined);
    setBegun(undefined);
    setCodes(made);
    onChange();
    // What an organisation asks for may be met now.
    await enter();
  };
  return (
    <section>
      <h2>Authenticator</h2>
      <p>
        {account.authenticator_since === null
          ? 'An app on your phone shows a code of six digits that changes every half minute. Signing in asks for it after the password.'
          : `On since ${dayOf(account.authenticator_since)}. ${account.recovery_codes_left} of ${peopleLimits.recoveryCodes} recovery codes are left for when the phone is not at hand.`}
      </p>
      {codes !== undefined && <RecoveryCodes codes={codes} onHide={() => setCodes(undefined)} />}
      {begun !== undefined ? (
        <Scan begun={begun} onDone={finish} onCancel={() => setBegun(undefined)} />
      ) : proving !== undefined ? (
        <Proof
          account={account}
          kind={proving}
          onBegun={(made) => {
            setProving(undefined);
            setBegun(made);
          }}
          onDone={finish}
          onCancel={() => setProving(undefined)}
        />
      ) : account.authenticator_since === null ? (
        <div className="go">
          <button type="button" className="btn main-act" onClick={() => setProving('begin')}>
            Set up an authenticator
          </button>
        </div>
      ) : (
        <div className="go">
          <button type="button" className="btn" onClick={() => setProving('renew')}>
            Make new recovery codes
          </button>
          <button type="button" className="btn quiet danger" onClick={() => setProving('remove')}>
            Remove the authenticator
          </button>
        </div>
      )}
    </section>
  );
}

const words = {
  begin: {
    act: 'Continue',
    what: 'Your password first: whoever finds this page open must not set up a phone of theirs.',
  },
  renew: { act: 'Make new codes', what: 'The old codes stop working, and every other session of yours ends.' },
  remove: {
    act: 'Remove the authenticator',
    what: 'Signing in asks for the password alone from then on. The recovery codes go with it, and every other session of yours ends.',
  },
} as const;

/** The button that opened the form is gone: who works by keys goes on in its first field. */
const focusFirst = (form: HTMLFormElement | null) => form?.querySelector('input')?.focus();

/** Password, and for what weakens the account a code as well. */
function Proof({
  account,
  kind,
  onBegun,
  onDone,
  onCancel,
}: {
  account: Account;
  kind: keyof typeof words;
  onBegun: (begun: BegunAuthenticator) => void;
  onDone: (codes: string[] | undefined) => void;
  onCancel: () => void;
}) {
  const [draft, setDraft] = useState({ password: '', code: '' });
  const ask = useAsk();
  const put = (part: Partial<typeof draft>) => {
    setDraft({ ...draft, ...part });
    ask.clear();
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (kind === 'begin') {
      const done = await ask.ask(() => people.beginAuthenticator(draft.password));
      if (done !== undefined) onBegun(done.answer);
    } else if (kind === 'renew') {
      const done = await ask.ask(() => people.renewCodes(draft.password, draft.code));
      if (done !== undefined) onDone(done.answer.recovery_codes);
    } else if ((await ask.ask(() => people.removeAuthenticator(draft.password, draft.code))) !== undefined)
      onDone(undefined);
  };
  return (
    <form className="form" onSubmit={submit} noValidate ref={focusFirst}>
      <p className="q2">{words[kind].what}</p>
      {account.has_password && (
        <Field label="Your password" error={ask.errorOf('password')}>
          {(props) => (
            <PasswordInput
              {...props}
              autoComplete="current-password"
              value={draft.password}
              onChange={(event) => put({ password: event.target.value })}
            />
          )}
        </Field>
      )}
      {kind !== 'begin' && (
        <CodeField value={draft.code} error={ask.errorOf('code')} onChange={(code) => put({ code })} />
      )}
      <Refusal of={ask} fields={['password', 'code']} />
      <div className="go">
        <button
          type="submit"
          className={kind === 'remove' ? 'btn danger' : 'btn main-act'}
          {...resting(
            ask.asking ||
              (account.has_password && draft.password === '') ||
              (kind !== 'begin' && draft.code.trim() === ''),
          )}
        >
          {words[kind].act}
        </button>
        <button type="button" className="btn quiet" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

/** The secret as a picture and as text, and the first code that proves it. */
function Scan({
  begun,
  onDone,
  onCancel,
}: {
  begun: BegunAuthenticator;
  onDone: (codes: string[]) => void;
  onCancel: () => void;
}) {
  const [code, setCode] = useState('');
  const ask = useAsk();
  const size = begun.squares.length;
  const squares = begun.squares
    .flatMap((row, y) => [...row].map((one, x) => (one === '1' ? `M${x} ${y}h1v1h-1z` : '')))
    .join('');
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const done = await ask.ask(() => people.confirmAuthenticator(code.trim()));
    if (done !== undefined) onDone(done.answer.recovery_codes);
  };
  return (
    <form className="form" onSubmit={submit} noValidate>
      <p className="q2">Scan this with the app, or type the key into it. Then enter the code that it shows.</p>
      <svg
        className="qr"
        viewBox={`0 0 ${size} ${size}`}
        role="img"
        aria-label="The key as a picture to scan"
        shapeRendering="crispEdges"
      >
        <path d={squares} />
      </svg>
      <div className="secret">
        <code>{begun.secret.replace(/(.{4})(?=.)/g, '$1 ')}</code>
        <CopyButton text={begun.secret} label="Copy the key" />
      </div>
      <CodeField
        value={code}
        error={ask.errorOf('code')}
        help="Six digits of the app."
        onChange={(value) => {
          setCode(value);
          ask.clear();
        }}
      />
      <Refusal of={ask} fields={['code']} />
      <div className="go">
        <button type="submit" className="btn main-act" {...resting(ask.asking || code.trim() === '')}>
          Switch it on
        </button>
        <button type="button" className="btn quiet" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function RecoveryCodes({ codes, onHide }: { codes: string[]; onHide: () => void }) {
  const text = `${codes.join('\n')}\n`;
  return (
    <div className="note ok reached" role="status" ref={takeFocus} tabIndex={-1}>
      <div>
        <b>Keep these recovery codes.</b> Each opens your account once, without the phone. This is the only time they
        are shown.
        <ol className="codes">
          {codes.map((code) => (
            <li key={code}>{code}</li>
          ))}
        </ol>
        <div className="go">
          <CopyButton text={text} label="Copy them" />
          <button
            type="button"
            className="btn sm"
            onClick={() => saveFile('fairlead-recovery-codes.txt', new Blob([text], { type: 'text/plain' }))}
          >
            Save as a file
          </button>
          <button type="button" className="link" onClick={onHide}>
            I have them, hide them
          </button>
        </div>
      </div>
    </div>
  );
}
