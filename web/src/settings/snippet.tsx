import { useState } from 'react';
import type { Site } from '../desk/api.ts';
import { now } from '../edge/browser.ts';
import { SnippetBox } from '../first_run/snippet_box.tsx';
import { snippetPlaces } from '../first_run/snippets.ts';
import { addressOf, TestEventButton, useChecks, WaitingCard, WhyNothing } from '../first_run/waiting.tsx';

export function SnippetSettings({ site }: { site: Site }) {
  const waiting = useChecks(site.domain);
  const [since] = useState(now);
  const [place, setPlace] = useState(() => snippetPlaces.html(site.domain));
  const address = addressOf(waiting);
  return (
    <div className="settings">
      <section>
        <h2>Put this on every page</h2>
        <p>{place}</p>
        <SnippetBox domain={site.domain} address={address} onPlace={setPlace} />
        <WaitingCard domain={site.domain} waiting={waiting} since={since} timezone={site.timezone} />
        <div className="go">
          <TestEventButton domain={site.domain} />
        </div>
        <WhyNothing domain={site.domain} address={address ?? window.location.origin} />
      </section>
    </div>
  );
}
