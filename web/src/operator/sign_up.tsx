import type { FormEvent } from 'react';
import { useState } from 'react';
import { Done, Refusal, useAsk } from '../account/use_account.tsx';
import { AskFirst } from '../controls/ask_first.tsx';
import { ComingForm } from '../controls/coming.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Field, Select } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import { useReading } from '../desk/reading.ts';
import { useDesk } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { momentText, readerToday } from '../edge/reader.ts';
import { exactCount } from '../numbers/format.ts';
import { Failed } from '../overview/states.tsx';
import { dayText } from '../period/words.ts';
import { documentNames } from '../sign_up/agreement.tsx';
import { type DocumentKind, type PublishedDocument, type SignUpSettings, signUpApi } from '../sign_up/api.ts';
import '../controls/rules.css';
import '../sign_up/sign_up.css';

/** Who may sign up, and what do people agree to? It belongs to who runs the desk, and to no organisation. */
export function SignUpSettingsPart() {
  const settings = useReading(signUpApi.settings);
  if (settings.problem !== undefined)
    return <Failed {...settings.problem} onRetry={settings.reload} what="Who may sign up could not be read." />;
  if (settings.answer === undefined) return <ComingForm what="who may sign up" />;
  return (
    <div className="settings wide sign-up-set">
      <ModeForm settings={settings.answer} onSaved={settings.set} />
      <Documents onChange={settings.reload} />
      {settings.answer.mode !== 'off' && <InvitationList settings={settings.answer} onChange={settings.reload} />}
    </div>
  );
}

const modes: readonly { mode: SignUpSettings['mode']; label: string; help: string }[] = [
  { mode: 'off', label: 'Nobody', help: 'New people come by the invitation of an organisation.' },
  { mode: 'invitation', label: 'Whom you invite', help: 'Each makes an organisation of their own.' },
  { mode: 'domains', label: 'Addresses of these domains', help: 'A subdomain counts where it is written.' },
  { mode: 'open', label: 'Everybody', help: 'Who confirms an address gets an organisation.' },
];

function ModeForm({ settings, onSaved }: { settings: SignUpSettings; onSaved: (settings: SignUpSettings) => void }) {
  const [mode, setMode] = useState(settings.mode);
  const [domains, setDomains] = useState(settings.domains.join('\n'));
  const ask = useAsk();
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const done = await ask.ask(() => signUpApi.set({ mode, domains: domains.split(/[\s,]+/).filter(Boolean) }));
    if (done !== undefined) onSaved(done.answer);
  };
  return (
    <section>
      <h2>Who may sign up</h2>
      {mode !== 'off' && !settings.mail_is_on && (
        <p className="note warn">
          <Glyph state="idle" />
          <span>This desk sends no mail, so nobody can confirm an address. Name a mail server under Mail.</span>
        </p>
      )}
      {mode !== 'off' && settings.missing.length > 0 && (
        <p className="note warn">
          <Glyph state="idle" />
          <span>
            <b>Nobody can sign up yet.</b> Who does accepts three documents, and none holds of:{' '}
            {settings.missing.map((kind) => documentNames[kind].toLowerCase()).join(', ')}. Publish it below.
          </span>
        </p>
      )}
      <form className="form" onSubmit={(event) => void save(event)} noValidate>
        <Refusal of={ask} fields={['domains']} />
        <fieldset className="rules">
          <legend className="vh">Who may sign up</legend>
          {modes.map((one) => (
            <label key={one.mode} className="rule">
              <input
                type="radio"
                name="sign-up-mode"
                checked={mode === one.mode}
                onChange={() => {
                  setMode(one.mode);
                  ask.clear();
                }}
              />
              <span>
                <b>{one.label}</b>
                <span className="q"> {one.help}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {mode === 'domains' && (
          <Field label="Domains" help="One a line, such as shop.example." error={ask.errorOf('domains')}>
            {(props) => (
              <textarea
                {...props}
                className="in"
                rows={3}
                spellCheck={false}
                value={domains}
                onChange={(event) => {
                  setDomains(event.target.value);
                  ask.clear();
                }}
              />
            )}
          </Field>
        )}
        <div className="go">
          <button type="submit" className="btn main-act" {...resting(ask.asking)}>
            {ask.asking ? 'Saving…' : 'Save who may sign up'}
          </button>
          <Done when={ask.done}>Saved.</Done>
        </div>
      </form>
    </section>
  );
}

function InvitationList({ settings, onChange }: { settings: SignUpSettings; onChange: () => void }) {
  const [email, setEmail] = useState('');
  const ask = useAsk();
  const invite = async (event: FormEvent) => {
    event.preventDefault();
    if (email.trim() === '') return;
    if ((await ask.ask(() => signUpApi.invite(email.trim()))) === undefined) return;
    setEmail('');
    onChange();
  };
  const [revoking, setRevoking] = useState<SignUpSettings['invitations'][number]>();
  const revoke = async (id: number) => {
    await signUpApi.revoke(id);
    setRevoking(undefined);
    onChange();
  };
  return (
    <section>
      <h2>Invitations to sign up</h2>
      <p>For an account and an organisation of their own; the link works seven days, with that address.</p>
      <form className="form" onSubmit={(event) => void invite(event)} noValidate>
        <Refusal of={ask} fields={['email']} />
        <Field label="E-mail" error={ask.errorOf('email')}>
          {(props) => (
            <input
              {...props}
              className="in"
              type="email"
              autoComplete="off"
              value={email}
              onChange={(event) => {
                setEmail(event.target.value);
                ask.clear();
              }}
            />
          )}
        </Field>
        <div className="go">
          <button type="submit" className="btn" {...resting(ask.asking || email.trim() === '')}>
            Send the invitation
          </button>
        </div>
      </form>
      {settings.invitations.length > 0 && (
        <div className="list folds">
          <table>
            <tbody>
              {settings.invitations.map((one) => (
                <tr key={one.id}>
                  <td className="fill named">{one.email === '' ? 'Cannot be read any more' : one.email}</td>
                  <td className="q">{one.expired ? 'has ended' : `until ${momentText(one.expires_at)}`}</td>
                  <td>
                    <button
                      type="button"
                      className="btn quiet danger"
                      aria-label={`Take back the invitation of ${one.email}`}
                      onClick={() => setRevoking(one)}
                      {...resting(ask.asking)}
                    >
                      Take back
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {revoking !== undefined && (
        <AskFirst
          title={`Take back the invitation of ${revoking.email === '' ? 'somebody' : revoking.email}?`}
          act="Take it back"
          onAct={() => revoke(revoking.id)}
          onClose={() => setRevoking(undefined)}
        >
          Its link stops working at once, and nobody is told.
        </AskFirst>
      )}
    </section>
  );
}

function Documents({ onChange }: { onChange: () => void }) {
  const { enter } = useDesk();
  const [leaving, setLeaving] = useState<PublishedDocument>();
  const reading = useReading(signUpApi.documents);
  if (reading.problem !== undefined)
    return <Failed {...reading.problem} onRetry={reading.reload} what="The documents could not be read." />;
  if (reading.answer === undefined) return <ComingForm what="the documents" />;
  const documents = reading.answer;
  const changed = async () => {
    reading.reload();
    onChange();
    // Who runs the desk is asked as everybody is.
    await enter();
  };
  return (
    <section>
      <h2>Documents</h2>
      <p>
        What people accept when they make an account, at{' '}
        <a className="link" href="/legal">
          /legal
        </a>
        . Signing up needs all three. A version stays for ever; one that was published by mistake is withdrawn.
      </p>
      {documents.length > 0 && (
        <div className="list folds">
          <table>
            <thead>
              <tr>
                <th className="fill">Document</th>
                <th>Version</th>
                <th>Date</th>
                <th className="num">Accepted by</th>
                <th>
                  <span className="vh">Withdraw</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {documents.map((one) => (
                <tr key={one.path}>
                  <td className="fill">
                    {documentNames[one.kind]}
                    <span className="q">
                      {one.is_current ? ' · holds now' : ''}
                      {one.material ? ' · material' : ''}
                      {one.withdrawn_at === null
                        ? ''
                        : ` · withdrawn ${momentText(one.withdrawn_at)}: ${one.withdrawn_reason}`}
                    </span>
                  </td>
                  <td>
                    <a className="link" href={one.path}>
                      {one.version}
                    </a>
                  </td>
                  <td className="q">{dayText(one.dated, readerToday())}</td>
                  <td className="num">{exactCount(one.acceptances)}</td>
                  <td>
                    {one.withdrawn_at === null && (
                      <button
                        type="button"
                        className="btn quiet danger"
                        aria-label={`Withdraw ${documentNames[one.kind]}, version ${one.version}`}
                        onClick={() => setLeaving(one)}
                      >
                        Withdraw
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <NewVersion documents={documents} onPublished={changed} />
      {leaving !== undefined && (
        <Withdrawal
          of={leaving}
          before={documents.find((one) => one.kind === leaving.kind && one !== leaving && one.withdrawn_at === null)}
          onClose={() => setLeaving(undefined)}
          onDone={changed}
        />
      )}
    </section>
  );
}

function Withdrawal({
  of: { kind, version, acceptances, is_current },
  of,
  before,
  onClose,
  onDone,
}: {
  of: PublishedDocument;
  /** The newest other version that stands. */
  before: PublishedDocument | undefined;
  onClose: () => void;
  onDone: () => Promise<void>;
}) {
  const [reason, setReason] = useState('');
  const ask = useAsk();
  const withdraw = async (event: FormEvent) => {
    event.preventDefault();
    if (reason.trim() === '') return;
    if ((await ask.ask(() => signUpApi.withdraw(of, reason.trim()))) === undefined) return;
    onClose();
    await onDone();
  };
  const name = documentNames[kind];
  return (
    <Dialog label={`Withdraw ${name}, version ${version}`} className="small" onClose={onClose}>
      <h2>
        Withdraw {name.toLowerCase()}, version {version}
      </h2>
      <p>
        {!is_current
          ? 'It holds no more already, and stays readable at its address, marked as withdrawn. '
          : before === undefined
            ? 'No version holds then, and nobody can sign up until you publish one. '
            : `Version ${before.version} holds again at once. `}
        {acceptances === 0
          ? 'Nobody has accepted it.'
          : `${acceptances === 1 ? 'One person has' : `${exactCount(acceptances)} people have`} accepted it: that counts for nothing, and whoever accepted no version that stands is asked at the next page.`}{' '}
        It cannot be undone.
      </p>
      <form className="form" onSubmit={(event) => void withdraw(event)} noValidate>
        <Refusal of={ask} fields={['reason']} />
        <Field label="Reason" help="Everybody reads it on the page of the version." error={ask.errorOf('reason')}>
          {(props) => (
            <input
              {...props}
              className="in"
              maxLength={300}
              value={reason}
              onChange={(event) => {
                setReason(event.target.value);
                ask.clear();
              }}
            />
          )}
        </Field>
        <div className="go">
          <button type="submit" className="btn danger" {...resting(ask.asking || reason.trim() === '')}>
            {ask.asking ? 'Withdrawing…' : 'Withdraw it'}
          </button>
          <button type="button" className="btn" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function NewVersion({
  documents,
  onPublished,
}: {
  documents: readonly PublishedDocument[];
  onPublished: () => Promise<void>;
}) {
  const today = new Date(now()).toISOString().slice(0, 10);
  // The first that is missing, so that three in a row need no choosing.
  const kinds = Object.keys(documentNames) as DocumentKind[];
  const [chosen, setKind] = useState<DocumentKind>();
  const kind = chosen ?? kinds.find((one) => !documents.some((had) => had.kind === one && had.is_current)) ?? 'terms';
  const [version, setVersion] = useState('');
  const [dated, setDated] = useState(today);
  const [material, setMaterial] = useState(true);
  const [text, setText] = useState('');
  const ask = useAsk();
  const isFirst = !documents.some((one) => one.kind === kind && one.withdrawn_at === null);
  const publish = async (event: FormEvent) => {
    event.preventDefault();
    if (version.trim() === '' || text.trim() === '') return;
    const asked = { kind, version: version.trim(), dated, material: material || isFirst, text };
    if ((await ask.ask(() => signUpApi.publish(asked))) === undefined) return;
    setVersion('');
    setText('');
    setKind(undefined);
    await onPublished();
  };
  return (
    <form className="form" onSubmit={(event) => void publish(event)} noValidate>
      <h3>Publish a version</h3>
      <Refusal of={ask} fields={['version', 'dated', 'text']} />
      <Field label="Document">
        {(props) => (
          <Select {...props} value={kind} onChange={(event) => setKind(event.target.value as DocumentKind)}>
            {Object.entries(documentNames).map(([name, label]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Version" help="A part of its address, such as 2026-11." error={ask.errorOf('version')}>
        {(props) => (
          <input
            {...props}
            className="in"
            maxLength={40}
            spellCheck={false}
            value={version}
            onChange={(event) => {
              setVersion(event.target.value);
              ask.clear();
            }}
          />
        )}
      </Field>
      <Field label="Date" error={ask.errorOf('dated')}>
        {(props) => (
          <input
            {...props}
            className="in"
            type="date"
            max={today}
            value={dated}
            onChange={(event) => setDated(event.target.value)}
          />
        )}
      </Field>
      <Field label="Text" help="Plain words. # begins a heading, - an item of a list." error={ask.errorOf('text')}>
        {(props) => (
          <textarea
            {...props}
            className="in"
            rows={10}
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              ask.clear();
            }}
          />
        )}
      </Field>
      <label className="tick">
        <input
          type="checkbox"
          checked={material || isFirst}
          disabled={isFirst}
          onChange={(event) => setMaterial(event.target.checked)}
        />
        <span>
          Ask everybody again
          <span className="q"> {isFirst ? 'of the first version everybody is asked' : 'for a material change'}</span>
        </span>
      </label>
      <div className="go">
        <button
          type="submit"
          className="btn main-act"
          {...resting(ask.asking || version.trim() === '' || text.trim() === '')}
        >
          {ask.asking ? 'Publishing…' : 'Publish the version'}
        </button>
        <Done when={ask.done}>Published.</Done>
      </div>
    </form>
  );
}
