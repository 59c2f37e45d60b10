import { useEffect, useRef, useState } from 'react';
import type { SignedInProvider } from '../../../contract/connections.ts';
import { Link, navigate, useAddress } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { FormError } from '../controls/field.tsx';
import { asDeskError, type DeskError } from '../desk/api.ts';
import { useSession } from '../desk/session.tsx';
import { PlainPage } from '../shell/plain.tsx';
import { connectionsApi } from './api.ts';

/** Where a platform sends the browser back to: hands the answer to the desk, once, and goes on to the connections. */
export function ConnectAnswerPage({ provider }: { provider: SignedInProvider }) {
  const { sites } = useSession();
  const { search } = useAddress();
  const [refusal, setRefusal] = useState<DeskError>();
  const [back, setBack] = useState('/');
  const sent = useRef(false);

  useEffect(() => {
    if (sent.current) return;
    sent.current = true;
    const given = new URLSearchParams(search);
    const state = given.get('state') ?? '';
    // The organisation stands in front of the state.
    const organisation = Number(state.split('.')[0]);
    const site = sites.find(({ organisation_id: of }) => of === organisation);
    const next = site === undefined ? '/' : pathOf({ page: 'connections', site: site.domain });
    setBack(next);
    // The code is of no more use, and a list of visited pages is no place for it.
    navigate(pathOf({ page: 'connect', provider }), { replace: true });
    // TikTok calls the code otherwise.
    const code = given.get('auth_code') ?? given.get('code');
    const [iss, error] = [given.get('iss'), given.get('error')];
    connectionsApi
      .answer(organisation, {
        ...{ provider, state },
        ...(code !== null && { code }),
        ...(iss !== null && { iss }),
        ...(error !== null && { error }),
      })
      .then(
        () => navigate(next, { replace: true }),
        (fault: unknown) => setRefusal(asDeskError(fault)),
      );
  }, [provider, search, sites]);

  if (refusal === undefined)
    return (
      <PlainPage title="Connecting" narrow>
        <h1>Connecting…</h1>
        <p className="lede" role="status">
          The desk asks the platform for the token. That takes a second or two.
        </p>
      </PlainPage>
    );
  return (
    <PlainPage title="Not connected" narrow>
      <h1>Nothing was connected</h1>
      <FormError message={refusal.message} reference={refusal.status === 500 ? refusal.reference : undefined} />
      <div className="go">
        <Link className="btn main-act" href={back}>
          Back to the connections
        </Link>
      </div>
    </PlainPage>
  );
}
