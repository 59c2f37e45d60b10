import { useCallback } from 'react';
import type { ShieldList } from '../../../contract/shields.ts';
import { CallBox } from '../controls/call_box.tsx';
import { ComingRows } from '../controls/coming.tsx';
import type { Site } from '../desk/api.ts';
import { api, shieldsPath } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import { useRole } from '../desk/session.tsx';
import { exactCount, percent, share } from '../numbers/format.ts';
import { Failed } from '../overview/states.tsx';
import { Shell } from '../shell/shell.tsx';
import { ShieldForm } from './form.tsx';
import { OwnTraffic } from './own_traffic.tsx';
import { Removal, useRemoval } from './removal.tsx';
import { Rules } from './rules.tsx';
import './shields.css';

/** What is dropped before it is stored? The rules by kind, and one form whose kind and value are in the address. */
export function ShieldsPage({ site }: { site: Site }) {
  const { answer, problem, reload } = useReading(useCallback(() => api.shields(site.domain), [site.domain]));
  const removal = useRemoval(site, reload);
  const role = useRole(site);
  const mayChange = role === 'owner' || role === 'admin';

  const onAdded = () => {
    removal.forget();
    reload();
  };
  // What stands under the list on a phone waits for it, so that nothing moves when it comes.
  const settled = answer !== undefined || problem !== undefined;

  return (
    <Shell site={site.domain} title="Shields" skipTo="Skip to the rules">
      <main className="wrap shields" id="main" tabIndex={-1}>
        <p className="sh-answer">
          {answer === undefined ? problem === undefined ? '…' : '' : <Answer list={answer} />}
        </p>
        <p className="sh-facts">A change holds from the next event on. Shields never delete what is stored.</p>
        <div className="sh-columns">
          <section className="panel sh-rules" aria-label="Rules">
            <header>
              <h2>Rules</h2>
              {answer !== undefined && answer.week !== null && answer.shields.length > 0 && (
                <span className="sh-week">Dropped in 7 days</span>
              )}
            </header>
            <Removal removal={removal} site={site} list={answer} />
            {problem !== undefined ? (
              <Failed {...problem} onRetry={reload} what="The rules could not be read." />
            ) : answer === undefined ? (
              <ComingRows what="the rules" />
            ) : (
              <Rules list={answer} site={site} {...(mayChange ? { onRemove: removal.remove } : {})} />
            )}
            {answer !== undefined && answer.shields.length > 0 && (
              <footer>
                <span>
                  {answer.shields.length} of {answer.limits.shields} rules. Counts are by kind: a single rule has none.
                </span>
              </footer>
            )}
          </section>
          {!settled ? null : mayChange ? (
            <div className="sh-side">
              <ShieldForm site={site} houseRate={answer?.limits.rate ?? null} onAdded={onAdded} />
              <OwnTraffic site={site} onAdded={onAdded} />
            </div>
          ) : (
            <section className="panel sh-side" aria-label="Changing shields">
              <div className="empty">
                <p>
                  <b>Your role ({role}) does not include changing shields.</b> Owners and admins of this organisation
                  can.
                </p>
              </div>
            </section>
          )}
        </div>
        {answer !== undefined && (
          <CallBox site={site.domain} call={{ method: 'GET', path: shieldsPath(site.domain) }} />
        )}
      </main>
    </Shell>
  );
}

function Answer({ list: { shields, week } }: { list: ShieldList }) {
  const rules =
    shields.length === 0
      ? 'No rule of this site drops'
      : shields.length === 1
        ? 'One rule drops'
        : `${shields.length} rules drop`;
  const start = `${rules} events before they are stored.`;
  if (week === null) return <>{start} The warehouse does not answer, so there are no counts now.</>;
  const dropped = week.dropped.reduce((sum, { events }) => sum + events, 0);
  const part = share(dropped, dropped + week.stored);
  if (dropped === 0 || part === null) return <>{start}</>;
  return (
    <>
      {start} Shields dropped <b>{exactCount(dropped)}</b> {dropped === 1 ? 'event' : 'events'} in the last 7 days,{' '}
      {percent(part)} of what arrived.
    </>
  );
}
