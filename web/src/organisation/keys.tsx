import { useCallback, useState } from 'react';
import { CopyButton } from '../controls/copy.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { FormError } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import { takeFocus } from '../controls/take_focus.ts';
import type { ApiKey, CreatedApiKey, DeskError } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { may, type Organisation, useSession } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { readerDay } from '../edge/reader.ts';
import { Empty } from '../overview/states.tsx';
import { addDays, type Day, daysIn, localTime } from '../period/period.ts';
import { dayText } from '../period/words.ts';
import { ListedTable, useListed } from '../settings/listed.tsx';
import { deniedText } from './denied.tsx';
import './organisation.css';
import { NewKeyForm } from './new_key.tsx';
import { type Scope, scopeWords } from './scopes.ts';

/** A key that ends so soon is marked, while there is time to make the next one. */
const soonDays = 14;

/** Keys for programs. A key is shown once; afterwards only its last four characters are known here. */
export function OrganisationKeys({ organisation }: { organisation: Organisation }) {
  if (!may(organisation, 'key.manage'))
    return (
      <div className="settings wide">
        <Empty title={deniedText('API keys', organisation)}>
          A key reads numbers and sends events for a program. Owners and admins of {organisation.name} make them.
        </Empty>
      </div>
    );
  return <Keys organisation={organisation} />;
}

function Keys({ organisation }: { organisation: Organisation }) {
  const load = useCallback(() => api.keys(organisation.id), [organisation.id]);
  const keys = useListed<ApiKey>(load);
  const [created, setCreated] = useState<CreatedApiKey>();
  const [revoking, setRevoking] = useState<ApiKey>();
  const [refusal, setRefusal] = useState<DeskError>();
  const today = localTime(now(), 'UTC').day;
  const left = keys.rows?.filter((key) => key.made_by !== null && key.made_by.name === null).length ?? 0;

  const revoke = async (key: ApiKey) => {
    try {
      await api.deleteKey(organisation.id, key.id);
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
          For programs that read numbers or send events. A key belongs to the organisation: it goes on when the person
          who made it leaves.
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
        {left > 0 && (
          <div className="note warn">
            <div>
              {left === 1 ? 'One key was' : `${left} keys were`} made by somebody who has left. They may still know it:
              make a new key for the program, then revoke the old one.
            </div>
          </div>
        )}
        <ListedTable
          what="the keys"
          listed={keys}
          heads={['Name', 'Key', 'May', 'Sites', 'Made', 'Ends', 'Last used']}
          empty={
            <Empty title="No keys yet.">
              A script that was written for Plausible's stats API works here with a key and this address.
            </Empty>
          }
          row={(key) => (
            <>
              <td className="fill named" title={key.name}>
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
              <td data-head="Sites">
                <SitesOf apiKey={key} />
              </td>
              <td data-head="Made" className="made">
                {dayText(readerDay(key.created_at), today)}
                <span className="below"> {makerOf(key)}</span>
              </td>
              <td data-head="Ends">
                <EndOf apiKey={key} today={today} />
              </td>
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
          organisation={organisation}
          today={today}
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

/** Who made it, as far as the organisation still knows the person. */
function makerOf({ made_by }: ApiKey): string {
  if (made_by === null) return 'by the command line';
  return made_by.name === null ? 'by somebody who has left' : `by ${made_by.name}`;
}

function SitesOf({ apiKey }: { apiKey: ApiKey }) {
  const { sites } = useSession();
  if (apiKey.site_ids === null) return <>all</>;
  const names = apiKey.site_ids.map((id) => sites.find((site) => site.id === id)?.domain ?? `site ${id}`);
  const [first, ...more] = names;
  return (
    <span title={names.join(', ')}>
      {first}
      {more.length > 0 && <span className="q"> and {more.length} more</span>}
    </span>
  );
}

function EndOf({ apiKey, today }: { apiKey: ApiKey; today: Day }) {
  const { expires_at } = apiKey;
  if (expires_at === null) return <>never</>;
  const day = expires_at.slice(0, 10);
  if (Date.parse(expires_at) <= now())
    return (
      <span className="st bad">
        <Glyph state="bad" />
        <span>ended {dayText(day, today)}</span>
      </span>
    );
  if (day > addDays(today, soonDays)) return <>{dayText(day, today)}</>;
  const days = daysIn({ from: today, to: day }) - 1;
  return (
    <>
      {dayText(day, today)}{' '}
      <span className="below">{days === 0 ? 'today' : days === 1 ? 'tomorrow' : `in ${days} days`}</span>
    </>
  );
}
