import { useState } from 'react';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import type { Answer } from '../desk/answers.ts';
import { drawn, useAnswers } from '../desk/answers.ts';
import type { SiteChecks } from '../desk/api.ts';
import { api } from '../desk/api.ts';
import { useWhileVisible } from '../desk/live.ts';
import { cellNumber, exactCount } from '../numbers/format.ts';
import type { Filter } from '../questions/filters.ts';
import { filterSentence } from '../questions/filters.ts';
import type { Asked } from '../questions/overview.ts';
import { totalsQuestion } from '../questions/overview.ts';

const lookEveryMs = 10_000;

/** A site that never had a visit: what the page waits for, and whether the snippet is where it should be. */
export function NewSite({ site }: { site: string }) {
  const [snippet, setSnippet] = useState<SiteChecks['snippet']>();
  useWhileVisible(
    async (signal) => {
      try {
        const checks = await api.checks(site, signal);
        if (!signal.aborted) setSnippet(checks.snippet);
      } catch {
        // The state of the desk is said beside the numbers; what was found last stays.
      }
    },
    lookEveryMs,
    [site],
  );
  const found =
    snippet === undefined
      ? 'The snippet is being looked for.'
      : snippet.state === 'ok'
        ? 'The snippet is on the home page: open any page of the site.'
        : `Snippet on the home page: ${snippet.detail}.`;
  return (
    <div className="hush">
      <p className="hush-title">
        <b>No visits yet.</b>
      </p>
      <p>The first page view shows here within three seconds.</p>
      <p role="status" className="hush-found">
        <span key={found}>{found}</span>
      </p>
      <Link className="btn" href={pathOf({ page: 'settings', site, section: 'snippet' })}>
        Show the snippet
      </Link>
    </div>
  );
}

/** Nothing under these filters. It says what the last one hides, since that is the one to take back. */
export function NothingMatches({
  asked,
  filters,
  onFilters,
}: {
  asked: Asked;
  filters: readonly Filter[];
  onFilters: (filters: Filter[]) => void;
}) {
  const fewer = filters.slice(0, -1);
  const last = filters.at(-1) as Filter;
  const { answers } = useAnswers({
    without: totalsQuestion({ ...asked, filters: fewer, frame: { ...asked.frame, before: undefined } }, ['visits']),
  });
  const visits = cellNumber(drawn(answers.without as Answer)?.results[0]?.metrics[0]);
  return (
    <div className="hush">
      <p className="hush-title">
        <b>Nothing matches these filters.</b>
      </p>
      <p className="hush-found">
        <span key={visits}>
          Without “{filterSentence(last)}” there {visits === 1 ? 'is' : 'are'}{' '}
          {visits === null ? '…' : exactCount(visits)} {visits === 1 ? 'visit' : 'visits'}.
        </span>
      </p>
      <button type="button" className="btn" onClick={() => onFilters(fewer)}>
        Remove it
      </button>
    </div>
  );
}
