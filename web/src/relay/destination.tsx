import { useCallback, useState } from 'react';
import type { DestinationKind, RelayDestination } from '../../../contract/relay_settings.ts';
import { Link, navigate } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import type { ConnectionsAnswer } from '../connections/api.ts';
import { endsSoon } from '../connections/words.ts';
import { AskFirst } from '../controls/ask_first.tsx';
import { ComingForm } from '../controls/coming.tsx';
import { Fact } from '../controls/fact.tsx';
import { FormError } from '../controls/field.tsx';
import { Glyph, Icon } from '../controls/icons.tsx';
import type { DeskError, Site } from '../desk/api.ts';
import { asDeskError, DeskError as Refused } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import type { Organisation } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { exactCount } from '../numbers/format.ts';
import { connectionText, useConnections } from './access.tsx';
import { relayOf } from './api.ts';
import { DestinationForm } from './destination_form.tsx';
import { BackTo, Instead, RelayFrame } from './frame.tsx';
import { Routes } from './routes.tsx';
import { StateWord } from './state.tsx';
import { whenText } from './words.ts';

/** One destination: how it stands, what goes there, how it is set. */
export function DestinationPage({ site, id }: { site: Site; id: number }) {
  return (
    <RelayFrame site={site} title="Destination">
      {(organisation, mayChange) => (
        <OneDestination site={site} id={id} organisation={organisation} mayChange={mayChange} />
      )}
    </RelayFrame>
  );
}

function OneDestination({
  site,
  id,
  organisation,
  mayChange,
}: {
  site: Site;
  id: number;
  organisation: Organisation;
  mayChange: boolean;
}) {
  const relay = relayOf(organisation.id);
  const { answer, problem, reload, set } = useReading(
    useCallback(async () => {
      const { destinations, kinds } = await relayOf(organisation.id).destinations();
      const destination = destinations.find((one) => one.id === id);
      if (destination === undefined) throw new Refused(404, { code: 'not_found', message: 'It is not here.' });
      return { destination, kind: kinds.find((one) => one.id === destination.kind) };
    }, [organisation.id, id]),
  );
  const connections = useConnections(organisation);
  const [isRemoving, setRemoving] = useState(false);
  const [refusal, setRefusal] = useState<DeskError>();
  const all = pathOf({ page: 'relay-destinations', site: site.domain });
  if (problem !== undefined)
    return (
      <Instead problem={problem} what="destination" all={{ href: all, label: 'All destinations' }} onRetry={reload} />
    );
  if (answer === undefined)
    return (
      <section className="panel" aria-label="Destination">
        <ComingForm what="the destination" fields={5} />
      </section>
    );
  const { destination, kind } = answer;
  const keep = (next: RelayDestination) => set({ ...answer, destination: next });
  const isActive = destination.state === 'active';
  return (
    <>
      <BackTo href={all}>Destinations</BackTo>
      <header className="rl-head">
        <div>
          <h2 dir="auto">{destination.name}</h2>
          <p className="q2">{outcomeOf(destination, site.timezone)}</p>
        </div>
        {mayChange && (
          <div className="rl-acts">
            <button
              type="button"
              className={`btn ${isActive ? '' : 'main-act'}`}
              onClick={async () => {
                setRefusal(undefined);
                try {
                  keep(await relay.changeDestination(id, { state: isActive ? 'paused' : 'active' }));
                } catch (error) {
                  setRefusal(asDeskError(error));
                }
              }}
            >
              <Icon name={isActive ? 'pause' : 'play'} />
              {isActive ? 'Pause' : destination.state === 'paused' ? 'Resume' : 'Try again'}
            </button>
          </div>
        )}
      </header>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      <dl className="rl-facts panel">
        <Fact name="State">
          <StateWord state={destination.state} />
          {destination.state_reason !== null && <code className="ref"> {destination.state_reason}</code>}
        </Fact>
        <Fact name="Platform">{kind?.label ?? destination.kind}</Fact>
        <Fact name="Sent with">
          <Access {...{ destination, kind, connections }} site={site.domain} />
        </Fact>
        <Fact name="Waiting">{exactCount(destination.waiting)}</Fact>
        <Fact name="Sent as">
          {destination.test_code !== null ? 'test events' : destination.is_dry_run ? 'checked only' : 'live events'}
        </Fact>
      </dl>
      <Routes {...{ site, organisation, mayChange }} of={{ destination_id: destination.id }} />
      <div className="rl-columns">
        <section className="panel rl-form" aria-label="Settings">
          <h3>Settings</h3>
          {kind === undefined ? (
            <p className="q2">This desk knows this kind of destination no longer. What waits for it is not sent.</p>
          ) : (
            <DestinationForm
              key={JSON.stringify(destination)}
              {...{ destination, kind, organisation, connections, mayChange }}
              site={site.domain}
              onSaved={keep}
            />
          )}
        </section>
        {mayChange && (
          <section className="panel rl-form" aria-label="Remove">
            <h3>Remove this destination</h3>
            <p className="q2">
              Its routes and its secret go with it. What was sent stays written, and stays with the platform.
            </p>
            <div className="rl-acts">
              <button type="button" className="btn danger sm" onClick={() => setRemoving(true)}>
                Remove the destination
              </button>
            </div>
          </section>
        )}
      </div>
      {isRemoving && (
        <AskFirst
          title={`Remove ${destination.name}?`}
          act="Remove the destination"
          onAct={async () => {
            await relay.removeDestination(id);
            navigate(all);
          }}
          onClose={() => setRemoving(false)}
        >
          {destination.waiting === 0
            ? 'Nothing waits for it. '
            : `${exactCount(destination.waiting)} not sent yet will not be sent. `}
          This cannot be taken back.
        </AskFirst>
      )}
    </>
  );
}

/** What it is sent with, and until when that goes on. */
function Access({
  destination: { connection_id: id, has_secret },
  kind,
  connections,
  site,
}: {
  destination: RelayDestination;
  kind: DestinationKind | undefined;
  connections: ConnectionsAnswer | undefined;
  site: string;
}) {
  if (id === null && kind?.secret === null) return 'needs no token';
  if (id === null)
    return has_secret ? (
      'a token of its own'
    ) : (
      <span className="st bad">
        <Glyph state="bad" />
        no token yet
      </span>
    );
  const one = connections?.connections.find((each) => each.id === id);
  const page = pathOf({ page: 'connections', site });
  if (one === undefined)
    return (
      <Link className="link" href={page}>
        connection {id}
      </Link>
    );
  const needsHand = one.state !== 'connected' || endsSoon(one, now());
  return (
    <>
      <Link className="link" href={page}>
        {one.label}
      </Link>
      <span className={needsHand ? 'st bad rl-under' : 'q rl-under'}>
        {needsHand && <Glyph state="bad" />}
        {connectionText(one)}
      </span>
    </>
  );
}

function outcomeOf(one: RelayDestination, zone: string): string {
  const { state, state_reason, state_since, waiting, routes } = one;
  const since = whenText(state_since, zone);
  const wait = waiting === 0 ? '' : ` ${exactCount(waiting)} wait and will be sent.`;
  if (state === 'reconnect' && state_reason === 'expired')
    return `What the platform granted expired: nothing goes there since ${since}. Authorise again.${wait}`;
  if (state === 'reconnect') return `The platform has refused the token since ${since}.${wait}`;
  if (state === 'misconfigured') return `The platform has refused the settings since ${since}.${wait}`;
  if (state === 'paused') return `Paused since ${since}. What comes waits.`;
  if (routes === 0) return 'Nothing goes there: it has no active route.';
  return waiting === 0 ? 'Everything that was to go there has gone.' : `${exactCount(waiting)} on their way.`;
}
