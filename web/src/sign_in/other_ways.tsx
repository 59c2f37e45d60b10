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
  const [busy, setBusy] = useState<'passkey'>();

  useEffect(() => {
    // A desk that does not say has none; the form above says what is wrong with it.
    identitiesApi.ways().then(setWays, () => {});
  }, []);

  const passkeys = ways?.passkeys === true && hasPasskeys();
  if (ways === undefined || (!passkeys && ways.providers.length === 0)) return null;

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
      <Providers ways={ways} next={next} busy={busy !== undefined} />
    </section>
  );
}

/** A button for each provider, for whoever makes an account or follows an invitation; nothing where there is none. */
export function ProviderButtons({
  next,
  invitation,
  label,
}: {
  next: string;
  invitation?: string | undefined;
  label: string;
}) {
  const [ways, setWays] = useState<SignInWays>();
  useEffect(() => {
    identitiesApi.ways().then(setWays, () => {});
  }, []);
  if (ways === undefined || ways.providers.length === 0) return null;
  return (
    <section className="other-ways" aria-label={label}>
      <p className="or" aria-hidden="true">
        or
      </p>
      <Providers ways={ways} next={next} invitation={invitation} busy={false} />
    </section>
  );
}

function Providers({
  ways,
  next,
  invitation,
  busy,
}: {
  ways: SignInWays;
  next: string;
  invitation?: string | undefined;
  busy: boolean;
}) {
  const [going, setGoing] = useState<ProviderId>();
  const [refusal, setRefusal] = useState<DeskError>();
  const go = async (provider: ProviderId) => {
    setGoing(provider);
    setRefusal(undefined);
    try {
      const { url } = await identitiesApi.begin(provider, next, invitation);
      window.location.assign(url);
    } catch (error) {
      setRefusal(asDeskError(error));
      setGoing(undefined);
    }
  };
  return (
    <>
      <FormError message={refusal?.message} reference={refusal?.status === 500 ? refusal.reference : undefined} />
      {ways.providers.map(({ id, name }) => (
        <button
          key={id}
          type="button"
          className="btn"
          onClick={() => void go(id)}
          {...resting(busy || going !== undefined)}
        >
          {going === id ? `Going to ${name}…` : `Continue with ${name}`}
        </button>
      ))}
    </>
  );
}

/** The page of the second factor, and where to go after it. */
export function secondStep(next: string): string {
  return `/second-factor${next === '/' ? '' : `?${new URLSearchParams({ next })}`}`;
}
