import type { Organisation } from '../desk/session.tsx';
import { SitesPage } from './page.tsx';

/** The sites of one organisation: what an agency opens first for a client. */
export function OrganisationSitesPage({ organisation }: { organisation: Organisation }) {
  return <SitesPage organisation={organisation} />;
}
