import type { Organisation } from '../desk/session.tsx';
import { Shell } from '../shell/shell.tsx';

export function OrganisationSitesPage({ organisation }: { organisation: Organisation }) {
  return (
    <Shell organisation={organisation} title="Sites">
      <main className="wrap" id="main" tabIndex={-1} />
    </Shell>
  );
}
