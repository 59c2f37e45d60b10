import { useEffect, useState } from 'react';
import { navigate } from '../address/navigate.tsx';
import type { Route } from '../address/route.ts';
import { pathOf } from '../address/route.ts';
import { useSession } from '../desk/session.tsx';
import { NowherePage } from '../shell/plain.tsx';
import { organisations } from './wire.ts';

/** An address that no organisation of the reader has now: one had it before it was renamed, or none ever did. */
export function FormerSlugPage({ route }: { route: Extract<Route, { organisation: string }> }) {
  const session = useSession();
  const [isNowhere, setNowhere] = useState(false);
  useEffect(() => {
    organisations.read(route.organisation).then(
      ({ slug }) =>
        session.organisations.some((one) => one.slug === slug)
          ? navigate(pathOf({ ...route, organisation: slug }), { replace: true })
          : setNowhere(true),
      () => setNowhere(true),
    );
  }, [route, session]);
  if (!isNowhere) return null;
  return (
    <NowherePage
      what={`There is no organisation called ${route.organisation} here`}
      why="You may not be a member of it, or it was closed."
    />
  );
}
