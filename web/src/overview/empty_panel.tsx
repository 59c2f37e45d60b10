import { useEffect, useState } from 'react';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { api } from '../desk/api.ts';
import type { Panel } from '../questions/panels.ts';
import { Empty } from './states.tsx';

/** What an empty panel says: why it is empty, and what to do about it. */
export function EmptyPanel({
  panel,
  site,
  isNew,
  filters,
  onClear,
}: {
  panel: Panel['id'];
  site: string;
  /** The site never had a visit. */
  isNew: boolean;
  filters: number;
  onClear: () => void;
}) {
  if (filters > 0)
    return (
      <Empty
        title="Nothing matches these filters."
        action={
          <button type="button" className="btn sm" onClick={onClear}>
            Remove the last one
          </button>
        }
      />
    );
  if (panel === 'goals') return <NoGoals site={site} isNew={isNew} />;
  if (isNew) return <Empty title="Fills with the first visit." />;
  return <Empty title="Nothing in this period.">Another period may have some.</Empty>;
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
  const href = pathOf({ page: 'settings', site, section: 'goals' });
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
