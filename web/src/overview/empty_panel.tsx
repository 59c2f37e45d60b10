import { useEffect, useState } from 'react';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { api } from '../desk/api.ts';
import type { PanelTab } from '../questions/panels.ts';
import { Empty } from './states.tsx';

/** What an empty panel says: why it is empty, and what to do about it. */
export function EmptyPanel({
  tab,
  site,
  isNew,
  visits,
  days,
  filters,
  onClear,
}: {
  tab: PanelTab;
  site: string;
  /** The site never had a visit. */
  isNew: boolean;
  /** In the view as a whole; `null` while that is not known. */
  visits: number | null;
  /** The period in words. */
  days: string;
  filters: number;
  onClear: () => void;
}) {
  const unnamed = reasons[tab.dimension] ?? (tab.group === 'Campaigns' ? campaignReason(tab) : undefined);
  // Above stands what hides everything and how to take it off: once is enough.
  if (filters > 0 && visits === 0) return <Empty title="Nothing matches these filters." />;
  if (filters > 0)
    return (
      <Empty
        title={
          visits !== null && visits > 0 && unnamed !== undefined ? unnamed.title : 'Nothing matches these filters.'
        }
        action={
          <button type="button" className="btn sm" onClick={onClear}>
            Remove the last one
          </button>
        }
      />
    );
  if (tab.dimension === 'goal') return <NoGoals site={site} isNew={isNew} />;
  if (isNew) return <Empty title="Fills with the first visit." />;
  if (tab.dimension === 'event' && visits !== 0)
    return (
      <Empty title={`No event but page views, ${days}.`}>
        A sign-up, a download, an order: what a site sends shows here.
      </Empty>
    );
  if (visits === 0 || unnamed === undefined) return <Empty title={`No visits, ${days}.`} />;
  return <Empty title={unnamed.title}>{unnamed.why}</Empty>;
}

interface Reason {
  title: string;
  why: string;
}

/** There were visits, but none that this list could name. */
const reasons: Partial<Record<PanelTab['dimension'], Reason>> = {
  referrer: {
    title: 'No visit came by a link.',
    why: 'All were direct, or their browsers did not say where they came from.',
  },
  screen: { title: 'No visit said its screen.', why: 'The snippet sends it; other ways in may leave it out.' },
  utm_term: {
    title: 'No search term is known.',
    why: 'Search engines keep what was searched for. A link of an ad carries it as ?utm_term=… and shows here.',
  },
  title: { title: 'No page view had a title.', why: 'Titles are kept where the settings of the site say so.' },
};

function campaignReason(tab: PanelTab): Reason {
  return {
    title: `No visit carried ${tab.dimension}.`,
    why: `A link to the site that ends in ?${tab.dimension}=… shows here under what stands after the sign.`,
  };
}

/** No goal was met, which is another thing than having none: the desk is asked which it is, only where it matters. */
function NoGoals({ site, isNew }: { site: string; isNew: boolean }) {
  const [count, setCount] = useState<number>();
  useEffect(() => {
    let here = true;
    api.goals(site).then(
      (goals) => here && setCount(goals.length),
      // Without the list the panel says nothing that could be wrong; the next visit of the page asks again.
      () => {},
    );
    return () => {
      here = false;
    };
  }, [site]);
  const href = pathOf({ page: 'goals', site });
  if (count === undefined) return null;
  if (count === 0)
    return (
      <Empty
        title="No goals yet."
        action={
          <Link className="btn sm" href={href}>
            Create a goal
          </Link>
        }
      >
        A goal is a page or an event that you want to happen: a sign-up, a thank-you page, an order.
      </Empty>
    );
  if (isNew) return <Empty title="Fills with the first visit." />;
  return (
    <Empty
      title="No goal was met in this period."
      action={
        <Link className="btn sm" href={href}>
          Look at the goals
        </Link>
      }
    />
  );
}
