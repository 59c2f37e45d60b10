import type { FormEvent } from 'react';
import { useRef, useState } from 'react';
import type { keyScopes } from '../../../contract/api.ts';
import { CopyButton } from '../controls/copy.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Field, FormError } from '../controls/field.tsx';
import { takeFocus } from '../controls/take_focus.ts';
import type { ApiKey, CreatedApiKey, DeskError, Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { now } from '../edge/browser.ts';
import { Empty } from '../overview/states.tsx';
import { localTime } from '../period/period.ts';
import { dayText } from '../period/words.ts';
import { ListedTable, useListed } from './listed.tsx';
import { Toggle } from './toggle.tsx';

type Scope = (typeof keyScopes)[number];
const scopeWords: Record<Scope, string> = {
  'stats:read': 'Read statistics',
  'stats:export': 'Export everything into files',
  'events:write': 'Send events with their own time and address',
  'sites:read': 'Read sites and their settings',
  'sites:write': 'Create and change sites',
};
const scopes = Object.keys(scopeWords) as Scope[];

/** Keys for programs. A key is shown once; afterwards only its last four characters are known here. */
export function KeySettings({ site }: { site: Site }) {
  const keys = useListed<ApiKey>(api.keys);
  const [created, setCreated] = useState<CreatedApiKey>();
  const [revoking, setRevoking] = useState<ApiKey>();
  const [refusal, setRefusal] = useState<DeskError>();
  const today = localTime(now(), site.timezone).day;

  const revoke = async (key: ApiKey) => {
    try {
      await api.deleteKey(key.id);
      keys.set((rows) => rows.filter((row) => row.id !== key.id));
      if (created?.id === key.id) setCreated(undefined);
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setRevoking(undefined);
    }
  };

  return (
    <div className="settings wide">
      <section>
        <h2 className="vh">All keys</h2>
        <p>
          For programs that read numbers or send events. A key belongs to the organisation and reaches all of its sites.
        </p>
        <FormError message={refusal?.message} reference={refusal?.reference} />
        {created !== undefined && (
          <div className="note ok reached" role="status" key={created.id} ref={takeFocus} tabIndex={-1}>
            <div>
              <b>“{created.name}” is ready.</b> This is the only time the key is shown; keep it somewhere safe.
              <div className="secret">
                <code>{created.key}</code>
                <CopyButton text={created.key} label="Copy the key" />
              </div>
              <button type="button" className="link" onClick={() => setCreated(undefined)}>
                I have it, hide it
              </button>
            </div>
          </div>
        )}
        <ListedTable
          listed={keys}
          heads={['Name', 'Key', 'May', 'Made', 'Last used']}
          empty={
            <Empty title="No keys yet.">
              A script that was written for Plausible's stats API works here with a key and this address.
            </Empty>
          }
          row={(key) => (
            <>
              <td className="fill">
                <b>{key.name}</b>
              </td>
              <td>
                <code className="ref">••••{key.last4}</code>
              </td>
              <td>
                {key.scopes.map((scope) => (
                  <span key={scope} className="tag" title={scopeWords[scope as Scope]}>
                    {scope}
                  </span>
                ))}
              </td>
              <td data-head="Made">{dayText(key.created_at.slice(0, 10), today)}</td>
              <td data-head="Last used">{key.last_used_day === null ? 'never' : dayText(key.last_used_day, today)}</td>
              <td className="num">
                <button
                  type="button"
                  className="btn quiet danger sm"
                  aria-label={`Revoke the key ${key.name}`}
                  onClick={() => setRevoking(key)}
                >
                  Revoke
                </button>
              </td>
            </>
          )}
        />
      </section>
      {keys.settled && (
        <NewKeyForm
          onMade={(key) => {
            const { key: _, ...listed } = key;
            keys.set((rows) => [...rows, listed]);
            setCreated(key);
            window.scrollTo(0, 0);
          }}
        />
      )}
      {revoking !== undefined && (
        <Dialog label={`Revoke ${revoking.name}`} className="small" onClose={() => setRevoking(undefined)}>
          <div className="dialog-head">
            <h2>Revoke “{revoking.name}”?</h2>
          </div>
          <p className="q2">
            Programs with the key ••••{revoking.last4} are refused from now on. It cannot be brought back
            {revoking.last_used_day === null
              ? '; it was never used.'
              : `; it was last used on ${dayText(revoking.last_used_day, today)}.`}
          </p>
          <div className="editor-foot">
            <button type="button" className="btn danger" onClick={() => void revoke(revoking)}>
              Revoke key
            </button>
            <button type="button" className="btn quiet" onClick={() => setRevoking(undefined)}>
              Keep it
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

function NewKeyForm({ onMade }: { onMade: (key: CreatedApiKey) => void }) {
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<Scope[]>(['stats:read']);
  const [problem, setProblem] = useState<string>();
  const [refusal, setRefusal] = useState<DeskError>();
  const form = useRef<HTMLFormElement>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setRefusal(undefined);
    const missing = name.trim() === '' ? 'A name says later what the key is for, such as “Monthly report”.' : undefined;
    setProblem(missing);
    if (missing !== undefined) form.current?.querySelector<HTMLInputElement>('input')?.focus();
    if (missing !== undefined || chosen.length === 0) return;
    try {
      onMade(await api.createKey({ name: name.trim(), scopes: chosen }));
      setName('');
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  return (
    <section>
      <h2>New key</h2>
      <form className="form" ref={form} onSubmit={submit} noValidate>
        <Field label="Name" error={problem}>
          {(props) => (
            <input
              {...props}
              className="in"
              value={name}
              maxLength={120}
              onChange={(event) => {
                setName(event.target.value);
                setProblem(undefined);
              }}
            />
          )}
        </Field>
        <fieldset>
          <legend>
            <b>May</b>
          </legend>
          <div className="scopes">
            {scopes.map((scope) => (
              <Toggle
                key={scope}
                label={scopeWords[scope]}
                help={<code className="ref">{scope}</code>}
                checked={chosen.includes(scope)}
                onChange={(on) => setChosen(on ? [...chosen, scope] : chosen.filter((one) => one !== scope))}
              />
            ))}
          </div>
        </fieldset>
        {chosen.length === 0 && <FormError message="A key that may do nothing is no use: choose at least one." />}
        <FormError message={refusal?.message} reference={refusal?.reference} />
        <div className="go">
          <button type="submit" className="btn main-act">
            Create key
          </button>
        </div>
      </form>
    </section>
  );
}
