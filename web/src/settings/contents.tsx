import { exactCount } from '../numbers/format.ts';
import { rangeText } from '../period/words.ts';
import type { SiteContent } from './life_wire.ts';

const words: Record<SiteContent['kind'], string> = {
  events: 'Events',
  imported_events: 'Imported events',
  visits: 'Visits',
  imported_days: 'Rows of imported days',
  counts: 'Counts of closed days',
  robots: 'Counts of robots',
  drops: 'Counts of what was not stored',
  quarantine: 'Events in quarantine',
  imports: 'Imports',
  exports: 'Exports and their files',
  goals: 'Goals',
  shields: 'Shields',
  annotations: 'Annotations',
  foreign_ids: 'Ids for other trackers',
  former_domains: 'Former domains',
  shares: 'Shares',
  reports: 'Reports by mail',
  teams: 'Places in teams',
  keys: 'API keys limited to it',
};

/** How much there is of a site, by kind; kinds of which there is nothing are left out. */
export function Contents({
  contents,
  today,
  kinds,
}: {
  contents: readonly SiteContent[];
  today: string;
  /** Those alone; all without. */
  kinds?: readonly SiteContent['kind'][];
}) {
  const shown = contents.filter(({ kind, rows }) => rows > 0 && (kinds === undefined || kinds.includes(kind)));
  if (shown.length === 0) return <p className="q">There is nothing of it yet.</p>;
  return (
    <dl className="contents">
      {shown.map(({ kind, rows, first_day, last_day }) => (
        <div key={kind}>
          <dt>{words[kind]}</dt>
          <dd>
            <span>{exactCount(rows)}</span>
            <span className="q">
              {first_day !== null && last_day !== null && rangeText({ from: first_day, to: last_day }, today)}
            </span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
