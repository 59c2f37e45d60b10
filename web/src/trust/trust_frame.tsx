import type { ReactNode } from 'react';
import { may, type Organisation } from '../desk/session.tsx';
import { deniedText } from '../organisation/denied.tsx';
import { Empty } from '../overview/states.tsx';
import { Shell } from '../shell/shell.tsx';
import { TrustTabs } from './tabs.tsx';

/** The frame of a page under Trust: its tabs, and what stands there for who may not read it. */
export function TrustFrame({
  organisation,
  title,
  what,
  skipTo = what,
  name,
  children,
}: {
  organisation: Organisation;
  title: string;
  /** As a sentence ends: "does not include …". */
  what: string;
  /** Where the first link of the page leads, if that is not what the page is about. */
  skipTo?: string;
  /** Class of the page. */
  name: string;
  children: ReactNode;
}) {
  return (
    <Shell organisation={organisation} title={title} skipTo={`Skip to ${skipTo}`}>
      <TrustTabs organisation={organisation} />
      <main className={`wrap ${name}`} id="main" tabIndex={-1}>
        {may(organisation, 'audit.read') ? (
          children
        ) : (
          <div className="list">
            <Empty title={deniedText(what, organisation)}>
              Owners, admins and privacy officers of this organisation can read it.
            </Empty>
          </div>
        )}
      </main>
    </Shell>
  );
}
