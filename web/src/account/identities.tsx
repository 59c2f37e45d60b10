import { useCallback, useState } from 'react';
import { type Identity, identitiesApi, type SignInWays } from '../desk/identities.ts';
import { readerDay, readerToday } from '../edge/reader.ts';
import { Empty } from '../overview/states.tsx';
import { dayText } from '../period/words.ts';
import { ListedTable, useListed } from '../settings/listed.tsx';
import type { Account } from './api.ts';
import { ProveDialog } from './prove_dialog.tsx';

/** Accounts elsewhere that sign in as this person. Absent where the desk knows no provider and nothing is linked. */
export function LinkedAccounts({ account }: { account: Account }) {
  const [providers, setProviders] = useState<SignInWays['providers']>();
  const load = useCallback(async () => {
    const list = await identitiesApi.list();
    setProviders(list.providers);
    return list.identities;
  }, []);
  const linked = useListed<Identity>(load);
  const [linking, setLinking] = useState<SignInWays['providers'][number]>();
  const [unlinking, setUnlinking] = useState<Identity>();
  const today = readerToday();

  if (providers?.length === 0 && linked.rows?.length === 0) return null;
  return (
    <section>
      <h2>Linked accounts</h2>
      <p>
        An account that is linked signs in as you without your password. Your second factor is still asked for. An
        account with the same e-mail address is not linked by that.
      </p>
      <ListedTable
        what="your linked accounts"
        listed={linked}
        heads={['Account', 'Linked', 'Last used']}
        empty={<Empty title="Nothing is linked.">You sign in with your password or a passkey.</Empty>}
        row={(one) => (
          <>
            <td className="fill">
              <b>{one.provider_name}</b> <span className="q2">{one.label}</span>
            </td>
            <td data-head="Linked">{dayText(readerDay(one.linked_at), today)}</td>
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
          <button key={id} type="button" className="btn" onClick={() => setLinking({ id, name })}>
            {`Link ${name}`}
          </button>
        ))}
      </div>
      {linking !== undefined && (
        <ProveDialog
          account={account}
          title={`Link ${linking.name}`}
          act={`Continue to ${linking.name}`}
          onProve={async (password) => window.location.assign((await identitiesApi.link(linking.id, password)).url)}
          onClose={() => setLinking(undefined)}
        >
          <p>
            The account that you choose there signs in as you from then on, and every other session of yours ends. You
            get a mail about it.
          </p>
        </ProveDialog>
      )}
      {unlinking !== undefined && (
        <ProveDialog
          account={account}
          title={`Unlink ${unlinking.provider_name}?`}
          act="Unlink"
          keep="Keep it"
          isDangerous
          onProve={async (password) => {
            await identitiesApi.unlink(unlinking.id, password);
            linked.set((rows) => rows.filter((row) => row.id !== unlinking.id));
            setUnlinking(undefined);
          }}
          onClose={() => setUnlinking(undefined)}
        >
          <p>
            {unlinking.label} can no longer sign in as you, and every other session of yours ends. It can be linked
            again later. You get a mail about it.
          </p>
        </ProveDialog>
      )}
    </section>
  );
}
