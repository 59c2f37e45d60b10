import type { AuditEntry } from '../../../contract/audit.ts';
import { Fact } from '../controls/fact.tsx';
import { useSession } from '../desk/session.tsx';
import { secondText } from '../edge/reader.ts';
import { exactCount } from '../numbers/format.ts';
import type { Filters } from './filters.ts';
import { LogList } from './log_list.tsx';

/** One line an act, which opens in its place. */
export function Entries({ entries, set }: { entries: AuditEntry[]; set: (change: Filters) => void }) {
  return (
    <LogList
      beside={{ head: 'Network', className: 'au-net' }}
      lines={entries.map((one) => ({
        ...{ key: one.seq, at: one.at, outcome: one.outcome, isAlert: one.severity === 'alert' },
        what: <Sentence one={one} />,
        beside: one.network ?? '–',
        opened: () => <Opened one={one} set={set} />,
      }))}
    />
  );
}

function Sentence({ one }: { one: AuditEntry }) {
  const [first, ...others] = one.targets;
  const [before = '', after = ''] = one.sentence.split('{target}');
  const site = others.find(({ type }) => type === 'site');
  return (
    <>
      <b>{nameOf(one)}</b> {before}
      {one.sentence.includes('{target}') && <em>{targetName(first)}</em>}
      {after}
      {site !== undefined && (
        <>
          {' '}
          on <em>{targetName(site)}</em>
        </>
      )}
    </>
  );
}

/** Who did it, as a sentence begins. */
function nameOf({ actor }: AuditEntry): string {
  switch (actor.type) {
    case 'person':
      return actor.name ?? 'Somebody whose name is gone';
    case 'key':
      return actor.name === null ? `API key ${actor.id}` : `The API key ${actor.name}`;
    case 'operator':
      return 'The command line';
    case 'system':
      return 'The desk';
    case 'visitor':
      return 'Somebody';
  }
}

function targetName(target: AuditEntry['targets'][number] | undefined): string {
  if (target === undefined) return 'something';
  if (target.type === 'unknown_name') return `the unknown name ${target.id.slice(0, 8)}`;
  return target.label ?? (target.type === 'person' ? 'somebody' : `${target.type} ${target.id}`);
}

function Opened({ one, set }: { one: AuditEntry; set: (change: Filters) => void }) {
  const { person } = useSession();
  const actor = one.actor.id === null ? one.actor.type : `${one.actor.type}:${one.actor.id}`;
  const details = Object.entries(one.details);
  return (
    <div className="au-open">
      <dl>
        <Fact name="Entry">{exactCount(one.seq)}</Fact>
        <Fact name="Action">
          <code>{one.action}</code>
        </Fact>
        <Fact name="Time">
          <time dateTime={one.at} title={one.at}>
            {secondText(one.at)}
          </time>
        </Fact>
        <Fact name="Who">
          {nameOf(one)} {one.actor.name === person.name && person.name !== '' ? '(you)' : ''}
        </Fact>
        {one.targets.map((target) => (
          <Fact
            key={`${target.type} ${target.id}`}
            name={target.type[0]?.toUpperCase() + target.type.slice(1).replaceAll('_', ' ')}
          >
            {targetName(target)}
          </Fact>
        ))}
        {one.reason !== null && <Fact name="Reason">{one.reason.replaceAll('_', ' ')}</Fact>}
        {details.map(([name, value]) => (
          <Fact key={name} name={name.replaceAll('_', ' ')}>
            {value === null ? '–' : String(value)}
          </Fact>
        ))}
        <Fact name="Network">{one.network ?? 'not known, or dropped after 90 days'}</Fact>
        {one.request_id !== null && (
          <Fact name="Request">
            <code>{one.request_id}</code>
          </Fact>
        )}
        <Fact name="Hash">
          <code title={one.hash}>
            {one.hash.slice(0, 12)}…{one.hash.slice(-6)}
          </code>
        </Fact>
      </dl>
      {one.is_erased && (
        <p className="q">
          A name or details of this entry were erased with the key of a person. The entry itself still verifies.
        </p>
      )}
      <div className="au-acts">
        <button type="button" className="btn sm" onClick={() => set({ actor })}>
          Only what {one.actor.type === 'person' ? 'this person' : nameOf(one)} did
        </button>
        {one.targets.slice(0, 2).map((target) => (
          <button
            type="button"
            className="btn sm"
            key={`${target.type} ${target.id}`}
            onClick={() => set({ target: `${target.type}:${target.id}` })}
          >
            Only what was done to {targetName(target)}
          </button>
        ))}
        <button type="button" className="btn sm" onClick={() => set({ action: one.action })}>
          Only {one.action}
        </button>
      </div>
    </div>
  );
}
