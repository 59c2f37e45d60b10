import { useCallback } from 'react';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import type { Goal, Site } from '../desk/api.ts';
import { api } from '../desk/api.ts';
import { exactCount } from '../numbers/format.ts';
import { useListed } from './listed.tsx';

/** Goals have a page of their own, with their numbers; who looks for them among the settings is led there. */
export function GoalSettings({ site }: { site: Site }) {
  const load = useCallback(() => api.goals(site.domain), [site.domain]);
  const { rows } = useListed<Goal>(load);
  return (
    <div className="settings wide">
      <section>
        <h2 className="vh">Goals</h2>
        <p>
          Goals are made, changed and removed where their numbers are.
          {rows !== undefined && (
            <span>
              {rows.length === 0
                ? ' This site has none yet.'
                : ` This site has ${exactCount(rows.length)} ${rows.length === 1 ? 'goal' : 'goals'}.`}
            </span>
          )}
        </p>
        <Link className="btn" href={pathOf({ page: 'goals', site: site.domain })}>
          Open the goals
        </Link>
      </section>
    </div>
  );
}
