import type { OperationLine } from '../../../contract/operations.ts';
import { LogList } from '../audit/log_list.tsx';
import { Fact } from '../controls/fact.tsx';
import { secondText } from '../edge/reader.ts';
import { milliseconds } from '../numbers/format.ts';
import type { Filters } from './filters.ts';
import { callWords, jobWords } from './words.ts';

/** One line an action, which opens in its place. */
export function Lines({ lines, narrow }: { lines: OperationLine[]; narrow: (change: Filters) => void }) {
  return (
    <LogList
      beside={{ head: 'Who', className: 'ol-who' }}
      lines={lines.map((one) => ({
        ...{ key: one.id, at: one.at, outcome: one.outcome, isAlert: one.outcome === 'failed' },
        what: whatOf(one),
        beside: whoOf(one),
        opened: () => <Opened one={one} narrow={narrow} />,
      }))}
    />
  );
}

function whatOf(one: OperationLine): string {
  if (one.kind === 'call')
    return `A call to ${one.object?.id ?? 'another host'} ${callWords[one.action] ?? `for ${one.action}`}`;
  if (one.kind === 'job') {
    const words = jobWords[one.action] ?? one.action;
    return one.object?.kind === 'host' ? `${words} by ${one.object.id}` : words;
  }
  return one.summary ?? one.action;
}

function whoOf({ actor, kind }: OperationLine): string {
  if (actor === null) return kind === 'request' ? 'Nobody signed in' : 'The desk';
  if (actor.type === 'key') return `API key ${actor.id}`;
  return actor.name ?? `Person ${actor.id.slice(0, 8)}`;
}

function Opened({ one, narrow }: { one: OperationLine; narrow: (change: Filters) => void }) {
  const { actor, object, site_id: site } = one;
  return (
    <div className="au-open">
      <dl>
        <Fact name="Action">
          <code>{one.action}</code>
        </Fact>
        <Fact name="Time">
          <time dateTime={one.at} title={one.at}>
            {secondText(one.at)}
          </time>
        </Fact>
        <Fact name="Who">{actor === null ? whoOf(one) : `${whoOf(one)} (${actor.id.slice(0, 12)})`}</Fact>
        {object !== null && (
          <Fact name="On">
            {object.kind} {object.kind === 'person' ? object.id.slice(0, 12) : object.id}
          </Fact>
        )}
        {site !== null && <Fact name="Site">{site}</Fact>}
        {one.code !== null && <Fact name="Error">{one.code.replaceAll('_', ' ')}</Fact>}
        {one.ms !== null && <Fact name="Took">{milliseconds(one.ms)}</Fact>}
        {one.browser !== null && <Fact name="Browser">{one.browser}</Fact>}
        {one.kind === 'request' && <Fact name="Network">{one.network ?? 'dropped after 90 days'}</Fact>}
        {one.request_id !== null && (
          <Fact name="Request">
            <code>{one.request_id}</code>
          </Fact>
        )}
      </dl>
      <div className="au-acts">
        {actor !== null && (
          <button type="button" className="btn sm" onClick={() => narrow({ actor: `${actor.type}:${actor.id}` })}>
            Only what {whoOf(one)} did
          </button>
        )}
        {object !== null && (
          <button type="button" className="btn sm" onClick={() => narrow({ object: `${object.kind}:${object.id}` })}>
            Only what was about the same
          </button>
        )}
        {site !== null && object?.kind !== 'site' && (
          <button type="button" className="btn sm" onClick={() => narrow({ object: `site:${site}` })}>
            Only this site
          </button>
        )}
        <button type="button" className="btn sm" onClick={() => narrow({ action: one.action })}>
          Only this action
        </button>
      </div>
    </div>
  );
}
