import { useCallback, useState } from 'react';
import { Dialog } from '../controls/dialog.tsx';
import { FormError } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { type Identity, identitiesApi, type ProviderId, type SignInWays } from '../desk/identities.ts';
import { now } from '../edge/browser.ts';
import { Empty } from '../overview/states.tsx';
import { localTime } from '../period/period.ts';
import { dayText } from '../period/words.ts';
import { ListedTable, useListed } from '../settings/listed.tsx';

/** Accounts elsewhere that sign in as this person. Absent where the desk knows no provider and nothing is linked. */
export function LinkedAccounts() {
  const [providers, setProviders] = useState<SignInWays['providers']>();
  const load = useCallback(async () => {
    const list = await identitiesApi.list();
    setProviders(list.providers);
    return list.identities;
  }, []);
  const linked = useListed<Identity>(load);
  const [refusal, setRefusal] = useState<DeskError>();
  const [leaving, setLeaving] = useState<ProviderId>();
  const [unlinking, setUnlinking] = useState<Identity>();
  const today = localTime(now(), 'UTC').day;

  const link = async (provider: ProviderId) => {
    setLeaving(provider);
    setRefusal(undefined);
    try {
      window.location.assign((await identitiesApi.link(provider)).url);
    } catch (error) {
      setRefusal(asDeskError(error));
      setLeaving(undefined);
    }
  };
  const unlink = async (one: Identity) => {
    setRefusal(undefined);
    try {
      await identitiesApi.unlink(one.id);
      linked.set((rows) => rows.filter((row) => row.id !== one.id));
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setUnlinking(undefined);
    }
  };

  if (providers?.length === 0 && linked.rows?.length === 0) return null;
  return (
    <section>
      <h2>Linked accounts</h2>
      <p>
        An account that is linked signs in as you without your password. Your second factor is still asked for. An
        account with the same e-mail address is not linked by that.
      </p>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      <ListedTable
        listed={linked}
        heads={['Account', 'Linked', 'Last used']}
        empty={<Empty title="Nothing is linked.">You sign in with your password or a passkey.</Empty>}
        row={(one) => (
          <>
            <td className="fill">
              <b>{one.provider_name}</b> <span className="q2">{one.label}</span>
            </td>
            <td data-head="Linked">{dayText(one.linked_at.slice(0, 10), today)}</td>
            <td data-head="Last used">{one.last_used_day === null ? 'never' : dayText(one.last_used_day, today)}</td>
            <td className="num">
              <button
                type="button"
                className="btn quiet danger sm"
                aria-label={`Unlink ${one.provider_name}, ${one.label}`}
                onClick={() => setUnlinking(one)}
              >
                Unlink
              </button>
            </td>
          </>
        )}
      />
      <div className="go">
        {providers?.map(({ id, name }) => (
          <button
            key={id}
            type="button"
            className="btn"
            onClick={() => void link(id)}
            {...resting(leaving !== undefined)}
          >
            {leaving === id ? `Going to ${name}…` : `Link ${name}`}
          </button>
        ))}
      </div>
      {unlinking !== undefined && (
        <Dialog label={`Unlink ${unlinking.provider_name}`} className="small" onClose={() => setUnlinking(undefined)}>
          <div className="dialog-head">
            <h2>Unlink {unlinking.provider_name}?</h2>
          </div>
          <p className="q2">
            {unlinking.label} can no longer sign in as you. It can be linked again later. You get a mail about it.
          </p>
          <div className="editor-foot">
            <button type="button" className="btn danger" onClick={() => void unlink(unlinking)}>
              Unlink
            </button>
            <button type="button" className="btn quiet" onClick={() => setUnlinking(undefined)}>
              Keep it
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}
