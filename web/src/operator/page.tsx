import { AccessLog } from '../access_log/log.tsx';
import { Link } from '../address/navigate.tsx';
import type { OperatorSection } from '../address/route.ts';
import { pathOf } from '../address/route.ts';
import { Audit } from '../audit/page.tsx';
import { useSession } from '../desk/session.tsx';
import { Operations } from '../operations/page.tsx';
import { Empty } from '../overview/states.tsx';
import { Shell } from '../shell/shell.tsx';
import { Backups } from './backups.tsx';
import { SelfChecks } from './self_checks.tsx';
import { SignUpSettingsPart } from './sign_up.tsx';
import { operatorTabs } from './tabs.ts';
import { Usage } from './usage.tsx';
import './operator.css';

/** The desk itself: acts outside every organisation, who may sign up, requests, what it found of its own guards, and how it is used. */
export function OperatorPage({ section }: { section: OperatorSection }) {
  const { person } = useSession();
  const label = operatorTabs.find((tab) => tab.section === section)?.label ?? 'This desk';
  return (
    <Shell title={label}>
      {person.is_operator && (
        <nav className="tabs-bar" aria-label="This desk">
          {operatorTabs.map((tab) => (
            <Link
              key={tab.section}
              href={pathOf({ page: 'operator', section: tab.section })}
              {...(tab.section === section ? { 'aria-current': 'page' as const } : {})}
            >
              {tab.label}
            </Link>
          ))}
        </nav>
      )}
      <main className={section === 'sign-up' ? 'wrap' : 'wrap audit'} id="main" tabIndex={-1}>
        {!person.is_operator ? (
          <div className="list">
            <Empty title="This page is for who runs the desk.">
              It is about all organisations. The owner who set the desk up runs it.
            </Empty>
          </div>
        ) : section === 'audit' ? (
          <>
            <p className="op-lead">
              What belongs to no organisation: sign-ins under names that nobody has, acts of people outside every
              organisation, and what was done on the machine. Each organisation has its own audit log under Trust.
            </p>
            <Audit trail="desk" path={pathOf({ page: 'operator', section })} />
          </>
        ) : section === 'operations' ? (
          <>
            <p className="op-lead">
              What belongs to no organisation: runs of jobs, calls to other hosts that failed, and what people did
              outside every organisation. Never an address, a body or a secret of a call. Each organisation has its own
              under Trust.
            </p>
            <Operations of="desk" path={pathOf({ page: 'operator', section })} />
          </>
        ) : section === 'sign-up' ? (
          <SignUpSettingsPart />
        ) : section === 'access-log' ? (
          <AccessLog
            of="desk"
            path={pathOf({ page: 'operator', section })}
            about="Requests of people and keys, never of visitors of your sites. Kept for 90 days, and each reading is an entry of the desk trail."
          />
        ) : section === 'backups' ? (
          <Backups />
        ) : section === 'usage' ? (
          <Usage />
        ) : (
          <SelfChecks />
        )}
      </main>
    </Shell>
  );
}
