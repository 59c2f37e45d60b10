import type { FormEvent } from 'react';
import { useState } from 'react';
import type { DestinationKind, RelayDestination } from '../../../contract/relay_settings.ts';
import { Done, Refusal, useAsk } from '../account/use_account.tsx';
import type { Connection, ConnectionsAnswer } from '../connections/api.ts';
import { Field, keepFocus, Select } from '../controls/field.tsx';
import { type ErrorOf, FormDialog, NameField } from '../controls/form_dialog.tsx';
import { resting } from '../controls/resting.ts';
import { may, type Organisation } from '../desk/session.tsx';
import { AccessField, AccountPicker, fittingConnections, pickedNames, useConnections } from './access.tsx';
import { type DestinationChange, relayOf } from './api.ts';

type Settings = Readonly<Record<string, string>>;

/** What a kind asks for, from its own list: labels, choices, and what each should be. */
function SettingFields({
  kind,
  settings,
  onSet,
  errorOf,
  readOnly = false,
  without,
}: {
  kind: DestinationKind;
  settings: Settings;
  onSet: (settings: Settings) => void;
  errorOf: ErrorOf;
  readOnly?: boolean;
  /** Settings that are chosen elsewhere. */
  without: ReadonlySet<string>;
}) {
  return kind.fields
    .filter(({ name }) => !without.has(name))
    .map(({ name, label, what, required, choices }) => (
      <Field
        key={name}
        label={label}
        optional={!required}
        help={choices === null ? sentence(what) : undefined}
        error={errorOf(`settings.${name}`)}
      >
        {(props) =>
          choices === null ? (
            <input
              {...props}
              className="in"
              autoComplete="off"
              spellCheck={false}
              readOnly={readOnly}
              value={settings[name] ?? ''}
              onChange={(event) => onSet({ ...settings, [name]: event.target.value })}
            />
          ) : (
            <Select
              {...props}
              disabled={readOnly}
              value={settings[name] ?? ''}
              onChange={(event) => onSet({ ...settings, [name]: event.target.value })}
            >
              {!required && <option value="">Not said</option>}
              {choices.map((one) => (
                <option key={one} value={one}>
                  {one.toLowerCase().replaceAll('_', ' ')}
                </option>
              ))}
            </Select>
          )
        }
      </Field>
    ));
}

const sentence = (what: string) => `${what.charAt(0).toUpperCase()}${what.slice(1)}.`;

function SecretField({
  asked,
  value,
  isSet,
  error,
  onChange,
}: {
  asked: NonNullable<DestinationKind['secret']>;
  value: string;
  isSet: boolean;
  error: string | undefined;
  onChange: (secret: string) => void;
}) {
  return (
    <Field
      label={asked.label}
      optional={isSet}
      help={
        isSet
          ? 'One is set, sealed, and never shown. Another one takes its place.'
          : `${sentence(asked.what)} It is sealed and never shown again.`
      }
      error={error}
    >
      {(props) => (
        <input
          {...props}
          className="in"
          autoComplete="off"
          spellCheck={false}
          placeholder={isSet ? '••••' : ''}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

/** Account and settings: from the lists of a connected account, or written. */
function AccountFields({
  organisation,
  site,
  kind,
  connection,
  isPicking,
  settings,
  onSet,
  onPicking,
  errorOf,
  readOnly = false,
}: {
  organisation: Organisation;
  site: string;
  kind: DestinationKind;
  connection: Connection | undefined;
  isPicking: boolean;
  settings: Settings;
  onSet: (settings: Settings) => void;
  onPicking: (isPicking: boolean) => void;
  errorOf: ErrorOf;
  readOnly?: boolean;
}) {
  const { picks } = kind;
  const lists = picks !== null && connection?.kind === 'oauth' && may(organisation, 'connection.manage') && !readOnly;
  return (
    <>
      {lists && isPicking && (
        <AccountPicker
          key={connection.id}
          {...{ organisation, site, settings, errorOf, onSet }}
          connection={connection.id}
          kind={{ ...kind, picks }}
          onWrite={() => onPicking(false)}
        />
      )}
      <SettingFields
        {...{ kind, settings, onSet, errorOf, readOnly }}
        without={lists && isPicking ? pickedNames(kind) : none}
      />
      {lists && !isPicking && (
        <div className="rl-acts rl-picked">
          <button type="button" className="btn quiet sm" onClick={() => onPicking(true)}>
            Choose from the account
          </button>
        </div>
      )}
    </>
  );
}

const none: ReadonlySet<string> = new Set();

/** A further destination: which platform, and what it asks for. */
export function NewDestination({
  organisation,
  site,
  kinds,
  onMade,
  onClose,
}: {
  organisation: Organisation;
  site: string;
  kinds: readonly DestinationKind[];
  onMade: (made: RelayDestination) => void;
  onClose: () => void;
}) {
  const [kindId, setKind] = useState(kinds[0]?.id ?? '');
  const [name, setName] = useState('');
  const [settings, setSettings] = useState<Settings>({});
  const [secret, setSecret] = useState('');
  const [isPicking, setPicking] = useState(true);
  const [asked, setAsked] = useState<number | null>();
  const connections = useConnections(organisation);
  const kind = kinds.find(({ id }) => id === kindId);
  if (kind === undefined) return null;
  const fitting = fittingConnections(kind, connections);
  // What is connected is offered first: its token is renewed, and its numbers need not be copied.
  const connectionId = asked === undefined ? (fitting.find(({ state }) => state === 'connected')?.id ?? null) : asked;
  const connection = fitting.find(({ id }) => id === connectionId);
  const send = async () =>
    onMade(
      await relayOf(organisation.id).addDestination({
        kind: kind.id,
        name: name.trim() === '' ? kind.label.slice(0, 80) : name,
        settings: filled(settings),
        ...(connectionId === null ? {} : { connection_id: connectionId }),
        ...(connectionId !== null || secret.trim() === '' ? {} : { secret }),
      }),
    );
  return (
    <FormDialog
      label="Add a destination"
      title="Add a destination"
      fields={['kind', 'name', 'secret', 'connection_id', ...kind.fields.map((field) => `settings.${field.name}`)]}
      act="Add the destination"
      acting="Adding…"
      onSend={send}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <>
          <Field label="Platform" error={errorOf('kind')}>
            {(props) => (
              <Select
                {...props}
                value={kindId}
                onChange={(event) => {
                  setKind(event.target.value);
                  setSettings({});
                  setSecret('');
                  setAsked(undefined);
                  setPicking(true);
                  clear();
                }}
              >
                {kinds.map(({ id, label }) => (
                  <option key={id} value={id}>
                    {label}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <NameField value={name} maxLength={80} error={errorOf('name')} onChange={setName} />
          <AccessField
            {...{ kind, connections, site }}
            value={connectionId}
            error={errorOf('connection_id')}
            onChange={(next) => {
              setAsked(next);
              clear();
            }}
          />
          <AccountFields
            {...{ organisation, site, kind, connection, isPicking, settings, errorOf }}
            onPicking={setPicking}
            onSet={(next) => {
              setSettings(next);
              clear();
            }}
          />
          {connectionId === null && kind.secret !== null && (
            <SecretField
              asked={kind.secret}
              value={secret}
              isSet={false}
              error={errorOf('secret')}
              onChange={setSecret}
            />
          )}
          <p className="help">Nothing goes there before a route does.</p>
        </>
      )}
    </FormDialog>
  );
}

const filled = (settings: Settings) => Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== ''));

/** What can be set on a destination. */
export function DestinationForm({
  destination,
  kind,
  organisation,
  connections,
  site,
  mayChange,
  onSaved,
}: {
  destination: RelayDestination;
  kind: DestinationKind;
  organisation: Organisation;
  connections: ConnectionsAnswer | undefined;
  site: string;
  mayChange: boolean;
  onSaved: (destination: RelayDestination) => void;
}) {
  const ask = useAsk();
  const [name, setName] = useState(destination.name);
  const [settings, setSettings] = useState<Settings>(destination.settings);
  const [secret, setSecret] = useState('');
  const [connectionId, setConnection] = useState(destination.connection_id);
  const [isPicking, setPicking] = useState(false);
  const connection = fittingConnections(kind, connections).find(({ id }) => id === connectionId);
  const [consent, setConsent] = useState(destination.unknown_consent);
  const [code, setCode] = useState(destination.test_code ?? '');
  const [isDryRun, setDryRun] = useState(destination.is_dry_run);
  const change: DestinationChange = {
    ...(name === destination.name ? {} : { name }),
    ...(JSON.stringify(filled(settings)) === JSON.stringify(destination.settings)
      ? {}
      : { settings: filled(settings) }),
    ...(connectionId === destination.connection_id ? {} : { connection_id: connectionId }),
    // A token that is not sent with any more is not kept.
    ...(connectionId !== null && destination.has_secret ? { secret: null } : {}),
    ...(connectionId !== null || secret === '' ? {} : { secret }),
    ...(consent === destination.unknown_consent ? {} : { unknown_consent: consent }),
    ...(code === (destination.test_code ?? '') ? {} : { test_code: code === '' ? null : code }),
    ...(isDryRun === destination.is_dry_run ? {} : { is_dry_run: isDryRun }),
  };
  const isSame = Object.keys(change).length === 0;
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (isSame || ask.asking) return;
    const done = await ask.ask(() => relayOf(organisation.id).changeDestination(destination.id, change));
    if (done !== undefined) onSaved(done.answer);
  };
  const typed = (set: () => void) => {
    set();
    ask.clear();
  };
  return (
    <form className="form" onSubmit={send} noValidate>
      <NameField
        value={name}
        maxLength={80}
        error={ask.errorOf('name')}
        onChange={(next) => typed(() => setName(next))}
      />
      <AccessField
        {...{ kind, connections, site }}
        value={connectionId}
        error={ask.errorOf('connection_id')}
        disabled={!mayChange}
        onChange={(next) =>
          typed(() => {
            setConnection(next);
            setPicking(next !== null && next !== destination.connection_id);
          })
        }
      />
      <AccountFields
        {...{ organisation, site, kind, connection, isPicking, settings }}
        errorOf={ask.errorOf}
        onPicking={setPicking}
        onSet={(next) => typed(() => setSettings(next))}
        readOnly={!mayChange}
      />
      {mayChange && connectionId === null && kind.secret !== null && (
        <SecretField
          asked={kind.secret}
          value={secret}
          isSet={destination.has_secret}
          error={ask.errorOf('secret')}
          onChange={(next) => typed(() => setSecret(next))}
        />
      )}
      {kind.purposes.length > 0 && (
        <Field
          label="Where a conversion says nothing of consent"
          help="A denial always withholds. Silence is never turned into a yes."
        >
          {(props) => (
            <Select
              {...props}
              disabled={!mayChange}
              value={consent}
              onChange={(event) => typed(() => setConsent(event.target.value as typeof consent))}
            >
              <option value="block_in_consent_regions">
                Withhold in the EEA, the UK, Switzerland, and where unknown
              </option>
              <option value="block">Withhold everywhere</option>
            </Select>
          )}
        </Field>
      )}
      {kind.test === 'code' && kind.test_code !== null && (
        <Field
          label={kind.test_code.label}
          optional
          help={`${sentence(kind.test_code.what)} While it is set, everything is sent as a test.`}
          error={ask.errorOf('test_code')}
        >
          {(props) => (
            <input
              {...props}
              className="in"
              readOnly={!mayChange}
              value={code}
              onChange={(event) => typed(() => setCode(event.target.value))}
            />
          )}
        </Field>
      )}
      {kind.test === 'switch' && (
        <div className="toggle">
          <input
            id="rl-test-mode"
            type="checkbox"
            disabled={!mayChange}
            checked={code !== ''}
            onChange={(event) => typed(() => setCode(event.target.checked ? 'test' : ''))}
          />
          <label htmlFor="rl-test-mode">Test events</label>
          <span className="help">Everything is sent as a test, and the platform counts nothing.</span>
        </div>
      )}
      {kind.has_dry_run && (
        <div className="toggle">
          <input
            id="rl-dry-run"
            type="checkbox"
            disabled={!mayChange}
            checked={isDryRun}
            onChange={(event) => typed(() => setDryRun(event.target.checked))}
          />
          <label htmlFor="rl-dry-run">Check only</label>
          <span className="help">The platform checks what is sent, and counts nothing.</span>
        </div>
      )}
      <Refusal
        of={ask}
        fields={[
          'name',
          'secret',
          'connection_id',
          'test_code',
          ...kind.fields.map((field) => `settings.${field.name}`),
        ]}
      />
      {mayChange && (
        <div className="go">
          <button type="submit" className="btn" onMouseDown={keepFocus} {...resting(isSame || ask.asking)}>
            {ask.asking ? 'Saving…' : 'Save the settings'}
          </button>
          <Done when={ask.done}>Saved</Done>
        </div>
      )}
    </form>
  );
}
