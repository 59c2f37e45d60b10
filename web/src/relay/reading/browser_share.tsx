import { useCallback } from 'react';
import { type BrowserState, browserStates } from '../../../../contract/pixels.ts';
import type { RelayPeriod } from '../../../../contract/relay_asked.ts';
import type { BrowserShare } from '../../../../contract/relay_reading.ts';
import { Link } from '../../address/navigate.tsx';
import { pathOf } from '../../address/route.ts';
import { Sparkline } from '../../charts/sparkline.tsx';
import { ComingRows } from '../../controls/coming.tsx';
import { useReading } from '../../desk/reading.ts';
import { exactCount, percent, share } from '../../numbers/format.ts';
import { Empty, Failed } from '../../overview/states.tsx';
import { relay } from './api.ts';
import { withFilters } from './filters.ts';
import type { Here } from './frame.tsx';
import { browserWords } from './words.tsx';

const heading = 'browser-and-server';

/** Does the browser's own event carry the id that the relay sends? Only then a platform counts the two as one. */
export function BrowserAndServer({ organisation, period }: { organisation: Here; period: RelayPeriod }) {
  const { answer, problem, reload } = useReading(
    useCallback(() => relay.browserShare(organisation.id, period), [organisation.id, period]),
  );
  return (
    <section className="list re-table" aria-labelledby={heading} aria-busy={answer === undefined && !problem}>
      <header className="re-head">
        <h2 id={heading}>Browser and server</h2>
        <p className="q2">
          A platform takes a browser’s event and the relay’s for one where both have the same id and event name. Counted
          is what pages told this desk of their pixel’s calls: of visitors who said yes to ads, where a source counts
          it. A call that no page told of looks like none.
        </p>
      </header>
      {problem !== undefined ? (
        <Failed
          code={problem.code}
          message={problem.message}
          reference={problem.reference}
          onRetry={reload}
          what="These figures could not be read."
        />
      ) : answer === undefined ? (
        <ComingRows what="the figures" rows={3} />
      ) : (
        <Answer answer={answer} organisation={organisation} period={period} />
      )}
    </section>
  );
}

function Answer({ answer, organisation, period }: { answer: BrowserShare; organisation: Here; period: RelayPeriod }) {
  if (answer.server.length === 0 && answer.browser.length === 0)
    return answer.counting_sources === 0 ? (
      <Empty title="No source counts calls of pixels.">
        It is a switch of a source of goals, and the tracker’s tag on the site needs data-pixels.
      </Empty>
    ) : (
      <Empty title="Nothing to compare in this period.">
        What a platform accepts from a page whose pixel is counted stands here.
      </Empty>
    );
  return (
    <>
      {answer.server.length > 0 && <Server answer={answer} organisation={organisation} period={period} />}
      {answer.browser.length > 0 && (
        <>
          <Browser answer={answer} />
          <p className="re-note q">
            Of events that the relay sends, too. Calls of the last 48 hours may still meet their conversion.
          </p>
        </>
      )}
      {answer.is_cut && <p className="q re-note">The hundred largest rows of each are shown.</p>}
    </>
  );
}

function Server({ answer, organisation, period }: { answer: BrowserShare; organisation: Here; period: RelayPeriod }) {
  const path = pathOf({ page: 'relay-inspector', site: organisation.site });
  const low = worst(answer);
  return (
    <>
      <table className="re-cover">
        <caption className="re-caption">Accepted from the relay</caption>
        <thead>
          <tr>
            <th className="fill">Event</th>
            <th className="num">Same id</th>
            <th className="re-others">Others</th>
            {period !== 'today' && <th className="re-spark re-w">By day</th>}
          </tr>
        </thead>
        <tbody>
          {answer.server.map((row) => {
            const { destination, event, sent_as, count, states } = row;
            const hrefOf = (browser: BrowserState) =>
              withFilters(path, { destination: String(destination.id), event, browser, state: 'accepted', period });
            const same = share(states.same, count) ?? 0;
            return (
              <tr key={`${destination.id} ${event} ${sent_as}`}>
                <td className="fill">
                  <i className="re-bar" style={{ width: `${0.92 * same}%` }} />
                  <span className="re-over">
                    {event}
                    {sent_as !== event && `, sent as ${sent_as}`}
                    <span className="re-under">
                      {destination.name ?? destination.label}, {exactCount(count)} accepted
                    </span>
                  </span>
                </td>
                <td className="num">
                  {states.same === 0 ? (
                    percent(0)
                  ) : (
                    <Link href={hrefOf('same')} className="link">
                      {percent(same)}
                    </Link>
                  )}
                </td>
                <td className="re-others">
                  {browserStates
                    .filter((state) => state !== 'same' && states[state] > 0)
                    .map((state) => (
                      <span key={state} className="re-other">
                        <Link href={hrefOf(state)} className="link">
                          {exactCount(states[state])}
                        </Link>{' '}
                        {browserWords[state]}
                      </span>
                    ))}
                </td>
                {period !== 'today' && (
                  <td className="re-spark re-w">
                    <Sparkline
                      values={row.by_step.map((all, at) => share(row.same_by_step[at] ?? 0, all) ?? 0)}
                      top={100}
                      running
                      label={`${event} with the same id by day: ${exactCount(row.same_by_step.at(-1) ?? 0)} of ${exactCount(row.by_step.at(-1) ?? 0)} on ${answer.steps.at(-1)}`}
                    />
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
      {low !== undefined && <p className="re-note">{whatToDo[low]}</p>}
    </>
  );
}

/** Calls without a delivery: what only the browser told of. */
function Browser({ answer }: { answer: BrowserShare }) {
  return (
    <table>
      <caption className="re-caption">Told of by the browser alone</caption>
      <thead>
        <tr>
          <th className="fill">Event of the pixel</th>
          <th className="num">With an id</th>
          <th className="num">Without one</th>
        </tr>
      </thead>
      <tbody>
        {answer.browser.map(({ platform, label, event, with_id, without_id }) => (
          <tr key={`${platform} ${event}`}>
            <td className="fill">
              {event}
              <span className="re-under">{label}</span>
            </td>
            <td className="num">{exactCount(with_id)}</td>
            <td className="num">{exactCount(without_id)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A share is low below this; above, what is missing is mostly blockers. */
const lowBelow = 75;

/** What most of the others are, where the share is low. */
function worst({ server }: BrowserShare): Exclude<BrowserState, 'same'> | undefined {
  const sums = Object.fromEntries(browserStates.map((state) => [state, 0])) as Record<BrowserState, number>;
  for (const { states } of server) for (const state of browserStates) sums[state] += states[state];
  const all = browserStates.reduce((sum, state) => sum + sums[state], 0);
  if ((share(sums.same, all) ?? 100) >= lowBelow) return undefined;
  return browserStates
    .filter((state) => state !== 'same')
    .reduce((most, state) => (sums[state] > sums[most] ? state : most), 'unseen');
}

const whatToDo: Readonly<Record<Exclude<BrowserState, 'same'>, string>> = {
  other_name:
    'Most others have the id and another event name: let the route send the event by the name that the pixel uses, in the same case.',
  other_id:
    'Most others have another id: give the pixel the id of the event fairlead:event, or the order number where the conversion has one.',
  no_id: 'Most others have no id: pass eventID to fbq, event_id to ttq, or let the tracker call the pixel.',
  unseen:
    'Of most others no call was seen: is data-pixels on the page where it happens, does the pixel run there, and does the visitor’s yes reach the tracker? A blocked pixel calls nothing, and the relay’s event is then the only one.',
};
