import { useState } from 'react';
import type { TriedDelivery } from '../../../../contract/relay_settings.ts';
import { Link } from '../../address/navigate.tsx';
import { Glyph } from '../../controls/icons.tsx';
import { Tabs } from '../../controls/tabs.tsx';
import { deliveryText, outcomeWords } from '../words.ts';

/** What would go to each destination for the conversion in the middle, line by line, or why nothing would. */
export function Outgoing({
  deliveries,
  destinationsHref,
}: {
  deliveries: readonly TriedDelivery[] | undefined;
  destinationsHref: string;
}) {
  const [chosen, setChosen] = useState('');
  const tabs = (deliveries ?? []).map((one) => ({ id: String(one.route_id), label: one.destination }));
  const shown = deliveries?.find((one) => String(one.route_id) === chosen) ?? deliveries?.[0];
  return (
    <>
      <header>
        <h2 className={tabs.length > 0 ? 'vh' : ''}>To each destination</h2>
        {tabs.length > 0 && (
          <Tabs
            label="Destinations"
            tabs={tabs}
            selected={String(shown?.route_id)}
            onSelect={setChosen}
            panelId="mp-out"
          />
        )}
      </header>
      <div
        className="mp-body"
        id="mp-out"
        {...(tabs.length > 0 ? { role: 'tabpanel', 'aria-label': shown?.destination } : {})}
      >
        {deliveries === undefined ? (
          <p className="mp-hint">Once the request makes a conversion, what would be sent stands here.</p>
        ) : shown === undefined ? (
          <p className="mp-hint">
            No active route leads from this source to a destination.{' '}
            <Link className="link" href={destinationsHref}>
              Destinations
            </Link>
          </p>
        ) : (
          <One delivery={shown} />
        )}
      </div>
    </>
  );
}

function One({ delivery }: { delivery: TriedDelivery }) {
  const { outcome, request } = delivery;
  const isBad = outcome === 'refused' || outcome === 'misconfigured';
  return (
    <>
      <p className={`mp-said st ${isBad ? 'bad' : 'rl-quiet'}`} role="status">
        <Glyph state={outcome === 'sent' ? 'ok' : isBad ? 'bad' : outcome === 'held' ? 'idle' : 'off'} />
        <span>
          {outcomeWords[outcome]}
          {delivery.reason === undefined ? '.' : `: ${deliveryText(delivery)}.`}
        </span>
      </p>
      {request !== undefined && (
        <>
          <p className="mp-url">
            <b>{request.method}</b> {request.url}
          </p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling block must be reachable by keyboard. */}
          <ol className="mp-lines" tabIndex={0} aria-label="The body">
            {JSON.stringify(request.body, null, 2)
              .split('\n')
              .map((line, at) => (
                <li key={at}>
                  <code>{line}</code>
                </li>
              ))}
          </ol>
        </>
      )}
    </>
  );
}
