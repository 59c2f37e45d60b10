import type { ReactNode } from 'react';
import type { Site } from '../../desk/api.ts';
import { may, type Organisation, useSession } from '../../desk/session.tsx';
import { deniedText } from '../../organisation/denied.tsx';
import { Empty } from '../../overview/states.tsx';
import { Shell } from '../../shell/shell.tsx';
import './reading.css';

/** The organisation whose relay it is, and the site under whose address it is looked at. */
export type Here = Organisation & { readonly site: string };

/** The frame of a page that reads the relay, and what stands there for who may not. */
export function ReadingFrame({
  site,
  title,
  what,
  children,
}: {
  site: Site;
  title: string;
  /** As a sentence ends: "does not include …". */
  what: string;
  children: (organisation: Here) => ReactNode;
}) {
  const organisation = useSession().organisations.find(({ id }) => id === site.organisation_id);
  const isAllowed = organisation !== undefined && may(organisation, 'relay.read');
  return (
    <Shell site={site.domain} title={title} skipTo={`Skip to ${what}`}>
      <main className="wrap relay" id="main" tabIndex={-1}>
        {isAllowed ? (
          children({ ...organisation, site: site.domain })
        ) : (
          <section className="panel" aria-label={title}>
            <Empty title={deniedText(what, organisation)}>
              Owners, admins, marketers, analysts and privacy officers of this organisation can read it.
            </Empty>
          </section>
        )}
      </main>
    </Shell>
  );
}
