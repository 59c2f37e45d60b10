import type { ReactNode } from 'react';
import { Link } from '../address/navigate.tsx';
import { Icon } from '../controls/icons.tsx';
import type { DeskError, Site } from '../desk/api.ts';
import type { Organisation } from '../desk/session.tsx';
import { may, useSession } from '../desk/session.tsx';
import { deniedText } from '../organisation/denied.tsx';
import { Empty, Failed } from '../overview/states.tsx';
import { Shell } from '../shell/shell.tsx';
import './relay.css';

/** A page of the relay, for those whose role includes it. */
export function RelayFrame({
  site,
  title,
  wide = false,
  children,
}: {
  site: Site;
  title: string;
  /** An editor that takes the whole window. */
  wide?: boolean;
  children: (organisation: Organisation, mayChange: boolean) => ReactNode;
}) {
  const organisation = useSession().organisations.find(({ id }) => id === site.organisation_id);
  const allowed = organisation !== undefined && may(organisation, 'relay.read');
  return (
    <Shell site={site.domain} title={title}>
      <main className={wide && allowed ? 'rl-whole' : 'wrap relay'} id="main" tabIndex={-1}>
        {allowed ? (
          children(organisation, may(organisation, 'relay.manage'))
        ) : (
          <section className="panel" aria-label={title}>
            <Empty title={deniedText('the conversion relay', organisation)}>
              Owners and admins of this organisation can grant it.
            </Empty>
          </section>
        )}
      </main>
    </Shell>
  );
}

export function BackTo({ href, children }: { href: string; children: string }) {
  return (
    <p className="rl-back">
      <Link className="btn quiet sm" href={href}>
        <Icon name="back" />
        {children}
      </Link>
    </p>
  );
}

/** In the place of one thing: it is not there, or could not be read. */
export function Instead({
  problem,
  what,
  all,
  onRetry,
}: {
  problem: DeskError;
  /** Of the sort “source”. */
  what: string;
  all: { href: string; label: string };
  onRetry: () => void;
}) {
  return (
    <section className="panel" aria-label={what}>
      {problem.status === 404 || problem.code === 'invalid_field' ? (
        <Empty
          title={`There is no ${what} with this number here.`}
          action={
            <Link className="btn sm" href={all.href}>
              {all.label}
            </Link>
          }
        >
          It may have been deleted, or belong to another organisation.
        </Empty>
      ) : (
        <Failed {...problem} onRetry={onRetry} what={`The ${what} could not be read.`} />
      )}
    </section>
  );
}
