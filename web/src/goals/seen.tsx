import { useEffect, useState } from 'react';
import { Link } from '../address/navigate.tsx';
import type { View } from '../address/view.ts';
import type { Answer } from '../desk/answers.ts';
import { drawn, useAnswers } from '../desk/answers.ts';
import type { Goal, NewGoal, QueryAnswer, Site } from '../desk/api.ts';
import { now } from '../edge/browser.ts';
import { cellNumber, exactCount } from '../numbers/format.ts';
import { Empty } from '../overview/states.tsx';
import { localTime } from '../period/period.ts';
import { goalsAddress } from './address.ts';
import { seenDays, seenQuestions } from './questions.ts';
import { RuleText } from './words.tsx';

/** Something that visitors did lately, and that a goal could count. */
interface SeenThing extends NewGoal {
  visitors: number;
}
export interface Seen {
  events: readonly SeenThing[];
  /** Those first that look as if something had worked. */
  pages: readonly SeenThing[];
  state: 'waiting' | 'here' | 'failed';
}

/** What was seen on a site in the last 30 days. The answers are kept, so a form and a list ask once. */
export function useSeen(site: Site, ready = true): Seen {
  const [today] = useState(() => localTime(now(), site.timezone).day);
  const { answers } = useAnswers(seenQuestions(site.domain, today), 0, ready);
  const pages = [...pagesOf(drawn(answers.aims)), ...pagesOf(drawn(answers.pages))];
  const all: Answer[] = Object.values(answers);
  return {
    events: (drawn(answers.events)?.results ?? []).flatMap(({ dimensions: [name], metrics: [visitors, , earned] }) =>
      name == null
        ? []
        : [
            {
              kind: 'event' as const,
              match: name,
              visitors: cellNumber(visitors) ?? 0,
              ...((cellNumber(earned) ?? 0) > 0 ? { currency: site.currency } : {}),
            },
          ],
    ),
    pages: pages.filter((page, at) => pages.findIndex(({ match }) => match === page.match) === at),
    state: all.some(({ state }) => state === 'failed')
      ? 'failed'
      : all.some(({ state }) => state === 'waiting')
        ? 'waiting'
        : 'here',
  };
}

function pagesOf(answer: QueryAnswer | undefined): SeenThing[] {
  return (answer?.results ?? []).flatMap(({ dimensions: [page], metrics: [visitors] }) =>
    // Everybody begins at the home page; and a star in a path that was really asked for would be read as a pattern.
    page == null || page === '' || page === '/' || page.includes('*')
      ? []
      : [{ kind: 'page' as const, match: page, visitors: cellNumber(visitors) ?? 0 }],
  );
}

/** Is the page among those of a pattern? As the desk reads it: `*` within a part of the path, `**` anything. */
function covers(pattern: string, page: string): boolean {
  let ends = new Set([0]);
  for (const part of pattern.split(/(\*\*+|\*)/)) {
    const next = new Set<number>();
    for (const at of ends) {
      if (!part.startsWith('*')) {
        if (page.startsWith(part, at)) next.add(at + part.length);
        continue;
      }
      const slash = part === '*' ? page.indexOf('/', at) : -1;
      for (let end = at; end <= (slash === -1 ? page.length : slash); end++) next.add(end);
    }
    ends = next;
  }
  return ends.has(page.length);
}

const eventsShown = 8;
const pagesShown = 5;

/** What was seen and is no goal yet. A click opens the form filled in; nothing is made unseen. */
export function Suggestions({
  site,
  view,
  goals,
  ready,
  onSettled,
}: {
  site: Site;
  view: View;
  goals: readonly Goal[];
  /** The numbers of the goals come first. */
  ready: boolean;
  /** Called with true when it has got its height: what stands under it waits for that. */
  onSettled: (settled: boolean) => void;
}) {
  const seen = useSeen(site, ready);
  const settled = seen.state !== 'waiting';
  useEffect(() => onSettled(settled), [settled, onSettled]);
  const isGoal = ({ kind, match }: NewGoal) =>
    goals.some((goal) =>
      kind === 'page'
        ? goal.kind === 'page' && covers(goal.match, match)
        : goal.kind === kind && goal.match === match && goal.property === null,
    );
  const things = [
    ...seen.events.filter((one) => !isGoal(one)).slice(0, eventsShown),
    ...seen.pages.filter((one) => !isGoal(one)).slice(0, pagesShown),
  ];
  return (
    <section className="panel gl-seen" aria-labelledby="gl-seen-title">
      <header>
        <h2 id="gl-seen-title">Seen in the last {seenDays} days</h2>
      </header>
      {things.length === 0 || !settled ? (
        <div className="gl-frame">
          {seen.state === 'failed' ? (
            <Empty title="What was seen could not be read." />
          ) : (
            seen.state === 'here' && (
              <Empty
                title={
                  seen.events.length + seen.pages.length === 0
                    ? `Nothing was seen in the last ${seenDays} days.`
                    : 'Everything that was seen is a goal already.'
                }
              >
                Events that the site sends and pages that are opened show here.
              </Empty>
            )
          )}
        </div>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Event or page</th>
              <th scope="col" className="num">
                Visitors
              </th>
              <th scope="col">
                <span className="vh">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {things.map((thing) => (
              <tr key={`${thing.kind} ${thing.match}`}>
                <td className="gl-thing">
                  <span className="cut">
                    <RuleText rule={thing} oneLine />
                  </span>
                </td>
                <td className="num">{exactCount(thing.visitors)}</td>
                <td className="num">
                  <Link
                    className="btn sm"
                    aria-label={`Create goal: ${thing.kind} ${thing.match}`}
                    href={goalsAddress(site.domain, view, {
                      start: { kind: thing.kind, match: thing.match, currency: thing.currency ?? null },
                    })}
                  >
                    <span>
                      Create<span className="only-w"> goal</span>
                    </span>
                  </Link>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {settled && things.length > 0 && (
        <footer>
          <span>
            What is not a goal yet, events first. A click fills in the form; nothing is made before you say so.
          </span>
        </footer>
      )}
    </section>
  );
}
