import { type ReactNode, useEffect } from 'react';
import { may, type Organisation } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { momentText, readerZone } from '../edge/reader.ts';
import { deniedText } from '../organisation/denied.tsx';
import { Empty } from '../overview/states.tsx';
import { Shell } from '../shell/shell.tsx';
import { TrustTabs } from './tabs.tsx';
import './opens.css';
import './print.css';

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
  useEffect(printWhole, []);
  return (
    <Shell organisation={organisation} title={title} skipTo={`Skip to ${skipTo}`}>
      <TrustTabs organisation={organisation} />
      <main className={`wrap ${name}`} id="main" tabIndex={-1}>
        <p className="only-print">
          {organisation.name}, {title}, printed {momentText(new Date(now()).toISOString())} ({readerZone()})
        </p>
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

/** What is folded stands open on paper, and is as it was afterwards. What is read when it is opened prints where it is open. @returns the way to leave it */
function printWhole(): () => void {
  let folded: HTMLDetailsElement[] = [];
  const unfold = () => {
    folded = [...document.querySelectorAll<HTMLDetailsElement>('main details:not([open], [data-later])')];
    for (const one of folded) one.open = true;
  };
  const fold = () => {
    for (const one of folded) one.open = false;
    folded = [];
  };
  window.addEventListener('beforeprint', unfold);
  window.addEventListener('afterprint', fold);
  return () => {
    window.removeEventListener('beforeprint', unfold);
    window.removeEventListener('afterprint', fold);
  };
}
