import { useEffect, useState } from 'react';
import { navigate } from '../address/navigate.tsx';
import { FormError } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { identitiesApi, type ProviderId, type SignInWays } from '../desk/identities.ts';
import { useDesk } from '../desk/session.tsx';
import { askPasskey, hasPasskeys } from '../edge/passkeys.ts';
import './other_ways.css';

/** The ways beside the password, where there are any: a button each. */
export function OtherWays({ next }: { next: string }) {
  const { enter } = useDesk();
  const [ways, setWays] = useState<SignInWays>();
  const [refusal, setRefusal] = useState<DeskError>();
  const [busy, setBusy] = useState<ProviderId | 'passkey'>();

  useEffect(() => {
    // A desk that does not say has none; the form above says what is wrong with it.
    identitiesApi.ways().then(setWays, () => {});
  }, []);

  const passkeys = ways?.passkeys === true && hasPasskeys();
  if (ways === undefined || (!passkeys && ways.providers.length === 0)) return null;

  const byProvider = async (provider: ProviderId) => {
    setBusy(provider);
    setRefusal(undefined);
    try {
      const { url } = await identitiesApi.begin(provider, next);
      window.location.assign(url);
    } catch (error) {
      setRefusal(asDeskError(error));
      setBusy(undefined);
    }
  };
  const byPasskey = async () => {
    setBusy('passkey');
    setRefusal(undefined);
    try {
      const { options } = await identitiesApi.passkeyOptions();
      const credential = await askPasskey(options);
      if (credential === undefined) return;
      const { outcome } = await identitiesApi.usePasskey(credential);
      if (outcome === 'signed-in') await enter();
      else navigate(secondStep(next));
    } catch (error) {
      setRefusal(asDeskError(error, 'The browser could not ask for a passkey. Try again, or use your password.'));
    } finally {
      setBusy(undefined);
    }
  };

  return (
    <section className="other-ways" aria-label="Other ways to sign in">
      <p className="or" aria-hidden="true">
        or
      </p>
      <FormError message={refusal?.message} reference={refusal?.status === 500 ? refusal.reference : undefined} />
      {passkeys && (
        <button type="button" className="btn" onClick={() => void byPasskey()} {...resting(busy !== undefined)}>
          {busy === 'passkey' ? 'Waiting for the passkey…' : 'Continue with a passkey'}
        </button>
      )}
      {ways.providers.map(({ id, name }) => (
        <button
          key={id}
          type="button"
          className="btn"
          onClick={() => void byProvider(id)}
          {...resting(busy !== undefined)}
        >
          {busy === id ? `Going to ${name}…` : `Continue with ${name}`}
        </button>
      ))}
    </section>
  );
}

/** The page of the second factor, and where to go after it. */
export function secondStep(next: string): string {
  return `/second-factor${next === '/' ? '' : `?${new URLSearchParams({ next })}`}`;
}
