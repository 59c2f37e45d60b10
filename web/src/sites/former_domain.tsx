import { useEffect, useState } from 'react';
import { navigate, useAddress } from '../address/navigate.tsx';
import type { Route } from '../address/route.ts';
import { pathOf } from '../address/route.ts';
import { api } from '../desk/api.ts';
import { useDesk, useSession } from '../desk/session.tsx';
import { NowherePage } from '../shell/plain.tsx';

/** An address that no site of the reader has now: one had it before it was renamed, and is gone to; or none ever did. */
export function FormerDomainPage({ route }: { route: Extract<Route, { site: string }> }) {
  const session = useSession();
  const { hasLost } = useDesk();
  const { search } = useAddress();
  const [isNowhere, setNowhere] = useState(false);
  useEffect(() => {
    api.site(route.site).then(
      ({ domain }) =>
        session.sites.some((one) => one.domain === domain)
          ? navigate(pathOf({ ...route, site: domain }) + search, { replace: true })
          : setNowhere(true),
      () => setNowhere(true),
    );
  }, [route, search, session]);
  if (!isNowhere) return null;
  if (hasLost(route.site))
    return (
      <NowherePage
        what={`${route.site} is not open to you any more`}
        why="Your access was taken back, or the site was moved or deleted. Whoever owns its organisation can say which."
      />
    );
  return (
    <NowherePage
      what={`There is no site called ${route.site} here`}
      why="It may belong to another organisation, or it was removed."
    />
  );
}
