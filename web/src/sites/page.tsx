import { useState } from 'react';
import { Link } from '../address/navigate.tsx';
import { Icon } from '../controls/icons.tsx';
import type { Organisation } from '../desk/session.tsx';
import { may, useSession } from '../desk/session.tsx';
import { Empty } from '../overview/states.tsx';
import { Shell } from '../shell/shell.tsx';
import { OfferedSites } from './offered.tsx';
import type { SiteGroup } from './table.tsx';
import { SitesTable } from './table.tsx';

/** From so many sites on, somebody looks for one by name. */
const searchedFrom = 8;

/** How are all my sites? Now, the last seven days, and how they moved; of one organisation or of all. */
export function SitesPage({ organisation }: { organisation?: Organisation }) {
  const session = useSession();
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const organisations = organisation === undefined ? session.organisations : [organisation];
  const all = session.sites.filter((one) => organisations.some(({ id }) => id === one.organisation_id));
  const groups: SiteGroup[] = organisations
    .map(({ id, name }) => ({
      name: organisations.length === 1 ? undefined : name,
      sites: all.filter((one) => one.organisation_id === id && one.domain.includes(wanted)),
    }))
    .filter(({ sites }) => sites.length > 0);
  const adds = organisations.find((one) => may(one, 'site.manage'));
  const newSite = `/sites/new${organisation === undefined ? '' : `?o=${organisation.slug}`}`;
  return (
    <Shell
      organisation={organisation}
      title={organisation === undefined ? 'All sites' : 'Sites'}
      controls={
        adds !== undefined && (
          <Link className="btn main-act" href={newSite}>
            <Icon name="plus" />
            Add a site
          </Link>
        )
      }
    >
      <main className="wrap" id="main" tabIndex={-1}>
        {organisation !== undefined && may(organisation, 'organisation.own') && (
          <OfferedSites organisation={organisation} />
        )}
        {all.length >= searchedFrom && (
          <div className="in sm search find-site">
            <Icon name="search" />
            <input
              aria-label="Find a site"
              placeholder="Find a site…"
              value={search}
              onChange={(event) => setSearch(event.target.value)}
            />
          </div>
        )}
        {groups.length > 0 ? (
          <SitesTable groups={groups} />
        ) : (
          <div className="list">
            {wanted !== '' ? (
              <Empty title={`No site here has “${search.trim()}” in its name.`} />
            ) : (
              <Empty title="There is no site here that you can see.">
                {adds === undefined ? 'An owner can put you into a team, or add a site.' : 'Add the first one.'}
              </Empty>
            )}
          </div>
        )}
        {adds !== undefined && (
          <p className="only-m">
            <Link className="btn" href={newSite}>
              Add a site
            </Link>
          </p>
        )}
      </main>
    </Shell>
  );
}
