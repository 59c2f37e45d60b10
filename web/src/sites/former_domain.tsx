import { useEffect, useState } from 'react';
import { navigate, useAddress } from '../address/navigate.tsx';
import type { Route } from '../address/route.ts';
import { pathOf } from '../address/route.ts';
import { api } from '../desk/api.ts';
import { useSession } from '../desk/session.tsx';
import { NowherePage } from '../shell/plain.tsx';

/** An address that no site of the reader has now: one had it before it was renamed, and is gone to; or none ever did. */
export function FormerDomainPage({ route }: { route: Extract<Route, { site: string }> }) {
  const session = useSession();
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
  return (
    <NowherePage
      what={`There is no site called ${route.site} here`}
      why="It may belong to another organisation, or it was removed."
    />
  );
}
