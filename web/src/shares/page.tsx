import type { Site } from '../desk/api.ts';
import { Shell } from '../shell/shell.tsx';

export function SharesPage({ site }: { site: Site }) {
  return (
    <Shell site={site.domain} title="Shares">
      <main className="wrap" id="main" tabIndex={-1} />
    </Shell>
  );
}
