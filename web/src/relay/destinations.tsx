import { useCallback, useState } from 'react';
import { Link, navigate } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { ComingRows } from '../controls/coming.tsx';
import { Icon } from '../controls/icons.tsx';
import type { Site } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import type { Organisation } from '../desk/session.tsx';
import { exactCount } from '../numbers/format.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { type DestinationList, relayOf } from './api.ts';
import { NewDestination } from './destination_form.tsx';
import { RelayFrame } from './frame.tsx';
import { StateWord } from './state.tsx';

/** Where does it go? Every destination with how it stands. */
export function DestinationsPage({ site }: { site: Site }) {
  return (
    <RelayFrame site={site} title="Destinations">
      {(organisation, mayChange) => <Destinations site={site} organisation={organisation} mayChange={mayChange} />}
    </RelayFrame>
  );
}

function Destinations({
  site,
  organisation,
  mayChange,
}: {
  site: Site;
  organisation: Organisation;
  mayChange: boolean;
}) {
  const { answer, problem, reload } = useReading(
    useCallback(() => relayOf(organisation.id).destinations(), [organisation.id]),
  );
  const [isAdding, setAdding] = useState(false);
  const add = (
    <button type="button" className="btn main-act" onClick={() => setAdding(true)}>
      <Icon name="plus" />
      Add a destination
    </button>
  );
  return (
    <>
      <div className="rl-top">
        <p className="rl-answer">{answer === undefined ? (problem === undefined ? '…' : '') : answerText(answer)}</p>
        {mayChange && answer !== undefined && answer.destinations.length > 0 && add}
      </div>
      <section className="panel" aria-label="Destinations">
        {problem !== undefined ? (
          <Failed {...problem} onRetry={reload} what="The destinations could not be read." />
        ) : answer === undefined ? (
          <ComingRows what="the destinations" heads={['Destination', 'State', 'Routes', 'Waiting']} lines={2} />
        ) : answer.destinations.length === 0 ? (
          <Empty title="No destination yet." action={mayChange ? add : undefined}>
            A destination is an account of an ad platform, or a webhook of yours. Conversions go there by routes, hashed
            as the platform wants them and within consent.
          </Empty>
        ) : (
          <DestinationTable list={answer} site={site} />
        )}
      </section>
      {isAdding && answer !== undefined && (
        <NewDestination
          organisation={organisation}
          site={site.domain}
          kinds={answer.kinds}
          onMade={({ id }) => navigate(pathOf({ page: 'relay-destination', site: site.domain, destination: id }))}
          onClose={() => setAdding(false)}
        />
      )}
    </>
  );
}

function answerText({ destinations }: DestinationList): string {
  if (destinations.length === 0) return 'Conversions go nowhere yet.';
  const troubled = destinations.filter(({ state }) => state === 'reconnect' || state === 'misconfigured');
  const waiting = destinations.reduce((sum, one) => sum + one.waiting, 0);
  const wait = waiting === 0 ? '' : ` ${exactCount(waiting)} ${waiting === 1 ? 'delivery waits' : 'deliveries wait'}.`;
  if (troubled.length > 0)
    return `${troubled.map(({ name }) => name).join(', ')} ${troubled.length === 1 ? 'needs' : 'need'} you: the platform refuses what is sent.${wait}`;
  return `Conversions go to ${destinations.length === 1 ? 'one destination' : `${exactCount(destinations.length)} destinations`}.${wait}`;
}

function DestinationTable({ list, site }: { list: DestinationList; site: Site }) {
  const isBad = (state: string) => Number(state === 'reconnect' || state === 'misconfigured');
  const ordered = list.destinations.toSorted((a, b) => isBad(b.state) - isBad(a.state));
  return (
    <table className="rl-table">
      <thead>
        <tr>
          <th scope="col">Destination</th>
          <th scope="col">State</th>
          <th scope="col" className="num">
            Routes
          </th>
          <th scope="col" className="num">
            Waiting
          </th>
        </tr>
      </thead>
      <tbody>
        {ordered.map((one) => (
          <tr key={one.id}>
            <td className="rl-what">
              <Link href={pathOf({ page: 'relay-destination', site: site.domain, destination: one.id })}>
                <b dir="auto">{one.name}</b>
              </Link>
              <span className="q">
                {list.kinds.find(({ id }) => id === one.kind)?.label ?? one.kind}
                {one.test_code !== null ? ' · test events' : one.is_dry_run ? ' · checked only' : ''}
              </span>
            </td>
            <td data-head="State">
              <StateWord state={one.state} />
              {one.state_reason !== null && <code className="ref"> {one.state_reason}</code>}
            </td>
            <td className="num" data-head="Routes">
              {exactCount(one.routes)}
            </td>
            <td className="num" data-head="Waiting">
              {exactCount(one.waiting)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
