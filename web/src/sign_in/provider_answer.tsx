import { useEffect, useRef, useState } from 'react';
import { Link, navigate, useAddress } from '../address/navigate.tsx';
import { safeReturn } from '../address/route.ts';
import { FormError } from '../controls/field.tsx';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { identitiesApi, type ProviderId } from '../desk/identities.ts';
import { useDesk } from '../desk/session.tsx';
import { PlainPage } from '../shell/plain.tsx';
import { secondStep } from './other_ways.tsx';

/** What the desk wants to know of the address that the provider sent the browser back to. */
const wanted = ['state', 'code', 'iss', 'error'];

/** Where a provider sends the browser back to: hands the answer to the desk, once, and goes on. */
export function ProviderAnswerPage({ provider }: { provider: ProviderId }) {
  const { enter, visitor } = useDesk();
  const { search } = useAddress();
  const [refusal, setRefusal] = useState<DeskError>();
  const sent = useRef(false);

  useEffect(() => {
    if (sent.current) return;
    sent.current = true;
    const given = new URLSearchParams(search);
    const answer = Object.fromEntries([...given].filter(([name]) => wanted.includes(name)));
    // The code is of no more use, and a list of visited pages is no place for it.
    navigate(`/sign-in/${provider}`, { replace: true });
    const take = async () => {
      const { outcome, next } = await identitiesApi.answer(provider, { state: '', ...answer });
      if (outcome === 'second-factor') return navigate(secondStep(next), { replace: true });
      // What is left to say stands in the fragment, which a page of its own takes out of the address.
      if (outcome === 'sign-up') return navigate(next, { replace: true });
      if (outcome === 'signed-in') await enter();
      navigate(safeReturn(next), { replace: true });
    };
    take().catch((error: unknown) => setRefusal(asDeskError(error)));
  }, [enter, provider, search]);

  if (refusal === undefined)
    return (
      <PlainPage title="Signing in" narrow>
        <h1>Signing in…</h1>
        <p className="lede" role="status">
          The desk asks the provider who you are. That takes a second or two.
        </p>
      </PlainPage>
    );
  const isHere = visitor.state === 'here';
  return (
    <PlainPage title="Not signed in" narrow>
      <h1>{isHere ? 'Nothing was linked' : 'You are not signed in'}</h1>
      <FormError message={refusal.message} reference={refusal.status === 500 ? refusal.reference : undefined} />
      <div className="go">
        <Link className="btn main-act" href={isHere ? '/account/security' : '/sign-in'}>
          {isHere ? 'Back to Security' : 'Back to signing in'}
        </Link>
      </div>
    </PlainPage>
  );
}
