import type { FormEvent } from 'react';
import { useRef, useState } from 'react';
import { Field } from '../controls/field.tsx';
import { FormDialog, NameField } from '../controls/form_dialog.tsx';
import { asDeskError, DeskError } from '../desk/api.ts';
import { identitiesApi, type Passkey } from '../desk/identities.ts';
import { hasPasskeys, isKnownAlready, makePasskey } from '../edge/passkeys.ts';
import { readerDay, readerToday } from '../edge/reader.ts';
import { Empty } from '../overview/states.tsx';
import { dayText } from '../period/words.ts';
import { ListedTable, useListed } from '../settings/listed.tsx';
import type { Account } from './api.ts';
import { ProveDialog } from './prove_dialog.tsx';

const nameLengthMax = 60;

/** The passkeys of this person: made here, named, removed. */
export function Passkeys({ account }: { account: Account }) {
  const passkeys = useListed<Passkey>(identitiesApi.passkeys);
  const [removing, setRemoving] = useState<Passkey>();
  const [renaming, setRenaming] = useState<Passkey>();
  const today = readerToday();

  return (
    <section>
      <h2>Passkeys</h2>
      <p>
        A passkey signs in with your finger, your face or the PIN of your device, without a password. It counts as a
        second factor, and works on no page but this desk's.
      </p>
      <ListedTable
        what="your passkeys"
        listed={passkeys}
        heads={['Name', 'Made', 'Last used']}
        empty={<Empty title="No passkeys yet.">A device or a security key that you have at hand can hold one.</Empty>}
        row={(one) => (
          <>
            <td className="fill">
              <button type="button" className="link" aria-label={`Rename ${one.name}`} onClick={() => setRenaming(one)}>
                <b>{one.name}</b>
              </button>{' '}
              {one.synced && <span className="q2">on several devices</span>}
            </td>
            <td data-head="Made">{dayText(readerDay(one.created_at), today)}</td>
            <td data-head="Last used">{one.last_used_day === null ? 'never' : dayText(one.last_used_day, today)}</td>
            <td className="num">
              <button
                type="button"
                className="btn quiet danger sm"
                aria-label={`Remove the passkey ${one.name}`}
                onClick={() => setRemoving(one)}
              >
                Remove
              </button>
            </td>
          </>
        )}
      />
      {passkeys.settled && <NewPasskey account={account} onMade={(made) => passkeys.set((rows) => [...rows, made])} />}
      {renaming !== undefined && (
        <Rename
          passkey={renaming}
          onClose={() => setRenaming(undefined)}
          onRenamed={(now) => {
            passkeys.set((rows) => rows.map((row) => (row.id === now.id ? now : row)));
            setRenaming(undefined);
          }}
        />
      )}
      {removing !== undefined && (
        <ProveDialog
          account={account}
          title={`Remove “${removing.name}”?`}
          act="Remove passkey"
          keep="Keep it"
          isDangerous
          onProve={async (password) => {
            await identitiesApi.removePasskey(removing.id, password);
            passkeys.set((rows) => rows.filter((row) => row.id !== removing.id));
            setRemoving(undefined);
          }}
          onClose={() => setRemoving(undefined)}
        >
          <p>
            It can no longer sign in as you, and every other session of yours ends. Your device still lists it: delete
            it there too. You get a mail about it.
          </p>
        </ProveDialog>
      )}
    </section>
  );
}

function NewPasskey({ account, onMade }: { account: Account; onMade: (passkey: Passkey) => void }) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<string>();
  const [proving, setProving] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  if (!hasPasskeys())
    return <p className="q2">This browser makes no passkeys. A newer one does, at an address with HTTPS.</p>;

  const begin = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === '') {
      setProblem('A name says later which one it is, such as “Laptop”.');
      input.current?.focus();
    } else setProving(true);
  };
  const make = async (password: string | undefined) => {
    const { options } = await identitiesApi.newPasskeyOptions(password);
    try {
      const credential = await makePasskey(options);
      if (credential === undefined) return;
      onMade(await identitiesApi.addPasskey(name.trim(), credential));
      setName('');
      setProving(false);
    } catch (error) {
      throw isKnownAlready(error)
        ? new DeskError(409, {
            code: 'conflict',
            message: 'This device holds a passkey of yours already. Use it, or take another device.',
          })
        : asDeskError(error, 'The browser made no passkey. Try again, or take another device.');
    }
  };
  return (
    <>
      <form className="form" onSubmit={begin} noValidate>
        <Field label="Name of a new passkey" error={problem}>
          {(props) => (
            <input
              {...props}
              ref={input}
              className="in"
              value={name}
              maxLength={nameLengthMax}
              autoComplete="off"
              onChange={(event) => {
                setName(event.target.value);
                setProblem(undefined);
              }}
            />
          )}
        </Field>
        <div className="go">
          <button type="submit" className="btn">
            Add a passkey
          </button>
        </div>
      </form>
      {proving && (
        <ProveDialog
          account={account}
          title={`Add the passkey “${name.trim()}”`}
          act="Make the passkey"
          onProve={make}
          onClose={() => setProving(false)}
        >
          <p>
            It signs in as you from then on, and every other session of yours ends. Your device asks for your finger,
            your face or its PIN next. You get a mail about it.
          </p>
        </ProveDialog>
      )}
    </>
  );
}

function Rename({
  passkey,
  onClose,
  onRenamed,
}: {
  passkey: Passkey;
  onClose: () => void;
  onRenamed: (passkey: Passkey) => void;
}) {
  const [name, setName] = useState(passkey.name);
  return (
    <FormDialog
      label={`Rename ${passkey.name}`}
      title="Rename the passkey"
      fields={['name']}
      act="Save the name"
      isResting={name.trim() === ''}
      onSend={async () => onRenamed(await identitiesApi.renamePasskey(passkey.id, name.trim()))}
      onClose={onClose}
    >
      {(errorOf) => <NameField value={name} maxLength={nameLengthMax} error={errorOf('name')} onChange={setName} />}
    </FormDialog>
  );
}
