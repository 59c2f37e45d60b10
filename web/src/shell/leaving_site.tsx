import { Link, useAddress } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { may, useSession } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { localTime } from '../period/period.ts';
import { dayText } from '../period/words.ts';
import { PageNotice } from './page_notice.tsx';

/** Over every page of a site that waits for its deletion: until when, and where it is taken back by who may. */
export function LeavingSite({ site: domain }: { site: string | undefined }) {
  const { sites, organisations } = useSession();
  const site = sites.find((one) => one.domain === domain);
  const { pathname } = useAddress();
  if (site === undefined || site.deletes_at === null) return null;
  // The page where it is taken back says the same, and more.
  if (pathname === pathOf({ page: 'settings', site: site.domain, section: 'life' })) return null;
  const organisation = organisations.find(({ id }) => id === site.organisation_id);
  const mayKeep = organisation !== undefined && may(organisation, 'organisation.manage');
  return (
    <PageNotice state="idle">
      {site.domain} will be deleted on {leavingDay(site.deletes_at, site.timezone)}, and collects nothing any more.
      {mayKeep && (
        <>
          {' '}
          <Link href={pathOf({ page: 'settings', site: site.domain, section: 'life' })}>Take it back</Link>
        </>
      )}
    </PageNotice>
  );
}

/** The day of a moment in the timezone of the site, as people write it. */
export function leavingDay(moment: string, timezone: string): string {
  return dayText(localTime(Date.parse(moment), timezone).day, localTime(now(), timezone).day);
}
