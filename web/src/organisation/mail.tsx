import type { FormEvent } from 'react';
import { useState } from 'react';
import type { MailServerInput, MailTest, MailSettings as Settings } from '../../../contract/mail.ts';
import { AskFirst } from '../controls/ask_first.tsx';
import { ComingForm } from '../controls/coming.tsx';
import { Field, FormError, PasswordInput, Select } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { mailApi } from '../desk/mail_api.ts';
import { useReading } from '../desk/reading.ts';
import type { Organisation } from '../desk/session.tsx';
import { useSession } from '../desk/session.tsx';
import { momentText } from '../edge/reader.ts';
import { exactCount } from '../numbers/format.ts';
import { Empty, Failed } from '../overview/states.tsx';

/** How does this desk send mail? It belongs to who runs the desk, and to no organisation. */
export function MailSettings({ organisation: _ }: { organisation: Organisation }) {
  const { person } = useSession();
  if (!person.is_operator)
    return (
      <Empty title="Mail is set by whoever runs this desk.">
        That is the first owner, and whom the command line made one. What was mailed to you stands under Account, Mail
        to you.
      </Empty>
    );
  return <OperatorMail email={person.email} />;
}

function OperatorMail({ email }: { email: string }) {
  const reading = useReading(mailApi.settings);
  if (reading.problem !== undefined)
    return <Failed {...reading.problem} onRetry={reading.reload} what="The mail settings could not be read." />;
  if (reading.answer === undefined) return <ComingForm what="the mail settings" fields={4} />;
  const settings = reading.answer;
  return (
    <div className="settings wide">
      <State settings={settings} email={email} onChange={reading.reload} />
      {settings.source !== 'inbox' && <ServerForm settings={settings} onSaved={reading.set} />}
      <Week settings={settings} />
    </div>
  );
}

function State({ settings, email, onChange }: { settings: Settings; email: string; onChange: () => void }) {
  const [result, setResult] = useState<MailTest>();
  const [released, setReleased] = useState<number>();
  const [refusal, setRefusal] = useState<DeskError>();
  const [busy, setBusy] = useState(false);
  const { source, environment, saved, trouble } = settings;
  const attempt = async (work: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setRefusal(undefined);
    setResult(undefined);
    try {
      await work();
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setBusy(false);
    }
  };
  const test = () => attempt(async () => setResult(await mailApi.test()));
  const release = () =>
    attempt(async () => {
      setReleased((await mailApi.release()).released);
      onChange();
    });
  const server = source === 'environment' ? environment : saved;
  return (
    <section>
      <h2>Sending</h2>
      {source === 'inbox' ? (
        <p>
          This desk is for development or a demo: mail goes into{' '}
          <a className="link" href="/dev/inbox">
            the inbox
          </a>{' '}
          and never to the network.
        </p>
      ) : source === 'none' ? (
        <p className="note">
          <Glyph state="off" />
          <span>
            <b>Mail is off.</b> There is no mail server. Invitations show a link to copy. Name a server below.
          </span>
        </p>
      ) : (
        <>
          <p>
            Mail goes through <b>{server?.host}</b>, port {server?.port}, from {server?.from}.
            {source === 'environment' && ' FAIRLEAD_SMTP_URL says so, and wins over what is set below.'}
          </p>
          {trouble !== null && (
            <p className="note bad" role="alert">
              <Glyph state="bad" />
              <span>
                <b>The server took nothing at {momentText(trouble.at)}.</b>{' '}
                {trouble.words !== null && `It said: ${trouble.words} `}Messages wait and are tried again.
              </span>
            </p>
          )}
          <div className="go">
            <button type="button" className="btn" {...resting(busy)} onClick={() => void test()}>
              {busy ? 'Sending…' : `Send a test to ${email}`}
            </button>
          </div>
          {result !== undefined && (
            <p className={result.ok ? 'note ok' : 'note bad'} role="status">
              <Glyph state={result.ok ? 'ok' : 'bad'} />
              <span>
                {result.ok ? `The server took it for ${result.to}.` : 'The server did not take it.'} It said:{' '}
                <code>{result.answer}</code>
              </span>
            </p>
          )}
        </>
      )}
      {settings.is_on && settings.kept > 0 && released === undefined && (
        <div className="go">
          <button type="button" className="btn" {...resting(busy)} onClick={() => void release()}>
            Send {settings.kept} that waited while mail was off
          </button>
        </div>
      )}
      {released !== undefined && <p role="status">{released} on their way.</p>}
      <FormError message={refusal?.message} reference={refusal?.reference} />
    </section>
  );
}

function ServerForm({ settings, onSaved }: { settings: Settings; onSaved: (settings: Settings) => void }) {
  const { saved } = settings;
  const [host, setHost] = useState(saved?.host ?? '');
  const [port, setPort] = useState(String(saved?.port ?? 587));
  const [tls, setTls] = useState<MailServerInput['tls']>(saved?.tls ?? 'starttls');
  const [user, setUser] = useState(saved?.user ?? '');
  const [password, setPassword] = useState('');
  const [from, setFrom] = useState(saved?.from ?? '');
  const [domain, setDomain] = useState(saved?.dkim?.domain ?? '');
  const [selector, setSelector] = useState(saved?.dkim?.selector ?? '');
  const [key, setKey] = useState('');
  const [refusal, setRefusal] = useState<DeskError>();
  const [done, setDone] = useState<string>();
  const [saving, setSaving] = useState(false);
  const [forgetting, setForgetting] = useState(false);
  // What is set is seen, and so is what was refused.
  const isDkimOpen = saved?.dkim != null;
  const attempt = async (work: () => Promise<void>) => {
    if (saving) return;
    setSaving(true);
    setRefusal(undefined);
    setDone(undefined);
    try {
      await work();
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setSaving(false);
    }
  };
  const save = (event: FormEvent) => {
    event.preventDefault();
    void attempt(async () => {
      const signs = domain.trim() !== '' || selector.trim() !== '' || key.trim() !== '';
      onSaved(
        await mailApi.saveServer({
          host: host.trim(),
          port: Number(port),
          tls,
          from: from.trim(),
          ...(user.trim() === '' ? {} : { user: user.trim() }),
          ...(password === '' ? {} : { password }),
          ...(signs
            ? {
                dkim: {
                  domain: domain.trim(),
                  selector: selector.trim(),
                  ...(key.trim() === '' ? {} : { key: key.trim() }),
                },
              }
            : {}),
        }),
      );
      setPassword('');
      setKey('');
      setDone('Saved. Send a test to see whether the server takes it.');
    });
  };
  const forget = async () => {
    await mailApi.forgetServer();
    onSaved(await mailApi.settings());
    setRefusal(undefined);
    setForgetting(false);
    setDone('Forgotten, with its password.');
  };
  const errorOf = (field: string) => (refusal?.field === field ? refusal.message : undefined);
  const named = ['host', 'port', 'user', 'password', 'from', 'dkim.domain', 'dkim.selector', 'dkim.key'];
  const text = (
    label: string,
    field: string,
    value: string,
    set: (value: string) => void,
    more: { help?: string; optional?: boolean; numeric?: boolean } = {},
  ) => (
    <Field label={label} error={errorOf(field)} help={more.help} optional={more.optional === true}>
      {(props) => (
        <input
          {...props}
          className="in"
          value={value}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          inputMode={more.numeric === true ? 'numeric' : 'text'}
          onChange={(event) => set(event.target.value)}
        />
      )}
    </Field>
  );
  return (
    <section>
      <h2>Mail server</h2>
      <p>What your mail provider calls SMTP or submission. Password and key are sealed and never shown again.</p>
      <form className="form" onSubmit={save} noValidate>
        {text('Server', 'host', host, setHost, { help: 'Such as mail.desk.example.' })}
        {text('Port', 'port', port, setPort, {
          numeric: true,
          help: '587 for STARTTLS, 465 for TLS from the first byte.',
        })}
        <Field label="Encryption" help="A server that offers neither gets nothing, unless it is this very machine.">
          {(props) => (
            <Select {...props} value={tls} onChange={(event) => setTls(event.target.value as MailServerInput['tls'])}>
              <option value="starttls">STARTTLS</option>
              <option value="implicit">TLS from the first byte</option>
            </Select>
          )}
        </Field>
        {text('User', 'user', user, setUser, { optional: true })}
        <Field
          label="Password"
          optional
          error={errorOf('password')}
          help={saved?.has_password === true ? 'One is kept. Leave this empty to go on with it.' : undefined}
        >
          {(props) => (
            <PasswordInput
              {...props}
              value={password}
              autoComplete="off"
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        {text('Sender', 'from', from, setFrom, { help: 'Such as Fairlead <desk@desk.example>.' })}
        <details open={isDkimOpen || refusal?.field?.startsWith('dkim') === true}>
          <summary>Sign with DKIM</summary>
          {text('Domain', 'dkim.domain', domain, setDomain, { optional: true, help: 'The domain of the sender.' })}
          {text('Selector', 'dkim.selector', selector, setSelector, {
            optional: true,
            help: 'The name before ._domainkey in DNS.',
          })}
          <Field
            label="Private key"
            optional
            error={errorOf('dkim.key')}
            help={
              saved?.dkim === null || saved === null
                ? 'RSA, in PEM form.'
                : 'One is kept. Leave this empty to go on with it.'
            }
          >
            {(props) => (
              <textarea
                {...props}
                className="in"
                rows={4}
                spellCheck={false}
                value={key}
                onChange={(event) => setKey(event.target.value)}
              />
            )}
          </Field>
        </details>
        {refusal !== undefined && !named.includes(refusal.field ?? '') && (
          <FormError message={refusal.message} reference={refusal.reference} />
        )}
        <div className="go">
          <button type="submit" className="btn main-act" {...resting(saving)}>
            {saving ? 'Saving…' : 'Save mail server'}
          </button>
          {saved !== null && (
            <button type="button" className="btn quiet danger" {...resting(saving)} onClick={() => setForgetting(true)}>
              Forget this server
            </button>
          )}
          <span role="status">
            {done !== undefined && (
              <span className="st ok">
                <Glyph state="ok" />
                {done}
              </span>
            )}
          </span>
        </div>
      </form>
      {forgetting && saved !== null && (
        <AskFirst
          title={`Forget the mail server ${saved.host}?`}
          act="Forget this server"
          onAct={forget}
          onClose={() => setForgetting(false)}
        >
          Its password and DKIM key go with it and cannot be brought back.{' '}
          {settings.environment === null
            ? 'This desk then sends no mail: invitations and links for a new password reach nobody until another is named.'
            : `Mail goes on through ${settings.environment.host}, which FAIRLEAD_SMTP_URL names.`}
        </AskFirst>
      )}
    </section>
  );
}

const outcomes: readonly [keyof Settings['counts'], string][] = [
  ['sent', 'Sent'],
  ['inbox', 'In the inbox'],
  ['waiting', 'Waiting'],
  ['failed', 'Not delivered'],
  ['suppressed', 'Held back: bounced, reported, unsubscribed or restricted'],
  ['unwanted', 'Turned off by the reader'],
  ['not_sent_mail_off', 'Not sent: mail was off'],
];

function Week({ settings }: { settings: Settings }) {
  return (
    <section>
      <h2>The last seven days</h2>
      <div className="list">
        <table>
          <tbody>
            {outcomes
              .filter(([state]) => state !== 'inbox' || settings.source === 'inbox')
              .map(([state, label]) => (
                <tr key={state}>
                  <td className="fill">{label}</td>
                  <td className="num">{exactCount(settings.counts[state] ?? 0)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
