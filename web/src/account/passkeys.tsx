import type { FormEvent } from 'react';
import { useRef, useState } from 'react';
import { Dialog } from '../controls/dialog.tsx';
import { Field, FormError } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import { asDeskError, DeskError } from '../desk/api.ts';
import { identitiesApi, type Passkey } from '../desk/identities.ts';
import { now } from '../edge/browser.ts';
import { hasPasskeys, isKnownAlready, makePasskey } from '../edge/passkeys.ts';
import { Empty } from '../overview/states.tsx';
import { localTime } from '../period/period.ts';
import { dayText } from '../period/words.ts';
import { ListedTable, useListed } from '../settings/listed.tsx';

const nameLengthMax = 60;

/** The passkeys of this person: made here, named, removed. */
export function Passkeys() {
  const passkeys = useListed<Passkey>(identitiesApi.passkeys);
  const [refusal, setRefusal] = useState<DeskError>();
  const [removing, setRemoving] = useState<Passkey>();
  const [renaming, setRenaming] = useState<Passkey>();
  const today = localTime(now(), 'UTC').day;

  const remove = async (one: Passkey) => {
    setRefusal(undefined);
    try {
      await identitiesApi.removePasskey(one.id);
      passkeys.set((rows) => rows.filter((row) => row.id !== one.id));
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setRemoving(undefined);
    }
  };

  return (
    <section>
      <h2>Passkeys</h2>
      <p>
        A passkey signs in with your finger, your face or the PIN of your device, without a password. It counts as a
        second factor, and works on no page but this desk's.
      </p>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      <ListedTable
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
            <td data-head="Made">{dayText(one.created_at.slice(0, 10), today)}</td>
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
      {passkeys.settled && <NewPasskey onMade={(made) => passkeys.set((rows) => [...rows, made])} />}
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
        <Dialog label={`Remove ${removing.name}`} className="small" onClose={() => setRemoving(undefined)}>
          <div className="dialog-head">
            <h2>Remove “{removing.name}”?</h2>
          </div>
          <p className="q2">
            It can no longer sign in as you. Your device still lists it: delete it there too. You get a mail about it.
          </p>
          <div className="editor-foot">
            <button type="button" className="btn danger" onClick={() => void remove(removing)}>
              Remove passkey
            </button>
            <button type="button" className="btn quiet" onClick={() => setRemoving(undefined)}>
              Keep it
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

function NewPasskey({ onMade }: { onMade: (passkey: Passkey) => void }) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<string>();
  const [refusal, setRefusal] = useState<DeskError>();
  const [waiting, setWaiting] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  if (!hasPasskeys())
    return <p className="q2">This browser makes no passkeys. A newer one does, at an address with HTTPS.</p>;

  const make = async (event: FormEvent) => {
    event.preventDefault();
    setRefusal(undefined);
    if (name.trim() === '') {
      setProblem('A name says later which one it is, such as “Laptop”.');
      input.current?.focus();
      return;
    }
    setWaiting(true);
    try {
      const { options } = await identitiesApi.newPasskeyOptions();
      const credential = await makePasskey(options);
      if (credential === undefined) return;
      onMade(await identitiesApi.addPasskey(name.trim(), credential));
      setName('');
    } catch (error) {
      setRefusal(
        isKnownAlready(error)
          ? new DeskError(409, {
              code: 'conflict',
              message: 'This device holds a passkey of yours already. Use it, or take another device.',
            })
          : asDeskError(error, 'The browser made no passkey. Try again, or take another device.'),
      );
    } finally {
      setWaiting(false);
    }
  };
  return (
    <form className="form" onSubmit={make} noValidate>
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
      <FormError message={refusal?.message} reference={refusal?.reference} />
      <div className="go">
        <button type="submit" className="btn" {...resting(waiting)}>
          {waiting ? 'Waiting for the device…' : 'Add a passkey'}
        </button>
      </div>
    </form>
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
  const [refusal, setRefusal] = useState<DeskError>();
  const save = async (event: FormEvent) => {
    event.preventDefault();
    try {
      onRenamed(await identitiesApi.renamePasskey(passkey.id, name.trim()));
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  return (
    <Dialog label={`Rename ${passkey.name}`} className="small" onClose={onClose}>
      <form onSubmit={save} noValidate>
        <div className="dialog-head">
          <h2>Rename the passkey</h2>
        </div>
        <Field label="Name" error={refusal?.message}>
          {(props) => (
            <input
              {...props}
              className="in"
              value={name}
              maxLength={nameLengthMax}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <div className="editor-foot">
          <button type="submit" className="btn main-act" {...resting(name.trim() === '')}>
            Save the name
          </button>
          <button type="button" className="btn quiet" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
